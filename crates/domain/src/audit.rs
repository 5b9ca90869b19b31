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
    /// What kind of act it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::AddPerson { .. } => Kind::AddPerson,
            Self::ChangeRole { .. } => Kind::ChangeRole,
            Self::SetBudget { .. } => Kind::SetBudget,
            Self::SeeBudgets => Kind::SeeBudgets,
            Self::ChangeTeam { .. } => Kind::ChangeTeam,
            Self::Invite { .. } => Kind::Invite,
            Self::WithdrawInvitation { .. } => Kind::WithdrawInvitation,
            Self::EndSessions { .. } => Kind::EndSessions,
            Self::LinkPerson { .. } => Kind::LinkPerson,
            Self::CloseAccess { .. } => Kind::CloseAccess,
            Self::OpenAccess { .. } => Kind::OpenAccess,
            Self::SeePeople => Kind::SeePeople,
            Self::SeeFleet => Kind::SeeFleet,
            Self::SeeSpend => Kind::SeeSpend,
            Self::LookIntoAgent { .. } => Kind::LookIntoAgent,
            Self::ReadAudit => Kind::ReadAudit,
            Self::WakeAgent { .. } => Kind::WakeAgent,
            Self::PutAgentToSleep { .. } => Kind::PutAgentToSleep,
            Self::StopAgent { .. } => Kind::StopAgent,
            Self::DrainProvider { .. } => Kind::DrainProvider,
            Self::UndrainProvider { .. } => Kind::UndrainProvider,
            Self::AskToLook { .. } => Kind::AskToLook,
            Self::LetLook { .. } => Kind::LetLook,
            Self::DeclineLook { .. } => Kind::DeclineLook,
            Self::EndLook { .. } => Kind::EndLook,
        }
    }

    /// Its word, as it stands in an entry.
    pub const fn as_str(&self) -> &'static str {
        self.kind().as_str()
    }

    /// Who asked for the look that it is about, where it answers one.
    pub const fn looker(&self) -> Option<UserId> {
        match self {
            Self::LetLook { by, .. } | Self::DeclineLook { by, .. } | Self::EndLook { by, .. } => Some(*by),
            _ => None,
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

/// Declares [`Kind`] once: a list apart would forget one some day.
macro_rules! kinds {
    ($($kind:ident $word:literal)*) => {
        /// What kind of act, in the order that they are listed in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $($kind,)*
        }

        impl Kind {
            /// Every one there is.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Its word, as it stands in an entry.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }
        }
    };
}

kinds! {
    AddPerson "add_person"
    ChangeRole "change_role"
    ChangeTeam "change_team"
    SetBudget "set_budget"
    Invite "invite"
    WithdrawInvitation "withdraw_invitation"
    EndSessions "end_sessions"
    LinkPerson "link_person"
    CloseAccess "close_access"
    OpenAccess "open_access"
    AskToLook "ask_to_look"
    LetLook "let_look"
    DeclineLook "decline_look"
    EndLook "end_look"
    WakeAgent "wake_agent"
    PutAgentToSleep "put_agent_to_sleep"
    StopAgent "stop_agent"
    DrainProvider "drain_provider"
    UndrainProvider "undrain_provider"
    LookIntoAgent "look_into_agent"
    SeeFleet "see_fleet"
    SeeSpend "see_spend"
    SeeBudgets "see_budgets"
    SeePeople "see_people"
    ReadAudit "read_audit"
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
    }

    #[test]
    fn an_act_is_written_by_the_word_of_its_kind() {
        let (person, agent) = (UserId::from_random([0; 10]), AgentId::from_random([0; 10]));
        let name: Name = "Ana".parse().unwrap();
        for act in [
            Act::SeeBudgets,
            Act::SeeSpend,
            Act::StopAgent { agent },
            Act::EndLook { agent, by: person },
            Act::UndrainProvider { provider: ProviderName::Local },
            Act::SetBudget { of: Subject::Fleet, name: None, budget: Budget::default() },
            Act::LinkPerson { person, name },
        ] {
            let written = serde_json::to_value(&act).unwrap();
            assert_eq!(written["act"], act.as_str());
        }
    }
}
