//! People as a whole, for administrators.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use control_plane::store::{Invitation as Open, Listed};
use control_plane::{Fleet, Identity};
use domain::access::Access;
use domain::name::Name;
use domain::role::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::agents::{Body, name, read};
use super::bearer::Bearer;
use super::fleet::Parameters;
use super::problem::Problem;
use crate::serve::sign_in_link;
use crate::state::Origins;

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Person {
    pub name: String,
    /// `user`, `viewer`, `operator` or `admin`.
    pub role: String,
    pub team: Option<String>,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// `closed` while an administrator keeps them out, else `open`.
    pub access: String,
    /// When they last did something in the console, to some minutes; null: never.
    pub seen_at: Option<String>,
}

impl Person {
    fn of(listed: &Listed) -> Self {
        let user = &listed.user;
        Self {
            name: user.name.to_string(),
            role: user.role.to_string(),
            team: user.team.as_ref().map(ToString::to_string),
            created_at: user.created_at.to_string(),
            access: if user.is_let_in() { Access::Open } else { Access::Closed }.as_str().to_owned(),
            seen_at: listed.seen_at.map(|at| at.to_string()),
        }
    }
}

/// Everybody by name, 100 at most. Takes the role admin.
#[utoipa::path(get, path = "/api/v1/people",
    params(("after" = Option<String>, Query, description = "The last name of the page before")),
    responses((status = 200, body = Vec<Person>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem)))]
pub async fn list(
    who: Bearer,
    State(identity): State<Arc<Identity>>,
    parameters: Parameters,
) -> Result<Json<Vec<Person>>, Problem> {
    let after = parameters.get("after").map(name).transpose()?;
    let people = identity.people(&who.0, after.as_ref()).await?;
    Ok(Json(people.iter().map(Person::of).collect()))
}

/// A person's team.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamRequest {
    /// 1 to 60 characters; null: none.
    pub team: Option<String>,
}

/// Puts a person in a team, or in none. Takes the role admin.
#[utoipa::path(put, path = "/api/v1/people/{name}/team", request_body = TeamRequest, params(("name" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn give_team(
    who: Bearer,
    State(identity): State<Arc<Identity>>,
    Path(person): Path<String>,
    body: Body<TeamRequest>,
) -> Result<StatusCode, Problem> {
    identity.give_team(&who.0, &name(&person)?, team(read(body)?.team)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn team(text: Option<String>) -> Result<Option<Name>, Problem> {
    let team = text.map(|text| text.parse()).transpose();
    team.map_err(|error: domain::name::InvalidName| Problem::invalid("team", &error.to_string()))
}

/// Whether a person is let in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessRequest {
    /// `open` or `closed`.
    pub access: String,
}

/// Closes a person's access or opens it again: while it is closed nothing of theirs opens anything, what they have
/// open ends within a second, and their agents are saved and sleep. Takes the role admin.
#[utoipa::path(put, path = "/api/v1/people/{name}/access", request_body = AccessRequest,
    params(("name" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn give_access(
    who: Bearer,
    State(identity): State<Arc<Identity>>,
    State(fleet): State<Arc<Fleet>>,
    Path(person): Path<String>,
    body: Body<AccessRequest>,
) -> Result<StatusCode, Problem> {
    let access: Access = read(body)?
        .access
        .parse()
        .map_err(|error: domain::access::UnknownAccess| Problem::invalid("access", &error.to_string()))?;
    let user = identity.give_access(&who.0, &name(&person)?, access).await?;
    fleet.put_closed_to_sleep(&user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all sessions, unused links and API tokens of a person, and what is open by them within a second. Takes the role admin.
#[utoipa::path(delete, path = "/api/v1/people/{name}/sessions", params(("name" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn end_sessions(
    who: Bearer,
    State(identity): State<Arc<Identity>>,
    Path(person): Path<String>,
) -> Result<StatusCode, Problem> {
    identity.end_sessions_of(&who.0, &name(&person)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An invitation that nobody has accepted yet.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invitation {
    pub id: String,
    pub name: String,
    pub role: String,
    pub team: Option<String>,
    /// Who invites them.
    pub by: String,
    /// RFC 3339, UTC.
    pub expires_at: String,
    /// The one-time link: in the answer that made it, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Invitation {
    fn of(open: &Open, link: Option<String>) -> Self {
        let invited = &open.invited;
        Self {
            id: open.id().to_string(),
            name: invited.name.to_string(),
            role: invited.role.to_string(),
            team: invited.team.as_ref().map(ToString::to_string),
            by: invited.by.to_string(),
            expires_at: open.expires_at.to_string(),
            link,
        }
    }
}

/// The open invitations, newest first. Takes the role admin.
#[utoipa::path(get, path = "/api/v1/invitations",
    responses((status = 200, body = Vec<Invitation>), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn invitations(
    who: Bearer,
    State(identity): State<Arc<Identity>>,
) -> Result<Json<Vec<Invitation>>, Problem> {
    let open = identity.invitations(&who.0).await?;
    Ok(Json(open.iter().map(|open| Invitation::of(open, None)).collect()))
}

/// Somebody to be invited.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationRequest {
    /// The name that they will have, 1 to 60 characters.
    pub name: String,
    /// `user`, `viewer`, `operator` or `admin`; `user` unless told.
    pub role: Option<String>,
    pub team: Option<String>,
}

/// Invites somebody by a one-time link that is good for seven days. Takes the role admin.
#[utoipa::path(post, path = "/api/v1/invitations", request_body = InvitationRequest,
    responses((status = 201, body = Invitation), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn invite(
    who: Bearer,
    State(identity): State<Arc<Identity>>,
    State(origins): State<Origins>,
    body: Body<InvitationRequest>,
) -> Result<Response, Problem> {
    let request = read(body)?;
    let role = request.role.as_deref().map_or(Ok(Role::User), str::parse);
    let role =
        role.map_err(|error: domain::role::UnknownRole| Problem::invalid("role", &error.to_string()))?;
    let (open, secret) = identity.invite(&who.0, name(&request.name)?, role, team(request.team)?).await?;
    let link = sign_in_link(origins.first(), secret.expose());
    Ok((StatusCode::CREATED, Json(Invitation::of(&open, Some(link)))).into_response())
}

/// Takes an invitation back. Takes the role admin.
#[utoipa::path(delete, path = "/api/v1/invitations/{invitation}", params(("invitation" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub async fn withdraw(
    who: Bearer,
    State(identity): State<Arc<Identity>>,
    Path(invitation): Path<String>,
) -> Result<StatusCode, Problem> {
    // A text that is no id is nobody's invitation, and is no sooner refused.
    let id = invitation.parse().unwrap_or(domain::id::InvitationId::from_random([0; 10]));
    identity.withdraw_invitation(&who.0, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
