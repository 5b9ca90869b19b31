//! Those who use the fleet: each wakes an agent when its session begins.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use domain::id::AgentId;
use domain::time::Timestamp;

use crate::clock::{Clock as _, DemoClock};
use crate::error::Error;
use crate::fleet::Fleet;
use crate::identity::Principal;
use crate::provider::simulated::Model;

/// Goes on until it is dropped.
pub(super) async fn live(
    fleet: Arc<Fleet>,
    clock: Arc<DemoClock>,
    model: Model,
    agents: Vec<(Principal, AgentId)>,
) {
    let start = clock.now();
    let mut next: BinaryHeap<Reverse<(Timestamp, usize)>> = BinaryHeap::new();
    for (index, (_, agent)) in agents.iter().enumerate() {
        if model.unused_for(*agent, start) == Some(Duration::ZERO) {
            next.push(Reverse((start, index)));
        } else if let Some(session) = model.next_session(*agent, start) {
            next.push(Reverse((session.from, index)));
        }
    }
    while let Some(Reverse((at, index))) = next.pop() {
        clock.until(at).await;
        let (owner, agent) = &agents[index];
        match fleet.wake(owner, *agent).await {
            // Its owner deleted it.
            Err(Error::NotFound) => continue,
            Err(error) => tracing::info!(%agent, %error, "agent {agent} was not woken by its owner"),
            Ok(_) => {}
        }
        if let Some(session) = model.next_session(*agent, at) {
            next.push(Reverse((session.from, index)));
        }
    }
}
