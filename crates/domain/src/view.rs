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
    pub basis: Basis,
    /// Since it last woke; asleep, what that came to.
    pub session: NanoDollars,
    /// Since midnight, UTC.
    pub today: NanoDollars,
    /// Since the first of the month, UTC.
    pub month: NanoDollars,
    pub total: NanoDollars,
}

impl Meter {
    /// The reading at `now`.
    pub fn of(agent: &Agent, book: &Rates, now: Timestamp) -> Self {
        let open = agent.open_segment();
        let price = open
            .as_ref()
            .map_or_else(|| book.expected(agent.size, agent.provider), |segment| segment.price.clone());
        let since = |from| open.as_ref().map_or(NanoDollars::ZERO, |s| s.cost_from(from, now));
        let settled = &agent.settled;
        let (day, month) = (now.day(), now.month());
        Self {
            as_of: now,
            running: open.is_some(),
            rate: price.rate,
            basis: price.basis,
            session: open.as_ref().map_or(settled.last, |segment| segment.cost(now)),
            today: settled.in_day(day) + since(day.start()),
            month: settled.in_month(month) + since(month.start()),
            total: settled.total + since(Timestamp(i64::MIN)),
        }
    }

    /// The reading `elapsed` later, if nothing happens until then.
    #[must_use]
    pub fn after(self, elapsed: Duration) -> Self {
        if !self.running {
            return self;
        }
        let more = self.rate.over(elapsed);
        Self {
            as_of: self.as_of.after(elapsed),
            session: self.session + more,
            today: self.today + more,
            month: self.month + more,
            total: self.total + more,
            ..self
        }
    }

    /// Whether its sums say what it costs.
    pub fn is_priced(&self) -> bool {
        self.basis != Basis::Unpriced
    }

    /// What a month without sleep would cost (730 hours).
    pub fn always_on_month(&self) -> NanoDollars {
        self.rate.hours(MONTH_HOURS)
    }
}
