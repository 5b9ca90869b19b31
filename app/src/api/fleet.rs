//! Server functions about everybody's agents, and people's roles: each is
//! refused to whoever has no right to it.

use domain::fleet::{Order, Page, Query};
use domain::id::AgentId;
use domain::role::Role;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;

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

/// Somebody's agent with its timeline.
#[server(prefix = "/api/console", endpoint = "fleet_agent", input = Json, output = Json)]
pub async fn fleet_agent(id: AgentId) -> Result<Sight, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    let sight = fleet.look_into(&who, id).await.map_err(refuse)?;
    Ok(Sight { owner: sight.owner, view: sight.view, events: sight.events })
}

/// Wakes agents or puts them to sleep, 50 at most; says which it could not.
#[server(prefix = "/api/console", endpoint = "fleet_order", input = Json, output = Json)]
pub async fn fleet_order(ids: Vec<AgentId>, order: Order) -> Result<Vec<(AgentId, ErrorCode)>, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    let ids = few(ids)?;
    let mut failed = Vec::new();
    for id in ids {
        match fleet.order(&who, id, order).await {
            Ok(()) => {}
            // Of one agent, and not of who asks or of the server.
            Err(error) if error.is_about_the_agent() => failed.push((id, code(&error))),
            Err(error) => return Err(refuse(error)),
        }
    }
    Ok(failed)
}

/// Gives a person another role.
#[server(prefix = "/api/console", endpoint = "give_role", input = Json, output = Json)]
pub async fn give_role(name: String, role: Role) -> Result<(), AppError> {
    let identity = identity();
    let who = principal().await?;
    let name = name_of(&name)?;
    identity.give_role(&who, &name, role).await.map(drop).map_err(refuse)
}
