//! Many agents of several owners.

use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use serde_json::Value;

use super::{Person, Server};

/// Requests that are under way at once.
const AT_ONCE: usize = 12;

pub struct Fleet {
    /// Each owner, and how many agents they have.
    owners: Vec<(Person, usize)>,
}

impl Fleet {
    /// Owners with so many agents each, none of which is there yet.
    pub async fn of(server: &Server, agents: &[usize]) -> Self {
        let mut owners = Vec::new();
        for (n, agents) in agents.iter().enumerate() {
            owners.push((server.person(&format!("owner {n}")).await, *agents));
        }
        Self { owners }
    }

    /// All of them at once.
    pub async fn spawn(&self) {
        let most = self.owners.iter().map(|(_, agents)| *agents).max().unwrap_or(0);
        let of = |n: usize| self.owners.iter().filter(move |(_, agents)| n < *agents);
        let wishes = (0..most).flat_map(|n| of(n).map(move |(owner, _)| (owner, n)));
        let spawn = |(owner, n): (&Person, usize)| {
            let owner = owner.clone();
            async move { drop(owner.spawn(&format!("agente {n}")).await) }
        };
        stream::iter(wishes).for_each_concurrent(AT_ONCE, spawn).await;
    }

    pub async fn act(&self, verb: &str) {
        for (owner, _) in &self.owners {
            let agents = agents_of(owner).await;
            let ids = agents.iter().filter_map(|agent| agent["id"].as_str());
            stream::iter(ids)
                .for_each_concurrent(AT_ONCE, |id| async {
                    assert_eq!(owner.act(id, verb).await.status, 202)
                })
                .await;
        }
    }

    /// Waits until all are in that phase, and gives them.
    pub async fn until(&self, phase: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for (owner, count) in &self.owners {
            all.extend(until(owner, *count, phase).await);
        }
        all
    }
}

async fn agents_of(owner: &Person) -> Vec<Value> {
    let reply = owner.api.get("/api/v1/agents").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json().as_array().unwrap().clone()
}

async fn until(owner: &Person, count: usize, phase: &str) -> Vec<Value> {
    loop {
        let agents = agents_of(owner).await;
        if let Some(failed) = agents.iter().find(|agent| agent["phase"] == "failed") {
            panic!("{failed:#}");
        }
        if agents.len() == count && agents.iter().all(|agent| agent["phase"] == phase) {
            return agents;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
