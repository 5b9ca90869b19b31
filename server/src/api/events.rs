//! An agent's events as a stream that resumes where it was cut.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use control_plane::live::Heard;
use control_plane::{Fleet, Identity, Principal};
use domain::id::AgentId;
use futures::{Stream, StreamExt as _};

use super::agents::agent_id;
use super::bearer::{Bearer, until_refused};
use super::problem::Problem;

/// What happened to an agent, and what happens, as server-sent events.
///
/// Each event's id is its number; `Last-Event-ID` resumes after that one.
#[utoipa::path(get, path = "/api/v1/agents/{id}/events",
    params(("id" = String, Path), ("Last-Event-ID" = Option<u64>, Header, description = "The last event that was seen")),
    responses((status = 200, content_type = "text/event-stream"), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn events(
    who: Bearer,
    State(fleet): State<Arc<Fleet>>,
    State(identity): State<Arc<Identity>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = agent_id(&id)?;
    let after = match headers.get("last-event-id") {
        None => 0,
        Some(value) => value
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Problem::invalid("Last-Event-ID", "it must be an event's number"))?,
    };
    fleet.get(&who.0, id).await?;
    let stream = stream(fleet, who.0, id, after).take_until(until_refused(identity, headers));
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response())
}

fn stream(
    fleet: Arc<Fleet>,
    who: Principal,
    id: AgentId,
    mut after: u64,
) -> impl Stream<Item = Result<Event, Infallible>> {
    async_stream::stream! {
        let mut listener = fleet.listen();
        loop {
            // Ends with the agent, or with a ledger that fails: the caller resumes.
            let Ok(events) = fleet.events(&who, id, after).await else { return };
            let more = events.len() == usize::from(control_plane::fleet::EVENTS_MAX);
            for event in events {
                after = event.seq;
                if let Ok(frame) = Event::default().id(event.seq.to_string()).json_data(&event) {
                    yield Ok(frame);
                }
            }
            if more {
                continue;
            }
            loop {
                match listener.next().await {
                    Some(Heard::Changed(change)) if change.agent != id => {}
                    Some(_) => break,
                    None => return,
                }
            }
        }
    }
}
