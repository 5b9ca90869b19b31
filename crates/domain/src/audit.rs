//! What was done by right of a role, or tried without one: append-only.

use serde::{Deserialize, Serialize};

use crate::agent::ProviderName;
use crate::budget::{Budget, Subject};
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
    /// Refusals like this one that came since the last that was told, and were not told.
    #[serde(default, skip_serializing_if = "is_none")]
    pub untold: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_none(count: &u32) -> bool {
    *count == 0
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
    AddPerson {
        person: UserId,
        name: Name,
        role: Role,
    },
    ChangeRole {
        person: UserId,
        name: Name,
        from: Role,
        to: Role,
    },
    SetBudget {
        of: Subject,
        /// The person's or team's.
        name: Option<Name>,
        budget: Budget,
    },
    SeeBudgets,
    ChangeTeam {
        person: UserId,
        name: Name,
        from: Option<Name>,
        to: Option<Name>,
    },
    Invite {
        name: Name,
        role: Role,
        team: Option<Name>,
    },
    WithdrawInvitation {
        name: Name,
    },
    EndSessions {
        person: UserId,
        name: Name,
    },
    /// A link that signs them in was made for them.
    LinkPerson {
        person: UserId,
        name: Name,
    },
    CloseAccess {
        person: UserId,
        name: Name,
    },
    OpenAccess {
        person: UserId,
        name: Name,
    },
    // Looking is told only where it was refused.
    SeePeople,
    SeeFleet,
    SeeSpend,
    LookIntoAgent {
        agent: AgentId,
    },
    ReadAudit,
    WakeAgent {
        agent: AgentId,
    },
    PutAgentToSleep {
        agent: AgentId,
    },
    StopAgent {
        agent: AgentId,
    },
    DrainProvider {
        provider: ProviderName,
    },
    UndrainProvider {
        provider: ProviderName,
    },
    /// Somebody asked to look into a terminal: nothing is shown by that.
    AskToLook {
        agent: AgentId,
    },
    /// Its owner let them, or did not.
    LetLook {
        agent: AgentId,
        by: UserId,
    },
    DeclineLook {
        agent: AgentId,
        by: UserId,
    },
    /// Either of the two ended it.
    EndLook {
        agent: AgentId,
        by: UserId,
    },
}

impl Act {
    /// Its word, as it stands in an entry.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::AddPerson { .. } => "add_person",
            Self::ChangeRole { .. } => "change_role",
            Self::SetBudget { .. } => "set_budget",
            Self::ChangeTeam { .. } => "change_team",
            Self::Invite { .. } => "invite",
            Self::WithdrawInvitation { .. } => "withdraw_invitation",
            Self::EndSessions { .. } => "end_sessions",
            Self::LinkPerson { .. } => "link_person",
            Self::CloseAccess { .. } => "close_access",
            Self::OpenAccess { .. } => "open_access",
            Self::SeeBudgets => "see_budgets",
            Self::SeePeople => "see_people",
            Self::SeeFleet => "see_fleet",
            Self::SeeSpend => "see_spend",
            Self::LookIntoAgent { .. } => "look_into_agent",
            Self::ReadAudit => "read_audit",
            Self::WakeAgent { .. } => "wake_agent",
            Self::PutAgentToSleep { .. } => "put_agent_to_sleep",
            Self::StopAgent { .. } => "stop_agent",
            Self::DrainProvider { .. } => "drain_provider",
            Self::UndrainProvider { .. } => "undrain_provider",
            Self::AskToLook { .. } => "ask_to_look",
            Self::LetLook { .. } => "let_look",
            Self::DeclineLook { .. } => "decline_look",
            Self::EndLook { .. } => "end_look",
        }
    }

    /// The name of the person it was done to, where it was done to one.
    pub const fn person(&self) -> Option<&Name> {
        match self {
            Self::AddPerson { name, .. }
            | Self::ChangeRole { name, .. }
            | Self::ChangeTeam { name, .. }
            | Self::Invite { name, .. }
            | Self::WithdrawInvitation { name }
            | Self::LinkPerson { name, .. }
            | Self::CloseAccess { name, .. }
            | Self::OpenAccess { name, .. }
            | Self::EndSessions { name, .. } => Some(name),
            Self::SetBudget { name, .. } => name.as_ref(),
            _ => None,
        }
    }

    /// The agent it was done to, where it was done to one.
    pub const fn agent(&self) -> Option<AgentId> {
        match self {
            Self::LookIntoAgent { agent }
            | Self::WakeAgent { agent }
            | Self::PutAgentToSleep { agent }
            | Self::StopAgent { agent }
            | Self::AskToLook { agent }
            | Self::LetLook { agent, .. }
            | Self::DeclineLook { agent, .. }
            | Self::EndLook { agent, .. } => Some(*agent),
            _ => None,
        }
    }
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
            untold: 0,
        };
        let text = serde_json::to_string(&entry).unwrap();
        assert_eq!(
            text,
            r#"{"at":1790000000000,"id":"0000000000000000","actor":{"by":"person","user":"0000000000000000","name":"Ana"},"act":"wake_agent","agent":"0000000000000000","outcome":"refused"}"#
        );
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
        let more = Entry { untold: 7, ..entry.clone() };
        let text = serde_json::to_string(&more).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), more);
        assert!(text.contains(&format!(r#""act":"{}""#, entry.act.as_str())));
    }
}
