//! `spend`: the books of what was spent, beside a server that runs.

use std::io::Write as _;
use std::pin::pin;
use std::sync::Arc;

use control_plane::aws::Account;
use control_plane::embedded;
use control_plane::spend::{self, Row, Spend};
use domain::time::Month;
use futures::TryStreamExt as _;

use crate::config::{Each, Engine, Format, Ledger, SpendCommand};
use crate::reconcile;

/// Months in a row without use before which none is looked for.
const EMPTY_MONTHS: u32 = 12;

pub async fn run(command: SpendCommand) -> anyhow::Result<()> {
    match command {
        SpendCommand::Verify { ledger, month } => verify(&open(&ledger).await?, month).await,
        SpendCommand::Reconcile(options) => reconcile::run(&open(&options.ledger).await?, options).await,
        SpendCommand::Export { ledger, month, each, format } => {
            export(open(&ledger).await?, month, each, format).await
        }
    }
}

async fn open(at: &Ledger) -> anyhow::Result<Spend> {
    Ok(match at.engine {
        Engine::Embedded => embedded::spend(&at.data.folder()?)?,
        Engine::Aws => Account::find().await?.spend(at.prefix()?).await?,
    })
}

async fn verify(spend: &Spend, only: Option<Month>) -> anyhow::Result<()> {
    let (mut month, mut empty, mut wrong) = (only.unwrap_or_else(|| spend.this_month()), 0, 0);
    while empty < EMPTY_MONTHS {
        let found = spend.verify(month).await?;
        wrong += found.differences.len();
        let right = if found.differences.is_empty() { "✓" } else { "✗" };
        println!("{right} {month}: {} from {} segments", found.total.cost, found.segments);
        for difference in &found.differences {
            let (kept, rebuilt) = (difference.kept, difference.rebuilt);
            println!(
                "    {:?} {}: {} and {} ms, by its segments {} and {} ms",
                difference.book, difference.line, kept.cost, kept.awake_ms, rebuilt.cost, rebuilt.awake_ms
            );
        }
        if only.is_some() {
            break;
        }
        empty = if found.segments == 0 { empty + 1 } else { 0 };
        month = month.previous();
    }
    anyhow::ensure!(wrong == 0, "{wrong} lines are not what their segments come to");
    Ok(())
}

async fn export(spend: Spend, month: Option<Month>, each: Each, format: Format) -> anyhow::Result<()> {
    let month = month.unwrap_or_else(|| spend.this_month());
    let each = match each {
        Each::Day => spend::Each::Day,
        Each::Hour => spend::Each::Hour,
    };
    let mut rows = pin!(Arc::new(spend).export_all(month, each).await?);
    let mut out = std::io::stdout().lock();
    if format == Format::Json {
        let rows: Vec<Row> = rows.try_collect().await?;
        serde_json::to_writer_pretty(&mut out, &rows)?;
        writeln!(out)?;
        return Ok(());
    }
    writeln!(out, "{}", Row::HEAD)?;
    while let Some(row) = rows.try_next().await? {
        writeln!(out, "{}", row.csv())?;
    }
    Ok(())
}
