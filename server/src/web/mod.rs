//! What browsers and the API's users reach.

mod audit;
mod fleet;
mod guard;
mod live;
mod pages;
mod relay;
mod spend;
pub mod stage;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{any, get};
use control_plane::{Fleet, Identity};
use tower_http::csrf::CsrfLayer;

use crate::api;
use crate::state::State;

/// The whole of it. Only names that the console goes by are answered, so that
/// no other site's name can be pointed here; health is asked by anybody.
pub fn router(state: State) -> anyhow::Result<Router> {
    let mut csrf = CsrfLayer::new();
    for origin in state.origins.iter() {
        csrf = csrf.add_trusted_origin(origin)?;
    }
    let console = Router::new()
        .route("/live/agents", get(live::all))
        .route("/live/agents/{id}", get(live::one))
        .route("/live/fleet", get(fleet::feed))
        .route("/spend/export", get(spend::export))
        .route("/live/looks/{id}", get(live::look))
        .route("/audit/export", get(audit::export))
        .route("/agents/{id}/terminal", any(relay::terminal))
        .route("/agents/{id}/look/terminal", any(relay::look))
        .route("/api/v1/agents/{id}/terminal", any(relay::terminal_by_token))
        .merge(api::router())
        .merge(pages::router(&state))
        .layer(axum::middleware::from_fn_with_state(state.proxies, guard::address))
        .layer(axum::middleware::from_fn(guard::small_body))
        .layer(csrf)
        .layer(axum::middleware::from_fn_with_state(state.origins.clone(), guard::known_host))
        .layer(axum::middleware::from_fn_with_state(state.shown, guard::through_proxy))
        .layer(axum::middleware::from_fn(guard::headers));
    Ok(Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .merge(console)
        .with_state(state))
}

/// Resolves when the browser that sent these headers is no longer signed in.
async fn until_refused(identity: Arc<Identity>, headers: HeaderMap) {
    identity.until_refused(|| app::api::session(&identity, &headers)).await;
}

async fn ready(axum::extract::State(fleet): axum::extract::State<Arc<Fleet>>) -> (StatusCode, &'static str) {
    match fleet.ready().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::error!(%error, "the ledger does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the ledger does not answer\n")
        }
    }
}
