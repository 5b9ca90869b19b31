//! `spend`: the books of what was spent, beside a server that runs.

use std::io::Write as _;

use control_plane::aws::Account;
use control_plane::embedded;
use control_plane::spend::Spend;
use control_plane::store::usage::View;
use domain::price::Basis;
use domain::time::Month;
use domain::usage::{Amount, Line, Of};
use serde::Serialize;

use crate::config::{Engine, Format, Ledger, SpendCommand};

/// Months in a row without use before which none is looked for.
const EMPTY_MONTHS: u32 = 12;

pub async fn run(command: SpendCommand) -> anyhow::Result<()> {
    match command {
        SpendCommand::Verify { ledger, month } => verify(&open(&ledger).await?, month).await,
        SpendCommand::Export { ledger, month, format } => export(&open(&ledger).await?, month, format).await,
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

/// A line of the export.
#[derive(Serialize)]
struct Row {
    day: String,
    owner: String,
    agent: String,
    provider: &'static str,
    purchase: &'static str,
    basis: &'static str,
    size: &'static str,
    awake_ms: u64,
    /// Exact, as text: a spreadsheet's or a program's float would round it.
    /// Nothing where the price is unknown.
    usd: Option<String>,
}

impl Row {
    fn of(owner: domain::id::UserId, line: &Line, amount: Amount) -> Option<Self> {
        let Of::Day(day, Some(agent)) = line.of else { return None };
        let kind = line.kind;
        Some(Self {
            day: day.to_string(),
            owner: owner.to_string(),
            agent: agent.to_string(),
            provider: kind.provider.as_str(),
            purchase: kind.purchase.as_str(),
            basis: kind.basis.as_str(),
            size: kind.size.as_str(),
            awake_ms: amount.awake_ms,
            usd: (kind.basis != Basis::Unpriced).then(|| amount.cost.to_decimal(9)),
        })
    }

    /// No field holds a comma, a quote or a line's end: all are ids and words.
    fn csv(&self) -> String {
        let Self { day, owner, agent, provider, purchase, basis, size, awake_ms, usd } = self;
        let usd = usd.as_deref().unwrap_or_default();
        format!("{day},{owner},{agent},{provider},{purchase},{basis},{size},{awake_ms},{usd}")
    }
}

async fn export(spend: &Spend, month: Option<Month>, format: Format) -> anyhow::Result<()> {
    let month = month.unwrap_or_else(|| spend.this_month());
    let mut owners: Vec<_> = spend.fleet(month, View::Owners).await?.into_keys().collect();
    owners.dedup_by_key(|line| line.of);
    let mut out = std::io::stdout().lock();
    if format == Format::Csv {
        writeln!(out, "day,owner,agent,provider,purchase,basis,size,awake_ms,usd")?;
    }
    let mut all = Vec::new();
    for line in owners {
        let Of::Owner(owner) = line.of else { continue };
        for (line, amount) in spend.of(owner, month, View::Days).await? {
            let Some(row) = Row::of(owner, &line, amount) else { continue };
            match format {
                Format::Csv => writeln!(out, "{}", row.csv())?,
                Format::Json => all.push(row),
            }
        }
    }
    if format == Format::Json {
        serde_json::to_writer_pretty(&mut out, &all)?;
        writeln!(out)?;
    }
    Ok(())
}
