//! Budgets: all of them, and one of a person, a team or the fleet. Takes the
//! role admin.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use control_plane::budgets::Budgets;
use domain::budget::{Budget, Delivery, Listed, Notice, Subject};
use domain::money::NanoDollars;
use domain::size::Size;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::agents::{Body as JsonBody, name, read};
use super::bearer::Bearer;
use super::problem::Problem;
use super::spend::known;

/// A budget, and how it stands. All sums are whole nano-dollars.
#[derive(Debug, Serialize, ToSchema)]
pub struct BudgetView {
    /// `fleet`, `team` or `person`.
    of: &'static str,
    /// The team's or person's.
    name: Option<String>,
    limits: BudgetLimits,
    /// This month so far; nothing where too many budgets are listed, or none of it has a price.
    spent: Option<i64>,
    /// Part of what was used has no price, and is not in what was spent.
    unpriced: bool,
    awake: Option<u32>,
    /// Put aside for those that are awake.
    reserved: Option<i64>,
    /// Newest last.
    notices: Vec<BudgetNotice>,
}

/// Each limit may be absent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetLimits {
    /// Whole nano-dollars a UTC month.
    month: Option<i64>,
    /// Agents awake at once.
    awake: Option<u32>,
    /// Sizes that may be started: `nano`, `small`, `standard`, `large`, `huge`.
    sizes: Option<Vec<String>>,
}

/// That so much of a month's budget was used.
#[derive(Debug, Serialize, ToSchema)]
struct BudgetNotice {
    month: String,
    percent: u8,
    /// RFC 3339, UTC.
    at: String,
    /// `waiting`, `sent` or `dead`, where notices are sent.
    delivery: Option<&'static str>,
    /// Why the last try failed, of one that was given up.
    why: Option<String>,
}

/// All budgets. Takes the role admin.
#[utoipa::path(get, path = "/api/v1/budgets",
    responses((status = 200, body = Vec<BudgetView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn list(
    who: Bearer,
    State(budgets): State<Arc<Budgets>>,
) -> Result<Json<Vec<BudgetView>>, Problem> {
    let all = budgets.list(&who.0).await?;
    Ok(Json(all.into_iter().map(BudgetView::of).collect()))
}

/// Sets the budget of all agents together. Takes the role admin.
#[utoipa::path(put, path = "/api/v1/budgets/fleet", request_body = BudgetLimits,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem)))]
pub async fn put_fleet(
    who: Bearer,
    State(budgets): State<Arc<Budgets>>,
    body: JsonBody<BudgetLimits>,
) -> Result<StatusCode, Problem> {
    budgets.give(&who.0, Subject::Fleet, read(body)?.budget()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a team's budget. Takes the role admin.
#[utoipa::path(put, path = "/api/v1/budgets/teams/{name}", request_body = BudgetLimits,
    params(("name" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem)))]
pub async fn put_team(
    who: Bearer,
    State(budgets): State<Arc<Budgets>>,
    Path(team): Path<String>,
    body: JsonBody<BudgetLimits>,
) -> Result<StatusCode, Problem> {
    budgets.give(&who.0, Subject::Team(name(&team)?), read(body)?.budget()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a person's budget. Takes the role admin.
#[utoipa::path(put, path = "/api/v1/budgets/people/{name}", request_body = BudgetLimits,
    params(("name" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn put_person(
    who: Bearer,
    State(budgets): State<Arc<Budgets>>,
    Path(person): Path<String>,
    body: JsonBody<BudgetLimits>,
) -> Result<StatusCode, Problem> {
    budgets.give_person(&who.0, &name(&person)?, read(body)?.budget()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl BudgetLimits {
    fn budget(self) -> Result<Budget, Problem> {
        if self.month.is_some_and(|month| month < 0) {
            return Err(Problem::invalid("month", "never negative"));
        }
        let sizes = self.sizes.map(|sizes| sizes.iter().map(|size| size.parse::<Size>()).collect());
        let sizes: Option<Result<Vec<Size>, _>> = sizes;
        let sizes = sizes.transpose().map_err(|error| Problem::invalid("sizes", &error.to_string()))?;
        Ok(Budget { month: self.month.map(NanoDollars), awake: self.awake, sizes })
    }
}

impl BudgetView {
    fn of(listed: Listed) -> Self {
        let Listed { of, name, budget, notices, standing } = listed;
        let sizes = budget.sizes.map(|sizes| sizes.iter().map(ToString::to_string).collect());
        Self {
            of: match of {
                Subject::Fleet => "fleet",
                Subject::Team(_) => "team",
                Subject::Person(_) => "person",
            },
            name: name.map(|name| name.to_string()),
            limits: BudgetLimits { month: budget.month.map(|month| month.0), awake: budget.awake, sizes },
            spent: standing.and_then(|standing| known(standing.spent, standing.unpriced)),
            unpriced: standing.is_some_and(|standing| standing.unpriced),
            awake: standing.map(|standing| standing.awake),
            reserved: standing.map(|standing| standing.reserved.0),
            notices: notices.into_iter().map(BudgetNotice::of).collect(),
        }
    }
}

impl BudgetNotice {
    fn of(notice: Notice) -> Self {
        let (delivery, why) = match notice.delivery {
            None => (None, None),
            Some(Delivery::Waiting { .. }) => (Some("waiting"), None),
            Some(Delivery::Sent { .. }) => (Some("sent"), None),
            Some(Delivery::Dead { why, .. }) => (Some("dead"), Some(why)),
        };
        let (month, at) = (notice.month.to_string(), notice.at.to_string());
        Self { month, percent: notice.percent, at, delivery, why }
    }
}
