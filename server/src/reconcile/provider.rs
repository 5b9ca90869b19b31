//! What a provider still tells of its runs, by its own instants, beside what the
//! ledger has.

use anyhow::Context as _;
use control_plane::aws::Account;
use control_plane::embedded;
use control_plane::spend::{Beside, Differs, Gap, Spend};
use domain::agent::ProviderName;

use super::{count, secs};
use crate::config::{Engine, Reconcile};

pub async fn run(spend: &Spend, options: &Reconcile) -> anyhow::Result<()> {
    let found = match options.ledger.engine {
        Engine::Embedded => spend.beside(&embedded::sandboxes(&options.ledger.data.folder()?)).await?,
        Engine::Aws => {
            let cluster = options.cluster.clone().context("--cluster is missing")?;
            spend.beside(&Account::find().await?.cluster(cluster)).await?
        }
    };
    let right = if found.gaps.is_empty() { "✓" } else { "✗" };
    println!("{right} {} at {}", found.provider.as_str(), found.at);
    println!("    provider {} s for {}", secs(found.told.time), count(found.told.runs, "run"));
    let metered = count(found.ledger.runs, "segment");
    println!("    ledger   {} s for {metered}, {}", secs(found.ledger.time), found.cost);
    println!("    {}", reach(&found));
    for gap in &found.gaps {
        println!("{}", told(gap, &found));
    }
    let wrong = found.gaps.len();
    anyhow::ensure!(wrong == 0, "{} between ledger and provider", count(wrong, "difference"));
    Ok(())
}

/// How far back the provider could tell.
fn reach(found: &Beside) -> String {
    let forgets = match found.provider {
        ProviderName::Fargate => "ECS forgets a task about an hour after its end",
        _ => "a sandbox is forgotten once its agent sleeps",
    };
    match found.since {
        Some(since) => format!("the earliest end that it still tells of is of {since}: {forgets}"),
        None => format!("it tells of no run that has ended: {forgets}"),
    }
}

/// A line for one difference.
fn told(gap: &Gap, found: &Beside) -> String {
    let of = gap.instance().map_or_else(|| "no agent of ours".to_owned(), |instance| instance.to_string());
    let apart = secs(gap.time(found.provider, found.at));
    let ran = gap.run.as_ref().map_or_else(String::new, |run| {
        let ended = run.ended_at.map_or_else(|| "runs".to_owned(), |at| format!("until {at}"));
        let bought = run.purchase.map_or_else(String::new, |bought| format!(", {}", bought.as_str()));
        format!("provider from {} {ended}{bought} ({})", run.started_at, run.name)
    });
    let metered = gap.segment.as_ref().map_or_else(String::new, |segment| {
        let ended = segment.ended_at.map_or_else(|| "open".to_owned(), |at| format!("until {at}"));
        format!("ledger from {} {ended}, {}", segment.started_at, segment.price.purchase.as_str())
    });
    let both = [ran, metered].into_iter().filter(|side| !side.is_empty()).collect::<Vec<_>>().join("; ");
    let word = match gap.differs {
        Differs::Unmetered => "unmetered",
        Differs::RunsOn => "runs on, metered no more",
        Differs::NotThere => "metered, and nothing runs",
        Differs::Start => "start differs",
        Differs::Stop => "stop differs",
        Differs::Purchase => "bought otherwise",
    };
    format!("{word}: {of}, {apart} s; {both}")
}
