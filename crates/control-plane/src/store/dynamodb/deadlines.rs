//! What is due: an item an agent, at its deadline, in its shard's lanes.
//!
//! A claim is a mark on that item, with its end; the item stays where it is, so
//! that a commit finds it by the deadline that the row had. The commit replaces
//! it, and so ends the claim.

use domain::agent::Agent;
use domain::id::AgentId;
use domain::time::Timestamp;
use futures::future::try_join_all;

use crate::random;
use crate::store::{Result, Shard, StoreError};

use super::agents::rows;
use super::error::unless_refused;
use super::item::{Item, key_item, n, parsed, timestamp, timestamp_if_any};
use super::key;
use super::layout::Lanes;
use super::read::{Db, KEYS_MAX, Order, Pages};

/// Items of a lane that are read at once to find its next deadline: mostly the
/// first is not claimed, and is it.
const AHEAD: usize = 8;

/// A deadline's item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Timestamp,
    agent: AgentId,
    claimed_until: Option<Timestamp>,
}

impl Due {
    fn read(item: &Item) -> Result<Self> {
        Ok(Self {
            at: timestamp(item, "due_at")?,
            agent: parsed(item, "agent")?,
            claimed_until: timestamp_if_any(item, "claimed_until")?,
        })
    }

    /// When somebody may take it up.
    fn open_at(&self) -> Timestamp {
        self.claimed_until.map_or(self.at, |until| until.max(self.at))
    }
}

pub(super) async fn claim_due(
    db: &Db,
    lanes: Lanes,
    shard: Shard,
    now: Timestamp,
    claimed_until: Timestamp,
    limit: u16,
) -> Result<Vec<Agent>> {
    let claim = Claim { db, lanes, now, until: claimed_until, claimant: random::bytes() };
    let mut claimed: Vec<Due> = Vec::new();
    loop {
        let room = (usize::from(limit) - claimed.len()).min(KEYS_MAX);
        let open = open(db, lanes, shard, now, room).await?;
        let outcomes = try_join_all(open.iter().map(|due| claim.one(due))).await?;
        let won = open.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == Outcome::Won);
        claimed.extend(won.map(|(due, _)| due));
        // What others took meanwhile left room for what comes after it. What is
        // in a transaction's way would only be met again.
        let lost = outcomes.contains(&Outcome::Lost);
        if !lost && (open.len() < room || !outcomes.contains(&Outcome::Won)) {
            break;
        }
    }
    let ids: Vec<AgentId> = claimed.iter().map(|due| due.agent).collect();
    let agents = rows(db, &ids).await?.into_iter().flatten();
    // One that was committed since is claimed no longer.
    let deadline = |agent: &Agent| claimed.iter().find(|due| due.agent == agent.id).map(|due| due.at);
    Ok(agents.filter(|agent| agent.due_at == deadline(agent)).collect())
}

/// What is due and claimed by nobody, earliest first.
async fn open(db: &Db, lanes: Lanes, shard: Shard, now: Timestamp, limit: usize) -> Result<Vec<Due>> {
    let lane = async |lane| {
        let unclaimed = "attribute_not_exists(claimed_until) OR claimed_until <= :value";
        let span = key::due_until(shard, lane, now);
        let mut pages = Pages::new(db, span, Order::Rising).that(unclaimed, n(now.0));
        let mut due = Vec::new();
        while due.len() < limit
            && let Some(page) = pages.next(limit).await?
        {
            due.extend(page.iter().map(Due::read).collect::<Result<Vec<_>>>()?);
        }
        Ok::<_, StoreError>(due)
    };
    let mut due = try_join_all(lanes.all().map(lane)).await?.concat();
    due.sort_unstable();
    due.truncate(limit);
    Ok(due)
}

/// One caller's wish for what is due.
struct Claim<'a> {
    db: &'a Db,
    lanes: Lanes,
    now: Timestamp,
    until: Timestamp,
    /// Whose it is, so that a try whose answer was lost knows its own work.
    claimant: [u8; 8],
}

/// What came of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Won,
    /// Somebody else has it, or it was committed.
    Lost,
    /// It is being committed at this moment, which ends claims.
    InTheWay,
}

impl Claim<'_> {
    async fn one(&self, due: &Due) -> Result<Outcome> {
        let update = self
            .db
            .client
            .update_item()
            .table_name(&*self.db.ledger)
            .set_key(Some(key_item(&key::due(self.lanes, due.agent, due.at))))
            .update_expression("SET claimed_until = :until, claimant = :me")
            .condition_expression(
                "attribute_exists(pk) AND \
                 (attribute_not_exists(claimed_until) OR claimed_until <= :now OR claimant = :me)",
            )
            .expression_attribute_values(":until", n(self.until.0))
            .expression_attribute_values(":now", n(self.now.0))
            .expression_attribute_values(":me", n(u64::from_le_bytes(self.claimant)));
        match unless_refused(update.send().await) {
            Ok(Some(_)) => Ok(Outcome::Won),
            Ok(None) => Ok(Outcome::Lost),
            Err(StoreError::Conflict) => Ok(Outcome::InTheWay),
            Err(error) => Err(error),
        }
    }
}

pub(super) async fn next_due(db: &Db, lanes: Lanes, shard: Shard) -> Result<Option<Timestamp>> {
    let earliest = try_join_all(lanes.all().map(|lane| next_in(db, shard, lane))).await?;
    Ok(earliest.into_iter().flatten().min())
}

/// The earliest deadline of a lane. What is claimed stands at its deadline,
/// and counts at its claim's end.
async fn next_in(db: &Db, shard: Shard, lane: u8) -> Result<Option<Timestamp>> {
    let mut next: Option<Timestamp> = None;
    let mut pages = Pages::new(db, key::due_until(shard, lane, Timestamp(i64::MAX)), Order::Rising);
    while let Some(page) = pages.next(AHEAD).await? {
        for item in &page {
            let due = Due::read(item)?;
            if next.is_some_and(|next| next <= due.at) {
                return Ok(next);
            }
            next = Some(next.map_or(due.open_at(), |next| next.min(due.open_at())));
        }
    }
    Ok(next)
}
