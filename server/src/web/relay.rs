//! Terminals through the console: the browser's WebSocket upgrade is passed on
//! to the instance, then bytes are copied both ways. No frame is read here.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use control_plane::provider::Connection;
use control_plane::{Error, Fleet, Identity, Principal};
use domain::id::AgentId;
use domain::protocol::instance;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;

use crate::api::agents::agent_id;
use crate::api::bearer::{self, Bearer};
use crate::api::problem::Problem;
use crate::state::Origins;

/// Copied at once in each direction, in bytes: what a slow viewer costs here.
const BUFFER: usize = 32 * 1024;

/// Headers of an upgrade that the instance needs. Not `Origin`: it is checked
/// here, against the names that the console has now.
const PASSED_ON: [header::HeaderName; 4] =
    [header::CONNECTION, header::UPGRADE, header::SEC_WEBSOCKET_KEY, header::SEC_WEBSOCKET_VERSION];

/// For a signed-in browser, on a page of ours.
pub async fn terminal(
    State(fleet): State<Arc<Fleet>>,
    State(identity): State<Arc<Identity>>,
    State(origins): State<Origins>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let who = app::api::session(&identity, request.headers()).await?;
    if !origins.allow(request.headers()) {
        return Err(Problem::status(StatusCode::FORBIDDEN, "origin", "no page of this console sent that"));
    }
    let until = super::until_refused(identity, request.headers().clone());
    pass_on(&fleet, &who, agent_id(&id)?, request, until).await
}

/// For a signed-in browser whose reader was let look into somebody's terminal:
/// until they are let no longer.
pub async fn look(
    State(fleet): State<Arc<Fleet>>,
    State(identity): State<Arc<Identity>>,
    State(origins): State<Origins>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let who = app::api::session(&identity, request.headers()).await?;
    if !origins.allow(request.headers()) {
        return Err(Problem::status(StatusCode::FORBIDDEN, "origin", "no page of this console sent that"));
    }
    let id = agent_id(&id)?;
    let (stream, left) = fleet.dial_to_look(&who, id).await?;
    let headers = request.headers().clone();
    let until = async move {
        let hidden = || async {
            match app::api::session(&identity, &headers).await {
                Ok(who) => fleet.is_hidden_from(&who, id).await,
                Err(error) => matches!(error, Error::Unauthenticated),
            }
        };
        // It ends to the second, though nothing else would have it asked of then.
        let _ = tokio::time::timeout(left, identity.until(hidden)).await;
    };
    join(id, stream, request, until).await
}

/// For a program with a bearer token.
pub async fn terminal_by_token(
    who: Bearer,
    State(fleet): State<Arc<Fleet>>,
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let until = bearer::until_refused(identity, request.headers().clone());
    pass_on(&fleet, &who.0, agent_id(&id)?, request, until).await
}

/// Connects the caller with the instance, until either goes or `until` resolves.
async fn pass_on(
    fleet: &Fleet,
    who: &Principal,
    id: AgentId,
    request: Request,
    until: impl Future<Output = ()> + Send + 'static,
) -> Result<Response, Problem> {
    // First of all, so that another's agent is answered like none.
    fleet.get(who, id).await?;
    if !is_upgrade(&request) {
        return Ok(no_upgrade());
    }
    let stream = fleet.dial(who, id).await?;
    join(id, stream, request, until).await
}

fn is_upgrade(request: &Request) -> bool {
    request.method() == Method::GET && request.headers().contains_key(header::UPGRADE)
}

fn no_upgrade() -> Response {
    let upgrade = [(header::UPGRADE, "websocket")];
    (StatusCode::UPGRADE_REQUIRED, upgrade, "a WebSocket is served here\n").into_response()
}

async fn join(
    id: AgentId,
    stream: Connection,
    mut request: Request,
    until: impl Future<Output = ()> + Send + 'static,
) -> Result<Response, Problem> {
    if !is_upgrade(&request) {
        return Ok(no_upgrade());
    }
    let answer = match upgrade(stream, request.headers()).await {
        Ok(answer) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => answer,
        Ok(answer) => return Ok(unreachable(id, &answer.status())),
        Err(error) => return Ok(unreachable(id, &error)),
    };
    let mut headers = HeaderMap::new();
    for name in [header::CONNECTION, header::UPGRADE, header::SEC_WEBSOCKET_ACCEPT] {
        if let Some(value) = answer.headers().get(&name) {
            headers.insert(name, value.clone());
        }
    }
    let (browser, agent) = (hyper::upgrade::on(&mut request), hyper::upgrade::on(answer));
    tokio::spawn(async move {
        if let (Ok(browser), Ok(agent)) = (browser.await, agent.await) {
            tokio::select! {
                () = copy(browser, agent) => {}
                () = until => {}
            }
        }
    });
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers, Body::empty()).into_response())
}

fn unreachable(id: AgentId, why: &dyn std::fmt::Display) -> Response {
    tracing::warn!(agent = %id, %why, "agent {id} did not take a terminal");
    Problem::status(StatusCode::BAD_GATEWAY, "unreachable", "the agent did not answer").into_response()
}

async fn upgrade(
    stream: Connection,
    headers: &HeaderMap,
) -> Result<hyper::Response<hyper::body::Incoming>, hyper::Error> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection.with_upgrades());
    let mut request = hyper::Request::new(Body::empty());
    *request.uri_mut() = http::Uri::from_static(instance::TERMINAL);
    request.headers_mut().insert(header::HOST, header::HeaderValue::from_static("instance"));
    for name in PASSED_ON {
        if let Some(value) = headers.get(&name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    sender.send_request(request).await
}

async fn copy(browser: Upgraded, agent: Upgraded) {
    let (mut browser, mut agent) = (TokioIo::new(browser), TokioIo::new(agent));
    // Either side's going ends it; there is nobody left to tell of an error.
    let _ = tokio::io::copy_bidirectional_with_sizes(&mut browser, &mut agent, BUFFER, BUFFER).await;
}
