//! Everybody's agents, for who has a role, and the audit log.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Query as UrlQuery, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use control_plane::identity::Right;
use control_plane::{Fleet, Identity, audit};
use domain::boot::BootPhase;
use domain::fleet::{self, Query};
use domain::price::Basis;
use domain::role::Role;
use domain::time::Month;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::agents::{Body as JsonBody, name, read};
use super::bearer::{self, Bearer};
use super::problem::Problem;
use super::resource::word;
use crate::export::broken_off;

/// A window of everybody's agents.
#[derive(Debug, Serialize, ToSchema)]
pub struct FleetPage {
    pub health: FleetHealth,
    /// Agents that the filter lets through.
    pub total: u32,
    /// The first row's place among these.
    pub offset: u32,
    pub agents: Vec<FleetAgent>,
}

/// Of the whole fleet, whatever the filter.
#[derive(Debug, Serialize, ToSchema)]
pub struct FleetHealth {
    pub agents: u32,
    pub awake: u32,
    pub booting: u32,
    pub asleep: u32,
    pub failed: u32,
    pub deleting: u32,
    /// In a state that passes, and for too long.
    pub stuck: u32,
    /// Whose provider took an instance back in the last 24 hours.
    pub interrupted: u32,
    /// Of whom a save failed in the last 24 hours.
    pub unsaved: u32,
    /// Milliseconds from the wish to ready: each agent's latest boot, if it
    /// came to its end in the last 24 hours.
    pub boot_p50_ms: Option<u32>,
    pub boot_p95_ms: Option<u32>,
    /// The same boots phase by phase.
    pub boot_phases: Vec<PhaseSpans>,
}

/// How long a phase of a boot takes.
#[derive(Debug, Serialize, ToSchema)]
pub struct PhaseSpans {
    pub phase: String,
    /// Milliseconds.
    pub p50_ms: u32,
    pub p95_ms: u32,
}

/// Somebody's agent in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct FleetAgent {
    pub id: String,
    pub name: String,
    /// The owner's name.
    pub owner: String,
    /// The owner's team, if it has one.
    pub team: Option<String>,
    pub size: String,
    pub provider: String,
    /// How far the isolation of the latest run goes: `machine`, `hardened`, `sandbox` or `open`.
    pub tier: Option<String>,
    pub phase: String,
    pub generation: u32,
    /// Of the latest boot that came to its end, in milliseconds.
    pub boot_ms: Option<u32>,
    /// RFC 3339, UTC.
    pub last_use: String,
    /// Since when it is in its phase, if that is for too long; RFC 3339, UTC.
    pub stuck_since: Option<String>,
    /// `billed`, `estimate` or `unpriced`.
    pub basis: String,
    /// Whole nano-dollars that an hour of it costs now; nothing where it is unpriced.
    pub per_hour: Option<u64>,
    /// Whole nano-dollars since the first of the month, UTC; nothing where it is unpriced.
    pub month: Option<i64>,
}

/// Everybody's agents, filtered and sorted, a window of them. Takes the role viewer, operator or admin.
#[utoipa::path(get, path = "/api/v1/fleet",
    params(
        ("state" = Option<String>, Query, description = "`awake`, `booting`, `asleep`, `failed` or `deleting`"),
        ("trouble" = Option<String>, Query, description = "`stuck`, `interrupted` or `unsaved`"),
        ("owner" = Option<String>, Query, description = "An owner's name"),
        ("team" = Option<String>, Query, description = "The name of an owner's team"),
        ("provider" = Option<String>, Query, description = "`local`, `fargate`, …"),
        ("q" = Option<String>, Query, description = "A part of the agent's name or id"),
        ("sort" = Option<String>, Query, description = "`name`, `owner`, `team`, `state`, `provider`, `tier`, `boot`, `idle`, `rate` or `cost`; with `-` before it, falling"),
        ("offset" = Option<u32>, Query), ("limit" = Option<u16>, Query, description = "1 to 500; 60 unless told"),
    ),
    responses((status = 200, body = FleetPage), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn page(
    who: Bearer,
    State(fleet): State<Arc<Fleet>>,
    Asked(query): Asked,
) -> Result<Json<FleetPage>, Problem> {
    Ok(Json(FleetPage::of(&fleet.overview(&who.0, &query).await?)))
}

/// The query that an address asks.
pub struct Asked(pub Query);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let pairs = pairs(parts);
        Ok(Self(Query::from_pairs(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())))))
    }
}

