//! The HTTP side: ECS's API at `/`, what Fargate offers its tasks, and the
//! tests' own door under `/_fake/`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, body};
use serde_json::Value;

use crate::api::{self, Operation};
use crate::error::Refusal;
use crate::fault::Effect;
use crate::shared::Shared;
use crate::{control, metadata};

const TARGET: &str = "AmazonEC2ContainerServiceV20141113.";
/// The one operation of another service: what the account may run.
const QUOTAS: &str = "ServiceQuotasV20190624.GetServiceQuota";
const CONTENT: &str = "application/x-amz-json-1.1";

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", post(ecs))
        .route("/v4/{container}", get(metadata::container))
        .route("/v4/{container}/task", get(metadata::task))
        .route("/v2/credentials/{id}", get(metadata::credentials))
        .nest("/_fake", control::router())
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), while_it_lives))
        .with_state(shared)
}

/// A connection that outlives the fake gets no answer.
async fn while_it_lives(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if shared.has_ended() { cut() } else { next.run(request).await }
}

async fn ecs(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: body::Bytes) -> Response {
    let id = crate::random::uuid(&mut shared.state().random);
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    if target == QUOTAS {
        let request = serde_json::from_slice(&body).unwrap_or_default();
        let told = shared.state().settings.quotas.told(&request);
        return told
            .map_or_else(|refusal| refused(&refusal, &id), |told| answered(StatusCode::OK, &told, &id));
    }
    let named = target.strip_prefix(TARGET);
    let Some(operation) = named.and_then(Operation::named) else {
        return refused(&Refusal::client("UnknownOperationException", ""), &id);
    };
    let signed = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value.as_bytes().starts_with(b"AWS4-HMAC-SHA256 "));
    if !signed {
        let refusal = Refusal::client("MissingAuthenticationTokenException", "Missing Authentication Token");
        shared.state().calls.count(operation).failed += 1;
        return refused(&refusal, &id);
    }
    let fault = shared.state().faults.next(operation);
    let perform = || {
        api::admit(&mut shared.state(), operation)?;
        let request = serde_json::from_slice::<Value>(&body);
        let request =
            request.map_err(|error| Refusal::client("SerializationException", error.to_string()))?;
        api::perform(&shared, operation, &request)
    };
    let answer = match fault.map(|fault| fault.effect(operation)) {
        None => perform(),
        Some(Effect::Slow(time)) => {
            tokio::time::sleep(time).await;
            perform()
        }
        Some(Effect::Refuse(refusal)) => Err(refusal),
        Some(Effect::DoneAndRefuse(refusal)) => perform().and(Err(refusal)),
        Some(Effect::Unavailable) => {
            shared.state().calls.count(operation).failed += 1;
            return (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable").into_response();
        }
        Some(Effect::Cut) => {
            shared.state().calls.count(operation).failed += 1;
            return cut();
        }
        Some(Effect::DoneAndCut) => {
            let _ = perform();
            shared.state().calls.count(operation).failed += 1;
            return cut();
        }
    };
    let mut state = shared.state();
    let count = state.calls.count(operation);
    match answer {
        Ok(answer) => {
            count.done += 1;
            answered(StatusCode::OK, &answer, &id)
        }
        Err(refusal) if refusal.kind == "ThrottlingException" => {
            count.throttled += 1;
            refused(&refusal, &id)
        }
        Err(refusal) => {
            count.failed += 1;
            refused(&refusal, &id)
        }
    }
}

fn answered(status: StatusCode, body: &Value, id: &str) -> Response {
    let headers = [("content-type", CONTENT), ("x-amzn-requestid", id)];
    (status, headers, body.to_string()).into_response()
}

fn refused(refusal: &Refusal, id: &str) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answered(status, &refusal.body(), id)
}

/// An answer that breaks off: the connection ends in its body.
fn cut() -> Response {
    Response::new(Body::new(Broken))
}

/// A body that fails at once.
struct Broken;

impl hyper::body::Body for Broken {
    type Data = body::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<body::Bytes>, std::io::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
    }
}
