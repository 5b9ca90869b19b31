//! Everybody's agents in short.

use domain::agent::Snapshot;
use domain::fleet::{State, Summary};
use domain::lifecycle::{Observation, Seen};

use crate::store::Shard;

use super::fixture::*;

const SHARD: Shard = Shard(11);

/// The list's only agent is as its row.
async fn assert_listed(store: &Ledger, state: State) {
    let listed = store.fleet(SHARD, None, 10).await.unwrap();
    let [listed] = &listed[..] else { panic!("{listed:?}") };
    let row = Summary::from(&store.agent(listed.id).await.unwrap().unwrap());
    assert_eq!(listed.state, state);
    // A look that changes nothing else moves the last use and the version alone.
    assert_eq!(&Summary { last_use: listed.last_use, version: listed.version, ..row }, listed);
}

pub async fn the_list_is_as_the_rows_are_whatever_happens(store: Ledger) {
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    assert_listed(&store, State::Pending).await;
    let agent = launch(&store, &agent, at(10)).await;
    assert_listed(&store, State::Provisioning).await;
    let agent = see(&store, &agent, Seen::Enrolled, at(20)).await;
    assert_listed(&store, State::Booting).await;
    let agent = see(&store, &agent, Seen::Ready, at(30)).await;
    assert_listed(&store, State::Running).await;
    let used = Seen::IdleChecked { idle_for: std::time::Duration::ZERO, busy: None };
    let agent = see(&store, &agent, used, at(40)).await;
    assert_listed(&store, State::Running).await;
    let rename = domain::lifecycle::rename(&agent, "otro".parse().unwrap(), at(50)).unwrap();
    store.commit(&rename).await.unwrap();
    assert_listed(&store, State::Running).await;
    let agent = observe(&store, &rename.agent, Observation::SleepAsked, at(60)).await;
    assert_listed(&store, State::Saving).await;
    let generation = agent.generation;
    let snapshot = Snapshot {
        id: "5".repeat(64).parse().unwrap(),
        generation,
        at: at(70),
        files: 1,
        bytes: 2,
        added_bytes: 3,
    };
    let agent = see(&store, &agent, Seen::SnapshotCommitted { snapshot }, at(70)).await;
    let agent = see(&store, &agent, Seen::Stopped { at: None }, at(80)).await;
    assert_listed(&store, State::Asleep).await;
    let agent = observe(&store, &agent, Observation::WakeAsked, at(90)).await;
    assert_listed(&store, State::Pending).await;
    let agent = see(&store, &agent, Seen::Launching, at(92)).await;
    let failure = domain::agent::Failure::new(domain::agent::FailureReason::NoRoom, "");
    let agent = see(&store, &agent, Seen::LaunchFailed { failure }, at(95)).await;
    assert_listed(&store, State::Failed).await;
    let agent = observe(&store, &agent, Observation::DeleteAsked, at(100)).await;
    assert_listed(&store, State::Deleting).await;
    observe(&store, &agent, Observation::Purged, at(110)).await;
    assert_eq!(store.fleet(SHARD, None, 10).await.unwrap(), []);
}

pub async fn the_list_comes_by_shard_and_page_without_deleted_ones(store: Ledger) {
    let mut listed = Vec::new();
    for n in 0..5 {
        listed.push(create(&store, id(SHARD, 9 - n), owner(1 + n as u8)).await);
        create(&store, id(Shard(12), n), owner(1)).await;
    }
    let gone = observe(&store, &listed.remove(2), Observation::DeleteAsked, at(1)).await;
    observe(&store, &gone, Observation::Purged, at(2)).await;
    listed.sort_by_key(|agent| agent.id);
    let mut paged: Vec<Summary> = Vec::new();
    loop {
        let page = store.fleet(SHARD, paged.last().map(|summary| summary.id), 3).await.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, listed.iter().map(Summary::from).collect::<Vec<_>>());
}
