//! What was done by right of a role, or tried without one: append-only.

use serde::{Deserialize, Serialize};

use crate::agent::ProviderName;
use crate::budget::Budget;
use crate::id::{AgentId, EntryId, UserId};
use crate::name::Name;
use crate::role::Role;
use crate::time::{Month, Timestamp};

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    /// Of those at the same instant it tells the order.
    pub id: EntryId,
    pub actor: Actor,
    #[serde(flatten)]
    pub act: Act,
    pub outcome: Outcome,
}

impl Entry {
    /// The month that it is kept in.
    pub fn month(&self) -> Month {
        self.at.month()
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Actor {
    Person {
        user: UserId,
        name: Name,
    },
    /// Whoever may run commands on the installation.
    CommandLine,
}

/// What was done, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    AddPerson { person: UserId, name: Name, role: Role },
    ChangeRole { person: UserId, name: Name, from: Role, to: Role },
    SetBudget { person: UserId, name: Name, budget: Budget },
    // Looking is told only where it was refused.
    SeePeople,
    SeeFleet,
    LookIntoAgent { agent: AgentId },
    ReadAudit,
    WakeAgent { agent: AgentId },
    PutAgentToSleep { agent: AgentId },
    StopAgent { agent: AgentId },
    DrainProvider { provider: ProviderName },
    UndrainProvider { provider: ProviderName },
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Written before it was done: nothing is done that is not in the log.
    Allowed,
    /// Who asked had no right to it.
    Refused,
    /// It was allowed, and could not be done; follows on its `Allowed`.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_flat_object() {
        let entry = Entry {
            at: Timestamp(1_790_000_000_000),
            id: EntryId::from_random([0; 10]),
            actor: Actor::Person { user: UserId::from_random([0; 10]), name: "Ana".parse().unwrap() },
            act: Act::WakeAgent { agent: AgentId::from_random([0; 10]) },
            outcome: Outcome::Refused,
        };
        let text = serde_json::to_string(&entry).unwrap();
        assert_eq!(
            text,
            r#"{"at":1790000000000,"id":"0000000000000000","actor":{"by":"person","user":"0000000000000000","name":"Ana"},"act":"wake_agent","agent":"0000000000000000","outcome":"refused"}"#
        );
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
    }
}
