//! Server functions about everybody's agents, and people's roles: each is
//! refused to whoever has no right to it.

use domain::fleet::{Drain, Order, Page, Query};
use domain::id::AgentId;
use domain::journal::Journal;
use domain::role::Role;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use serde::{Deserialize, Serialize};

use super::Sight;
use crate::error::{AppError, ErrorCode};

#[cfg(feature = "ssr")]
use super::{
    input::{few, name_of, window},
    session::{code, fleet, identity, principal, refuse},
};

/// A window of everybody's agents.
#[server(prefix = "/api/console", endpoint = "fleet_page", input = Json, output = Json)]
pub async fn fleet_page(query: Query) -> Result<Page, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.overview(&who, &window(query)).await.map_err(refuse)
}

/// The ids of all that a filter lets through.
#[server(prefix = "/api/console", endpoint = "fleet_ids", input = Json, output = Json)]
pub async fn fleet_ids(query: Query) -> Result<Vec<AgentId>, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.matching(&who, &window(query)).await.map_err(refuse)
}

/// Somebody's agent with the latest of its timeline, or with what came before
/// that event.
#[server(prefix = "/api/console", endpoint = "fleet_agent", input = Json, output = Json)]
pub async fn fleet_agent(id: AgentId, before: Option<u64>) -> Result<Sight, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    let sight = fleet.look_into(&who, id, before).await.map_err(refuse)?;
    Ok(Sight { owner: sight.owner, view: sight.view, events: sight.events })
}

/// What the house said of somebody's agent lately.
#[server(prefix = "/api/console", endpoint = "fleet_journal", input = Json, output = Json)]
pub async fn fleet_journal(id: AgentId) -> Result<Journal, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.journal(&who, id).await.map_err(refuse)
}

/// What became of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// Those that the opposite order would make as they were.
    pub changed: Vec<AgentId>,
    pub failed: Vec<(AgentId, ErrorCode)>,
}

/// Orders agents to wake or to sleep, 50 at most.
#[server(prefix = "/api/console", endpoint = "fleet_order", input = Json, output = Json)]
pub async fn fleet_order(ids: Vec<AgentId>, order: Order) -> Result<Ordered, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    let ids = few(ids)?;
    let mut ordered = Ordered::default();
    for id in ids {
        match fleet.order(&who, id, order).await {
            Ok(true) => ordered.changed.push(id),
            Ok(false) => {}
            // Of one agent, and not of who asks or of the server.
            Err(error) if error.is_about_the_agent() => ordered.failed.push((id, code(&error))),
            Err(error) => return Err(refuse(error)),
        }
    }
    Ok(ordered)
}

/// Has nothing new launched at the provider, or has it launched again.
#[server(prefix = "/api/console", endpoint = "fleet_drain", input = Json, output = Json)]
pub async fn fleet_drain(wish: Drain) -> Result<(), AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.drain(&who, wish).await.map_err(refuse)
}

/// Gives a person another role.
#[server(prefix = "/api/console", endpoint = "give_role", input = Json, output = Json)]
pub async fn give_role(name: String, role: Role) -> Result<(), AppError> {
    let identity = identity();
    let who = principal().await?;
    let name = name_of(&name)?;
    identity.give_role(&who, &name, role).await.map(drop).map_err(refuse)
}
