//! An instance's own repository: whatever it names is looked up in the folder
//! of the agent that its token is of, and nowhere else.

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use control_plane::Error;
use control_plane::link::Link;
use control_plane::snapshots::{self, Kind, ObjectError, ObjectName, ObjectStore};

use super::{From, Refusal};

/// The largest object, in bytes.
pub const OBJECT_MAX: usize = snapshots::OBJECT_MAX;

/// `[[name, size], …]`.
pub async fn list(
    State(link): State<Arc<Link>>,
    from: From,
    Path(kind): Path<String>,
) -> Result<Json<Vec<(String, u64)>>, Refusal> {
    let kind = kind.parse::<Kind>()?;
    let objects = with(&link, &from, move |store| store.list(kind)).await?;
    Ok(Json(objects.into_iter().map(|object| (object.name.to_string(), object.size)).collect()))
}

pub async fn read(
    State(link): State<Arc<Link>>,
    from: From,
    Path((kind, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (kind, name) = (kind.parse::<Kind>()?, name.parse::<ObjectName>()?);
    let Some(range) = headers.get(header::RANGE) else {
        return Ok(with(&link, &from, move |store| store.read(kind, &name)).await?.into_response());
    };
    let range = range
        .to_str()
        .ok()
        .and_then(byte_range)
        .ok_or(Error::Invalid { field: "Range", problem: "it must be bytes=FIRST-LAST".to_owned() })?;
    let length = range.end() - range.start() + 1;
    let part = with(&link, &from, move |store| store.read_range(kind, &name, *range.start(), length)).await?;
    Ok((StatusCode::PARTIAL_CONTENT, part).into_response())
}

pub async fn write(
    State(link): State<Arc<Link>>,
    from: From,
    Path((kind, name)): Path<(String, String)>,
    content: Bytes,
) -> Result<StatusCode, Refusal> {
    let (kind, name) = (kind.parse::<Kind>()?, name.parse::<ObjectName>()?);
    with(&link, &from, move |store| store.write(kind, &name, &[content])).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Only while the control plane knows of no snapshot that would need it; the
/// instance removes nothing but what a save of its own left behind.
pub async fn remove(
    State(link): State<Arc<Link>>,
    from: From,
    Path((kind, name)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let (kind, name) = (kind.parse::<Kind>()?, name.parse::<ObjectName>()?);
    if !link.may_remove(from.0, kind, &name).await? {
        return Err(Refusal::status(StatusCode::FORBIDDEN, "that belongs to a committed snapshot"));
    }
    with(&link, &from, move |store| store.remove(kind, &name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn with<T: Send + 'static>(
    link: &Link,
    from: &From,
    work: impl FnOnce(&dyn ObjectStore) -> Result<T, ObjectError> + Send + 'static,
) -> Result<T, Refusal> {
    let store = link.repository(from.0.agent);
    let done = tokio::task::spawn_blocking(move || work(store.as_ref())).await;
    Ok(done.map_err(|error| Error::Repository(error.to_string()))??)
}

/// `bytes=FIRST-LAST`, the one form that is asked.
fn byte_range(text: &str) -> Option<RangeInclusive<u64>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let range = first.parse::<u64>().ok()?..=last.parse::<u64>().ok()?;
    let length = range.end().checked_sub(*range.start())?;
    (length < OBJECT_MAX as u64).then_some(range)
}
