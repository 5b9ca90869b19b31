//! The agent as the ledger knows it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::boot::Timeline;
use crate::id::{AgentId, Generation, InstanceId, SnapshotId, UserId};
use crate::metering::{Segment, Settled};
use crate::name::Name;
use crate::price::Price;
use crate::size::Size;
use crate::tier::Tier;
use crate::time::Timestamp;

/// Where instances run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderName {
    Local,
    Fargate,
    Firecracker,
    Fly,
    Simulated,
}

impl ProviderName {
    pub const ALL: [Self; 5] = [Self::Local, Self::Fargate, Self::Firecracker, Self::Fly, Self::Simulated];

    /// The word in the API and the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Fargate => "fargate",
            Self::Firecracker => "firecracker",
            Self::Fly => "fly",
            Self::Simulated => "simulated",
        }
    }

    /// Whether it tells by events how far a boot is, and when it begins to bill:
    /// Fargate does, and what stands in its place.
    pub const fn tells_boots(self) -> bool {
        matches!(self, Self::Fargate | Self::Simulated)
    }

    /// Of segments that were written before they named it.
    pub(crate) fn unnamed() -> Self {
        Self::Local
    }
}

/// What its owner wants of it. Kept apart from what is observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Intent {
    Awake,
    Asleep,
    Deleted,
}

/// What is observed of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "lowercase")]
pub enum Phase {
    /// To be launched.
    Pending,
    /// The provider makes the instance.
    Provisioning,
    /// The instance enrolled and brings its state back.
    Booting,
    Running,
    /// On the way to sleep: the state is saved, then the instance stops.
    Saving,
    Asleep,
    /// The provider takes the instance back at `until`; its state is saved and
    /// the next generation follows.
    Interrupted {
        until: Timestamp,
    },
    Failed {
        failure: Failure,
    },
    Deleting,
    Deleted,
}

/// Why an agent failed, in words for its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub reason: FailureReason,
    /// What the machine said of it; for a crash its last output. Bounded.
    pub detail: String,
    /// Whether waking it again may help.
    pub retryable: bool,
}

impl Failure {
    /// The most of a detail that is kept, in bytes.
    pub const DETAIL_MAX: usize = 4096;

    /// A failure whose detail keeps its end, the part that tells most.
    pub fn new(reason: FailureReason, detail: &str) -> Self {
        let mut start = detail.len().saturating_sub(Self::DETAIL_MAX);
        while !detail.is_char_boundary(start) {
            start += 1;
        }
        Self { reason, detail: detail[start..].to_owned(), retryable: reason.retryable() }
    }
}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The provider would not launch it.
    LaunchRefused,
    /// The provider has no room for it now.
    NoRoom,
    /// The isolation that the operator demands can't be had here.
    TierUnavailable,
    /// It was not ready in time.
    BootTimeout,
    /// The saved state could not be brought back.
    HydrateFailed,
    /// The instance ended by itself.
    Crashed,
    /// The instance was ended for using more memory than it has.
    OutOfMemory,
    /// The instance is there and does not answer.
    Unreachable,
    /// The instance is gone and nobody saw it go.
    Lost,
}

impl FailureReason {
    /// Whether the same act may succeed when it is tried again.
    pub const fn retryable(self) -> bool {
        !matches!(self, Self::TierUnavailable)
    }
}

/// A saved state, committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub id: SnapshotId,
    /// Which run saved it.
    pub generation: Generation,
    pub at: Timestamp,
    pub files: u64,
    /// Size of the state in bytes.
    pub bytes: u64,
    /// What this save added to the repository, in bytes.
    pub added_bytes: u64,
}

/// An instance that exists, so far as the ledger knows, and is metered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    pub started_at: Timestamp,
    pub tier: Tier,
    pub price: Price,
    pub save: Save,
    /// Since when it has not answered.
    pub silent_since: Option<Timestamp>,
    /// What it has not saved yet, in bytes, if it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsaved: Option<u64>,
}

/// How far saving has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Save {
    NotAsked,
    Asked,
    /// Committed, or there was nothing to save: it may stop.
    Done,
}

/// The last try to save that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaveFailure {
    pub at: Timestamp,
    pub message: String,
}

/// When what went wrong last did, whether or not it was made good since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mishaps {
    /// The provider took its instance back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Timestamp>,
    /// A save of it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_failed: Option<Timestamp>,
}

