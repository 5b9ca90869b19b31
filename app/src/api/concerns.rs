//! What concerns the reader wherever in the house they are.

use domain::budget::Told;
use domain::look::Look;
use domain::name::Name;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

#[cfg(feature = "ssr")]
use super::session::{budgets, fleet, principal, refuse};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concerns {
    /// What was told this month of the budgets that theirs counts against; of
    /// the fleet's, to staff.
    pub budgets: Vec<Told>,
    /// Who asks to look, or looks, into a terminal of theirs.
    pub looks: Vec<AgentLook>,
}

/// A look, and which agent it is into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentLook {
    /// The agent's.
    pub name: Name,
    pub look: Look,
}

/// What concerns the caller now.
#[server(AskConcerns, prefix = "/api/console", endpoint = "concerns", input = Json, output = Json)]
pub async fn concerns() -> Result<Concerns, AppError> {
    let (fleet, budgets) = (fleet(), budgets());
    let who = principal().await?;
    on_server::concerns_of(&fleet, &budgets, &who).await.map_err(refuse)
}

#[cfg(feature = "ssr")]
pub(super) mod on_server {
    use control_plane::budgets::Budgets;
    use control_plane::{Fleet, Principal, Result};

    use super::{AgentLook, Concerns};

    pub async fn concerns_of(fleet: &Fleet, budgets: &Budgets, who: &Principal) -> Result<Concerns> {
        let looks = fleet.looks_at_all_mine(who).await?;
        let looks = looks.into_iter().map(|(name, look)| AgentLook { name, look }).collect();
        Ok(Concerns { budgets: budgets.told(who).await?, looks })
    }
}
