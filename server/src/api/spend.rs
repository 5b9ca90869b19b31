//! What was spent: the caller's own month, or by right of a role everybody's.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use control_plane::identity::Right;
use control_plane::spend::{Each, Row, Spend};
use control_plane::{Fleet, Identity, Principal};
use domain::money::NanoDollars;
use domain::spend::{Query, Report, Scope, Series, Slice, Upkeep};
use domain::time::Month;
use futures::{Stream, StreamExt as _};
use serde::Serialize;
use utoipa::ToSchema;

use super::bearer::{self, Bearer};
use super::fleet::pairs;
use super::problem::Problem;
use crate::export::broken_off;

/// A month of money. All sums are whole nano-dollars.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpendMonth {
    /// `own` or `fleet`.
    of: String,
    /// UTC, as in `2026-11`.
    month: String,
    /// RFC 3339: the last instant that counts.
    as_of: String,
    /// Of all that has a price; nothing where none of it has.
    total: Option<i64>,
    awake_ms: u64,
    /// What of the total nobody bills: instances that run on this machine.
    estimate: i64,
    /// Time whose price is unknown; it is in no sum.
    unpriced_ms: u64,
    series: Vec<SpendSeries>,
    /// What the month will come to, with a range that holds four times in five; nothing before its fourth day.
    forecast: Option<SpendForecast>,
    savings: SpendSavings,
    /// Those that cost most.
    agents: Vec<SpendTop>,
    /// People who cost most; in the fleet's alone.
    people: Vec<SpendTop>,
    /// What the installation costs besides, an estimate by the price book; in the fleet's alone, and in no other sum.
    installation: Vec<SpendUpkeep>,
    /// The month's budget.
    limit: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SpendUpkeep {
    /// As in price books: `nat_hour`, `ipv4_hour`.
    item: String,
    /// Milliseconds of all of them together.
    ms: u64,
    /// Nothing where it has no price.
    total: Option<i64>,
}

/// One band of the stacked days.
#[derive(Debug, Serialize, ToSchema)]
struct SpendSeries {
    /// Its words, as in `fargate billed`; `rest` is all that is too small.
    of: String,
    /// Nothing where none of it has a price.
    total: Option<i64>,
    awake_ms: u64,
    /// Time whose price is unknown; it is in no sum.
    unpriced_ms: u64,
    /// Of each of the month's days, from its first; nothing where none of a day has a price.
    days: Vec<Option<i64>>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SpendForecast {
    low: i64,
    likely: i64,
    high: i64,
}

/// Against the agents that were used this month, while they were there.
#[derive(Debug, Serialize, ToSchema)]
struct SpendSavings {
    agents: u32,
    /// The same use on demand, less what it cost; nothing where none was bought on Spot, or the price book does not say
    /// what that costs.
    spot: Option<i64>,
    /// What all of them would have cost awake all the time, on Spot; nothing where the price book does not say it.
    always_on: Option<i64>,
    /// What a t4g.small for each would have cost.
    t4g_small: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct SpendTop {
    id: String,
    name: Option<String>,
    /// Nothing where none of it has a price.
    total: Option<i64>,
    awake_ms: u64,
    /// Time whose price is unknown; it is in no sum.
    unpriced_ms: u64,
}

/// A month of money. `of=fleet` takes the role viewer, operator or admin.
#[utoipa::path(get, path = "/api/v1/spend",
    params(
        ("of" = Option<String>, Query, description = "`own` or `fleet`; own unless told"),
        ("month" = Option<String>, Query, description = "UTC, as in 2026-11; this one unless told"),
        ("by" = Option<String>, Query, description = "`provider`, `option`, `size` or `team`"),
    ),
    responses((status = 200, body = SpendMonth), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem)))]
pub async fn month(
    who: Bearer,
    State(fleet): State<Arc<Fleet>>,
    State(spend): State<Arc<Spend>>,
    Asked(query): Asked,
) -> Result<Json<SpendMonth>, Problem> {
    let report = spend.report(&who.0, &query, &fleet.prices()).await?;
    Ok(Json(SpendMonth::of(&report)))
}

/// A month's lines, one for each day or hour, agent and kind of use. `of=fleet` takes the role viewer, operator or admin.
#[utoipa::path(get, path = "/api/v1/spend/export",
    params(
        ("of" = Option<String>, Query, description = "`own` or `fleet`; own unless told"),
        ("month" = Option<String>, Query, description = "UTC, as in 2026-11; this one unless told"),
        ("each" = Option<String>, Query, description = "`day` or `hour`; day unless told"),
        ("format" = Option<String>, Query, description = "`csv` or `json` (one object a line); csv unless told"),
    ),
    responses((status = 200, content_type = "text/csv"), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn export(
    who: Bearer,
    State(spend): State<Arc<Spend>>,
    State(identity): State<Arc<Identity>>,
    headers: HeaderMap,
    export: Export,
) -> Result<Response, Problem> {
    let right = export.right();
    let until = async move {
        match right {
            Some(right) => bearer::until_without(identity, right, headers).await,
            None => bearer::until_refused(identity, headers).await,
        }
    };
    file(spend, &who.0, export, until).await
}

/// The query that an address asks. A month that is none is said, for a sum of
/// another month must not pass for it.
pub struct Asked(Query);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = pairs(parts);
        if let Some((_, month)) = pairs.iter().find(|(key, _)| key == "month") {
            month.parse::<Month>().map_err(|error| Problem::invalid("month", &error.to_string()))?;
        }
        Ok(Self(Query::from_pairs(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())))))
    }
}

