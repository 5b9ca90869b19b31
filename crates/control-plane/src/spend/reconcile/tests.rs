use domain::id::{AgentId, Generation, UserId};
use domain::price::Rates;
use domain::size::Size;

use super::super::bill::Decimal;
use super::*;

const TOLERANCE: NanoDollars = NanoDollars(1000);

fn agent(n: u8) -> AgentId {
    AgentId::from_random([n; 10])
}

fn month() -> Month {
    "2026-11".parse().unwrap()
}

/// A run of half a vCPU and a gigabyte on Spot, from the second of the month.
fn ran(n: u8, generation: u32, start_ms: i64, ms: i64) -> (InstanceId, Metered) {
    let started_at = Timestamp(month().start().0 + start_ms);
    let segment = Segment {
        agent: agent(n),
        owner: UserId::from_random([9; 10]),
        generation: Generation(generation),
        size: Size::Small,
        provider: ProviderName::Fargate,
        price: Rates::proposal().launched(ProviderName::Fargate, Size::Small, Purchase::Spot),
        started_at,
        ended_at: Some(Timestamp(started_at.0 + ms)),
    };
    (instance(&segment), Metered::of(&segment, month().start(), month().next().start()))
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// What AWS bills for that, to ten digits.
fn billed(n: u8, generation: Option<u32>, seconds: u32) -> (Tagged, Billed) {
    let hours = f64::from(seconds) / 3600.0;
    let text = |value: f64| decimal(&format!("{value:.10}"));
    let billed = Billed {
        vcpu_hours: text(hours / 2.0),
        gb_hours: text(hours),
        cost: text(hours * 0.007_75),
        purchases: BTreeSet::from([Purchase::Spot]),
        owner: None,
    };
    (Tagged { agent: agent(n), generation: generation.map(Generation) }, billed)
}

fn bill(runs: &[(Tagged, Billed)]) -> Bill {
    Bill {
        month: month(),
        runs: runs.iter().cloned().collect(),
        unmetered: BTreeMap::new(),
        untagged: Default::default(),
        elsewhere: 0,
        until: None,
    }
}

fn found(ledger: &[(InstanceId, Metered)], runs: &[(Tagged, Billed)]) -> Vec<(What, Tagged)> {
    let ledger = ledger.iter().cloned().collect();
    let reconciled = compare(&bill(runs), ledger, month().next().start(), TOLERANCE);
    reconciled.mismatches.iter().map(|mismatch| (mismatch.what, mismatch.tagged)).collect()
}

#[test]
fn what_is_billed_as_it_was_metered_is_no_difference() {
    let ledger = [ran(1, 1, 0, 1234), ran(1, 2, 90_000, 3_600_001), ran(2, 1, 5, 86_400_000)];
    let runs = [billed(1, Some(1), 60), billed(1, Some(2), 3601), billed(2, Some(1), 86_400)];
    assert_eq!(found(&ledger, &runs), []);
    let reconciled = compare(&bill(&runs), ledger.into(), month().next().start(), TOLERANCE);
    assert_eq!(
        (reconciled.ledger.runs, reconciled.ledger.time),
        (3, Duration::from_secs(60 + 3601 + 86_400))
    );
    assert!((reconciled.bill.cost.dollars() - reconciled.ledger.cost).0.abs() <= 3);
}

#[test]
fn each_difference_is_told_and_what_ran_unbilled_first() {
    let mut dear = billed(3, Some(1), 600);
    dear.1.cost += decimal("0.000002");
    let mut half = billed(4, Some(1), 600);
    half.1.gb_hours = Decimal::default();
    let ledger = [ran(1, 1, 0, 600_000), ran(2, 1, 0, 600_000), ran(3, 1, 0, 600_000), ran(4, 1, 0, 600_000)];
    let runs = [billed(1, Some(1), 602), dear, half, billed(5, Some(7), 60), billed(6, Some(1), 61)];
    let expected = [
        (What::OnlyInBill, runs[4].0),
        (What::OnlyInBill, runs[3].0),
        (What::OnlyInLedger, Tagged { agent: agent(2), generation: Some(Generation(1)) }),
        (What::Time, runs[0].0),
        (What::Time, runs[2].0),
        (What::Price, runs[1].0),
    ];
    assert_eq!(found(&ledger, &runs), expected);
}

#[test]
fn within_the_bills_rounding_and_the_tolerance_nothing_differs() {
    let mut cheap = billed(1, Some(1), 600);
    cheap.1.cost += decimal("0.0000009");
    assert_eq!(found(&[ran(1, 1, 0, 600_000)], &[cheap]), []);
    // At the month's end AWS may count the second that was begun on either side.
    let month_ms = month().next().start().0 - month().start().0;
    let ledger = [ran(1, 1, month_ms - 600_500, 700_000), ran(2, 1, month_ms - 500, 700_000)];
    assert_eq!(ledger[0].1.time, Duration::from_millis(600_500));
    for seconds in [600, 601] {
        assert_eq!(found(&ledger, &[billed(1, Some(1), seconds)]), [], "{seconds}");
    }
}

#[test]
fn where_no_line_tells_the_run_an_agents_are_compared_as_one() {
    let ledger = [ran(1, 1, 0, 600_000), ran(1, 2, 900_000, 300_000), ran(2, 1, 0, 60_000)];
    let others = billed(2, Some(1), 60);
    assert_eq!(found(&ledger, &[billed(1, None, 900), others.clone()]), []);
    // The tag became active between the two.
    assert_eq!(found(&ledger, &[billed(1, None, 600), billed(1, Some(2), 300), others.clone()]), []);
    let short = billed(1, None, 600);
    assert_eq!(found(&ledger, &[short.clone(), others]), [(What::Time, short.0)]);
}