impl Mishaps {
    /// Whether there never was one.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What ended unsaved with an instance: all that changed in that time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// When the last save was, or the agent was ready.
    pub since: Timestamp,
    pub until: Timestamp,
    /// At the most, if the instance said how much it had not saved.
    pub bytes: Option<u64>,
}

/// Why an instance that nobody types into is not idle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Busy {
    /// The command in the foreground, or what else works.
    pub reason: String,
}

/// How long an agent may be unused before it sleeps: 10 s to 24 h.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct IdleTimeout(u32);

/// An idle timeout out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the idle timeout must be 10 to 86,400 seconds")]
pub struct InvalidIdleTimeout;

impl IdleTimeout {
    /// 15 minutes.
    pub const DEFAULT: Self = Self(900);

    /// From whole seconds.
    pub fn from_secs(secs: u32) -> Result<Self, InvalidIdleTimeout> {
        if (10..=86_400).contains(&secs) { Ok(Self(secs)) } else { Err(InvalidIdleTimeout) }
    }

    pub fn as_secs(self) -> u32 {
        self.0
    }

    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.0))
    }

    /// How long before sleep the owner is warned: two minutes, or half of a
    /// short timeout.
    pub fn warning(self) -> Duration {
        Duration::from_secs(120).min(self.duration() / 2)
    }
}

impl TryFrom<u32> for IdleTimeout {
    type Error = InvalidIdleTimeout;
    fn try_from(secs: u32) -> Result<Self, InvalidIdleTimeout> {
        Self::from_secs(secs)
    }
}

impl From<IdleTimeout> for u32 {
    fn from(timeout: IdleTimeout) -> u32 {
        timeout.0
    }
}

/// An agent: one row of the ledger. Only [`crate::lifecycle`] changes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    pub id: AgentId,
    pub owner: UserId,
    pub name: Name,
    pub size: Size,
    pub provider: ProviderName,
    /// `None`: the fleet's.
    pub idle_timeout: Option<IdleTimeout>,
    /// Its owner pays for a machine on demand where Spot has no room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_demand: bool,
    pub created_at: Timestamp,
    /// Counts commits; a write that names an older one is refused.
    pub version: u64,
    /// The number of its last event.
    pub last_event: u64,
    pub intent: Intent,
    pub phase: Phase,
    pub phase_since: Timestamp,
    pub generation: Generation,
    /// The latest run whose meter was started: each run's starts once.
    pub metered: Generation,
    /// How well that run was shut in. Of one that goes on its instance says it: twice
    /// would make each write of it dearer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    pub boot: Timeline,
    /// There while it is metered, and only then.
    pub instance: Option<Instance>,
    pub snapshot: Option<Snapshot>,
    pub save_failure: Option<SaveFailure>,
    /// What was lost last; kept, since its owner may have been away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
    #[serde(default, skip_serializing_if = "Mishaps::is_none")]
    pub mishaps: Mishaps,
    /// This boot goes on where the provider took the last instance back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moving: bool,
    /// It was put to sleep because a budget was used up, and did not wake since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over_budget: bool,
    pub last_use: Timestamp,
    pub busy: Option<Busy>,
    /// When it will sleep, once its owner was warned.
    pub sleeps_at: Option<Timestamp>,
    pub settled: Settled,
    /// When the orchestrator must look at it again.
    pub due_at: Option<Timestamp>,
}

impl Agent {
    /// The current run.
    pub fn instance_id(&self) -> InstanceId {
        InstanceId { agent: self.id, generation: self.generation }
    }

    /// Whether it counts as awake: something of it costs money, or soon will.
    pub fn is_awake(&self) -> bool {
        self.instance.is_some()
            || !matches!(self.phase, Phase::Asleep | Phase::Failed { .. } | Phase::Deleting | Phase::Deleted)
    }

    /// The open usage segment: there exactly while there is an instance.
    pub fn open_segment(&self) -> Option<Segment> {
        self.instance.as_ref().map(|instance| Segment {
            agent: self.id,
            owner: self.owner,
            generation: self.generation,
            size: self.size,
            provider: self.provider,
            price: instance.price.clone(),
            started_at: instance.started_at,
            ended_at: None,
        })
    }
}
