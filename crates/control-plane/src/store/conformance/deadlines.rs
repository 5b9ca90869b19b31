//! How due and awake agents are found.

use domain::agent::Agent;
use domain::id::AgentId;
use domain::lifecycle::Observation;

use crate::store::Shard;

use super::fixture::*;

const SHARD: Shard = Shard(5);

fn ids(agents: &[Agent]) -> Vec<AgentId> {
    agents.iter().map(|agent| agent.id).collect()
}

/// An agent that is due at `due` ms.
async fn due(store: &Ledger, n: u16, due: u64) -> Agent {
    let transition = spawned(id(SHARD, n), owner(1), at(due));
    store.create(&transition, None).await.unwrap();
    assert_eq!(transition.agent.due_at, Some(at(due)));
    transition.agent
}

pub async fn due_agents_are_claimed_earliest_first(store: Ledger) {
    for (n, ms) in [(1, 30), (2, 10), (3, 40), (4, 20), (5, 10)] {
        due(&store, n, ms).await;
    }
    let claimed = store.claim_due(SHARD, at(30), at(1000), 3).await.unwrap();
    assert_eq!(ids(&claimed), [id(SHARD, 2), id(SHARD, 5), id(SHARD, 4)]);
    assert_eq!(store.agent(id(SHARD, 2)).await.unwrap().as_ref(), Some(&claimed[0]));
    let claimed = store.claim_due(SHARD, at(30), at(1000), 3).await.unwrap();
    assert_eq!(ids(&claimed), [id(SHARD, 1)], "what is not due yet is left");
}

pub async fn a_claimed_agent_is_nobody_elses_until_the_claim_runs_out(store: Ledger) {
    let agent = due(&store, 1, 0).await;
    assert_eq!(store.claim_due(SHARD, at(5), at(100), 10).await.unwrap().len(), 1);
    assert_eq!(store.claim_due(SHARD, at(99), at(200), 10).await.unwrap(), []);
    let again = store.claim_due(SHARD, at(100), at(200), 10).await.unwrap();
    assert_eq!(again, [agent], "a claim changes nothing of the agent");
}

pub async fn a_commit_ends_a_claim(store: Ledger) {
    let agent = due(&store, 1, 0).await;
    store.claim_due(SHARD, at(0), at(1000), 10).await.unwrap();
    let agent = observe(&store, &agent, Observation::DeleteAsked, at(10)).await;
    assert_eq!(ids(&store.claim_due(SHARD, at(10), at(1000), 10).await.unwrap()), [agent.id]);
    observe(&store, &agent, Observation::Purged, at(20)).await;
    assert_eq!(store.claim_due(SHARD, at(99_999), at(100_000), 10).await.unwrap(), []);
    assert_eq!(store.next_due(SHARD).await.unwrap(), None);
}

pub async fn of_claims_at_once_each_agent_goes_to_one(store: Ledger) {
    for n in 0..60 {
        due(&store, n, 0).await;
    }
    let claim = |_| {
        let store = store.clone();
        async move { ids(&store.claim_due(SHARD, at(1), at(1000), 7).await.unwrap()) }
    };
    let mut claimed: Vec<_> = together((0..16).map(claim)).await.concat();
    claimed.sort_unstable();
    assert_eq!(claimed, (0..60).map(|n| id(SHARD, n)).collect::<Vec<_>>());
}

pub async fn deadlines_are_their_shards_own(store: Ledger) {
    for shard in Shard::all() {
        create(&store, id(shard, 1), owner(1)).await;
    }
    for shard in Shard::all() {
        assert_eq!(Shard::of(id(shard, 1)), shard);
        let claimed = store.claim_due(shard, at(0), at(10), 100).await.unwrap();
        assert_eq!(ids(&claimed), [id(shard, 1)]);
    }
}

pub async fn the_next_deadline_is_the_earliest_or_a_claims_end(store: Ledger) {
    assert_eq!(store.next_due(SHARD).await.unwrap(), None);
    due(&store, 1, 50).await;
    due(&store, 2, 20).await;
    assert_eq!(store.next_due(SHARD).await.unwrap(), Some(at(20)));
    assert_eq!(store.claim_due(SHARD, at(20), at(40), 10).await.unwrap().len(), 1);
    assert_eq!(store.next_due(SHARD).await.unwrap(), Some(at(40)));
    assert_eq!(store.claim_due(SHARD, at(40), at(60), 10).await.unwrap().len(), 1);
    assert_eq!(store.next_due(SHARD).await.unwrap(), Some(at(50)));
}

pub async fn awake_agents_are_those_that_cost_or_soon_will(store: Ledger) {
    let mut running = Vec::new();
    for n in 0..5 {
        let agent = create(&store, id(SHARD, n), owner(1)).await;
        running.push(launch(&store, &agent, at(1)).await);
    }
    let elsewhere = create(&store, id(Shard(6), 1), owner(1)).await;
    launch(&store, &elsewhere, at(1)).await;
    let on_its_way = create(&store, id(SHARD, 50), owner(1)).await;
    let asleep = stop(&store, &running.remove(1), at(2)).await;
    let first = store.awake(SHARD, None, 3).await.unwrap();
    assert_eq!(first, running[..3]);
    let rest = async || store.awake(SHARD, Some(first[2].id), 3).await.unwrap();
    assert_eq!(rest().await, [running[3].clone(), on_its_way.clone()]);
    // What was called off costs nothing, and what is woken again does soon.
    let called_off = observe(&store, &on_its_way, Observation::SleepAsked, at(3)).await;
    assert_eq!(rest().await, running[3..]);
    observe(&store, &called_off, Observation::WakeAsked, at(4)).await;
    observe(&store, &asleep, Observation::WakeAsked, at(4)).await;
    assert_eq!(ids(&rest().await), [running[3].id, on_its_way.id]);
    assert_eq!(ids(&store.awake(SHARD, None, 2).await.unwrap()), [running[0].id, asleep.id]);
}
