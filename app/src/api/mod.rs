//! Server functions: each asks who it is, makes one call, maps the error. They
//! are the only way from a page to the control plane.

mod account;
mod agents;
mod budgets;
mod concerns;
mod fleet;
#[cfg(feature = "ssr")]
mod input;
mod looks;
mod people;
#[cfg(feature = "ssr")]
mod session;
mod spend;
mod stage;

use std::collections::BTreeMap;

use domain::access::Access;
use domain::audit::Entry;
use domain::event::Event;
use domain::id::{InvitationId, SessionId, TokenId, UserId};
use domain::name::Name;
use domain::price::{Basis, Rates};
use domain::role::Role;
use domain::session::How;
use domain::time::{Month, Timestamp};
use domain::view::AgentView;
use serde::{Deserialize, Serialize};

pub use account::{
    create_token, end_other_sessions, end_session, me, own_password, revoke_token, sessions, set_password,
    sign_in, sign_in_with_password, sign_out, tokens,
};
pub use agents::{
    agent, allow_on_demand, connect_terminal, delete_agent, keep_awake, list_agents, rename,
    set_idle_timeout, sleep, spawn_agent, wake, wake_on_demand,
};
pub use budgets::{Whose, list_budgets, set_budget};
pub use concerns::{AgentLook, Concerns, concerns};
pub use fleet::{
    Ordered, fleet_agent, fleet_drain, fleet_ids, fleet_journal, fleet_order, fleet_page, give_role,
};
pub use looks::{answer_look, ask_to_look, connect_to_look, end_look, look_of};
pub use people::{audit, change_person, end_sessions_of, give_access, invite, people, withdraw_invitation};
#[cfg(feature = "ssr")]
pub(crate) use session::refused_arguments;
#[cfg(feature = "ssr")]
pub use session::{Address, direct_source, request_cookie, request_header, request_id, session, status};
pub use spend::spend_report;
#[cfg(feature = "ssr")]
pub use stage::Stage;
pub use stage::{Cue, Cued, StageLook, stage_cue, stage_look};

/// Who is signed in, and what the house offers them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    pub name: Name,
    /// Whether they may look at everybody's agents, and order them about.
    pub sees_fleet: bool,
    pub manages_fleet: bool,
    /// Whether they give people roles and budgets, and read the audit log.
    pub manages_people: bool,
    pub reads_audit: bool,
    pub looks_into_terminals: bool,
    /// As it was when they came; what is new, the page asks for.
    pub concerns: Concerns,
    pub prices: Rates,
    /// Whether a provider bills them.
    pub basis: Basis,
    /// Whether there are machines on demand where Spot has no room.
    pub on_demand: bool,
    /// Seconds: of agents that have none of their own.
    pub idle_timeout: u32,
}

/// Somebody's agent, for staff: without what its programs said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// The owner's name.
    pub owner: Name,
    pub view: AgentView,
    /// The latest events, in order.
    pub events: Vec<Event>,
}

/// A way to one terminal connection.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The console's relay, from the root of the site.
    pub relay: String,
    /// The instance's own port, where it has one: a whole `wss://` address, or
    /// `ws://` that only a browser on the same machine reaches.
    pub direct: Option<String>,
    /// A secret, for the first message and once.
    pub ticket: String,
}

/// The reader's password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnPassword {
    pub is_set: bool,
    /// Whether it must be said to get another.
    pub is_asked: bool,
}

/// A session, as its owner sees it in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    pub id: SessionId,
    pub how: How,
    /// Empty where the browser did not say.
    pub browser: String,
    pub created_at: Timestamp,
    /// To some minutes.
    pub seen_at: Timestamp,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// An API token, as its owner sees it in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    pub id: TokenId,
    pub name: Name,
    pub created_at: Timestamp,
}

/// An API token that was just made; its secret is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewToken {
    pub token: TokenView,
    pub secret: String,
}

/// A window of everybody, with those who were invited and have not come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeoplePage {
    pub people: Vec<PersonView>,
    /// Whether there are more after these.
    pub more: bool,
    pub invitations: Vec<InvitationView>,
    pub now: Timestamp,
}

/// A person, as administrators see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    pub name: Name,
    pub role: Role,
    pub team: Option<Name>,
    /// To some minutes; none: never.
    pub seen_at: Option<Timestamp>,
    pub access: Access,
    pub agents: u32,
}

/// An invitation that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationView {
    pub id: InvitationId,
    pub name: Name,
    pub role: Role,
    pub team: Option<Name>,
    pub by: Name,
    pub expires_at: Timestamp,
}

/// An invitation that was just made; its link is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewInvitation {
    pub invitation: InvitationView,
    pub link: String,
}

/// Some of a month of the audit log, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub month: Month,
    pub entries: Vec<Entry>,
    /// Who those looks were asked for by that they tell of.
    pub lookers: BTreeMap<UserId, Name>,
    /// Whether the month has more than are shown.
    pub more: bool,
    /// This month.
    pub last: Month,
}
