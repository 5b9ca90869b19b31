//! Server functions about budgets.

use domain::budget::Listed;
use domain::size::Size;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

#[cfg(feature = "ssr")]
use super::{
    input::{budget_of, name_of},
    session::{budgets, principal, refuse},
};

/// Whose budget, as a form names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Whose {
    Fleet,
    Team(String),
    Person(String),
}

/// All budgets, for who may set them.
#[server(prefix = "/api/console", endpoint = "budgets", input = Json, output = Json)]
pub async fn list_budgets() -> Result<Vec<Listed>, AppError> {
    let budgets = budgets();
    let who = principal().await?;
    budgets.list(&who).await.map_err(refuse)
}

/// Sets a budget in the place of the one there was; what is not named is not
/// limited.
#[server(prefix = "/api/console", endpoint = "set_budget", input = Json, output = Json)]
pub async fn set_budget(
    whose: Whose,
    /// Dollars, as in `12.50`.
    month: Option<String>,
    awake: Option<u32>,
    sizes: Option<Vec<Size>>,
) -> Result<Vec<Listed>, AppError> {
    let budgets = budgets();
    let who = principal().await?;
    let budget = budget_of(month, awake, sizes)?;
    match whose {
        Whose::Fleet => budgets.give(&who, domain::budget::Subject::Fleet, budget).await,
        Whose::Team(team) => budgets.give(&who, domain::budget::Subject::Team(name_of(&team)?), budget).await,
        Whose::Person(name) => budgets.give_person(&who, &name_of(&name)?, budget).await,
    }
    .map_err(refuse)?;
    budgets.list(&who).await.map_err(refuse)
}
