//! The writer's own promises.

use std::sync::Arc;

use domain::id::{Generation, InstanceId};
use domain::lifecycle::{Observation, SegmentChange};
use domain::time::Timestamp;
use rusqlite::Connection;

use crate::store::conformance::fixture::*;
use crate::store::conformance::sessions::session;
use crate::store::sqlite::writer::Writer;
use crate::store::sqlite::{Sqlite, schema};
use crate::store::{
    Enrolment, Hash, Idempotency, IdempotencyKey, Result, Session, Shard, SignInLink, Store, StoreError,
};

use super::{fresh, place};

const SHARD: Shard = Shard(0);

/// Refused and good writes in one group: each hears its own outcome.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_write_takes_no_other_along() {
    let (store, _keep) = fresh().await;
    let agent = create(&store, id(SHARD, 999), owner(1)).await;
    let late = next(&agent, Observation::DeleteAsked, at(1));
    store.commit(&late).await.unwrap();
    let write = |n: u16| {
        let (store, late) = (store.clone(), late.clone());
        async move {
            if n.is_multiple_of(2) {
                assert!(matches!(store.commit(&late).await, Err(StoreError::Conflict)));
            } else {
                store.create(&spawned(id(SHARD, n), owner(2), START), None).await.unwrap();
            }
        }
    };
    together((0..100).map(write)).await;
    assert_eq!(store.agents_of(owner(2), None, 100).await.unwrap().len(), 50);
}

/// SQLite may roll a whole transaction back by itself, when the disk is full
/// for one. That takes what others wrote in it along, so they are tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_was_rolled_back_is_written_one_by_one() {
    let (_folder, path) = place();
    let db = schema::open(&path).unwrap();
    db.execute_batch("CREATE TABLE told (n INTEGER)").unwrap();
    let writer = Arc::new(Writer::start(db).unwrap());
    let write = |work: fn(&Connection) -> Result<()>| {
        let writer = writer.clone();
        tokio::spawn(async move { writer.write(work).await })
    };
    // The first holds the thread until the others wait: they are one group.
    let (started, running) = std::sync::mpsc::channel();
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let first = tokio::spawn({
        let writer = writer.clone();
        async move {
            let hold = move |_: &Connection| {
                started.send(()).unwrap();
                gate.recv().unwrap();
                Ok(())
            };
            writer.write(hold).await
        }
    });
    running.recv().unwrap();
    let tell = |db: &Connection| Ok(db.execute("INSERT INTO told VALUES (1)", []).map(drop)?);
    let before = write(tell);
    let culprit = write(|db| {
        db.execute_batch("ROLLBACK")?;
        Err(StoreError::Full)
    });
    let after = write(tell);
    while writer.waiting() < 3 {
        tokio::task::yield_now().await;
    }
    go.send(()).unwrap();
    first.await.unwrap().unwrap();
    before.await.unwrap().unwrap();
    assert!(matches!(culprit.await.unwrap(), Err(StoreError::Full)));
    after.await.unwrap().unwrap();
    let db = Connection::open(&path).unwrap();
    assert_eq!(db.query_row("SELECT count(*) FROM told", [], |row| row.get::<_, u32>(0)).unwrap(), 2);
}

#[tokio::test]
async fn what_was_handed_in_is_written_though_nobody_waits_for_it() {
    let (_folder, path) = place();
    let store = Arc::new(Sqlite::open(&path).unwrap());
    let transition = spawned(id(SHARD, 1), owner(1), START);
    {
        let mut writing = Box::pin(store.create(&transition, None));
        // Handed in at the first poll, then let go.
        tokio::select! { biased; _ = &mut writing => {}, () = std::future::ready(()) => {} }
    }
    drop(store);
    let again = Sqlite::open(&path).unwrap();
    assert_eq!(again.agent(transition.agent.id).await.unwrap(), Some(transition.agent));
}

