//! Everybody's agents at a glance: what a fleet's list keeps of each, what may
//! be asked of it, and what is shown.

mod query;
mod summary;

use serde::{Deserialize, Serialize};

use crate::agent::Phase;
use crate::id::AgentId;

pub use query::{Query, Sort};
pub use summary::{Row, Summary};

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
    Sleep,
}

/// The health of the whole fleet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    pub agents: u32,
    pub awake: u32,
    pub booting: u32,
    pub asleep: u32,
    pub failed: u32,
    pub deleting: u32,
    /// Milliseconds from the wish to `Ready`, of the boots of the last day.
    pub boot_p50: Option<u32>,
    pub boot_p95: Option<u32>,
}

impl Health {
    /// Counts an agent.
    pub fn count(&mut self, group: Group) {
        self.agents += 1;
        *match group {
            Group::Awake => &mut self.awake,
            Group::Booting => &mut self.booting,
            Group::Asleep => &mut self.asleep,
            Group::Failed => &mut self.failed,
            Group::Deleting => &mut self.deleting,
        } += 1;
    }

    pub fn of(&self, group: Group) -> u32 {
        match group {
            Group::Awake => self.awake,
            Group::Booting => self.booting,
            Group::Asleep => self.asleep,
            Group::Failed => self.failed,
            Group::Deleting => self.deleting,
        }
    }
}

/// What a reader of a window lacks of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    pub health: Health,
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
    /// Agents that the filter lets through.
    pub total: u32,
    /// The first row's place among these.
    pub offset: u32,
    pub rows: Vec<Row>,
}
