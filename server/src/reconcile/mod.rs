//! `spend reconcile`: the ledger beside what others say that ran.

mod provider;
mod report;

use std::time::Duration;

use control_plane::spend::Spend;

use crate::config::Reconcile;

pub async fn run(spend: &Spend, options: Reconcile) -> anyhow::Result<()> {
    match &options.report {
        Some(path) => report::run(spend, path, &options).await,
        None => provider::run(spend, &options).await,
    }
}

fn secs(time: Duration) -> String {
    format!("{}.{:03}", time.as_secs(), time.subsec_millis())
}

fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
