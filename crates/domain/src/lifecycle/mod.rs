//! The one owner of an agent's phase.
//!
//! [`apply`] takes what is known and what was just seen, and says what follows:
//! the agent's next row, the events, the usage segment that opens or closes.
//! The store commits all of a [`Transition`] or nothing. An observation of an
//! older generation is refused, so a late word of a past run changes nothing.

mod draft;
#[cfg(test)]
mod fixture;
mod idle;
#[cfg(test)]
mod properties;
mod rules;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::agent::{Agent, Busy, Failure, IdleTimeout, ProviderName, Snapshot};
use crate::boot::{BootPhase, Mark, Timeline};
use crate::event::{Event, SaveReason, What};
use crate::id::{AgentId, Generation, UserId};
use crate::metering::{Segment, Settled};
use crate::name::Name;
use crate::price::Price;
use crate::size::Size;
use crate::tier::Tier;
use crate::time::Timestamp;

use draft::Draft;

/// The fleet's settings that rules depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// For agents that have none of their own.
    pub idle_timeout: IdleTimeout,
    /// From the call to the provider, which may have to wait for its turn, to `Ready`.
    pub boot_limit: Duration,
    /// How long an instance may leave the control plane without an answer.
    pub silence_limit: Duration,
    /// Until the next try after a save that failed.
    pub save_retry: Duration,
    /// Between saves of an instance that runs, if something changed: the most
    /// that is lost when it ends without a word. Zero: only when asked.
    pub save_every: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            idle_timeout: IdleTimeout::DEFAULT,
            boot_limit: Duration::from_secs(180),
            silence_limit: Duration::from_secs(60),
            save_retry: Duration::from_secs(60),
            save_every: Duration::from_secs(300),
        }
    }
}

/// What was asked or seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// A person, the API or a schedule wants it awake.
    WakeAsked,
    /// A person or the API wants it asleep.
    SleepAsked,
    /// Its owner's budget is used up: it is saved and sleeps.
    BudgetSpent,
    /// Its owner wants it gone.
    DeleteAsked,
    /// Its owner pressed «keep awake», or it was used after a warning.
    KeptAwake,
    /// All of its data is removed.
    Purged,
    /// Something about the run of one generation.
    Of(Generation, Seen),
}

/// What was seen of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The orchestrator is about to call the provider.
    Launching,
    /// The provider has an instance, metered since `started_at`.
    Launched {
        started_at: Timestamp,
        tier: Tier,
        price: Price,
    },
    /// The provider told how far it is, with its own instants.
    Placed {
        marks: Vec<Mark>,
    },
    /// The provider has none and will have none of this generation.
    LaunchFailed {
        failure: Failure,
    },
    /// The instance proved who it is.
    Enrolled,
    /// It entered a phase of its boot.
    BootReached {
        phase: BootPhase,
    },
    Ready,
    BootFailed {
        failure: Failure,
    },
    /// The boot's time is over, if it is.
    BootOverdue,
    /// It answered how it is used.
    IdleChecked {
        idle_for: Duration,
        busy: Option<Busy>,
    },
    /// It did not answer.
    Unanswered,
    /// It answered something else than how it is used.
    Answered,
    SnapshotCommitted {
        snapshot: Snapshot,
    },
    /// The same, and nothing runs any more that could change the state.
    SavedToEnd {
        snapshot: Snapshot,
    },
    SaveFailed {
        message: String,
    },
    /// It is saving, and has so much to do, in bytes.
    Unsaved {
        bytes: u64,
    },
    /// It ended though nobody stopped it.
    Exited {
        failure: Failure,
    },
    /// The provider says that it ended, and when.
    Ended {
        failure: Failure,
        at: Timestamp,
    },
    /// The provider says that nothing of it is left, and since when, if it knows.
    Stopped {
        at: Option<Timestamp>,
    },
    /// The provider will take it back at `until`.
    InterruptionNotice {
        until: Timestamp,
    },
}

/// What follows from an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The version that the ledger must have for this to be committed; 0 for
    /// an agent that is not there yet.
    pub from_version: u64,
    /// That version's deadline, by which a store that keeps deadlines apart
    /// finds the one to replace without reading it again.
    pub from_due_at: Option<Timestamp>,
    /// Whether it was awake, for a store that keeps those apart.
    pub from_awake: bool,
    pub agent: Agent,
    pub events: Vec<Event>,
    pub segment: Option<SegmentChange>,
}

/// A meter's start or end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SegmentChange {
    Opened(Segment),
    Closed(Segment),
}

