use std::sync::Arc;

use domain::money::NanoDollars;
use domain::time::Timestamp;
use rusqlite::Connection;

use super::*;
use crate::store::conformance::fixture::*;
use crate::store::sqlite::Sqlite;

const HOUR: u64 = 3_600_000;

struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn spend(store: &Ledger, now: Timestamp) -> Spend {
    Spend::new(Arc::clone(store), Arc::new(At(now)))
}

fn total(lines: &Lines) -> Amount {
    lines.values().copied().sum()
}

/// Three agents: one ran in two months, one ran and runs again, one is new.
async fn history(store: &Ledger) -> Vec<domain::agent::Agent> {
    let mut agents = Vec::new();
    for n in 0..3u16 {
        agents.push(create(store, id(Shard(n as u8), n), owner(1 + (n % 2) as u8)).await);
    }
    let first = launch(store, &agents[0], at(0)).await;
    agents[0] = stop(store, &first, at(20 * 24 * HOUR + 13)).await;
    let second = launch(store, &agents[1], at(HOUR)).await;
    let second = stop(store, &second, at(2 * HOUR + 1)).await;
    let second = observe(store, &second, domain::lifecycle::Observation::WakeAsked, at(3 * HOUR)).await;
    agents[1] = launch(store, &second, at(3 * HOUR)).await;
    agents
}

#[tokio::test]
async fn whatever_is_folded_the_sum_is_what_the_meters_show() {
    let folder = tempfile::tempdir().unwrap();
    let store: Ledger = Arc::new(Sqlite::open(&folder.path().join("console.db")).unwrap());
    let agents = history(&store).await;
    let now = at(25 * 24 * HOUR);
    let spend = spend(&store, now);
    let meters: NanoDollars = agents
        .iter()
        .map(|agent| agent.settled.total + agent.open_segment().map_or(NanoDollars::ZERO, |s| s.cost(now)))
        .sum();
    for folded in [false, true] {
        let mut sums = Amount::default();
        for month in [START.month(), START.month().next()] {
            let days = total(&spend.fleet(month, View::Days).await.unwrap());
            for view in [View::AllHours, View::Agents, View::Owners] {
                assert_eq!(total(&spend.fleet(month, view).await.unwrap()), days, "{view:?}");
            }
            let mut owners = Amount::default();
            for n in 1..3 {
                owners += total(&spend.of(owner(n), month, View::Days).await.unwrap());
            }
            assert_eq!(owners, days);
            sums += days;
        }
        assert_eq!(sums.cost, meters, "folded: {folded}");
        fold(&*store).await.unwrap();
        assert_eq!(spend.waiting().await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_line_that_was_changed_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("console.db");
    let store: Ledger = Arc::new(Sqlite::open(&path).unwrap());
    history(&store).await;
    let spend = spend(&store, at(25 * 24 * HOUR));
    let good = spend.verify(START.month()).await.unwrap();
    assert_eq!(good.differences, []);
    assert_eq!(good.segments, 2);
    assert!(good.total.cost > NanoDollars::ZERO);

    let changed = Connection::open(&path)
        .unwrap()
        .execute("UPDATE usage SET cost = cost + 1 WHERE line LIKE 'day#%' AND book LIKE 'owner#%' AND awake_ms = 3600001", [])
        .unwrap();
    assert_eq!(changed, 1);
    let bad = spend.verify(START.month()).await.unwrap();
    let [difference] = bad.differences[..] else { panic!("{bad:?}") };
    assert_eq!(difference.kept.cost - difference.rebuilt.cost, NanoDollars(1));
    assert_eq!(difference.book, Book::Owner(owner(2)));
}

fn unfolded(segment: &Segment, folded_until: Option<Day>) -> Unfolded {
    Unfolded { segment: segment.clone(), folded_until }
}

#[tokio::test]
async fn what_went_into_the_rollups_while_they_were_read_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let store: Ledger = Arc::new(Sqlite::open(&folder.path().join("console.db")).unwrap());
    history(&store).await;
    let spend = spend(&store, at(25 * 24 * HOUR));
    let waiting = spend.waiting().await.unwrap();
    let segments: Vec<&Segment> = waiting.iter().map(|unfolded| &unfolded.segment).collect();
    let [first, second] = segments[..] else { panic!("{waiting:?}") };
    let day = Some(first.started_at.day().next());
    let whole = |segment| unfolded(segment, None);
    assert!(!folded_between(&[whole(first)], &[whole(first)]));
    // What has ended since waits whole, and was in no book.
    assert!(!folded_between(&[whole(first)], &[whole(first), whole(second)]));
    assert!(folded_between(&[whole(first)], &[]));
    assert!(folded_between(&[whole(first)], &[unfolded(first, day)]));
    assert!(folded_between(&[], &[unfolded(first, day)]));
    assert!(!folded_between(&[unfolded(first, day)], &[unfolded(first, day)]));
}

/// Whoever reads while others fold gets the right sum or none.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_sum_that_is_read_while_it_is_folded_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let store: Ledger = Arc::new(Sqlite::open(&folder.path().join("console.db")).unwrap());
    let agents = history(&store).await;
    let now = at(25 * 24 * HOUR);
    let spend = spend(&store, now);
    let meters: NanoDollars = agents
        .iter()
        .map(|agent| agent.settled.total + agent.open_segment().map_or(NanoDollars::ZERO, |s| s.cost(now)))
        .sum();
    let folding = tokio::spawn({
        let store = Arc::clone(&store);
        async move { fold(&*store).await.unwrap() }
    });
    let mut right = 0;
    while right < 20 {
        let mut sum = Ok(NanoDollars::ZERO);
        for month in [START.month(), START.month().next()] {
            let owners = spend.owners_of_fleet(month).await;
            sum = sum.and_then(|sum: NanoDollars| Ok(sum + total(&owners?).cost));
        }
        match sum {
            Ok(sum) => assert_eq!(sum, meters),
            Err(error) => {
                assert!(matches!(error, Error::Contended), "{error}");
                continue;
            }
        }
        right += 1;
    }
    assert!(folding.await.unwrap() > 0);
}