/// What file of which month.
pub struct Export {
    query: Query,
    each: Each,
    format: Format,
}

impl Export {
    /// The right that it takes, where it is of more than one's own.
    pub fn right(&self) -> Option<Right> {
        (self.query.of == Scope::Fleet).then_some(Right::SeeFleet)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
}

impl<S: Send + Sync> FromRequestParts<S> for Export {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Asked(query) = Asked::from_request_parts(parts, state).await?;
        let pairs = pairs(parts);
        let word = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let each = match word("each") {
            None | Some("day") => Each::Day,
            Some("hour") => Each::Hour,
            Some(_) => return Err(Problem::invalid("each", "day or hour")),
        };
        let format = match word("format") {
            None | Some("csv") => Format::Csv,
            Some("json") => Format::Json,
            Some(_) => return Err(Problem::invalid("format", "csv or json")),
        };
        Ok(Self { query, each, format })
    }
}

/// The file, written as it is read, `until` whoever asked may no longer. It is
/// for saving, under a name of its own.
pub async fn file(
    spend: Arc<Spend>,
    who: &Principal,
    export: Export,
    until: impl Future<Output = ()> + Send + 'static,
) -> Result<Response, Problem> {
    let Export { query: Query { of, month, .. }, each, format } = export;
    let month = month.unwrap_or_else(|| spend.this_month());
    let rows = spend.export(who, of, month, each).await?;
    let (kind, end) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Json => ("application/x-ndjson", "jsonl"),
    };
    let name = format!("attachment; filename=\"openclaw-cloud-{}-{month}.{end}\"", of.as_str());
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(broken_off("an export of a month", lines(rows, format), until)))
        .into_response())
}

fn lines(
    rows: impl Stream<Item = control_plane::Result<Row>>,
    format: Format,
) -> impl Stream<Item = std::io::Result<String>> {
    let head = (format == Format::Csv).then(|| Ok(format!("{}\n", Row::HEAD)));
    let rows = rows.map(move |row| {
        let row = row.map_err(std::io::Error::other)?;
        let line = if format == Format::Csv { row.csv() } else { serde_json::to_string(&row)? };
        Ok(line + "\n")
    });
    futures::stream::iter(head).chain(rows)
}

impl SpendMonth {
    fn of(report: &Report) -> Self {
        let savings = report.savings;
        Self {
            of: report.scope.as_str().to_owned(),
            month: report.month.to_string(),
            as_of: report.as_of.to_string(),
            total: known(report.total.cost, report.unpriced_ms > 0),
            awake_ms: report.total.awake_ms,
            estimate: report.estimate.0,
            unpriced_ms: report.unpriced_ms,
            series: report.series.iter().map(SpendSeries::of).collect(),
            forecast: report.forecast.map(|forecast| SpendForecast {
                low: forecast.low.0,
                likely: forecast.likely.0,
                high: forecast.high.0,
            }),
            savings: SpendSavings {
                agents: savings.agents,
                spot: savings.spot.map(|saved| saved.0),
                always_on: savings.always_on.map(|cost| cost.0),
                t4g_small: savings.t4g_small.0,
            },
            agents: report.agents.iter().map(SpendTop::of).collect(),
            people: report.people.iter().map(SpendTop::of).collect(),
            installation: report.installation.iter().map(SpendUpkeep::of).collect(),
            limit: report.limit.map(|limit| limit.0),
        }
    }
}

/// A sum, unless all that it might sum has no price.
pub(super) fn known(cost: NanoDollars, is_unpriced: bool) -> Option<i64> {
    (!is_unpriced || cost != NanoDollars::ZERO).then_some(cost.0)
}

impl SpendUpkeep {
    fn of(upkeep: &Upkeep) -> Self {
        let item = upkeep.item.as_str().to_owned();
        Self { item, ms: upkeep.ms, total: upkeep.cost.map(|cost| cost.0) }
    }
}

impl SpendSeries {
    fn of(series: &Series) -> Self {
        let of = match &series.of {
            Slice::Provider(provider, basis) => format!("{} {}", provider.as_str(), basis.as_str()),
            Slice::Option(purchase, basis) => format!("{} {}", purchase.as_str(), basis.as_str()),
            Slice::Size(size) => size.to_string(),
            Slice::Team(team) => team.as_ref().map(ToString::to_string).unwrap_or_default(),
            Slice::Rest => "rest".to_owned(),
        };
        Self {
            of,
            total: known(series.total.cost, series.unpriced_ms > 0),
            awake_ms: series.total.awake_ms,
            unpriced_ms: series.unpriced_ms,
            days: series
                .days
                .iter()
                .zip(&series.unpriced_days)
                .map(|(day, ms)| known(*day, *ms > 0))
                .collect(),
        }
    }
}

impl SpendTop {
    fn of<Id: ToString>(top: &domain::spend::Top<Id>) -> Self {
        Self {
            id: top.id.to_string(),
            name: top.name.as_ref().map(ToString::to_string),
            total: known(top.amount.cost, top.unpriced_ms > 0),
            awake_ms: top.amount.awake_ms,
            unpriced_ms: top.unpriced_ms,
        }
    }
}