/// An address's parameters; none where they can't be read.
pub fn pairs(parts: &Parts) -> Vec<(String, String)> {
    UrlQuery::try_from_uri(&parts.uri).map(|UrlQuery(pairs)| pairs).unwrap_or_default()
}

/// The same, to be asked for by name.
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(pairs(parts)))
    }
}

impl FleetPage {
    fn of(page: &fleet::Page) -> Self {
        let health = page.health;
        Self {
            health: FleetHealth {
                agents: health.agents,
                awake: health.awake,
                booting: health.booting,
                asleep: health.asleep,
                failed: health.failed,
                deleting: health.deleting,
                stuck: health.stuck,
                interrupted: health.interrupted,
                unsaved: health.unsaved,
                boot_p50_ms: health.boot.map(|boot| boot.p50),
                boot_p95_ms: health.boot.map(|boot| boot.p95),
                boot_phases: phases(&health),
            },
            total: page.total,
            offset: page.offset,
            agents: page.rows.iter().map(FleetAgent::of).collect(),
        }
    }
}

fn phases(health: &fleet::Health) -> Vec<PhaseSpans> {
    let spans = BootPhase::ALL.into_iter().zip(health.phases);
    let told = spans.filter_map(|(phase, spans)| Some((phase, spans?)));
    told.map(|(phase, spans)| PhaseSpans { phase: word(phase), p50_ms: spans.p50, p95_ms: spans.p95 })
        .collect()
}

impl FleetAgent {
    fn of(row: &fleet::Row) -> Self {
        let is_priced = row.basis != Basis::Unpriced;
        Self {
            id: row.id.to_string(),
            name: row.name.to_string(),
            owner: row.owner.to_string(),
            team: row.team.as_ref().map(ToString::to_string),
            size: row.size.to_string(),
            provider: word(row.provider),
            tier: row.tier.map(word),
            phase: word(row.state),
            generation: row.generation.0,
            boot_ms: row.boot,
            last_use: row.last_use.to_string(),
            stuck_since: row.stuck_since.map(|at| at.to_string()),
            basis: word(row.basis),
            per_hour: is_priced.then_some(row.rate.0),
            month: row.month.map(|month| month.0),
        }
    }
}

/// A person's part in the installation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleRequest {
    /// `user`, `viewer`, `operator` or `admin`.
    pub role: String,
}

/// Gives a person another role. What the old one opened ends within a second. Takes the role admin.
#[utoipa::path(put, path = "/api/v1/people/{name}/role", request_body = RoleRequest,
    params(("name" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn give_role(
    who: Bearer,
    State(identity): State<Arc<Identity>>,
    Path(person): Path<String>,
    body: JsonBody<RoleRequest>,
) -> Result<Response, Problem> {
    let role: Role = read(body)?
        .role
        .parse()
        .map_err(|error: domain::role::UnknownRole| Problem::invalid("role", &error.to_string()))?;
    identity.give_role(&who.0, &name(&person)?, role).await?;
    Ok(axum::http::StatusCode::NO_CONTENT.into_response())
}

/// The audit log as JSON lines, oldest first. Takes the role admin.
#[utoipa::path(get, path = "/api/v1/audit",
    params(("since" = Option<String>, Query, description = "A month as in 2026-11; all of it unless told")),
    responses((status = 200, content_type = "application/x-ndjson"), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn audit_log(
    who: Bearer,
    State(identity): State<Arc<Identity>>,
    parts: Parts,
) -> Result<Response, Problem> {
    let since = pairs(&parts).into_iter().find(|(key, _)| key == "since");
    let since = since.map_or(Ok(audit::FIRST), |(_, month)| month.parse::<Month>());
    let since = since.map_err(|error| Problem::invalid("since", &error.to_string()))?;
    let entries = identity.read_audit(&who.0).await?.since(since);
    let lines = entries.map(|entry| {
        let line = serde_json::to_string(&entry.map_err(std::io::Error::other)?)?;
        Ok::<_, std::io::Error>(line + "\n")
    });
    let ends = bearer::until_without(identity, Right::ReadAudit, parts.headers);
    let lines = broken_off("an export of the audit log", lines, ends);
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}
