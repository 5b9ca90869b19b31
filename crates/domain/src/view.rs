//! What a person or the API may see of an agent.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::agent::{Agent, Busy, Failure, Intent, Loss, Phase, ProviderName, SaveFailure, Snapshot};
use crate::boot::Timeline;
use crate::id::{AgentId, Generation};
use crate::lifecycle::Policy;
use crate::money::{MONTH_HOURS, NanoDollars, Rate};
use crate::name::Name;
use crate::price::{Basis, Rates};
use crate::size::Size;
use crate::tier::Tier;
use crate::time::Timestamp;

/// An agent, for its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    pub id: AgentId,
    pub name: Name,
    pub size: Size,
    pub provider: ProviderName,
    #[serde(flatten)]
    pub phase: Phase,
    pub intent: Intent,
    pub phase_since: Timestamp,
    /// Counts changes: of two views the one with the higher is newer.
    pub version: u64,
    /// Number of its last event, to resume the event stream from.
    pub last_event: u64,
    pub generation: Generation,
    pub boot: Timeline,
    pub created_at: Timestamp,
    pub last_use: Timestamp,
    pub busy: Option<Busy>,
    pub sleeps_at: Option<Timestamp>,
    /// Seconds, the agent's own or the fleet's.
    pub idle_timeout: u32,
    /// Its owner pays for a machine on demand where Spot has no room.
    pub on_demand: bool,
    pub snapshot: Option<Snapshot>,
    pub save_failure: Option<SaveFailure>,
    pub loss: Option<Loss>,
    /// This boot goes on where the provider took the last instance back.
    pub moving: bool,
    /// It sleeps because a budget was used up.
    pub over_budget: bool,
    pub tier: Option<Tier>,
    pub meter: Meter,
}

impl AgentView {
    /// The agent as seen at `now`.
    pub fn of(agent: &Agent, book: &Rates, policy: &Policy, now: Timestamp) -> Self {
        Self {
            id: agent.id,
            name: agent.name.clone(),
            size: agent.size,
            provider: agent.provider,
            phase: agent.phase.clone(),
            intent: agent.intent,
            phase_since: agent.phase_since,
            version: agent.version,
            last_event: agent.last_event,
            generation: agent.generation,
            boot: agent.boot.clone(),
            created_at: agent.created_at,
            last_use: agent.last_use,
            busy: agent.busy.clone(),
            sleeps_at: agent.sleeps_at,
            idle_timeout: agent.idle_timeout.unwrap_or(policy.idle_timeout).as_secs(),
            on_demand: agent.on_demand,
            snapshot: agent.snapshot.clone(),
            save_failure: agent.save_failure.clone(),
            loss: agent.loss.clone(),
            moving: agent.moving,
            over_budget: agent.over_budget,
            tier: agent.instance.as_ref().map(|instance| instance.tier.clone()),
            meter: Meter::of(agent, book, now),
        }
    }

    /// The failure it is in, if it is.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.phase {
            Phase::Failed { failure } => Some(failure),
            _ => None,
        }
    }

    /// Whether this run's state is saved as it was when the provider's notice came.
    pub fn is_saved_since_notice(&self) -> bool {
        let saved = self.snapshot.as_ref();
        saved.is_some_and(|saved| saved.generation == self.generation && saved.at >= self.phase_since)
    }

    /// On its way to being usable.
    pub fn is_waking(&self) -> bool {
        matches!(self.phase, Phase::Pending | Phase::Provisioning | Phase::Booting)
    }
}

/// A reading of an agent's meter, from which a reader counts on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    /// The server's instant of the reading.
    pub as_of: Timestamp,
    /// Whether it runs.
    pub running: bool,
    /// What an hour costs while it runs.
    pub rate: Rate,
    /// Of that rate.
    pub basis: Basis,
    /// Since it last woke; asleep, what that came to. As all sums here nothing
    /// where part of it has no price.
    pub session: Option<NanoDollars>,
    /// Since midnight, UTC.
    pub today: Option<NanoDollars>,
    /// Since the first of the month, UTC.
    pub month: Option<NanoDollars>,
    pub total: Option<NanoDollars>,
}

impl Meter {
    /// The reading at `now`.
    pub fn of(agent: &Agent, book: &Rates, now: Timestamp) -> Self {
        let open = agent.open_segment();
        let price = open
            .as_ref()
            .map_or_else(|| book.expected(agent.size, agent.provider), |segment| segment.price.clone());
        let settled = &agent.settled;
        let runs_unpriced = open.is_some() && price.basis == Basis::Unpriced;
        let sum = |sum: NanoDollars, from: Timestamp| {
            let running = open.as_ref().map_or(NanoDollars::ZERO, |segment| segment.cost_from(from, now));
            (!runs_unpriced && !settled.is_unpriced_since(from)).then(|| sum + running)
        };
        let last = || settled.unpriced.is_none_or(|unpriced| !unpriced.last).then_some(settled.last);
        let (day, month) = (now.day(), now.month());
        Self {
            as_of: now,
            running: open.is_some(),
            rate: price.rate,
            basis: price.basis,
            session: match &open {
                Some(segment) => (!runs_unpriced).then(|| segment.cost(now)),
                None => last(),
            },
            today: sum(settled.in_day(day), day.start()),
            month: sum(settled.in_month(month), month.start()),
            total: sum(settled.total, Timestamp(i64::MIN)),
        }
    }

    /// The reading `elapsed` later, if nothing happens until then.
    #[must_use]
    pub fn after(self, elapsed: Duration) -> Self {
        let as_of = self.as_of.after(elapsed);
        let rate = if self.running { self.rate } else { Rate::ZERO };
        let more = |sum: NanoDollars| sum + rate.over(elapsed);
        // A day or a month that has begun meanwhile counts from its own start.
        let since = |start: Timestamp, sum: Option<NanoDollars>| match start > self.as_of {
            false => sum.map(more),
            true => (!self.running || self.is_priced()).then(|| rate.over(as_of.since(start))),
        };
        Self {
            as_of,
            session: self.session.map(more),
            today: since(as_of.day().start(), self.today),
            month: since(as_of.month().start(), self.month),
            total: self.total.map(more),
            ..self
        }
    }

    /// Whether its rate says what it costs.
    pub fn is_priced(&self) -> bool {
        self.basis != Basis::Unpriced
    }

    /// What a month without sleep would cost (730 hours).
    pub fn always_on_month(&self) -> NanoDollars {
        self.rate.hours(MONTH_HOURS)
    }
}
