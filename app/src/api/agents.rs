//! Server functions about agents.

use domain::id::AgentId;
use domain::size::Size;
use domain::view::AgentView;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use super::Connection;
use crate::error::AppError;

#[cfg(feature = "ssr")]
use super::{
    input::{connection_of, idle_timeout_of, name_of, spawn_of},
    session::{fleet, principal, refuse},
};

/// The caller's agents, newest first.
#[server(prefix = "/api/console", endpoint = "list_agents", input = Json, output = Json)]
pub async fn list_agents() -> Result<Vec<AgentView>, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.list(&who).await.map_err(refuse)
}

/// One of the caller's agents.
#[server(prefix = "/api/console", endpoint = "agent", input = Json, output = Json)]
pub async fn agent(id: AgentId) -> Result<AgentView, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.get(&who, id).await.map_err(refuse)
}

/// Makes an agent and has it woken. `key` makes a repeated click one agent;
/// `idle_timeout` is in seconds, none for the fleet's.
#[server(prefix = "/api/console", endpoint = "spawn_agent", input = Json, output = Json)]
pub async fn spawn_agent(
    name: String,
    size: Size,
    idle_timeout: Option<u32>,
    key: String,
) -> Result<AgentView, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    let (request, key) = spawn_of(&name, size, idle_timeout, &key)?;
    fleet.spawn(&who, request, Some(key)).await.map_err(refuse)
}

/// Wakes it, or tries again what failed.
#[server(prefix = "/api/console", endpoint = "wake", input = Json, output = Json)]
pub async fn wake(id: AgentId) -> Result<AgentView, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.wake(&who, id).await.map_err(refuse)
}

/// Wakes it on a machine on demand, for which its owner pays, if Spot still has no room.
#[server(prefix = "/api/console", endpoint = "wake_on_demand", input = Json, output = Json)]
pub async fn wake_on_demand(id: AgentId) -> Result<AgentView, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.allow_on_demand(&who, id, true).await.map_err(refuse)?;
    fleet.wake(&who, id).await.map_err(refuse)
}

/// Says whether its owner pays for a machine on demand where Spot has no room.
#[server(prefix = "/api/console", endpoint = "allow_on_demand", input = Json, output = Json)]
pub async fn allow_on_demand(id: AgentId, allowed: bool) -> Result<AgentView, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.allow_on_demand(&who, id, allowed).await.map_err(refuse)
}

/// Saves it and puts it to sleep.
#[server(prefix = "/api/console", endpoint = "sleep", input = Json, output = Json)]
pub async fn sleep(id: AgentId) -> Result<AgentView, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.sleep(&who, id).await.map_err(refuse)
}

/// Takes an idle warning back.
#[server(prefix = "/api/console", endpoint = "keep_awake", input = Json, output = Json)]
pub async fn keep_awake(id: AgentId) -> Result<AgentView, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.keep_awake(&who, id).await.map_err(refuse)
}

/// Gives it another name.
#[server(prefix = "/api/console", endpoint = "rename", input = Json, output = Json)]
pub async fn rename(id: AgentId, name: String) -> Result<AgentView, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    let name = name_of(&name)?;
    fleet.rename(&who, id, name).await.map_err(refuse)
}

/// Sets after how many unused seconds it sleeps; none for the fleet's.
#[server(prefix = "/api/console", endpoint = "set_idle_timeout", input = Json, output = Json)]
pub async fn set_idle_timeout(id: AgentId, secs: Option<u32>) -> Result<AgentView, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    let timeout = idle_timeout_of(secs)?;
    fleet.set_idle_timeout(&who, id, timeout).await.map_err(refuse)
}

/// Deletes it with all of its data.
#[server(prefix = "/api/console", endpoint = "delete_agent", input = Json, output = Json)]
pub async fn delete_agent(id: AgentId) -> Result<AgentView, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.delete(&who, id).await.map_err(refuse)
}

/// A ticket for one terminal connection, and where to present it. It never
/// wakes an agent.
#[server(prefix = "/api/console", endpoint = "connect_terminal", input = Json, output = Json)]
pub async fn connect_terminal(id: AgentId) -> Result<Connection, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    let connect = fleet.connect(&who, id).await.map_err(refuse)?;
    Ok(connection_of(id, &connect))
}
