//! Server functions about money.

use domain::spend::{Query, Report};
use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::error::AppError;

#[cfg(feature = "ssr")]
use super::session::{fleet, principal, refuse, spend};

/// A month of one's own money, or by right of a role of everybody's.
#[server(prefix = "/api/console", endpoint = "spend_report", input = Json, output = Json)]
pub async fn spend_report(asked: Query) -> Result<Report, AppError> {
    let (fleet, spend) = (fleet(), spend());
    let who = principal().await?;
    spend.report(&who, &asked, &fleet.prices()).await.map_err(refuse)
}