#[tokio::test]
async fn a_segment_that_is_not_open_cannot_be_closed() {
    let (store, _keep) = fresh().await;
    let agent = launch(&store, &create(&store, id(SHARD, 1), owner(1)).await, at(1)).await;
    let mut forged = next(&agent, Observation::SleepAsked, at(2));
    let mut segment = agent.open_segment().unwrap();
    segment.generation = segment.generation.next();
    segment.ended_at = Some(at(2));
    forged.segment = Some(SegmentChange::Closed(segment));
    assert!(matches!(store.commit(&forged).await, Err(StoreError::Failed(_))));
    assert_eq!(store.agent(agent.id).await.unwrap(), Some(agent), "nothing of it was kept");
}

#[tokio::test]
async fn one_illegible_row_does_not_stop_the_work_on_its_shard() {
    let (_folder, path) = place();
    let store: Ledger = Arc::new(Sqlite::open(&path).unwrap());
    let agent = launch(&store, &create(&store, id(SHARD, 1), owner(1)).await, at(1)).await;
    launch(&store, &create(&store, id(SHARD, 2), owner(1)).await, at(1)).await;
    let db = Connection::open(&path).unwrap();
    db.execute("UPDATE agents SET agent = '{}' WHERE id = ?1", [id(SHARD, 2).to_string()]).unwrap();
    let far = Timestamp(i64::MAX - 1);
    assert_eq!(
        store.claim_due(SHARD, far, Timestamp(i64::MAX), 10).await.unwrap(),
        std::slice::from_ref(&agent)
    );
    assert_eq!(store.awake(SHARD, None, 10).await.unwrap(), std::slice::from_ref(&agent));
    let beyond = launch(&store, &create(&store, id(SHARD, 3), owner(1)).await, at(1)).await;
    assert_eq!(store.awake(SHARD, None, 2).await.unwrap(), [agent, beyond], "the page is full");
    assert!(matches!(store.agent(id(SHARD, 2)).await, Err(StoreError::Failed(_))));
}

/// `openclaw-cloud user add` writes beside a running server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_write_to_one_ledger() {
    let (_folder, path) = place();
    let stores = [Sqlite::open(&path).unwrap(), Sqlite::open(&path).unwrap()].map(Arc::new);
    let write = |n: u16| {
        let store = stores[usize::from(n % 2)].clone();
        async move { store.create(&spawned(id(SHARD, n), owner(1), START), None).await.unwrap() }
    };
    together((0..60).map(write)).await;
    for store in &stores {
        assert_eq!(store.agents_of(owner(1), None, 100).await.unwrap().len(), 60);
    }
}

#[tokio::test]
async fn sweeping_frees_the_room_of_what_has_expired() {
    let (_folder, path) = place();
    let store = Sqlite::open(&path).unwrap();
    for n in 1..=9u8 {
        let (secret, expires_at) = (Hash::of(&[n]), Timestamp(n.into()));
        let (user, instance) =
            (owner(1), InstanceId { agent: id(SHARD, 1), generation: Generation(n.into()) });
        store.put_enrolment(&Enrolment { nonce: secret, instance, expires_at }).await.unwrap();
        // A person has one.
        store.put_sign_in_link(&SignInLink { token: secret, user: owner(n), expires_at }).await.unwrap();
        let created_at = Timestamp(0);
        store
            .put_session(&Session { token: secret, user, created_at, expires_at, ..session("writes", 9) })
            .await
            .unwrap();
        let key = IdempotencyKey::new(&n.to_string()).unwrap();
        let key = Idempotency { key, request: secret, expires_at };
        store.create(&spawned(id(SHARD, n.into()), user, created_at), Some(&key)).await.unwrap();
    }
    store.sweep(Timestamp(4)).await.unwrap();
    let db = Connection::open(&path).unwrap();
    for table in ["idempotency_keys", "enrolments", "sign_in_links", "sessions"] {
        let sql = format!("SELECT min(expires_at), count(*) FROM {table}");
        let left = db.query_row(&sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).unwrap();
        assert_eq!(left, (5, 5), "{table}");
    }
}
