//! Pages, server functions, and the browser's files.

use axum::Router;
use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use leptos::prelude::provide_context;
use leptos_axum::LeptosRoutes as _;
use tower::ServiceBuilder;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::services::ServeDir;
use tower_http::services::fs::ServeFileSystemResponseBody;
use tower_http::set_header::SetResponseHeaderLayer;

use super::State;

pub fn router(state: &State) -> Router<State> {
    let give = contexts(state);
    let routes =
        leptos_axum::generate_route_list_with_exclusions_and_ssg_and_context(app::App, None, give.clone()).0;
    let assets = state.assets.clone();
    let shell = move || app::shell(assets.clone());
    let kept = SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, kept::<ServeFileSystemResponseBody>);
    let files = ServeDir::new(state.site.join("pkg")).precompressed_br();
    let public = ServeDir::new(state.site.join("public"));
    let functions = give.clone();
    let not_found = leptos_axum::render_app_to_stream_with_context(give.clone(), shell.clone());
    Router::new()
        .route(
            "/api/console/{*function}",
            post(move |request: Request| {
                let functions = functions.clone();
                async move {
                    leptos_axum::handle_server_fns_with_context(functions, request).await.into_response()
                }
            }),
        )
        .nest_service("/pkg", ServiceBuilder::new().layer(kept).service(files))
        .leptos_routes_with_context(state, routes, give, shell)
        .fallback_service(public.fallback(axum::routing::get(not_found)))
        // A page is sent once and made anew each time: what takes longest is not worth it.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_page))
}

/// What is compressed on its way: documents and drawings. Nothing that holds a secret is: how long
/// an answer is when compressed tells of what is in it. (What is in `/pkg` is compressed already.)
fn is_page(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/html") || kind.starts_with("image/svg+xml")
}

/// A file that is named by its content is kept for ever; that there is none yet,
/// at a console that is older than the page, is not.
fn kept<B>(answer: &Response<B>) -> Option<HeaderValue> {
    let is_error = answer.status().is_client_error() || answer.status().is_server_error();
    (!is_error).then(|| HeaderValue::from_static("public, max-age=31536000, immutable"))
}

/// What pages and server functions find in their context.
fn contexts(state: &State) -> impl Fn() + Clone + Send + Sync + 'static {
    let (fleet, identity) = (state.fleet.clone(), state.identity.clone());
    let (spend, budgets) = (state.spend.clone(), state.budgets.clone());
    let (assets, stage) = (state.assets.clone(), state.stage.clone());
    move || {
        if let Some(stage) = stage.clone() {
            provide_context(stage);
        }
        provide_context(fleet.clone());
        provide_context(identity.clone());
        provide_context(spend.clone());
        provide_context(budgets.clone());
        provide_context(assets.clone());
    }
}
