//! What happened to an agent: append-only, numbered from 1 without a gap.

use serde::{Deserialize, Serialize};

use crate::agent::{Failure, Loss, Snapshot};
use crate::boot::BootPhase;
use crate::id::{AgentId, Generation};
use crate::time::Timestamp;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub agent: AgentId,
    /// 1, 2, 3… for each agent.
    pub seq: u64,
    pub generation: Generation,
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: What,
}

/// What it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    Created,
    Renamed,
    /// A boot phase began.
    Boot {
        phase: BootPhase,
    },
    /// The agent is unused and will sleep at `sleeps_at`.
    IdleWarning {
        sleeps_at: Timestamp,
    },
    /// A person, or use, kept it awake.
    KeptAwake,
    /// Its state is being saved, and why.
    Saving {
        why: SaveReason,
    },
    Saved {
        snapshot: Snapshot,
    },
    /// The instance stays; nothing is lost yet.
    SaveFailed {
        message: String,
    },
    /// An instance ended before its state was saved.
    Lost {
        loss: Loss,
    },
    Asleep,
    Failed {
        failure: Failure,
    },
    /// The provider takes the instance back at `until`.
    Interrupted {
        until: Timestamp,
    },
    Deleting,
    Deleted,
}

impl What {
    /// Its word, without what programs said.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Renamed => "renamed",
            Self::Boot { .. } => "boot",
            Self::IdleWarning { .. } => "idle_warning",
            Self::KeptAwake => "kept_awake",
            Self::Saving { .. } => "saving",
            Self::Saved { .. } => "saved",
            Self::SaveFailed { .. } => "save_failed",
            Self::Lost { .. } => "lost",
            Self::Asleep => "asleep",
            Self::Failed { .. } => "failed",
            Self::Interrupted { .. } => "interrupted",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }
}

/// Why an agent is put to sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SaveReason {
    Asked,
    Idle,
    Interrupted,
    /// Its owner's budget is used up.
    Budget,
}
