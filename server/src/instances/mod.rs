//! The counter where instances ask, on a socket that every sandbox can reach.
//! What is asked is proved by the enrolment's nonce, then by the token it gave.

mod objects;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use control_plane::link::Link;
use control_plane::snapshots::{InvalidName, ObjectError};
use control_plane::{Error, Whose};
use domain::id::InstanceId;
use domain::lifecycle::Illegal;
use domain::protocol::{BucketKeys, EnrolReply, EnrolRequest, Report, SnapshotCommit, control};

/// The most that a word of an instance may hold, in bytes; objects of its
/// repository have a bound of their own.
const BODY_MAX: usize = 64 * 1024;
/// How long a request may take, body and answer. Instances give theirs up sooner.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn router(link: Arc<Link>) -> Router {
    Router::new()
        .route(control::ENROL, post(enrol))
        .route(control::REPORT, post(report))
        .route(control::SNAPSHOTS, post(commit))
        .route(control::BUCKET_KEYS, post(bucket_keys))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .route(&format!("{}/{{kind}}", control::REPOSITORY), get(objects::list))
        .route(
            &format!("{}/{{kind}}/{{name}}", control::REPOSITORY),
            get(objects::read)
                .put(objects::write)
                .delete(objects::remove)
                .layer(DefaultBodyLimit::max(objects::OBJECT_MAX)),
        )
        .layer(axum::middleware::from_fn(in_time))
        .with_state(link)
}

/// Ends a request that takes for ever: it holds what was sent of it.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        // Whoever is at fault, the same may succeed a moment later.
        Err(_) => Refusal::status(StatusCode::SERVICE_UNAVAILABLE, "it took too long").into_response(),
    }
}

async fn enrol(
    State(link): State<Arc<Link>>,
    Json(request): Json<EnrolRequest>,
) -> Result<Json<EnrolReply>, Refusal> {
    Ok(Json(link.enrol(&request).await?))
}

async fn report(
    State(link): State<Arc<Link>>,
    from: From,
    Json(report): Json<Report>,
) -> Result<StatusCode, Refusal> {
    link.report(from.0, report).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn commit(
    State(link): State<Arc<Link>>,
    from: From,
    Json(commit): Json<SnapshotCommit>,
) -> Result<StatusCode, Refusal> {
    link.commit_snapshot(from.0, commit).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn bucket_keys(State(link): State<Arc<Link>>, from: From) -> Result<Json<BucketKeys>, Refusal> {
    Ok(Json(link.bucket_keys(from.0).await?))
}

/// Which instance asks.
pub struct From(pub InstanceId);

impl FromRequestParts<Arc<Link>> for From {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, link: &Arc<Link>) -> Result<Self, Refusal> {
        let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Error::Unauthenticated)?;
        Ok(Self(link.authenticate(token).await?))
    }
}

/// A refusal, in a line.
pub struct Refusal(StatusCode, String);

impl Refusal {
    pub fn status(status: StatusCode, why: &str) -> Self {
        Self(status, why.to_owned())
    }
}

impl std::convert::From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Unauthenticated => StatusCode::UNAUTHORIZED,
            Error::Illegal(Illegal::TooEarly) => StatusCode::SERVICE_UNAVAILABLE,
            Error::Illegal(_) => StatusCode::CONFLICT,
            Error::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Error::NotFound => StatusCode::NOT_FOUND,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        if error.whose() != Whose::Caller {
            tracing::error!(error = &error as &dyn std::error::Error, "an instance's request failed");
        }
        Self(status, error.to_string())
    }
}

impl std::convert::From<ObjectError> for Refusal {
    fn from(error: ObjectError) -> Self {
        let status = match &error {
            ObjectError::NotFound(_) => StatusCode::NOT_FOUND,
            ObjectError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ObjectError::Fenced => StatusCode::CONFLICT,
            ObjectError::Full => StatusCode::INSUFFICIENT_STORAGE,
            ObjectError::Failed(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a repository failed");
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        Self(status, error.to_string())
    }
}

impl std::convert::From<InvalidName> for Refusal {
    fn from(error: InvalidName) -> Self {
        Self(StatusCode::NOT_FOUND, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}
