//! Agents, their events and segments.

use std::collections::HashMap;

use domain::agent::{Agent, Phase};
use domain::event::Event;
use domain::fleet::Summary;
use domain::id::{AgentId, Generation, UserId};
use domain::lifecycle::Transition;
use domain::metering::Segment;

use crate::store::{Created, Idempotency, Result, Shard, Spawner, StoreError, Turn};

use super::change::{self, Refusal};
use super::expiring;
use super::item::{Item, from_json, illegible, number, parsed, text, timestamp};
use super::key::{self, Key, Span};
use super::layout::Lanes;
use super::read::{Db, KEYS_MAX, Order, Pages};
use super::tables::{PARTITION, RANGE};
use super::transact::Outcome;

pub(super) async fn create(
    db: &Db,
    lanes: Lanes,
    transition: &Transition,
    idempotency: Option<&Idempotency>,
    turns: &[Turn],
) -> Result<Created> {
    match change::creation(db, lanes, transition, idempotency, turns)?.run().await? {
        Outcome::Done => Ok(Created::New),
        Outcome::Refused(Refusal::Key(request), Some(before)) => expiring::came_to(&before, request),
        Outcome::Refused(refusal, _) => Err(refused(transition, refusal)),
    }
}

pub(super) async fn commit(db: &Db, lanes: Lanes, transition: &Transition, turns: &[Turn]) -> Result<()> {
    match change::commit(db, lanes, transition, turns)?.run().await? {
        Outcome::Done => Ok(()),
        Outcome::Refused(refusal, _) => Err(refused(transition, refusal)),
    }
}

fn refused(transition: &Transition, refusal: Refusal) -> StoreError {
    let id = transition.agent.id;
    match refusal {
        Refusal::Version => StoreError::Conflict,
        Refusal::Key(_) => illegible("idempotency key", "DynamoDB did not say what it was used for"),
        Refusal::Books => {
            StoreError::Failed(format!("agent {id}: its events or segments are not as its row says"))
        }
    }
}

/// The version first: what is made while the agents are counted has another.
pub(super) async fn spawner(db: &Db, owner: UserId) -> Result<Spawner> {
    let item = db.get(&key::spawner(owner)).await?;
    let version = item.map_or(Ok(0), |item| number(&item, "version"))?;
    let agents = db.query(&key::agents_of(owner, None), Order::Rising, usize::MAX).await?.len();
    Ok(Spawner { owner, agents, version })
}

pub(super) async fn agent(db: &Db, id: AgentId) -> Result<Option<Agent>> {
    db.get(&key::agent(id)).await?.map(|item| from_json(&item, "agent")).transpose()
}

pub(super) async fn agents_of(
    db: &Db,
    owner: UserId,
    after: Option<AgentId>,
    limit: u16,
) -> Result<Vec<Agent>> {
    let id = |item: &Item| match text(item, RANGE)?.strip_prefix("agent#") {
        Some(id) => id.parse().map_err(|error| illegible(RANGE, error)),
        None => Err(illegible(RANGE, "it is of no agent")),
    };
    indexed(db, key::agents_of(owner, after), limit, id, |agent| {
        agent.map(|agent| (agent.phase != Phase::Deleted).then_some(agent))
    })
    .await
}

pub(super) async fn awake(db: &Db, shard: Shard, after: Option<AgentId>, limit: u16) -> Result<Vec<Agent>> {
    let id = |item: &Item| parsed(item, RANGE);
    indexed(db, key::awake_after(shard, after), limit, id, |agent| Ok(agent.ok().filter(Agent::is_awake)))
        .await
}

pub(super) async fn fleet(db: &Db, shard: Shard, after: Option<AgentId>, limit: u16) -> Result<Vec<Summary>> {
    let items = db.query(&key::listed_after(shard, after), Order::Rising, limit.into()).await?;
    items.iter().map(|item| from_json(item, "summary")).collect()
}

/// The agents that a span of index items names, by id. Between the two reads
/// an agent may change: `keep` decides by its row.
async fn indexed(
    db: &Db,
    span: Span,
    limit: u16,
    id: impl Fn(&Item) -> Result<AgentId>,
    keep: impl Fn(Result<Agent>) -> Result<Option<Agent>>,
) -> Result<Vec<Agent>> {
    let limit = usize::from(limit);
    let mut agents = Vec::new();
    let mut pages = Pages::new(db, span, Order::Rising);
    while let Some(page) = pages.next((limit - agents.len()).min(KEYS_MAX)).await? {
        let ids: Vec<AgentId> = page.iter().map(&id).collect::<Result<_>>()?;
        for agent in rows(db, &ids).await? {
            agents.extend(keep(agent)?);
        }
    }
    Ok(agents)
}

/// The agents' rows, in the order of the ids, without those that are not there.
/// One that can't be read is told in the log: it must not stop the work on all
/// the others.
pub(super) async fn rows(db: &Db, ids: &[AgentId]) -> Result<Vec<Result<Agent>>> {
    let keys: Vec<_> = ids.iter().map(|id| key::agent(*id)).collect();
    let mut found = HashMap::new();
    for item in db.get_all(&keys).await? {
        found.insert(text(&item, PARTITION)?.to_owned(), item);
    }
    let read = |key: &Key| {
        let item = found.get(&key.partition)?;
        Some(from_json(item, "agent").inspect_err(|error| {
            tracing::error!(agent = %key.partition, %error, "{}: its row can't be read", key.partition);
        }))
    };
    Ok(keys.iter().filter_map(read).collect())
}

pub(super) async fn events(db: &Db, agent: AgentId, after: u64, limit: u16) -> Result<Vec<Event>> {
    let Some(span) = key::events_after(agent, after) else { return Ok(Vec::new()) };
    let read = |item: &Item| {
        Ok(Event {
            agent,
            seq: number(item, "seq")?,
            generation: Generation(number(item, "generation")?),
            at: timestamp(item, "at")?,
            what: from_json(item, "what")?,
        })
    };
    db.query(&span, Order::Rising, limit.into()).await?.iter().map(read).collect()
}

pub(super) async fn segments(
    db: &Db,
    agent: AgentId,
    before: Option<Generation>,
    limit: u16,
) -> Result<Vec<Segment>> {
    let Some(span) = key::segments_before(agent, before) else { return Ok(Vec::new()) };
    let items = db.query(&span, Order::Falling, limit.into()).await?;
    items.iter().map(|item| from_json(item, "segment")).collect()
}
