//! Server functions: each asks who it is, makes one call, maps the error. They
//! are the only way from a page to the control plane.

mod account;
mod agents;
mod fleet;
#[cfg(feature = "ssr")]
mod input;
#[cfg(feature = "ssr")]
mod session;
mod stage;

use domain::event::Event;
use domain::id::TokenId;
use domain::name::Name;
use domain::price::{Basis, Rates};
use domain::time::Timestamp;
use domain::view::AgentView;
use serde::{Deserialize, Serialize};

pub use account::{create_token, me, revoke_token, sign_in, sign_out, tokens};
pub use agents::{
    agent, allow_on_demand, connect_terminal, delete_agent, keep_awake, list_agents, rename,
    set_idle_timeout, sleep, spawn_agent, wake, wake_on_demand,
};
pub use fleet::{
    Ordered, fleet_agent, fleet_drain, fleet_drained, fleet_ids, fleet_order, fleet_page, give_role,
};
#[cfg(feature = "ssr")]
pub(crate) use session::refused_arguments;
#[cfg(feature = "ssr")]
pub use session::{direct_source, request_cookie, request_header, request_id, session, status};
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
