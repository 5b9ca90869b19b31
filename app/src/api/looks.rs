//! Server functions about looking into somebody's terminal.

use domain::id::AgentId;
use domain::look::{Look, Seen, Step};
use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use super::Connection;
use crate::error::AppError;

#[cfg(feature = "ssr")]
use super::{
    input::look_connection_of,
    session::{fleet, principal, refuse},
};

/// Asks an agent's owner to be let look into its terminal.
#[server(prefix = "/api/console", endpoint = "ask_to_look", input = Json, output = Json)]
pub async fn ask_to_look(id: AgentId) -> Result<Look, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.ask_to_look(&who, id).await.map_err(refuse)
}

/// The caller's own request or look, if it is under way.
#[server(prefix = "/api/console", endpoint = "look_of", input = Json, output = Json)]
pub async fn look_of(id: AgentId) -> Result<Option<Look>, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.look_of(&who, id).await.map_err(refuse)
}

/// The owner lets whom they saw look, declines, or cuts them off.
#[server(prefix = "/api/console", endpoint = "answer_look", input = Json, output = Json)]
pub async fn answer_look(id: AgentId, seen: Seen, step: Step) -> Result<(), AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.answer_look(&who, id, seen, step).await.map_err(refuse)
}

/// Whoever asked or looks ends it.
#[server(prefix = "/api/console", endpoint = "end_look", input = Json, output = Json)]
pub async fn end_look(id: AgentId) -> Result<(), AppError> {
    let fleet = fleet();
    let who = principal().await?;
    fleet.end_look(&who, id).await.map_err(refuse)
}

/// A way to look once.
#[server(prefix = "/api/console", endpoint = "connect_to_look", input = Json, output = Json)]
pub async fn connect_to_look(id: AgentId) -> Result<Connection, AppError> {
    let fleet = fleet();
    let who = principal().await?;
    let connect = fleet.connect_to_look(&who, id).await.map_err(refuse)?;
    Ok(look_connection_of(id, &connect))
}
