//! Who asks the API: a bearer token, and nothing else. A browser's cookie gives
//! no right here.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use control_plane::identity::Right;
use control_plane::{Error, Identity, Principal};

use super::problem::Problem;

/// The caller.
pub struct Bearer(pub Principal);

impl<S: Send + Sync> FromRequestParts<S> for Bearer
where
    Arc<Identity>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let identity = Arc::<Identity>::from_ref(state);
        Ok(Self(caller(&identity, &parts.headers).await?))
    }
}

/// Whose token the request carries.
async fn caller(identity: &Identity, headers: &HeaderMap) -> Result<Principal, Error> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) = value.and_then(|value| value.split_once(' ')).ok_or(Error::Unauthenticated)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Error::Unauthenticated);
    }
    identity.bearer(token.trim()).await
}

/// Resolves when the request's token is no longer good.
pub async fn until_refused(identity: Arc<Identity>, headers: HeaderMap) {
    identity.until_refused(|| caller(&identity, &headers)).await;
}

/// The same, and when whose it is has no longer that right.
pub async fn until_without(identity: Arc<Identity>, right: Right, headers: HeaderMap) {
    identity.until_without(right, || caller(&identity, &headers)).await;
}
