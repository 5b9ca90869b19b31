//! Server functions about people as a whole, and the audit log: each is refused
//! to whoever has no right to it.

use domain::access::Access;
use domain::id::InvitationId;
use domain::role::Role;
use domain::time::Month;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use super::{NewInvitation, PeoplePage, Told};
use crate::error::AppError;

#[cfg(feature = "ssr")]
use super::{
    InvitationView, PersonView,
    input::{name_of, team_of, told_of},
    session::{fleet, identity, principal, refuse, request_origin},
};

/// Everybody by name, after `after`, with the invitations that are open.
#[server(prefix = "/api/console", endpoint = "people", input = Json, output = Json)]
pub async fn people(after: Option<String>) -> Result<PeoplePage, AppError> {
    let (identity, fleet) = (identity(), fleet());
    let who = principal().await?;
    let after = after.as_deref().map(name_of).transpose()?;
    let listed = identity.people(&who, after.as_ref()).await.map_err(refuse)?;
    let more = listed.len() >= usize::from(control_plane::identity::PEOPLE_MAX);
    let mut people = Vec::with_capacity(listed.len());
    for one in listed {
        let agents = fleet.agents_owned_by(&who, &one.user.name).await.map_err(refuse)?;
        let user = one.user;
        people.push(PersonView {
            name: user.name,
            role: user.role,
            team: user.team,
            seen_at: one.seen_at,
            access: if user.closed_at.is_none() { Access::Open } else { Access::Closed },
            agents,
        });
    }
    let invitations = identity.invitations(&who).await.map_err(refuse)?;
    let now = identity.now();
    Ok(PeoplePage { people, more, invitations: invitations.iter().map(invitation_view).collect(), now })
}

/// Gives a person another role and team, where they differ.
#[server(prefix = "/api/console", endpoint = "change_person", input = Json, output = Json)]
pub async fn change_person(name: String, role: Role, team: String) -> Result<(), AppError> {
    let identity = identity();
    let who = principal().await?;
    let (name, team) = (name_of(&name)?, team_of(&team)?);
    identity.give_team(&who, &name, team).await.map_err(refuse)?;
    identity.give_role(&who, &name, role).await.map(drop).map_err(refuse)
}

/// Ends all sessions, unused links and API tokens of a person.
#[server(prefix = "/api/console", endpoint = "end_sessions_of", input = Json, output = Json)]
pub async fn end_sessions_of(name: String) -> Result<(), AppError> {
    let identity = identity();
    let who = principal().await?;
    let name = name_of(&name)?;
    identity.end_sessions_of(&who, &name).await.map_err(refuse)
}

/// Closes a person's access, or opens it again.
#[server(prefix = "/api/console", endpoint = "give_access", input = Json, output = Json)]
pub async fn give_access(name: String, access: Access) -> Result<(), AppError> {
    let (identity, fleet) = (identity(), fleet());
    let who = principal().await?;
    let name = name_of(&name)?;
    let user = identity.give_access(&who, &name, access).await.map_err(refuse)?;
    fleet.put_closed_to_sleep(&user).await.map_err(refuse)
}

/// Invites somebody by name.
#[server(prefix = "/api/console", endpoint = "invite", input = Json, output = Json)]
pub async fn invite(name: String, role: Role, team: String) -> Result<NewInvitation, AppError> {
    let (identity, origin) = (identity(), request_origin());
    let who = principal().await?;
    let (name, team) = (name_of(&name)?, team_of(&team)?);
    let (invitation, secret) = identity.invite(&who, name, role, team).await.map_err(refuse)?;
    let link = format!("{origin}/sign-in#{}", secret.expose());
    Ok(NewInvitation { invitation: invitation_view(&invitation), link })
}

/// Takes an invitation back.
#[server(prefix = "/api/console", endpoint = "withdraw_invitation", input = Json, output = Json)]
pub async fn withdraw_invitation(invitation: InvitationId) -> Result<(), AppError> {
    let identity = identity();
    let who = principal().await?;
    identity.withdraw_invitation(&who, invitation).await.map_err(refuse)
}

/// A month of the audit log, newest first, of a person and an act where they are named.
#[server(ReadAudit, prefix = "/api/console", endpoint = "audit", input = Json, output = Json)]
pub async fn audit(month: Option<Month>, person: String, act: String) -> Result<Told, AppError> {
    let identity = identity();
    let who = principal().await?;
    let filter = told_of(month, &person, &act);
    let (month, entries, more) = identity.audit_month(&who, &filter).await.map_err(refuse)?;
    let lookers = identity.lookers(&entries).await.map_err(refuse)?;
    Ok(Told { month, entries, lookers, more, last: identity.now().month() })
}

#[cfg(feature = "ssr")]
fn invitation_view(invitation: &control_plane::identity::Invitation) -> InvitationView {
    let invited = invitation.invited.clone();
    InvitationView {
        id: invitation.id(),
        name: invited.name,
        role: invited.role,
        team: invited.team,
        by: invited.by,
        expires_at: invitation.expires_at,
    }
}
