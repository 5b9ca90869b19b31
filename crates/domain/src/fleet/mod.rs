//! Everybody's agents at a glance: what a fleet's list keeps of each, what may
//! be asked of it, and what is shown.

mod health;
mod query;
mod summary;

use serde::{Deserialize, Serialize};

use crate::agent::{Phase, ProviderName};
use crate::boot::BootPhase;
use crate::id::AgentId;
use crate::lifecycle::Policy;
use crate::name::Name;
use crate::time::Timestamp;

pub use health::{Counted, Health, Spans, Tally, Trouble};
pub use query::{Owned, Query, Sort};
pub use summary::{Row, Summary, Told};

/// Phases of a boot that take time: all but the last.
pub const BOOT_PHASES: usize = BootPhase::ALL.len() - 1;

/// When a list is looked at, and by which rules.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    pub now: Timestamp,
    pub policy: &'a Policy,
}

/// Whose agents some are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub name: Name,
    pub team: Option<Name>,
}

/// A phase without what goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Pending,
    Provisioning,
    Booting,
    Running,
    Saving,
    Interrupted,
    Asleep,
    Failed,
    Deleting,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Provisioning => "provisioning",
            Self::Booting => "booting",
            Self::Running => "running",
            Self::Saving => "saving",
            Self::Interrupted => "interrupted",
            Self::Asleep => "asleep",
            Self::Failed => "failed",
            Self::Deleting => "deleting",
        }
    }

    pub const fn group(self) -> Group {
        match self {
            Self::Pending | Self::Provisioning | Self::Booting => Group::Booting,
            Self::Running | Self::Saving | Self::Interrupted => Group::Awake,
            Self::Asleep => Group::Asleep,
            Self::Failed => Group::Failed,
            Self::Deleting => Group::Deleting,
        }
    }
}

impl From<&Phase> for State {
    fn from(phase: &Phase) -> Self {
        match phase {
            Phase::Pending => Self::Pending,
            Phase::Provisioning => Self::Provisioning,
            Phase::Booting => Self::Booting,
            Phase::Running => Self::Running,
            Phase::Saving => Self::Saving,
            Phase::Asleep => Self::Asleep,
            Phase::Interrupted { .. } => Self::Interrupted,
            Phase::Failed { .. } => Self::Failed,
            Phase::Deleting | Phase::Deleted => Self::Deleting,
        }
    }
}

/// States that a fleet is filtered and counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    Awake,
    Booting,
    Asleep,
    Failed,
    Deleting,
}

impl Group {
    pub const ALL: [Self; 5] = [Self::Awake, Self::Booting, Self::Asleep, Self::Failed, Self::Deleting];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Awake => "awake",
            Self::Booting => "booting",
            Self::Asleep => "asleep",
            Self::Failed => "failed",
            Self::Deleting => "deleting",
        }
    }
}

/// What may be done to many agents at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    Wake,
    /// Saved and asleep, but for those that work on something.
    Sleep,
    /// Saved and asleep, whatever they work on. An agent is never ended in
    /// another way: what can't be saved goes on running.
    Stop,
}

/// Whether a provider is to take nothing new, or to take it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Drain {
    Begin,
    End,
}

/// Where agents run here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub provider: ProviderName,
    /// Since when nothing new is launched there, if that is so.
    pub drained: Option<Timestamp>,
}

/// What a reader of a window lacks of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    pub health: Health,
    pub place: Place,
    pub total: u32,
    pub offset: u32,
    /// The window's rows in their order.
    pub ids: Vec<AgentId>,
    /// Those that the reader does not have as they are.
    pub rows: Vec<Row>,
}

/// A window of a fleet's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Of the whole fleet.
    pub health: Health,
    pub place: Place,
    /// Agents that the filter lets through.
    pub total: u32,
    /// The first row's place among these.
    pub offset: u32,
    pub rows: Vec<Row>,
}
