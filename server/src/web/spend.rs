//! A month of money as a file.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use control_plane::Identity;
use control_plane::spend::Spend;

use crate::api::problem::Problem;
use crate::api::spend::{Export, file};

pub async fn export(
    State(spend): State<Arc<Spend>>,
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    export: Export,
) -> Result<Response, Problem> {
    let who = app::api::session(&identity, &headers).await?;
    let right = export.right();
    let until = async move {
        let proof = || app::api::session(&identity, &headers);
        match right {
            Some(right) => identity.until_without(right, proof).await,
            None => identity.until_refused(proof).await,
        }
    };
    file(spend, &who, export, until).await
}
