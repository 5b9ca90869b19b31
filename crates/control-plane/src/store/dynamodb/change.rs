//! A transition as the items it writes.

use domain::agent::{Agent, Phase};
use domain::event::Event;
use domain::fleet::Summary;
use domain::id::AgentId;
use domain::lifecycle::{SegmentChange, Transition};
use domain::metering::Segment;
use domain::time::Timestamp;

use crate::store::{Hash, Idempotency, Result, Spawner, Turn};

use super::accounts;
use super::expiring::idempotency_item;
use super::item::{Item, item, json, n, s};
use super::key::{self, Key};
use super::layout::Lanes;
use super::read::Db;
use super::transact::Transaction;

/// What a transition's transaction was refused for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The owner's key was used before; now it is for this request.
    Key(Hash),
    /// The row has another version, or none (or one, where there must be none).
    Version,
    /// Its event or segment is there already, or no segment is open.
    Books,
}

/// The transaction of a new agent. What is refused first is told: the key
/// before the agent.
pub(super) fn creation<'a>(
    db: &'a Db,
    lanes: Lanes,
    transition: &Transition,
    idempotency: Option<&Idempotency>,
    turns: &[Turn],
) -> Result<Transaction<'a, Refusal>> {
    let agent = &transition.agent;
    let mut writes = Transaction::new(db);
    if let Some(idempotency) = idempotency {
        writes.put_if(
            &db.expiring,
            idempotency_item(agent.owner, idempotency, agent.id),
            "attribute_not_exists(pk) OR expires_at <= :now",
            [(":now", n(agent.created_at.0))],
            Refusal::Key(idempotency.request),
        );
    }
    writes.put_new(row(transition)?, Refusal::Version);
    writes.put(item(&key::agent_of(agent.owner, agent.id), []));
    writes.put(listed_item(agent)?);
    pass(&mut writes, db, turns)?;
    append(&mut writes, db, lanes, transition)?;
    Ok(writes)
}

/// The transaction of a change.
pub(super) fn commit<'a>(
    db: &'a Db,
    lanes: Lanes,
    transition: &Transition,
    turns: &[Turn],
) -> Result<Transaction<'a, Refusal>> {
    let agent = &transition.agent;
    let mut writes = Transaction::new(db);
    let from = [(":from", n(transition.from_version))];
    writes.put_if(&db.ledger, row(transition)?, "version = :from", from, Refusal::Version);
    if agent.phase == Phase::Deleted {
        writes.delete(&key::agent_of(agent.owner, agent.id));
        writes.delete(&key::listed(agent.id));
    } else if !transition.events.is_empty() || transition.segment.is_some() {
        // What changes nothing of the list but the last use is not worth a write.
        writes.put(listed_item(agent)?);
    }
    pass(&mut writes, db, turns)?;
    append(&mut writes, db, lanes, transition)?;
    Ok(writes)
}

/// The agent in the fleet's list.
fn listed_item(agent: &Agent) -> Result<Item> {
    Ok(item(&key::listed(agent.id), [("summary", json(&Summary::from(agent))?)]))
}

/// The turnstiles, if nobody else passed one of them.
fn pass(writes: &mut Transaction<'_, Refusal>, db: &Db, turns: &[Turn]) -> Result<()> {
    for turn in turns {
        match turn {
            Turn::Wake(account) => accounts::change(writes, db, account, Refusal::Version)?,
            Turn::Spawn(Spawner { owner, version, .. }) => {
                let made = item(&key::spawner(*owner), [("version", n(version + 1))]);
                match version {
                    0 => writes.put_new(made, Refusal::Version),
                    version => {
                        let from = [(":from", n(*version))];
                        writes.put_if(&db.ledger, made, "version = :from", from, Refusal::Version);
                    }
                }
            }
        }
    }
    Ok(())
}

fn row(transition: &Transition) -> Result<Item> {
    let agent = &transition.agent;
    Ok(item(&key::agent(agent.id), [("version", n(agent.version)), ("agent", json(agent)?)]))
}

/// What goes with the row.
fn append(
    writes: &mut Transaction<'_, Refusal>,
    db: &Db,
    lanes: Lanes,
    transition: &Transition,
) -> Result<()> {
    let agent = &transition.agent;
    for event in &transition.events {
        writes.put_new(event_item(event)?, Refusal::Books);
    }
    let was = transition.from_due_at.map(|at| key::due(lanes, agent.id, at));
    let becomes = agent.due_at.map(|at| (at, key::due(lanes, agent.id, at)));
    if let Some(was) = was
        && becomes.as_ref().is_none_or(|(_, key)| *key != was)
    {
        writes.delete(&was);
    }
    // Also where it stays the same: a commit ends any claim.
    if let Some((at, key)) = becomes {
        writes.put(due_item(&key, agent.id, at));
    }
    match (transition.from_awake, agent.is_awake()) {
        (false, true) => writes.put(item(&key::awake(agent.id), [])),
        (true, false) => writes.delete(&key::awake(agent.id)),
        _ => {}
    }
    match &transition.segment {
        Some(SegmentChange::Opened(segment)) => {
            writes.put_new(segment_item(segment)?, Refusal::Books);
        }
        Some(SegmentChange::Closed(segment)) => {
            let open = "attribute_exists(pk) AND attribute_not_exists(ended_at)";
            writes.put_if(&db.ledger, segment_item(segment)?, open, [], Refusal::Books);
            writes.put(item(&key::to_fold(segment.agent, segment.generation), []));
        }
        None => {}
    }
    Ok(())
}

/// As the deadline's item is while nobody has claimed it.
fn due_item(key: &Key, agent: AgentId, at: Timestamp) -> Item {
    item(key, [("due_at", n(at.0)), ("agent", s(agent.to_string()))])
}

fn event_item(event: &Event) -> Result<Item> {
    let attributes = [
        ("seq", n(event.seq)),
        ("generation", n(event.generation)),
        ("at", n(event.at.0)),
        ("what", json(&event.what)?),
    ];
    Ok(item(&key::event(event.agent, event.seq), attributes))
}

fn segment_item(segment: &Segment) -> Result<Item> {
    let mut item = item(&key::segment(segment.agent, segment.generation), [("segment", json(segment)?)]);
    if let Some(ended_at) = segment.ended_at {
        item.insert("ended_at".to_owned(), n(ended_at.0));
    }
    Ok(item)
}
