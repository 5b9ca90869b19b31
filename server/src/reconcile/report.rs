//! A report of what AWS bills beside what the ledger has.

use std::fs::File;
use std::path::Path;

use anyhow::Context as _;
use control_plane::spend::{Bill, Mismatch, Spend, Tagged, What};
use domain::price::Purchase;

use super::{count, secs};
use crate::config::Reconcile;

pub async fn run(spend: &Spend, report: &Path, options: &Reconcile) -> anyhow::Result<()> {
    let path = report.display().to_string();
    let file = File::open(report).with_context(|| path.clone())?;
    let bill = Bill::read(file, options.month.unwrap_or_else(|| spend.this_month())).context(path)?;
    let found = spend.reconcile(&bill, options.tolerance_usd).await?;
    let right = if found.mismatches.is_empty() { "✓" } else { "✗" };
    println!("{right} {} up to {}", found.month, found.until);
    println!("    bill   {} for {}", found.bill.cost.dollars(), count(bill.runs.len(), "run"));
    println!("    ledger {} for {}", found.ledger.cost, count(found.ledger.runs as usize, "run"));
    for mismatch in &found.mismatches {
        println!("{}", told(mismatch));
    }
    if bill.untagged.lines > 0 {
        let (lines, cost) = (bill.untagged.lines, bill.untagged.cost.dollars());
        println!("not compared: Fargate without our tags, {cost} in {}", count(lines as usize, "line"));
    }
    for (name, apart) in &bill.unmetered {
        let lines = count(apart.lines as usize, "line");
        println!("not metered: {name}, {} in {lines}", apart.cost.dollars());
    }
    if bill.elsewhere > 0 {
        println!("passed over: {} of other months", count(bill.elsewhere as usize, "line"));
    }
    let wrong = found.mismatches.len();
    anyhow::ensure!(wrong == 0, "{} between ledger and bill", count(wrong, "difference"));
    Ok(())
}

/// A line for one difference.
fn told(found: &Mismatch) -> String {
    let Mismatch { ledger, bill, .. } = found;
    let of = tagged(found.tagged);
    let bought = |purchases: &std::collections::BTreeSet<Purchase>| {
        purchases.iter().map(|purchase| purchase.as_str()).collect::<Vec<_>>().join(" and ")
    };
    let billed = format!("{} {}", bill.cost.dollars(), bought(&bill.purchases));
    let metered = format!("{} s, {} {}", secs(ledger.time), ledger.cost, bought(&ledger.purchases));
    match found.what {
        What::OnlyInBill => {
            let owner = bill.owner.map_or_else(String::new, |owner| format!(" of {owner}"));
            let hours = format!("{} vCPU-hours, {} GB-hours", bill.vcpu_hours, bill.gb_hours);
            format!("only in the bill: {of}{owner}, {hours}, {billed}")
        }
        What::OnlyInLedger => format!("only in the ledger: {of}, {metered}"),
        What::Time => {
            let [vcpu, memory] = found.billed_time().map(secs);
            format!(
                "time differs: {of}, bill {vcpu} s by vCPU and {memory} s by memory, {billed}; ledger {metered}"
            )
        }
        What::Price => format!("price differs: {of}, bill {billed}; ledger {metered}"),
    }
}

fn tagged(tagged: Tagged) -> String {
    let agent = tagged.agent;
    tagged
        .generation
        .map_or_else(|| format!("{agent}, all runs"), |generation| format!("{agent}:{generation}"))
}
