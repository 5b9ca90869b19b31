//! Server functions about the person: signing in and out, API tokens.

use domain::id::TokenId;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use super::{Me, NewToken, TokenView};
use crate::error::AppError;

#[cfg(feature = "ssr")]
use control_plane::identity::Right;

#[cfg(feature = "ssr")]
use super::{
    BudgetUse,
    input::name_of,
    session::{budgets, fleet, identity, principal, refuse, session_secret, set_session},
};

/// Spends a one-time link for a session, whose cookie the answer sets.
#[server(prefix = "/api/console", endpoint = "sign_in", input = Json, output = Json)]
pub async fn sign_in(token: String) -> Result<(), AppError> {
    let secret = identity().sign_in(&token).await.map_err(refuse)?;
    set_session(Some(secret.expose()));
    Ok(())
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
    let budget = budgets.told(&who).await.map_err(refuse)?;
    Ok(Me {
        manages_people: who.has(Right::ManagePeople),
        budget: budget.map(|(percent, limit)| BudgetUse { percent, limit }),
        sees_fleet: who.has(Right::SeeFleet),
        manages_fleet: who.has(Right::ManageFleet),
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
fn view(token: control_plane::store::ApiToken) -> TokenView {
    TokenView { id: token.id, name: token.name, created_at: token.created_at }
}
