//! Agents, their events and segments, and the deadlines they are found by.

use domain::agent::{Agent, Phase};
use domain::event::Event;
use domain::fleet::Summary;
use domain::id::{AgentId, Generation, UserId};
use domain::lifecycle::{SegmentChange, Transition};
use domain::metering::Segment;
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::store::{Created, Idempotency, Result, Shard, Spawner, StoreError, Turn};

use super::accounts;
use super::row::{cursor, from_json, json, parsed, signed};
use super::sql::{self, Sql};

/// A transition in SQLite's words: made on the caller's thread, so that the
/// writer's does nothing but write.
pub(super) struct Change {
    id: AgentId,
    owner: UserId,
    created_at: Timestamp,
    from_version: i64,
    version: i64,
    due_at: Option<i64>,
    awake: bool,
    deleted: bool,
    agent: String,
    events: Vec<EventRow>,
    segment: Option<SegmentRow>,
}

struct EventRow {
    seq: i64,
    generation: Generation,
    at: Timestamp,
    what: String,
}

struct SegmentRow {
    generation: Generation,
    started_at: Timestamp,
    /// `None`: it opens.
    ended_at: Option<Timestamp>,
    segment: String,
}

impl Change {
    pub fn of(transition: &Transition) -> Result<Self> {
        let agent = &transition.agent;
        let event = |event: &Event| {
            Ok(EventRow {
                seq: signed(event.seq)?,
                generation: event.generation,
                at: event.at,
                what: json(&event.what)?,
            })
        };
        let segment = |change: &SegmentChange| {
            let (SegmentChange::Opened(segment) | SegmentChange::Closed(segment)) = change;
            Ok::<_, StoreError>(SegmentRow {
                generation: segment.generation,
                started_at: segment.started_at,
                ended_at: segment.ended_at,
                segment: json(segment)?,
            })
        };
        Ok(Self {
            id: agent.id,
            owner: agent.owner,
            created_at: agent.created_at,
            from_version: signed(transition.from_version)?,
            version: signed(agent.version)?,
            due_at: agent.due_at.map(|at| at.0),
            awake: agent.is_awake(),
            deleted: agent.phase == Phase::Deleted,
            agent: json(agent)?,
            events: transition.events.iter().map(event).collect::<Result<_>>()?,
            segment: transition.segment.as_ref().map(segment).transpose()?,
        })
    }

    pub fn create(
        &self,
        db: &Connection,
        idempotency: Option<&Idempotency>,
        turns: &[Turn],
    ) -> Result<Created> {
        if let Some(idempotency) = idempotency {
            if let Some(before) = created(db, self.owner, idempotency, self.created_at)? {
                return Ok(before);
            }
            let row = params![
                self.owner.to_string(),
                idempotency.key.as_str(),
                idempotency.request.0,
                self.id.to_string(),
                idempotency.expires_at.0
            ];
            sql::PUT_KEY.run(db, row)?;
        }
        pass(db, turns)?;
        let row = params![
            self.id.to_string(),
            self.owner.to_string(),
            Shard::of(self.id).0,
            self.version,
            self.due_at,
            self.awake,
            self.deleted,
            self.agent
        ];
        changed(sql::INSERT_AGENT.run(db, row)?)?;
        self.append(db)?;
        Ok(Created::New)
    }

    pub fn commit(&self, db: &Connection, turns: &[Turn]) -> Result<()> {
        let row = params![
            self.id.to_string(),
            self.version,
            self.due_at,
            self.awake,
            self.deleted,
            self.agent,
            self.from_version
        ];
        changed(sql::UPDATE_AGENT.run(db, row)?)?;
        pass(db, turns)?;
        self.append(db)
    }

    /// What goes with the row.
    fn append(&self, db: &Connection) -> Result<()> {
        let id = self.id.to_string();
        for event in &self.events {
            sql::INSERT_EVENT.run(db, params![id, event.seq, event.generation.0, event.at.0, event.what])?;
        }
        let Some(segment) = &self.segment else { return Ok(()) };
        let generation = segment.generation.0;
        match segment.ended_at {
            None => {
                sql::OPEN_SEGMENT.run(db, params![id, generation, segment.started_at.0, segment.segment])?;
            }
            Some(at) => {
                if sql::CLOSE_SEGMENT
                    .run(db, params![id, generation, at.0, segment.segment, Shard::of(self.id).0])?
                    != 1
                {
                    return Err(StoreError::Failed(format!(
                        "{id}:{generation} has no open segment to close"
                    )));
                }
            }
        }
        Ok(())
    }
}

/// The turnstiles, if nobody else passed one of them.
fn pass(db: &Connection, turns: &[Turn]) -> Result<()> {
    turns.iter().try_for_each(|turn| match turn {
        Turn::Wake(account) => accounts::put(db, account),
        Turn::Spawn(decided) if spawner(db, decided.owner)? == *decided => Ok(()),
        Turn::Spawn(_) => Err(StoreError::Conflict),
    })
}

