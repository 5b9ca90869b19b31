//! The REST API, version 1.

pub mod agents;
pub mod bearer;
mod budgets;
mod events;
pub mod fleet;
mod people;
pub mod problem;
mod resource;
pub mod spend;

use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::State;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "OpenClaw Cloud",
        description = "An agent of your own, awake for cents, asleep for nothing. Every request but this description takes a bearer token, made in the console under «Ajustes». Errors are RFC 9457 problem details.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    security(("token" = [])),
)]
struct Description;

/// Paths, and the description that is made from them.
pub fn router() -> Router<State> {
    let (router, mut description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(agents::spawn))
        .routes(routes!(agents::spawn_as_proposed))
        .routes(routes!(agents::list))
        .routes(routes!(agents::get, agents::change, agents::delete))
        .routes(routes!(agents::wake))
        .routes(routes!(agents::sleep))
        .routes(routes!(agents::keep_awake))
        .routes(routes!(agents::ticket))
        .routes(routes!(events::events))
        .routes(routes!(fleet::page))
        .routes(routes!(fleet::give_role))
        .routes(routes!(fleet::audit_log))
        .routes(routes!(spend::month))
        .routes(routes!(spend::export))
        .routes(routes!(budgets::list))
        .routes(routes!(budgets::put_fleet))
        .routes(routes!(budgets::put_team))
        .routes(routes!(budgets::put_person))
        .routes(routes!(people::list))
        .routes(routes!(people::give_team))
        .routes(routes!(people::give_access))
        .routes(routes!(people::end_sessions))
        .routes(routes!(people::invitations, people::invite))
        .routes(routes!(people::withdraw))
        .split_for_parts();
    let token = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    description.components.get_or_insert_default().add_security_scheme("token", token);
    router.route("/api/v1/openapi.json", get(move || async move { Json(description) }))
}
