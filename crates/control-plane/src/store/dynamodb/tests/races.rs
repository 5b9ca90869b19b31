//! Several control planes on one ledger, each with its own connection.

use std::sync::Arc;

use domain::id::IdempotencyKey;
use domain::lifecycle::{self, Observation};

use super::{anew, ledger};
use crate::store::conformance::fixture::*;
use crate::store::{Created, Idempotency, Shard, StoreError};

const SHARD: Shard = Shard(4);

/// Two of them.
async fn replicas() -> [Ledger; 2] {
    let config = anew();
    [Arc::new(ledger(&config).await), Arc::new(ledger(&config).await)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_writers_at_once_one_commits_and_the_other_decides_anew() {
    let stores = replicas().await;
    let mut agent = create(&stores[0], id(SHARD, 1), owner(1)).await;
    for round in 0..20 {
        let rename = |n: usize| {
            let (store, agent) = (stores[n].clone(), agent.clone());
            let name = format!("{round} by {n}").parse().unwrap();
            async move { store.commit(&lifecycle::rename(&agent, name, at(round)).unwrap()).await }
        };
        let outcomes = together((0..2).map(rename)).await;
        let committed = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(committed, 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(()) | Err(StoreError::Conflict))));
        agent = stores[1].agent(agent.id).await.unwrap().unwrap();
    }
    let events = stores[0].events(agent.id, 0, 100).await.unwrap();
    let seqs: Vec<_> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=agent.last_event).collect::<Vec<_>>(), "without a gap, and none twice");
}

/// The same words by two writers are two commits: were one taken for the
/// other's, both would launch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_of_the_very_same_transition_do_not_both_win() {
    let stores = replicas().await;
    let agent = create(&stores[0], id(SHARD, 1), owner(1)).await;
    let same = next(&agent, Observation::SleepAsked, at(1));
    let commit = |n: usize| {
        let (store, same) = (stores[n].clone(), same.clone());
        async move { store.commit(&same).await }
    };
    let outcomes = together((0..2).map(commit)).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_creations_by_one_key_one_makes_an_agent() {
    let stores = replicas().await;
    let key = |n: u8| Idempotency {
        key: IdempotencyKey::new(&n.to_string()).unwrap(),
        request: crate::store::Hash::of(b"r"),
        expires_at: at(1000),
    };
    for round in 0..10u8 {
        let create = |n: usize| {
            let (store, key) = (stores[n].clone(), key(round));
            let spawned = spawned(id(SHARD, 2 * u16::from(round) + n as u16), owner(round), START);
            async move { (spawned.agent.id, store.create(&spawned, Some(&key)).await.unwrap()) }
        };
        let outcomes = together((0..2).map(create)).await;
        let made = outcomes.iter().find(|(_, outcome)| *outcome == Created::New).unwrap().0;
        assert!(outcomes.iter().any(|(_, outcome)| *outcome == Created::Before(made)), "{outcomes:?}");
    }
}

/// What one replica commits while another claims it is either claimed as it was
/// or as it became, never lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_beside_commits_loses_no_deadline() {
    let stores = replicas().await;
    let mut agent = create(&stores[0], id(SHARD, 1), owner(1)).await;
    for round in 1..20u64 {
        let claim = {
            let store = stores[1].clone();
            tokio::spawn(async move { store.claim_due(SHARD, at(round), at(round + 1), 10).await.unwrap() })
        };
        let name = format!("name {round}").parse().unwrap();
        let renamed = lifecycle::rename(&agent, name, at(round)).unwrap();
        stores[0].commit(&renamed).await.unwrap();
        claim.await.unwrap();
        agent = renamed.agent;
        assert!(stores[0].next_due(SHARD).await.unwrap().is_some(), "in round {round}");
    }
    let claimed = stores[0].claim_due(SHARD, at(1000), at(2000), 10).await.unwrap();
    assert_eq!(claimed, [agent]);
}