/// As many as there are is version enough: who decides by that number may, as
/// long as it is the same.
pub(super) fn spawner(db: &Connection, owner: UserId) -> Result<Spawner> {
    let count: i64 = sql::COUNT_AGENTS_OF.one(db, [owner.to_string()], |row| row.get(0))?.unwrap_or_default();
    let agents = usize::try_from(count).unwrap_or_default();
    Ok(Spawner { owner, agents, version: count.unsigned_abs() })
}

/// A conditional write that found nothing to change came too late.
fn changed(rows: usize) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

/// What a key came to earlier.
pub(super) fn created(
    db: &Connection,
    owner: UserId,
    idempotency: &Idempotency,
    now: Timestamp,
) -> Result<Option<Created>> {
    let key = params![owner.to_string(), idempotency.key.as_str(), now.0];
    let before = sql::KEY.one(db, key, |row| Ok((row.get::<_, [u8; 32]>(0)?, parsed(row, 1)?)))?;
    Ok(before.map(
        |(request, agent)| {
            if request == idempotency.request.0 { Created::Before(agent) } else { Created::KeyReused }
        },
    ))
}

pub(super) fn agent(db: &Connection, id: AgentId) -> Result<Option<Agent>> {
    Ok(sql::AGENT.one(db, [id.to_string()], |row| from_json(row, 0))?)
}

pub(super) fn agents_of(
    db: &Connection,
    owner: UserId,
    after: Option<AgentId>,
    limit: u16,
) -> Result<Vec<Agent>> {
    Ok(sql::AGENTS_OF.all(db, params![owner.to_string(), cursor(after), limit], |row| from_json(row, 0))?)
}

pub(super) fn events(db: &Connection, agent: AgentId, after: u64, limit: u16) -> Result<Vec<Event>> {
    // Past the last number that a row can have there is nothing.
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let read = |row: &Row<'_>| {
        Ok(Event {
            agent,
            seq: row.get::<_, i64>(0)?.unsigned_abs(),
            generation: Generation(row.get(1)?),
            at: Timestamp(row.get(2)?),
            what: from_json(row, 3)?,
        })
    };
    Ok(sql::EVENTS.all(db, params![agent.to_string(), after, limit], read)?)
}

pub(super) fn segments(
    db: &Connection,
    agent: AgentId,
    before: Option<Generation>,
    limit: u16,
) -> Result<Vec<Segment>> {
    let before = before.map_or(i64::MAX, |generation| i64::from(generation.0));
    Ok(sql::SEGMENTS.all(db, params![agent.to_string(), before, limit], |row| from_json(row, 0))?)
}

pub(super) fn claim_due(
    db: &Connection,
    shard: Shard,
    now: Timestamp,
    claimed_until: Timestamp,
    limit: u16,
) -> Result<Vec<Agent>> {
    let due = sql::DUE.all(db, params![shard.0, now.0, limit], legible)?;
    for (id, _) in &due {
        sql::CLAIM.run(db, params![id, claimed_until.0])?;
    }
    Ok(due.into_iter().filter_map(|(_, agent)| agent).collect())
}

pub(super) fn next_due(db: &Connection, shard: Shard) -> Result<Option<Timestamp>> {
    Ok(sql::NEXT_DUE.one(db, [shard.0], |row| row.get(0).map(Timestamp))?)
}

pub(super) fn awake(db: &Connection, shard: Shard, after: Option<AgentId>, limit: u16) -> Result<Vec<Agent>> {
    full_page(db, sql::AWAKE, shard, after, limit)
}

/// A page is full as long as there are more: a row that can't be read must not
/// pass for the end.
fn full_page(
    db: &Connection,
    statement: Sql,
    shard: Shard,
    after: Option<AgentId>,
    limit: u16,
) -> Result<Vec<Agent>> {
    let (mut agents, mut after, mut room) = (Vec::new(), cursor(after), limit);
    while room > 0 {
        let rows = statement.all(db, params![shard.0, after, room], legible)?;
        let more = rows.len() == usize::from(room);
        after = rows.last().map_or(after, |(id, _)| id.clone());
        agents.extend(rows.into_iter().filter_map(|(_, agent)| agent));
        room = if more { limit.saturating_sub(agents.len().try_into().unwrap_or(limit)) } else { 0 };
    }
    Ok(agents)
}

pub(super) fn fleet(
    db: &Connection,
    shard: Shard,
    after: Option<AgentId>,
    limit: u16,
) -> Result<Vec<Summary>> {
    Ok(full_page(db, sql::FLEET, shard, after, limit)?.iter().map(Summary::from).collect())
}

/// An agent with its id. One row that can't be read must not stop the work on
/// all the others of its shard: it is told in the log, and left out.
fn legible(row: &Row<'_>) -> rusqlite::Result<(String, Option<Agent>)> {
    let id: String = row.get(0)?;
    let agent = from_json(row, 1)
        .inspect_err(|error| tracing::error!(agent = %id, %error, "agent {id}: its row can't be read"))
        .ok();
    Ok((id, agent))
}