/// Why an observation changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// It is so already; repeating it is harmless.
    #[error("it is so already")]
    Already,
    /// Of a generation that is not the current one.
    #[error("it is about another run of the agent")]
    Stale,
    /// It may become right later.
    #[error("it is too early for that")]
    TooEarly,
    /// The phase does not allow it.
    #[error("the agent's state does not allow that")]
    NotNow,
    /// The agent is being deleted, or was.
    #[error("the agent is deleted")]
    Gone,
}

/// What a new agent is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAgent {
    pub id: AgentId,
    pub owner: UserId,
    pub name: Name,
    pub size: Size,
    pub provider: ProviderName,
    pub idle_timeout: Option<IdleTimeout>,
}

/// A new agent, to be woken at once.
pub fn create(new: NewAgent, at: Timestamp) -> Transition {
    let agent = Agent {
        id: new.id,
        owner: new.owner,
        name: new.name,
        size: new.size,
        provider: new.provider,
        idle_timeout: new.idle_timeout,
        on_demand: false,
        created_at: at,
        version: 0,
        last_event: 0,
        intent: crate::agent::Intent::Awake,
        phase: crate::agent::Phase::Asleep,
        phase_since: at,
        generation: Generation::NONE,
        metered: Generation::NONE,
        tier: None,
        boot: Timeline::default(),
        instance: None,
        snapshot: None,
        save_failure: None,
        loss: None,
        mishaps: Default::default(),
        moving: false,
        over_budget: false,
        last_use: at,
        busy: None,
        sleeps_at: None,
        settled: Settled::nothing(at),
        due_at: None,
    };
    let mut draft = Draft::of(&agent, at);
    draft.tell(What::Created);
    draft.boot();
    draft.finish()
}

/// Gives it another name.
///
/// # Errors
/// [`Illegal::Gone`] for a deleted agent, [`Illegal::Already`] for its own name.
pub fn rename(agent: &Agent, name: Name, at: Timestamp) -> Result<Transition, Illegal> {
    rules::alive(agent)?;
    if agent.name == name {
        return Err(Illegal::Already);
    }
    let mut draft = Draft::of(agent, at);
    draft.agent.name = name;
    draft.tell(What::Renamed);
    Ok(draft.finish())
}

/// Gives it an idle timeout of its own, or the fleet's.
///
/// # Errors
/// [`Illegal::Gone`] for a deleted agent, [`Illegal::Already`] for the same one.
pub fn set_idle_timeout(
    agent: &Agent,
    timeout: Option<IdleTimeout>,
    at: Timestamp,
) -> Result<Transition, Illegal> {
    rules::alive(agent)?;
    if agent.idle_timeout == timeout {
        return Err(Illegal::Already);
    }
    let mut draft = Draft::of(agent, at);
    draft.agent.idle_timeout = timeout;
    if agent.phase == crate::agent::Phase::Running {
        // The next check reckons with the new one.
        draft.agent.sleeps_at = None;
        draft.due(at);
    }
    Ok(draft.finish())
}

/// Whether its owner pays for a machine on demand where Spot has no room.
///
/// # Errors
/// [`Illegal::Gone`] for a deleted agent, [`Illegal::Already`] if it is so.
pub fn allow_on_demand(agent: &Agent, allowed: bool, at: Timestamp) -> Result<Transition, Illegal> {
    rules::alive(agent)?;
    if agent.on_demand == allowed {
        return Err(Illegal::Already);
    }
    let mut draft = Draft::of(agent, at);
    draft.agent.on_demand = allowed;
    Ok(draft.finish())
}

/// What follows from an observation, made at `at`.
///
/// # Errors
/// [`Illegal`] when nothing does; the agent is then as it was.
pub fn apply(
    agent: &Agent,
    observation: Observation,
    at: Timestamp,
    policy: &Policy,
) -> Result<Transition, Illegal> {
    rules::alive_for(agent, &observation)?;
    let mut draft = Draft::of(agent, at);
    match observation {
        Observation::WakeAsked => rules::wake(&mut draft)?,
        Observation::SleepAsked => rules::sleep(&mut draft, SaveReason::Asked)?,
        Observation::BudgetSpent => rules::sleep(&mut draft, SaveReason::Budget)?,
        Observation::DeleteAsked => rules::delete(&mut draft)?,
        Observation::KeptAwake => idle::kept_awake(&mut draft, policy)?,
        Observation::Purged => rules::purged(&mut draft)?,
        Observation::Of(generation, _) if generation != agent.generation => return Err(Illegal::Stale),
        Observation::Of(_, seen) => rules::seen(&mut draft, seen, policy)?,
    }
    Ok(draft.finish())
}
