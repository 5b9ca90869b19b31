//! Agents, their events and segments, and the keys of their creation.

use domain::agent::Agent;
use domain::id::{Generation, IdempotencyKey};
use domain::lifecycle::{Observation, SegmentChange};

use crate::store::{Created, Hash, Idempotency, Shard, StoreError};

use super::fixture::*;

const SHARD: Shard = Shard(3);

pub async fn an_agent_is_read_back_as_it_was_committed(store: Ledger) {
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    assert_eq!(store.agent(agent.id).await.unwrap(), Some(agent.clone()));
    let agent = launch(&store, &agent, at(5)).await;
    assert_eq!(store.agent(agent.id).await.unwrap(), Some(agent.clone()));
    let agent = stop(&store, &agent, at(9)).await;
    assert_eq!(store.agent(agent.id).await.unwrap(), Some(agent));
}

pub async fn an_unknown_agent_is_none(store: Ledger) {
    let stranger = id(SHARD, 9);
    assert_eq!(store.agent(stranger).await.unwrap(), None);
    assert_eq!(store.events(stranger, 0, 10).await.unwrap(), []);
    assert_eq!(store.segments(stranger, None, 10).await.unwrap(), []);
    assert_eq!(store.agents_of(owner(9), None, 10).await.unwrap(), []);
}

pub async fn an_agent_that_is_there_is_not_created_again(store: Ledger) {
    let first = create(&store, id(SHARD, 1), owner(1)).await;
    let again = store.create(&spawned(first.id, owner(2), at(1)), Some(&key("k", "r"))).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    assert_eq!(store.agent(first.id).await.unwrap(), Some(first));
    // The key was not used up by what was refused.
    let other = spawned(id(SHARD, 2), owner(2), at(1));
    assert_eq!(store.create(&other, Some(&key("k", "r"))).await.unwrap(), Created::New);
}

pub async fn a_commit_on_an_older_version_is_refused_and_changes_nothing(store: Ledger) {
    let old = create(&store, id(SHARD, 1), owner(1)).await;
    let late = next(&old, Observation::DeleteAsked, at(2));
    let now = launch(&store, &old, at(1)).await;
    let events = store.events(old.id, 0, 100).await.unwrap();
    let outcome = store.commit(&late).await;
    assert!(matches!(outcome, Err(StoreError::Conflict)), "{outcome:?}");
    assert_eq!(store.agent(old.id).await.unwrap(), Some(now));
    assert_eq!(store.events(old.id, 0, 100).await.unwrap(), events);
}

pub async fn a_commit_on_an_unknown_agent_is_refused(store: Ledger) {
    let agent = spawned(id(SHARD, 1), owner(1), START).agent;
    let outcome = store.commit(&next(&agent, Observation::DeleteAsked, at(1))).await;
    assert!(matches!(outcome, Err(StoreError::Conflict)), "{outcome:?}");
    assert_eq!(store.agent(agent.id).await.unwrap(), None);
    assert_eq!(store.events(agent.id, 0, 10).await.unwrap(), []);
}

