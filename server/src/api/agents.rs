//! Agents, one handler a verb.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use control_plane::fleet::Spawn;
use control_plane::{Error, Fleet};
use domain::agent::IdleTimeout;
use domain::id::{AgentId, IdempotencyKey};
use domain::size::Size;

use super::bearer::Bearer;
use super::problem::Problem;
use super::resource::{Agent, ChangeRequest, SpawnRequest, TicketReply, websocket_url};
use crate::state::Origins;

pub(super) type Body<T> = Result<Json<T>, JsonRejection>;
type Reply = Result<Json<Agent>, Problem>;

/// The caller's own name for a request.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Makes an agent and wakes it.
///
/// Repeating a request with the same `Idempotency-Key` gives the same agent for 24 hours.
#[utoipa::path(post, path = "/api/v1/agents/spawn", request_body = SpawnRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "1–128 visible ASCII characters")),
    responses((status = 202, body = Agent), (status = 401, body = Problem), (status = 409, body = Problem),
        (status = 413), (status = 422, body = Problem)))]
pub async fn spawn(
    who: Bearer,
    State(fleet): State<Arc<Fleet>>,
    State(origins): State<Origins>,
    headers: HeaderMap,
    body: Body<SpawnRequest>,
) -> Result<Response, Problem> {
    let request = read(body)?;
    let key = match headers.get(IDEMPOTENCY_KEY) {
        None => None,
        Some(value) => Some(value.to_str().ok().and_then(IdempotencyKey::new).ok_or_else(|| {
            Problem::invalid("Idempotency-Key", "it must be 1 to 128 visible ASCII characters")
        })?),
    };
    let spawn = Spawn {
        name: name(&request.name)?,
        size: request.size.as_deref().map_or(Ok(Size::default()), |size| {
            size.parse()
                .map_err(|error: domain::size::UnknownSize| Problem::invalid("size", &error.to_string()))
        })?,
        idle_timeout: request.idle_timeout.map(idle_timeout).transpose()?,
    };
    let agent = Agent::of(&fleet.spawn(&who.0, spawn, key).await?, origins.first());
    let location = [(header::LOCATION, agent.links.itself.clone())];
    Ok((StatusCode::ACCEPTED, location, Json(agent)).into_response())
}

/// The same, at the path of the owner's proposal.
#[utoipa::path(post, path = "/agents/spawn", request_body = SpawnRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "1–128 visible ASCII characters")),
    responses((status = 202, body = Agent), (status = 401, body = Problem), (status = 409, body = Problem),
        (status = 413), (status = 422, body = Problem)))]
pub async fn spawn_as_proposed(
    who: Bearer,
    fleet: State<Arc<Fleet>>,
    origins: State<Origins>,
    headers: HeaderMap,
    body: Body<SpawnRequest>,
) -> Result<Response, Problem> {
    spawn(who, fleet, origins, headers, body).await
}

/// The caller's agents, newest first.
#[utoipa::path(get, path = "/api/v1/agents",
    responses((status = 200, body = Vec<Agent>), (status = 401, body = Problem)))]
pub async fn list(
    who: Bearer,
    State(fleet): State<Arc<Fleet>>,
    State(origins): State<Origins>,
) -> Result<Json<Vec<Agent>>, Problem> {
    let views = fleet.list(&who.0).await?;
    Ok(Json(views.iter().map(|view| Agent::of(view, origins.first())).collect()))
}

