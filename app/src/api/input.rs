//! Words of a page, read as the domain's own types. Server only.

use control_plane::Error;
use control_plane::audit::Filter;
use control_plane::fleet::{Connect, Spawn};
use domain::agent::IdleTimeout;
use domain::budget::Budget;
use domain::fleet::Query;
use domain::id::{AgentId, IdempotencyKey};
use domain::money::NanoDollars;
use domain::name::Name;
use domain::price::Usd;
use domain::size::Size;
use domain::time::Month;

use super::Connection;
use super::session::refuse;
use crate::error::AppError;

pub(super) fn name_of(text: &str) -> Result<Name, AppError> {
    text.parse().map_err(|problem| invalid("name", problem))
}

/// A team's name; none where there is no word.
pub(super) fn team_of(text: &str) -> Result<Option<Name>, AppError> {
    if text.trim().is_empty() { Ok(None) } else { name_of(text).map(Some) }
}

/// What of the audit log is asked for.
pub(super) fn told_of(month: Option<Month>, person: &str, act: &str) -> Filter {
    let word = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
    Filter { month, person: word(person), act: word(act) }
}

pub(super) fn idle_timeout_of(secs: Option<u32>) -> Result<Option<IdleTimeout>, AppError> {
    secs.map(IdleTimeout::from_secs).transpose().map_err(|problem| invalid("idle_timeout", problem))
}

pub(super) fn spawn_of(
    name: &str,
    size: Size,
    idle_timeout: Option<u32>,
    key: &str,
) -> Result<(Spawn, IdempotencyKey), AppError> {
    let spawn = Spawn { name: name_of(name)?, size, idle_timeout: idle_timeout_of(idle_timeout)? };
    let key = IdempotencyKey::new(key).ok_or_else(|| invalid("key", "1 to 128 printable characters"))?;
    Ok((spawn, key))
}

/// Limits, as a form has them.
pub(super) fn budget_of(
    month: Option<String>,
    awake: Option<u32>,
    sizes: Option<Vec<Size>>,
) -> Result<Budget, AppError> {
    let month =
        month.map(|usd| Usd::try_from(usd).map_err(|problem| invalid("month", problem))).transpose()?;
    let nanos =
        month.map(|usd| i64::try_from(usd.0).map_err(|problem| invalid("month", problem))).transpose()?;
    Ok(Budget { month: nanos.map(NanoDollars), awake, sizes })
}

/// Where a ticket can be presented.
pub(super) fn connection_of(id: AgentId, connect: &Connect) -> Connection {
    let path = domain::protocol::instance::TERMINAL;
    Connection {
        relay: format!("/agents/{id}/terminal"),
        direct: connect.direct.as_ref().map(|at| format!("{at}{path}")),
        ticket: connect.ticket.expose().to_owned(),
    }
}

/// The same to look into somebody's: by the relay alone.
pub(super) fn look_connection_of(id: AgentId, connect: &Connect) -> Connection {
    Connection {
        relay: format!("/agents/{id}/look/terminal"),
        direct: None,
        ticket: connect.ticket.expose().to_owned(),
    }
}

/// Ids of one order. The page asks for more by several.
pub(super) fn few(ids: Vec<AgentId>) -> Result<Vec<AgentId>, AppError> {
    const MOST: usize = 50;
    if ids.len() <= MOST { Ok(ids) } else { Err(invalid("ids", format!("{MOST} at most"))) }
}

/// A query whose window is no larger than it may be.
pub(super) fn window(query: Query) -> Query {
    Query { limit: query.limit.min(Query::LIMIT_MAX), ..query }
}

fn invalid(field: &'static str, problem: impl ToString) -> AppError {
    refuse(Error::Invalid { field, problem: problem.to_string() })
}
