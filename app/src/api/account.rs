//! Server functions about the person: signing in and out, API tokens.

use domain::id::{SessionId, TokenId};
use domain::protocol::Secret;
use domain::session::How;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use super::{Me, NewToken, OwnPassword, SessionView, TokenView};
use crate::error::AppError;

#[cfg(feature = "ssr")]
use control_plane::identity::Right;

#[cfg(feature = "ssr")]
use super::{
    concerns::on_server::concerns_of,
    input::name_of,
    session::{
        address, budgets, fleet, identity, principal, refuse, session_secret, set_session, user_agent,
    },
};

/// Spends a one-time link, or an invitation's, for a session, whose cookie the
/// answer sets.
#[server(prefix = "/api/console", endpoint = "sign_in", input = Json, output = Json)]
pub async fn sign_in(token: String) -> Result<How, AppError> {
    let agent = user_agent();
    let signed_in = identity().sign_in(&token, &agent).await.map_err(refuse)?;
    set_session(Some(signed_in.session.expose()));
    Ok(signed_in.how)
}

/// A name and its password for a session, whose cookie the answer sets.
#[server(prefix = "/api/console", endpoint = "sign_in_with_password", input = Json, output = Json)]
pub async fn sign_in_with_password(name: String, password: Secret) -> Result<(), AppError> {
    let (identity, from, agent) = (identity(), address(), user_agent());
    let secret = identity.sign_in_with_password(&name, &password, from, &agent).await.map_err(refuse)?;
    set_session(Some(secret.expose()));
    Ok(())
}

/// Whether the caller has a password.
#[server(AskOwnPassword, prefix = "/api/console", endpoint = "own_password", input = Json, output = Json)]
pub async fn own_password() -> Result<OwnPassword, AppError> {
    let identity = identity();
    let who = principal().await?;
    let own = identity.own_password(&who).await.map_err(refuse)?;
    Ok(OwnPassword { is_set: own.is_set, is_asked: own.is_asked })
}

/// Gives the caller a password, and ends their other sessions.
#[server(prefix = "/api/console", endpoint = "set_password", input = Json, output = Json)]
pub async fn set_password(current: Secret, new: Secret) -> Result<(), AppError> {
    let identity = identity();
    let who = principal().await?;
    identity.set_password(&who, &current, &new).await.map_err(refuse)
}

/// The caller's sessions, newest first.
#[server(prefix = "/api/console", endpoint = "sessions", input = Json, output = Json)]
pub async fn sessions() -> Result<Vec<SessionView>, AppError> {
    let identity = identity();
    let who = principal().await?;
    let sessions = identity.sessions(&who).await.map_err(refuse)?;
    Ok(sessions.iter().map(|session| session_view(session, &who)).collect())
}

/// Ends one of the caller's sessions.
#[server(prefix = "/api/console", endpoint = "end_session", input = Json, output = Json)]
pub async fn end_session(session: SessionId) -> Result<(), AppError> {
    let identity = identity();
    let who = principal().await?;
    identity.end_session(&who, session).await.map_err(refuse)
}

/// Ends the caller's sessions but this one.
#[server(prefix = "/api/console", endpoint = "end_other_sessions", input = Json, output = Json)]
pub async fn end_other_sessions() -> Result<(), AppError> {
    let identity = identity();
    let who = principal().await?;
    identity.end_other_sessions(&who).await.map_err(refuse)
}

/// Ends the session; without one there is nothing to end.
#[server(prefix = "/api/console", endpoint = "sign_out", input = Json, output = Json)]
pub async fn sign_out() -> Result<(), AppError> {
    if let Some(secret) = session_secret() {
        identity().sign_out(&secret).await.map_err(refuse)?;
    }
    set_session(None);
    Ok(())
}

/// Who is signed in.
#[server(WhoIsThere, prefix = "/api/console", endpoint = "me", input = Json, output = Json)]
pub async fn me() -> Result<Me, AppError> {
    let (fleet, budgets) = (fleet(), budgets());
    let who = principal().await?;
    let concerns = concerns_of(&fleet, &budgets, &who).await.map_err(refuse)?;
    Ok(Me {
        manages_people: who.has(Right::ManagePeople),
        concerns,
        sees_fleet: who.has(Right::SeeFleet),
        manages_fleet: who.has(Right::ManageFleet),
        reads_audit: who.has(Right::ReadAudit),
        looks_into_terminals: who.has(Right::LookIntoTerminals),
        name: who.name,
        prices: fleet.prices(),
        basis: fleet.basis(),
        on_demand: fleet.offers_on_demand(),
        idle_timeout: fleet.idle_timeout().as_secs(),
    })
}

/// The caller's API tokens, newest first.
#[server(prefix = "/api/console", endpoint = "tokens", input = Json, output = Json)]
pub async fn tokens() -> Result<Vec<TokenView>, AppError> {
    let identity = identity();
    let who = principal().await?;
    let tokens = identity.tokens(&who).await.map_err(refuse)?;
    Ok(tokens.into_iter().map(view).collect())
}

/// A new API token.
#[server(prefix = "/api/console", endpoint = "create_token", input = Json, output = Json)]
pub async fn create_token(name: String) -> Result<NewToken, AppError> {
    let identity = identity();
    let who = principal().await?;
    let name = name_of(&name)?;
    let (token, secret) = identity.create_token(&who, name).await.map_err(refuse)?;
    Ok(NewToken { token: view(token), secret: secret.expose().to_owned() })
}

/// Takes an API token back.
#[server(prefix = "/api/console", endpoint = "revoke_token", input = Json, output = Json)]
pub async fn revoke_token(id: TokenId) -> Result<(), AppError> {
    let identity = identity();
    let who = principal().await?;
    identity.revoke_token(&who, id).await.map_err(refuse)
}

#[cfg(feature = "ssr")]
fn session_view(session: &control_plane::identity::Session, who: &control_plane::Principal) -> SessionView {
    use control_plane::identity::Proof;
    SessionView {
        id: session.id(),
        how: session.how,
        browser: session.browser.clone(),
        created_at: session.created_at,
        seen_at: session.seen_at,
        this: who.proof == Some(Proof::Session(session.token)),
    }
}

#[cfg(feature = "ssr")]
fn view(token: control_plane::identity::ApiToken) -> TokenView {
    TokenView { id: token.id, name: token.name, created_at: token.created_at }
}
