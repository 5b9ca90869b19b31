//! A disk without room keeps nothing of the write it refuses.

use domain::lifecycle::Observation;
use rusqlite::Connection;

use crate::clock::ManualClock;
use crate::error::Error;
use crate::spend::{Spend, fold};
use crate::store::conformance::fixture::*;
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::readers::Readers;
use crate::store::sqlite::schema;
use crate::store::sqlite::writer::Writer;
use crate::store::{Shard, Store, StoreError};

use super::place;

const SHARD: Shard = Shard(0);

/// A ledger whose file may grow by `room` pages.
fn cramped(path: &std::path::Path, room: u32) -> Sqlite {
    let db = schema::open(path).unwrap();
    let pages: u32 = db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let most: u32 =
        db.pragma_update_and_check(None, "max_page_count", pages + room, |row| row.get(0)).unwrap();
    assert_eq!(most, pages + room);
    Sqlite { readers: Readers::open(path).unwrap(), writer: Writer::start(db).unwrap() }
}

fn count(db: &Connection, table: &str) -> u64 {
    db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, u32>(0)).unwrap().into()
}

#[tokio::test]
async fn a_full_disk_keeps_nothing_of_a_write_and_all_that_was_before() {
    let (_folder, path) = place();
    let store = cramped(&path, 8);
    let mut kept = Vec::new();
    let refused = loop {
        let transition = spawned(id(SHARD, kept.len() as u16), owner(1), START);
        match store.create(&transition, None).await {
            Ok(_) => kept.push(transition.agent),
            Err(StoreError::Full) => break transition.agent,
            Err(error) => panic!("{error}"),
        }
        assert!(kept.len() < 1000, "it never got full");
    };
    assert!(kept.len() > 3);
    assert_eq!(store.agent(refused.id).await.unwrap(), None);
    assert_eq!(store.events(refused.id, 0, 10).await.unwrap(), []);
    assert_eq!(store.agents_of(owner(1), None, 1000).await.unwrap(), kept);
    store.ready().await.unwrap();
    drop(store);

    // With room again it goes on where it was.
    let store = Sqlite::open(&path).unwrap();
    store.create(&spawned(refused.id, owner(1), START), None).await.unwrap();
    let db = Connection::open(&path).unwrap();
    let events: u64 = kept.iter().chain([&refused]).map(|agent| agent.last_event).sum();
    assert_eq!((count(&db, "agents"), count(&db, "events")), (kept.len() as u64 + 1, events));
}

/// The writes that wait together: those that fit are kept, and each of the
/// others hears that there was no room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_each_write_of_a_group_hears_its_own_outcome() {
    let (_folder, path) = place();
    let store: Ledger = std::sync::Arc::new(cramped(&path, 8));
    let create = |n: u16| {
        let store = store.clone();
        async move { (n, store.create(&spawned(id(SHARD, n), owner(1), START), None).await) }
    };
    let outcomes = together((0..200).map(create)).await;
    let mut full = 0;
    for (n, outcome) in outcomes {
        let there = store.agent(id(SHARD, n)).await.unwrap().is_some();
        match outcome {
            Ok(_) => assert!(there, "{n} was acknowledged and is not there"),
            Err(StoreError::Full) => {
                assert!(!there, "{n} was refused and is there");
                full += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!((1..200).contains(&full), "{full} of 200 found no room");
}

/// A wish to sleep, say, may still find room in the pages that are there.
#[tokio::test]
async fn a_full_disk_still_takes_what_needs_no_new_page() {
    let (_folder, path) = place();
    let store: Ledger = std::sync::Arc::new(cramped(&path, 2));
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    let mut n = 2;
    while store.create(&spawned(id(SHARD, n), owner(1), START), None).await.is_ok() {
        n += 1;
    }
    let transition = next(&agent, Observation::SleepAsked, at(1));
    match store.commit(&transition).await {
        Ok(()) => assert_eq!(store.agent(agent.id).await.unwrap(), Some(transition.agent)),
        Err(StoreError::Full) => assert_eq!(store.agent(agent.id).await.unwrap(), Some(agent)),
        Err(error) => panic!("{error}"),
    }
}

/// What was folded is, what was not waits, and with room again all of it is.
#[tokio::test]
async fn a_disk_that_fills_up_while_rollups_are_made_loses_nothing_of_them() {
    const DAYS: u64 = 20;
    let (_folder, path) = place();
    let store: Ledger = std::sync::Arc::new(Sqlite::open(&path).unwrap());
    for n in 0..3 {
        let agent = create(&store, id(SHARD, n), owner(1)).await;
        let agent = launch(&store, &agent, START).await;
        stop(&store, &agent, at(DAYS * 24 * 3_600_000 + 13)).await;
    }
    drop(store);
    let store: Ledger = std::sync::Arc::new(cramped(&path, 12));
    let full = fold(&*store).await;
    assert!(matches!(&full, Err(error @ Error::Store(StoreError::Full)) if error.is_disk_full()), "{full:?}");
    assert_eq!(full.unwrap_err().to_string(), "the ledger's disk is full");
    let waits = store.unfolded(SHARD, 10).await.unwrap();
    assert!(
        waits.iter().any(|unfolded| unfolded.folded_until.is_some()),
        "it was cut in the middle: {waits:?}"
    );
    let clock = std::sync::Arc::new(ManualClock::at(at(30 * 24 * 3_600_000)));
    let spend = Spend::new(store.clone(), clock.clone());
    let before = spend.owners_of_fleet(START.month()).await.unwrap();
    drop((spend, store));

    let store: Ledger = std::sync::Arc::new(Sqlite::open(&path).unwrap());
    let spend = Spend::new(store.clone(), clock);
    assert!(fold(&*store).await.unwrap() > 0);
    assert_eq!(store.unfolded(SHARD, 10).await.unwrap(), []);
    assert_eq!(spend.owners_of_fleet(START.month()).await.unwrap(), before);
    for month in [START.month(), START.month().next()] {
        let verified = spend.verify(month).await.unwrap();
        assert_eq!((verified.segments, verified.differences), (3, vec![]), "{month}");
    }
}
