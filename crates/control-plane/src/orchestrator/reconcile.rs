//! Intent against observation: what the ledger says runs, and what runs.

use std::collections::HashMap;

use domain::agent::{Agent, Failure, FailureReason, Phase};
use domain::id::InstanceId;
use domain::lifecycle::{Illegal, Seen};
use domain::time::Timestamp;

use crate::error::{Error, Result};
use crate::ledger::settled;
use crate::provider::{EventKind, Observed, State};
use crate::store::Shard;

use super::Orchestrator;
use super::hear::is_news;

/// Rows that one look at the ledger takes.
const PAGE: u16 = 100;

impl Orchestrator {
    /// Stops what runs and is not known, and records what is known and does
    /// not run. Adopts the rest by doing nothing.
    pub(super) async fn reconcile(&self, metered: HashMap<InstanceId, Agent>) -> Result<()> {
        let observed = self.provider.list().await?;
        for seen in &observed {
            let known = metered.get(&seen.instance);
            if known.is_some_and(|agent| seen.state == State::Running && !tells_news(agent, seen)) {
                continue;
            }
            self.bring_in_step(seen).await;
        }
        let mut missing = metered;
        for seen in &observed {
            missing.remove(&seen.instance);
        }
        if missing.is_empty() {
            return Ok(());
        }
        let sought: Vec<InstanceId> = missing.keys().copied().collect();
        for seen in self.provider.seek(&sought).await? {
            missing.remove(&seen.instance);
            self.bring_in_step(&seen).await;
        }
        let now = self.ledger.now();
        for (instance, agent) in missing {
            let since = agent.instance.map_or(now, |instance| instance.started_at);
            // Launched a moment ago: the list may not have it yet.
            if now.since(since) >= self.provider.lag() {
                self.lost(instance).await?;
            }
        }
        Ok(())
    }

    /// Records what the provider knows of an instance that is there and was not told of.
    pub(crate) async fn ask_of(&self, instance: InstanceId) -> Result<()> {
        match self.provider.seek(&[instance]).await?.first() {
            Some(seen) => self.judge(seen).await,
            None => Ok(()),
        }
    }

    async fn bring_in_step(&self, seen: &Observed) {
        if let Err(error) = self.judge(seen).await {
            tracing::error!(instance = %seen.instance, %error, "{} was not brought in step", seen.instance);
        }
    }

    /// All whose meter runs, by the ledger.
    pub(super) async fn metered(&self) -> Result<HashMap<InstanceId, Agent>> {
        let mut all = HashMap::new();
        for shard in Shard::all() {
            let mut after = None;
            loop {
                let page = self.ledger.store.awake(shard, after, PAGE).await?;
                after = page.last().map(|agent| agent.id);
                let last = page.len() < usize::from(PAGE);
                let running = page.into_iter().filter(|agent| agent.instance.is_some());
                all.extend(running.map(|agent| (agent.instance_id(), agent)));
                if last {
                    break;
                }
            }
        }
        Ok(all)
    }

    pub(super) async fn judge(&self, seen: &Observed) -> Result<()> {
        let agent = match self.ledger.agent(seen.instance.agent).await {
            Ok(agent) => Some(agent),
            Err(Error::NotFound) => None,
            Err(error) => return Err(error),
        };
        match (&seen.state, agent) {
            (State::Running, Some(agent)) if wanted(&agent, seen.instance) => {
                self.catch_up(agent, seen.instance, told(seen)).await
            }
            (State::Running, _) => {
                tracing::warn!(instance = %seen.instance, "{} runs and is not in the ledger: stopped", seen.instance);
                self.stop_unwanted(seen.instance).await
            }
            (State::Exited(exit), Some(agent)) if agent.instance_id() == seen.instance => {
                // Why it ended comes first: taken back is not fallen over.
                self.catch_up(agent.clone(), seen.instance, told(seen)).await?;
                match self.exited(seen.instance, exit, seen.since).await {
                    Err(Error::Illegal(_)) => {}
                    outcome => drop(outcome?),
                }
                self.forget_past(&agent, seen).await
            }
            // The home of a run that is over; a later one has its state, or
            // will have it when it runs.
            (State::Exited(_), Some(agent)) => self.forget_past(&agent, seen).await,
            (State::Exited(_), None) => Ok(self.provider.forget(&seen.instance).await?),
        }
    }

    /// Removes an ended run's home once it can't be of use any more: the agent
    /// sleeps on a saved state, runs anew, or is gone.
    async fn forget_past(&self, agent: &Agent, seen: &Observed) -> Result<()> {
        let over = match agent.phase {
            Phase::Asleep | Phase::Deleted => true,
            Phase::Running => agent.instance_id() != seen.instance,
            _ => false,
        };
        if over {
            self.provider.forget(&seen.instance).await?;
        }
        Ok(())
    }

    async fn lost(&self, instance: InstanceId) -> Result<()> {
        let failure = Failure::new(FailureReason::Lost, "the instance is not there any more");
        match settled(self.ledger.saw(instance, Seen::Exited { failure }).await) {
            Err(Error::Illegal(Illegal::Stale | Illegal::NotNow | Illegal::TooEarly)) => Ok(()),
            outcome => outcome.map(drop),
        }
    }
}

/// Whether a running instance is the one that the ledger counts on, or the one
/// whose launch is just being recorded.
fn wanted(agent: &Agent, instance: InstanceId) -> bool {
    agent.instance_id() == instance && (agent.instance.is_some() || agent.phase == Phase::Provisioning)
}

fn told(seen: &Observed) -> impl Iterator<Item = (Timestamp, &EventKind)> + Clone {
    seen.told.iter().map(|(at, kind)| (*at, kind))
}

fn tells_news(agent: &Agent, seen: &Observed) -> bool {
    seen.told.iter().any(|(_, kind)| is_news(agent, kind))
}