/// One agent.
#[utoipa::path(get, path = "/api/v1/agents/{id}", params(("id" = String, Path)),
    responses((status = 200, body = Agent), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn get(
    who: Bearer,
    State(fleet): State<Arc<Fleet>>,
    State(origins): State<Origins>,
    Path(id): Path<String>,
) -> Reply {
    Ok(Json(Agent::of(&fleet.get(&who.0, agent_id(&id)?).await?, origins.first())))
}

/// Renames an agent, gives it another idle timeout, or says whether you pay for a machine on demand.
#[utoipa::path(patch, path = "/api/v1/agents/{id}", params(("id" = String, Path)), request_body = ChangeRequest,
    responses((status = 200, body = Agent), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn change(
    who: Bearer,
    State(fleet): State<Arc<Fleet>>,
    State(origins): State<Origins>,
    Path(id): Path<String>,
    body: Body<ChangeRequest>,
) -> Reply {
    let id = agent_id(&id)?;
    let request = read(body)?;
    // All are looked at before any is done.
    let name = request.name.as_deref().map(name).transpose()?;
    let timeout = request.idle_timeout.map(idle_timeout).transpose()?;
    let mut view = fleet.get(&who.0, id).await?;
    if let Some(name) = name {
        view = fleet.rename(&who.0, id, name).await?;
    }
    if let Some(timeout) = timeout {
        view = fleet.set_idle_timeout(&who.0, id, Some(timeout)).await?;
    }
    if let Some(allowed) = request.on_demand {
        view = fleet.allow_on_demand(&who.0, id, allowed).await?;
    }
    Ok(Json(Agent::of(&view, origins.first())))
}

/// Deletes an agent with all of its data.
#[utoipa::path(delete, path = "/api/v1/agents/{id}", params(("id" = String, Path)),
    responses((status = 202, body = Agent), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn delete(
    who: Bearer,
    State(fleet): State<Arc<Fleet>>,
    State(origins): State<Origins>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let view = fleet.delete(&who.0, agent_id(&id)?).await?;
    Ok((StatusCode::ACCEPTED, Json(Agent::of(&view, origins.first()))).into_response())
}

/// Wakes an agent.
#[utoipa::path(post, path = "/api/v1/agents/{id}/wake", params(("id" = String, Path)),
    responses((status = 202, body = Agent), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn wake(
    who: Bearer,
    State(fleet): State<Arc<Fleet>>,
    State(origins): State<Origins>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let view = fleet.wake(&who.0, agent_id(&id)?).await?;
    Ok((StatusCode::ACCEPTED, Json(Agent::of(&view, origins.first()))).into_response())
}

/// Saves an agent and puts it to sleep.
#[utoipa::path(post, path = "/api/v1/agents/{id}/sleep", params(("id" = String, Path)),
    responses((status = 202, body = Agent), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn sleep(
    who: Bearer,
    State(fleet): State<Arc<Fleet>>,
    State(origins): State<Origins>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let view = fleet.sleep(&who.0, agent_id(&id)?).await?;
    Ok((StatusCode::ACCEPTED, Json(Agent::of(&view, origins.first()))).into_response())
}

/// Takes an idle warning back.
#[utoipa::path(post, path = "/api/v1/agents/{id}/keep-awake", params(("id" = String, Path)),
    responses((status = 200, body = Agent), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn keep_awake(
    who: Bearer,
    State(fleet): State<Arc<Fleet>>,
    State(origins): State<Origins>,
    Path(id): Path<String>,
) -> Reply {
    Ok(Json(Agent::of(&fleet.keep_awake(&who.0, agent_id(&id)?).await?, origins.first())))
}

/// A ticket for one terminal connection, good for 30 seconds.
#[utoipa::path(post, path = "/api/v1/agents/{id}/tickets", params(("id" = String, Path)),
    responses((status = 201, body = TicketReply), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn ticket(
    who: Bearer,
    State(fleet): State<Arc<Fleet>>,
    State(origins): State<Origins>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = agent_id(&id)?;
    let connect = fleet.connect(&who.0, id).await?;
    let reply = TicketReply {
        ticket: connect.ticket.expose().to_owned(),
        expires_at: connect.expires_at.to_string(),
        websocket_url: websocket_url(origins.first(), id),
    };
    Ok((StatusCode::CREATED, Json(reply)).into_response())
}

/// A text that is no id is no agent's: answered like one that is not there.
pub fn agent_id(text: &str) -> Result<AgentId, Problem> {
    text.parse().map_err(|_| Error::NotFound.into())
}

pub(super) fn name(text: &str) -> Result<domain::name::Name, Problem> {
    text.parse().map_err(|error: domain::name::InvalidName| Problem::invalid("name", &error.to_string()))
}

fn idle_timeout(secs: u32) -> Result<IdleTimeout, Problem> {
    IdleTimeout::from_secs(secs).map_err(|error| Problem::invalid("idle_timeout", &error.to_string()))
}

pub(super) fn read<T>(body: Body<T>) -> Result<T, Problem> {
    match body {
        Ok(Json(value)) => Ok(value),
        Err(rejection) => Err(Problem::status(rejection.status(), "body", &rejection.body_text())),
    }
}