pub async fn of_commits_at_once_each_version_has_one(store: Ledger) {
    const COMMITS: u64 = 48;
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    let rename = |n: u64| {
        let (store, id) = (store.clone(), agent.id);
        async move {
            let name: domain::name::Name = format!("name {n}").parse().unwrap();
            loop {
                let agent = store.agent(id).await.unwrap().unwrap();
                let transition = domain::lifecycle::rename(&agent, name.clone(), at(n)).unwrap();
                match store.commit(&transition).await {
                    Ok(()) => return transition.agent.version,
                    Err(StoreError::Conflict) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    };
    let mut versions = together((0..COMMITS).map(rename)).await;
    versions.sort_unstable();
    assert_eq!(versions, (2..2 + COMMITS).collect::<Vec<_>>());
    let events = store.events(agent.id, agent.last_event, 100).await.unwrap();
    let seqs: Vec<_> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=COMMITS).map(|n| agent.last_event + n).collect::<Vec<_>>());
}

pub async fn an_owners_agents_come_by_page_without_deleted_ones_and_others(store: Ledger) {
    let mut mine = Vec::new();
    for n in 0..5 {
        // Over several shards, and created in no order.
        mine.push(create(&store, id(Shard(u8::from(n % 2 == 0)), 9 - n), owner(1)).await);
        create(&store, id(SHARD, 100 + n), owner(2)).await;
    }
    let gone = observe(&store, &mine.remove(2), Observation::SleepAsked, at(1)).await;
    let gone = observe(&store, &gone, Observation::DeleteAsked, at(1)).await;
    let gone = observe(&store, &gone, Observation::Purged, at(1)).await;
    mine.sort_by_key(|agent| agent.id);
    let mut paged: Vec<Agent> = Vec::new();
    loop {
        let page = store.agents_of(owner(1), paged.last().map(|agent| agent.id), 3).await.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, mine);
    assert_eq!(store.agent(gone.id).await.unwrap(), Some(gone), "a deleted agent's row is kept");
}

pub async fn events_come_in_order_after_a_number(store: Ledger) {
    let first = spawned(id(SHARD, 1), owner(1), START);
    store.create(&first, None).await.unwrap();
    let second = next(&first.agent, Observation::SleepAsked, at(1));
    store.commit(&second).await.unwrap();
    create(&store, id(SHARD, 2), owner(1)).await;
    let all = [first.events, second.events].concat();
    assert_eq!(store.events(first.agent.id, 0, 100).await.unwrap(), all);
    assert_eq!(store.events(first.agent.id, 1, 100).await.unwrap(), all[1..]);
    assert_eq!(store.events(first.agent.id, 0, 2).await.unwrap(), all[..2]);
    assert_eq!(store.events(first.agent.id, u64::MAX, 2).await.unwrap(), []);
}

pub async fn a_segment_opens_and_closes_with_its_commit(store: Ledger) {
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    assert_eq!(store.segments(agent.id, None, 10).await.unwrap(), []);
    let agent = launch(&store, &agent, at(10)).await;
    assert_eq!(store.segments(agent.id, None, 10).await.unwrap(), [agent.open_segment().unwrap()]);
    let saving = observe(&store, &agent, Observation::SleepAsked, at(20)).await;
    let closing = next(
        &saving,
        Observation::Of(agent.generation, domain::lifecycle::Seen::Stopped { at: None }),
        at(3_600_010),
    );
    store.commit(&closing).await.unwrap();
    let Some(SegmentChange::Closed(closed)) = closing.segment else { panic!("{closing:?}") };
    assert_eq!(closed.ended_at, Some(at(3_600_010)));
    assert_eq!(store.segments(agent.id, None, 10).await.unwrap(), [closed]);
}

pub async fn segments_come_newest_first_by_page(store: Ledger) {
    let mut agent = create(&store, id(SHARD, 1), owner(1)).await;
    for run in 0..5 {
        agent = launch(&store, &agent, at(100 * run)).await;
        agent = stop(&store, &agent, at(100 * run + 50)).await;
        agent = observe(&store, &agent, Observation::WakeAsked, at(100 * run + 99)).await;
    }
    let generations = async |before, limit| {
        let page = store.segments(agent.id, before, limit).await.unwrap();
        page.iter().map(|segment| segment.generation.0).collect::<Vec<_>>()
    };
    assert_eq!(generations(None, 2).await, [5, 4]);
    assert_eq!(generations(Some(Generation(4)), 2).await, [3, 2]);
    assert_eq!(generations(Some(Generation(2)), 2).await, [1]);
    assert_eq!(generations(Some(Generation(1)), 2).await, [0; 0]);
}

fn key(key: &str, request: &str) -> Idempotency {
    Idempotency {
        key: IdempotencyKey::new(key).unwrap(),
        request: Hash::of(request.as_bytes()),
        expires_at: at(1000),
    }
}

pub async fn a_key_gives_the_same_agent_to_the_same_request(store: Ledger) {
    let (first, second) = (spawned(id(SHARD, 1), owner(1), START), spawned(id(SHARD, 2), owner(1), at(999)));
    assert_eq!(store.create(&first, Some(&key("k", "r"))).await.unwrap(), Created::New);
    let again = store.create(&second, Some(&key("k", "r"))).await.unwrap();
    assert_eq!(again, Created::Before(first.agent.id));
    let earlier = async |key| store.created(owner(1), &key, at(999)).await.unwrap();
    assert_eq!(earlier(key("k", "r")).await, Some(Created::Before(first.agent.id)));
    assert_eq!(earlier(key("k", "other")).await, Some(Created::KeyReused));
    assert_eq!(earlier(key("K", "r")).await, None);
    assert_eq!(store.create(&second, Some(&key("k", "other"))).await.unwrap(), Created::KeyReused);
    assert_eq!(store.agent(second.agent.id).await.unwrap(), None);
    assert_eq!(store.create(&second, Some(&key("K", "other"))).await.unwrap(), Created::New);
}

pub async fn a_key_is_its_owners_own(store: Ledger) {
    for n in 1..3 {
        let agent = spawned(id(SHARD, n.into()), owner(n), START);
        assert_eq!(store.created(agent.agent.owner, &key("k", "r"), START).await.unwrap(), None);
        assert_eq!(store.create(&agent, Some(&key("k", "r"))).await.unwrap(), Created::New);
    }
}

pub async fn an_expired_key_is_as_if_never_used(store: Ledger) {
    let first = spawned(id(SHARD, 1), owner(1), START);
    assert_eq!(store.create(&first, Some(&key("k", "r"))).await.unwrap(), Created::New);
    assert_eq!(store.created(owner(1), &key("k", "r"), at(1000)).await.unwrap(), None);
    let later = spawned(id(SHARD, 2), owner(1), at(1000));
    let renewed = Idempotency { expires_at: at(2000), ..key("k", "other") };
    assert_eq!(store.create(&later, Some(&renewed)).await.unwrap(), Created::New);
    let again = store.create(&spawned(id(SHARD, 3), owner(1), at(1999)), Some(&renewed)).await.unwrap();
    assert_eq!(again, Created::Before(later.agent.id));
}

pub async fn of_creations_at_once_by_one_key_one_makes_an_agent(store: Ledger) {
    let create = |n: u16| {
        let store = store.clone();
        async move { store.create(&spawned(id(SHARD, n), owner(1), START), Some(&key("k", "r"))).await.unwrap() }
    };
    let outcomes = together((0..24).map(create)).await;
    let agents = store.agents_of(owner(1), None, 100).await.unwrap();
    assert_eq!(agents.len(), 1);
    let new = outcomes.iter().filter(|outcome| **outcome == Created::New).count();
    let before = outcomes.iter().filter(|outcome| **outcome == Created::Before(agents[0].id)).count();
    assert_eq!((new, before), (1, 23));
}
