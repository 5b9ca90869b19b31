//! The audit log as a file, for a signed-in browser.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use control_plane::identity::Right;
use control_plane::{Error, Identity, audit, spreadsheet};
use domain::audit::{Actor, Entry};
use domain::time::Month;
use futures::{StreamExt as _, TryStreamExt as _};

use crate::api::fleet::Parameters;
use crate::api::problem::Problem;
use crate::export::broken_off;

const HEAD: &str = "at,by,act,person,agent,outcome,entry\n";

/// A month of it, oldest first, of a person and an act where they are named: as CSV, or as JSON lines.
pub async fn export(
    State(identity): State<Arc<Identity>>,
    parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let who = app::api::session(&identity, &headers).await?;
    let log = identity.read_audit(&who).await?;
    let month: Month = parameters
        .get("month")
        .map_or(Ok(audit::FIRST), str::parse)
        .map_err(|error: domain::time::InvalidDate| Problem::invalid("month", &error.to_string()))?;
    let csv = match parameters.get("format").unwrap_or("json") {
        "csv" => true,
        "json" => false,
        _ => return Err(Problem::invalid("format", "`csv` or `json`")),
    };
    let word = |name| parameters.get(name).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned);
    let filter = audit::Filter { month: Some(month), person: word("person"), act: word("act") };
    let ends = {
        let identity = Arc::clone(&identity);
        async move {
            let proof = || app::api::session(&identity, &headers);
            identity.until_without(Right::ReadAudit, proof).await;
        }
    };
    let entries = log.since(month).try_take_while(move |entry| {
        let within = entry.month() == month;
        async move { Ok(within) }
    });
    let entries = entries.try_filter(move |entry| std::future::ready(filter.lets_through(entry)));
    let lines = entries.map(move |entry: Result<Entry, Error>| {
        let entry = entry.map_err(std::io::Error::other)?;
        if csv { line(&entry) } else { Ok(serde_json::to_string(&entry)? + "\n") }
    });
    let head = futures::stream::iter(csv.then(|| Ok(HEAD.to_owned())));
    let (kind, end) =
        if csv { ("text/csv; charset=utf-8", "csv") } else { ("application/x-ndjson", "jsonl") };
    let name = format!("attachment; filename=\"audit-{month}.{end}\"");
    let kinds = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)];
    let lines = broken_off("an export of the audit log", head.chain(lines), ends);
    Ok((kinds, Body::from_stream(lines)).into_response())
}

/// An entry, its whole JSON last.
fn line(entry: &Entry) -> std::io::Result<String> {
    let by = match &entry.actor {
        Actor::Person { name, .. } => name.as_str(),
        Actor::CommandLine => "",
    };
    let outcome = serde_json::to_value(entry.outcome)?;
    let cells = [
        entry.at.to_string(),
        by.to_owned(),
        entry.act.as_str().to_owned(),
        entry.act.person().map(ToString::to_string).unwrap_or_default(),
        entry.act.agent().map(|agent| agent.to_string()).unwrap_or_default(),
        outcome.as_str().unwrap_or_default().to_owned(),
        serde_json::to_string(entry)?,
    ];
    Ok(cells.map(|cell| spreadsheet::cell(&cell)).join(",") + "\n")
}
