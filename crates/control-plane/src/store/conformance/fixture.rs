//! Agents made by the real rules, committed step by step.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::agent::{Agent, ProviderName};
use domain::id::{AgentId, UserId};
use domain::lifecycle::{self, NewAgent, Observation, Policy, Seen, Transition};
use domain::price::Rates;
use domain::size::Size;
use domain::tier::{Limits, Tier};
use domain::time::Timestamp;
use tokio::task::JoinSet;

use crate::store::{Created, Shard, Store};

pub type Ledger = Arc<dyn Store>;

/// When the tests begin.
pub const START: Timestamp = Timestamp(1_790_000_000_000);

/// `ms` after the start.
pub fn at(ms: u64) -> Timestamp {
    START.after(Duration::from_millis(ms))
}

pub fn owner(n: u8) -> UserId {
    UserId::from_random([n; 10])
}

/// The `n`th id of a shard; they sort by `n`.
pub fn id(shard: Shard, n: u16) -> AgentId {
    let [high, low] = n.to_be_bytes();
    AgentId::from_random([shard.0, 0, 0, 0, 0, 0, 0, 7, high, low])
}

pub fn spawned(id: AgentId, owner: UserId, at: Timestamp) -> Transition {
    let new = NewAgent {
        id,
        owner,
        name: "Ñandú 👩‍💻 «uno»".parse().unwrap(),
        size: Size::Small,
        provider: ProviderName::Local,
        idle_timeout: None,
    };
    lifecycle::create(new, at)
}

/// A new agent, committed at the start.
pub async fn create(store: &Ledger, id: AgentId, owner: UserId) -> Agent {
    let transition = spawned(id, owner, START);
    assert_eq!(store.create(&transition, None).await.unwrap(), Created::New);
    transition.agent
}

pub fn next(agent: &Agent, observation: Observation, at: Timestamp) -> Transition {
    lifecycle::apply(agent, observation, at, &Policy::default()).unwrap()
}

/// What follows from an observation, committed.
pub async fn observe(store: &Ledger, agent: &Agent, observation: Observation, at: Timestamp) -> Agent {
    let transition = next(agent, observation, at);
    store.commit(&transition).await.unwrap();
    transition.agent
}

pub async fn see(store: &Ledger, agent: &Agent, seen: Seen, at: Timestamp) -> Agent {
    observe(store, agent, Observation::Of(agent.generation, seen), at).await
}

/// An agent to be launched gets an instance, and its meter starts.
pub async fn launch(store: &Ledger, agent: &Agent, at: Timestamp) -> Agent {
    let agent = see(store, agent, Seen::Launching, at).await;
    let tier =
        Tier { machine: false, namespaces: true, landlock: Some(6), seccomp: true, limits: Limits::Cgroup2 };
    let price = Rates::proposal().estimate(agent.size);
    see(store, &agent, Seen::Launched { started_at: at, tier, price }, at).await
}

/// Called off while it boots: nothing to save, the instance stops.
pub async fn stop(store: &Ledger, agent: &Agent, at: Timestamp) -> Agent {
    let agent = observe(store, agent, Observation::SleepAsked, at).await;
    see(store, &agent, Seen::Stopped { at: None }, at).await
}

/// Runs all of them at once.
pub async fn together<T: Send + 'static>(
    all: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    all.collect::<JoinSet<T>>().join_all().await
}
