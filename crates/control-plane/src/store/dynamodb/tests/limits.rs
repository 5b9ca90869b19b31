//! DynamoDB's own limits: 100 items a transaction and a batch, 1 MB a page,
//! 400 KB an item.

use std::sync::Arc;

use domain::agent::{Agent, Failure, FailureReason};
use domain::event::{Event, What};
use domain::lifecycle::{Observation, Transition};
use domain::time::Timestamp;

use super::{anew, ledger};
use crate::store::conformance::fixture::*;
use crate::store::dynamodb::{item, key};
use crate::store::{Shard, StoreError};

const SHARD: Shard = Shard(7);

async fn fresh() -> Ledger {
    Arc::new(ledger(&anew()).await)
}

/// A change with `count` events of `bytes` each, which no rule would make.
fn verbose(agent: &Agent, count: u64, bytes: usize) -> Transition {
    let mut transition = next(agent, Observation::SleepAsked, at(1));
    let event = transition.events[0].clone();
    let failure = Failure { reason: FailureReason::Crashed, detail: "x".repeat(bytes), retryable: true };
    transition.events = (1..=count)
        .map(|n| Event {
            seq: agent.last_event + n,
            what: What::Failed { failure: failure.clone() },
            ..event.clone()
        })
        .collect();
    transition
}

#[tokio::test]
async fn an_owner_has_more_agents_than_one_batch_reads() {
    let store = fresh().await;
    let mut ids = Vec::new();
    for n in 0..205 {
        ids.push(create(&store, id(SHARD, n), owner(1)).await.id);
    }
    let read = |agents: Vec<Agent>| agents.into_iter().map(|agent| agent.id).collect::<Vec<_>>();
    assert_eq!(read(store.agents_of(owner(1), None, 1000).await.unwrap()), ids);
    assert_eq!(read(store.agents_of(owner(1), Some(ids[9]), 150).await.unwrap()), ids[10..160]);
    let due = store.claim_due(SHARD, at(0), at(1), 1000).await.unwrap();
    assert_eq!(read(due), ids);
}

#[tokio::test]
async fn events_come_over_more_than_one_page_of_a_megabyte() {
    let store = fresh().await;
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    let long = verbose(&agent, 12, 200_000);
    store.commit(&long).await.unwrap();
    let events = store.events(agent.id, agent.last_event, 100).await.unwrap();
    assert_eq!(events, long.events);
}

#[tokio::test]
async fn what_is_too_large_for_an_item_is_refused_whole() {
    let store = fresh().await;
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    let outcome = store.commit(&verbose(&agent, 2, 410_000)).await;
    assert!(matches!(outcome, Err(StoreError::Failed(_))), "{outcome:?}");
    assert_eq!(store.agent(agent.id).await.unwrap(), Some(agent));
}

#[tokio::test]
async fn what_is_too_much_for_a_transaction_is_refused_whole() {
    let store = fresh().await;
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    match store.commit(&verbose(&agent, 101, 10)).await {
        Err(StoreError::Failed(told)) => assert!(told.contains("more than one transaction takes"), "{told}"),
        outcome => panic!("{outcome:?}"),
    }
    assert_eq!(store.agent(agent.id).await.unwrap(), Some(agent));
}

#[tokio::test]
async fn one_illegible_row_does_not_stop_the_work_on_its_shard() {
    let store = ledger(&anew()).await;
    let (client, table) = (store.db.client.clone(), store.db.ledger.clone());
    let store: Ledger = Arc::new(store);
    let agent = launch(&store, &create(&store, id(SHARD, 1), owner(1)).await, at(1)).await;
    launch(&store, &create(&store, id(SHARD, 2), owner(1)).await, at(1)).await;
    let broken = item::item(&key::agent(id(SHARD, 2)), [("agent", item::s("{}"))]);
    client.put_item().table_name(&*table).set_item(Some(broken)).send().await.unwrap();
    let far = Timestamp(i64::MAX - 1);
    let end = Timestamp(i64::MAX);
    assert_eq!(store.claim_due(SHARD, far, end, 10).await.unwrap(), std::slice::from_ref(&agent));
    assert_eq!(store.awake(SHARD, None, 10).await.unwrap(), [agent]);
    assert!(matches!(store.agent(id(SHARD, 2)).await, Err(StoreError::Failed(_))));
}
