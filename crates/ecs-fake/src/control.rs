//! The tests' door, `/_fake/…`, for those who do not hold the [`crate::Fake`]:
//!
//! | | |
//! |---|---|
//! | `GET`, `PATCH /settings` | [`Settings`]; a patch is merged into them (RFC 7396) |
//! | `POST /faults` `{"operation", "fault", "times"}` | the next calls go wrong, see [`Fault`] |
//! | `DELETE /faults` | none goes wrong any more |
//! | `POST /interrupt` `{"task"?, "stop_code"?, "notice"?}` | Spot takes one task back, or all |
//! | `POST /crash` `{"task", "reason"?}` | SIGKILL without a word |
//! | `GET`, `DELETE /calls` | [`crate::Calls`], counted anew after `DELETE` |
//! | `GET /launches` | what was really launched, see [`crate::Launch`] |
//! | `GET /tasks` | every task as it is now, whatever reads tell |
//! | `GET /tasks/{id}/output` | what it printed |
//! | `GET /events` | all that happened, and how its delivery went |

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::Operation;
use crate::calls::Calls;
use crate::fault::Fault;
use crate::process;
use crate::settings::Settings;
use crate::shape::{StopCode, id_of, written};
use crate::shared::Shared;
use crate::state::Notice;

type Here = State<Arc<Shared>>;

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/settings", get(settings).patch(change))
        .route("/faults", post(inject).delete(heal))
        .route("/interrupt", post(interrupt))
        .route("/crash", post(crash))
        .route("/calls", get(calls).delete(reset_calls))
        .route("/launches", get(launches))
        .route("/tasks", get(tasks))
        .route("/tasks/{id}/output", get(output))
        .route("/events", get(events))
}

async fn settings(State(shared): Here) -> Json<Settings> {
    Json(shared.state().settings.clone())
}

async fn change(
    State(shared): Here,
    Json(patch): Json<Value>,
) -> Result<Json<Settings>, (StatusCode, String)> {
    let mut state = shared.state();
    let bad = |error: serde_json::Error| (StatusCode::UNPROCESSABLE_ENTITY, error.to_string());
    let mut merged = serde_json::to_value(&state.settings).map_err(bad)?;
    merge(&mut merged, patch);
    let settings: Settings = serde_json::from_value(merged).map_err(bad)?;
    state.set(settings.clone());
    Ok(Json(settings))
}

fn merge(into: &mut Value, patch: Value) {
    match (into, patch) {
        (Value::Object(into), Value::Object(patch)) => {
            patch.into_iter().for_each(|(name, value)| merge(into.entry(name).or_insert(Value::Null), value));
        }
        (into, patch) => *into = patch,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inject {
    operation: Operation,
    fault: Fault,
    times: u32,
}

async fn inject(State(shared): Here, Json(asked): Json<Inject>) -> StatusCode {
    shared.state().faults.add(asked.operation, asked.fault, asked.times);
    StatusCode::NO_CONTENT
}

async fn heal(State(shared): Here) -> StatusCode {
    shared.state().faults.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Interrupt {
    task: Option<String>,
    stop_code: Option<StopCode>,
    #[serde(default)]
    notice: Notice,
}

async fn interrupt(State(shared): Here, Json(asked): Json<Interrupt>) -> Json<Value> {
    let code = asked.stop_code.unwrap_or(StopCode::SpotInterruption);
    Json(json!({"interrupted": shared.interrupt(asked.task.as_deref(), code, asked.notice)}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Crash {
    task: String,
    reason: Option<String>,
}

async fn crash(State(shared): Here, Json(asked): Json<Crash>) -> StatusCode {
    if shared.crash(&asked.task, asked.reason) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

async fn calls(State(shared): Here) -> Json<Calls> {
    Json(shared.state().calls.clone())
}

async fn reset_calls(State(shared): Here) -> StatusCode {
    shared.state().calls = Calls::default();
    StatusCode::NO_CONTENT
}

async fn launches(State(shared): Here) -> Json<Value> {
    Json(json!(shared.state().launches))
}

async fn tasks(State(shared): Here) -> Json<Value> {
    Json(shared.state().in_order().into_iter().map(|record| written(&*record.task)).collect())
}

async fn output(State(shared): Here, Path(task): Path<String>) -> Result<Vec<u8>, StatusCode> {
    let folder = shared.folder.join(id_of(&task));
    tokio::fs::read(process::output_of(&folder)).await.map_err(|_| StatusCode::NOT_FOUND)
}

async fn events(State(shared): Here) -> Json<Value> {
    Json(json!({"published": shared.bus.published(), "delivered": shared.bus.delivered()}))
}
