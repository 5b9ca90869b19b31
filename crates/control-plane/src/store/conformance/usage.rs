//! Rollups: every closed segment is in them once, whoever folds it and however
//! often.

use domain::agent::Agent;
use domain::id::InstanceId;
use domain::metering::Segment;
use domain::time::{Month, Timestamp};
use domain::usage::{Amount, Line, Of};

use crate::store::Shard;
use crate::store::usage::{Book, Fold, Unfolded, View};

use super::fixture::*;

const SHARD: Shard = Shard(7);
const HOUR: u64 = 3_600_000;

/// An agent that ran so long from the start on.
async fn ran(store: &Ledger, n: u16, ms: u64) -> Agent {
    let agent = create(store, id(SHARD, n), owner(1)).await;
    let agent = launch(store, &agent, START).await;
    stop(store, &agent, at(ms)).await
}

async fn waiting(store: &Ledger) -> Vec<Unfolded> {
    store.unfolded(SHARD, 100).await.unwrap()
}

async fn sum(store: &Ledger, book: Book, month: Month, view: View) -> Amount {
    store.usage(book, month, view, None, 1000).await.unwrap().into_iter().map(|(_, amount)| amount).sum()
}

async fn only_segment(store: &Ledger, agent: &Agent) -> Segment {
    store.segments(agent.id, None, 2).await.unwrap().remove(0)
}

pub async fn a_closed_segment_waits_to_be_folded(store: Ledger) {
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    let agent = launch(&store, &agent, START).await;
    assert_eq!(waiting(&store).await, []);
    let agent = stop(&store, &agent, at(HOUR)).await;
    let segment = only_segment(&store, &agent).await;
    assert_eq!(waiting(&store).await, [Unfolded { segment, folded_until: None }]);
    assert_eq!(store.unfolded(Shard(8), 100).await.unwrap(), [], "it is its shard's own");
}

pub async fn a_fold_adds_a_days_part_once(store: Ledger) {
    let agent = ran(&store, 1, HOUR).await;
    let unfolded = waiting(&store).await.remove(0);
    let fold = unfolded.next();
    assert!(fold.is_last());
    assert!(store.fold(&fold).await.unwrap());
    assert!(!store.fold(&fold).await.unwrap(), "told again");
    assert_eq!(waiting(&store).await, []);
    let month = START.month();
    let whole = unfolded.segment.amount(START);
    for (book, view) in [
        (Book::Owner(owner(1)), View::Days),
        (Book::Owner(owner(1)), View::Agents),
        (Book::of(agent.id), View::Days),
        (Book::of(agent.id), View::Agents),
        (Book::of(agent.id), View::Owners),
        (Book::of(agent.id), View::Hours(START.day())),
    ] {
        assert_eq!(sum(&store, book, month, view).await, whole, "{book:?} {view:?}");
    }
    assert_eq!(sum(&store, Book::Owner(owner(2)), month, View::Days).await, Amount::default());
    assert_eq!(sum(&store, Book::of(agent.id), month.next(), View::Days).await, Amount::default());
    assert_eq!(store.segments_in(month, SHARD, None, 10).await.unwrap(), [unfolded.segment]);
}

pub async fn of_folds_at_once_one_adds(store: Ledger) {
    for n in 0..4 {
        ran(&store, n, HOUR / 2).await;
    }
    let folds: Vec<Fold> = waiting(&store).await.iter().map(Unfolded::next).collect();
    let fold = |n: usize| {
        let (store, fold) = (store.clone(), folds[n % 4].clone());
        async move {
            loop {
                match store.fold(&fold).await {
                    // Others were writing to the same lines.
                    Err(crate::store::StoreError::Conflict) => {}
                    outcome => return outcome.unwrap(),
                }
            }
        }
    };
    let added = together((0..16).map(fold)).await.into_iter().filter(|added| *added).count();
    assert_eq!(added, 4);
    let whole: Amount = folds.iter().map(|fold| fold.segment.amount(START)).sum();
    assert_eq!(sum(&store, Book::Owner(owner(1)), START.month(), View::Agents).await, whole);
    assert_eq!(sum(&store, Book::Fleet(SHARD.0), START.month(), View::Owners).await, whole);
}

pub async fn a_long_segment_goes_into_its_months_day_by_day(store: Ledger) {
    let agent = ran(&store, 1, 40 * 24 * HOUR + 7).await;
    let segment = only_segment(&store, &agent).await;
    let mut rest = Some(waiting(&store).await.remove(0));
    let mut days = 0;
    while let Some(unfolded) = rest {
        // As after a crash: what the ledger says is gone on with.
        assert_eq!(waiting(&store).await, std::slice::from_ref(&unfolded));
        let fold = unfolded.next();
        assert!(fold.lines().len() <= 53);
        assert!(store.fold(&fold).await.unwrap());
        rest = unfolded.after(&fold);
        days += 1;
    }
    assert_eq!(days, 41);
    assert_eq!(waiting(&store).await, []);
    let (first, second) = (START.month(), START.month().next());
    let mut whole = Amount::default();
    for month in [first, second] {
        let (end, start) = (month.next().start(), month.start());
        let part = Amount {
            cost: segment.cost_from(start, START) - segment.cost_from(end, START),
            awake_ms: overlap(&segment, start, end),
        };
        for view in [View::Days, View::Agents] {
            assert_eq!(sum(&store, Book::Owner(owner(1)), month, view).await, part);
            assert_eq!(sum(&store, Book::of(agent.id), month, view).await, part);
        }
        let found = store.segments_in(month, SHARD, None, 10).await.unwrap();
        assert_eq!(found, std::slice::from_ref(&segment));
        whole += part;
    }
    assert_eq!(whole, segment.amount(START));
}

fn overlap(segment: &Segment, start: Timestamp, end: Timestamp) -> u64 {
    let ended = segment.ended_at.unwrap();
    ended.min(end).since(segment.started_at.max(start)).as_millis() as u64
}

pub async fn lines_come_by_page_in_order(store: Ledger) {
    for n in 0..5 {
        ran(&store, n, 2 * HOUR).await;
    }
    for unfolded in waiting(&store).await {
        assert!(store.fold(&unfolded.next()).await.unwrap());
    }
    let mut paged: Vec<(Line, Amount)> = Vec::new();
    loop {
        let after = paged.last().map(|(line, _)| *line);
        let page = store.usage(Book::Fleet(SHARD.0), START.month(), View::Agents, after, 2).await.unwrap();
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    let agents: Vec<_> = paged.iter().map(|(line, _)| line.of).collect();
    assert_eq!(agents, (0..5).map(|n| Of::Agent(id(SHARD, n))).collect::<Vec<_>>());
    let mut segments: Vec<Segment> = Vec::new();
    loop {
        let after = segments.last().map(|s| InstanceId { agent: s.agent, generation: s.generation });
        let page = store.segments_in(START.month(), SHARD, after, 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        segments.extend(page);
    }
    assert_eq!(segments.len(), 5);
}
