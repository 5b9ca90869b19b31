//! An agent taken through its life step by step, by the rules alone.

use std::time::Duration;

use super::*;
use crate::agent::{FailureReason, Phase};
use crate::id::SnapshotId;
use crate::price::Rates;
use crate::tier::Limits;

pub const START: Timestamp = Timestamp(1_790_000_000_000);

/// An agent, the time, and what the last step brought.
#[derive(Debug, Clone)]
pub struct Run {
    pub agent: Agent,
    pub at: Timestamp,
    pub last: Transition,
}

pub fn failure(reason: FailureReason) -> Failure {
    Failure::new(reason, "the last words")
}

pub fn launched(started_at: Timestamp) -> Seen {
    let tier =
        Tier { machine: false, namespaces: true, landlock: Some(6), seccomp: true, limits: Limits::Cgroup2 };
    Seen::Launched { started_at, tier, price: Rates::proposal().estimate(Size::Small) }
}

/// The `n`th snapshot that a run saves.
pub fn snapshot(generation: Generation, n: u64) -> Snapshot {
    let id: SnapshotId = format!("{n:064x}").parse().unwrap();
    Snapshot { id, generation, at: START, files: 3, bytes: 1000, added_bytes: 10 }
}

pub fn exited() -> Seen {
    Seen::Exited { failure: failure(FailureReason::Crashed) }
}

pub fn unused(idle_for: Duration) -> Seen {
    Seen::IdleChecked { idle_for, busy: None }
}

pub fn busy() -> Seen {
    let busy = Some(Busy { reason: "cargo".to_owned() });
    Seen::IdleChecked { idle_for: Duration::from_secs(3600), busy }
}

pub fn until(at: Timestamp) -> Seen {
    Seen::InterruptionNotice { until: at.after(Duration::from_secs(120)) }
}

impl Run {
    pub fn pending() -> Self {
        let new = NewAgent {
            id: AgentId::from_random([1; 10]),
            owner: UserId::from_random([2; 10]),
            name: "Ana's".parse().unwrap(),
            size: Size::Small,
            provider: ProviderName::Local,
            idle_timeout: None,
        };
        let last = create(new, START);
        Self { agent: last.agent.clone(), at: START, last }
    }

    /// The provider makes an instance; nothing is known of it yet.
    pub fn placing() -> Self {
        Self::pending().see(Seen::Launching)
    }

    pub fn launched() -> Self {
        let run = Self::placing().later(1);
        let at = run.at;
        run.see(launched(at))
    }

    pub fn booting() -> Self {
        Self::launched().later(1).see(Seen::Enrolled)
    }

    pub fn running() -> Self {
        Self::booting().later(1).see(Seen::Ready)
    }

    /// Asked to sleep, not saved yet.
    pub fn saving() -> Self {
        Self::running().later(60).ask(Observation::SleepAsked)
    }

    pub fn saved() -> Self {
        Self::saving().later(1).save(1)
    }

    /// Asleep, with a snapshot.
    pub fn asleep() -> Self {
        Self::saved().later(1).see(Seen::Stopped { at: None })
    }

    pub fn interrupted() -> Self {
        let run = Self::running().later(60);
        let at = run.at;
        run.see(until(at))
    }

    /// Crashed: nothing of the run is left.
    pub fn crashed() -> Self {
        Self::running().later(60).see(exited())
    }

    /// Failed after it ran, with its instance still there.
    pub fn unreachable() -> Self {
        Self::running().see(Seen::Unanswered).later(60).see(Seen::Unanswered)
    }

    /// Failed while it booted, with its instance still there.
    pub fn stuck() -> Self {
        Self::booting().see(Seen::BootFailed { failure: failure(FailureReason::HydrateFailed) })
    }

    pub fn deleting() -> Self {
        Self::running().ask(Observation::DeleteAsked)
    }

    pub fn deleted() -> Self {
        Self::asleep().ask(Observation::DeleteAsked).ask(Observation::Purged)
    }

    pub fn later(mut self, secs: u64) -> Self {
        self.at = self.at.after(Duration::from_secs(secs));
        self
    }

    pub fn apply(&self, observation: Observation) -> Result<Transition, Illegal> {
        apply(&self.agent, observation, self.at, &Policy::default())
    }

    pub fn ask(mut self, observation: Observation) -> Self {
        let phase = self.agent.phase.clone();
        self.last = self
            .apply(observation.clone())
            .unwrap_or_else(|illegal| panic!("{observation:?} in {phase:?}: {illegal}"));
        self.agent = self.last.agent.clone();
        self
    }

    pub fn see(self, seen: Seen) -> Self {
        let generation = self.agent.generation;
        self.ask(Observation::Of(generation, seen))
    }

    pub fn save(self, n: u64) -> Self {
        let snapshot = snapshot(self.agent.generation, n);
        self.see(Seen::SnapshotCommitted { snapshot })
    }

    pub fn refuses(&self, observation: Observation) -> Illegal {
        self.apply(observation.clone()).expect_err("it was taken")
    }

    pub fn refuses_seen(&self, seen: Seen) -> Illegal {
        self.refuses(Observation::Of(self.agent.generation, seen))
    }

    /// What the last step told.
    pub fn told(&self) -> Vec<What> {
        self.last.events.iter().map(|event| event.what.clone()).collect()
    }

    pub fn is_due_in(&self, secs: u64) -> bool {
        self.agent.due_at == Some(self.at.after(Duration::from_secs(secs)))
    }

    pub fn failed_for(&self) -> Option<FailureReason> {
        match &self.agent.phase {
            Phase::Failed { failure } => Some(failure.reason),
            _ => None,
        }
    }
}
