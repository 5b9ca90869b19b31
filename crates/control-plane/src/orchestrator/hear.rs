//! What providers tell unasked, recorded. Of one agent in the order in which it
//! came, of different ones side by side.

use std::sync::Arc;
use std::time::Duration;

use domain::agent::{Agent, Failure, FailureReason, Phase};
use domain::id::InstanceId;
use domain::lifecycle::{Illegal, Seen};
use domain::tier::Tier;
use domain::time::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::error::{Error, Result};
use crate::ledger::settled;
use crate::provider::{EventKind, Exit, ProviderError, ProviderEvent};
use crate::store::Shard;

use super::Orchestrator;

/// Events that are taken at once: those of one message come together.
const EVENTS: usize = 64;
/// Until what came too early is looked at again, and how often it is.
const EARLY: (Duration, u32) = (Duration::from_millis(50), 20);

impl Orchestrator {
    /// Hears what comes until nobody tells any more.
    pub(super) async fn hear(self: Arc<Self>, mut events: mpsc::Receiver<ProviderEvent>) {
        let mut lanes = JoinSet::new();
        let lane = |_| {
            let (tell, mut told) = mpsc::channel::<ProviderEvent>(EVENTS);
            let orchestrator = Arc::clone(&self);
            lanes.spawn(async move {
                let mut batch = Vec::with_capacity(EVENTS);
                while told.recv_many(&mut batch, EVENTS).await > 0 {
                    for of_one in batch.chunk_by(|a, b| a.instance == b.instance) {
                        orchestrator.hear_of(of_one).await;
                    }
                    batch.clear();
                }
            });
            tell
        };
        let tell: Vec<_> = Shard::all().map(lane).collect();
        while let Some(event) = events.recv().await {
            let shard = Shard::of(event.instance.agent);
            // A lane ends with its sender.
            let _ = tell[usize::from(shard.0)].send(event).await;
        }
    }

    /// Records events of one instance.
    async fn hear_of(&self, events: &[ProviderEvent]) {
        let instance = events[0].instance;
        let told = || events.iter().map(|event| (event.at, &event.kind));
        for _ in 0..EARLY.1 {
            let outcome = match self.ledger.agent(instance.agent).await {
                Ok(agent) => self.catch_up(agent, instance, told()).await,
                Err(error) => Err(error),
            };
            match outcome {
                // The end of an instance may be told before its launch is recorded.
                Err(Error::Illegal(Illegal::TooEarly)) => tokio::time::sleep(EARLY.0).await,
                Ok(()) | Err(Error::Illegal(_) | Error::NotFound) => return,
                Err(error) => {
                    tracing::error!(%instance, %error, "what {instance} did was not recorded");
                    return;
                }
            }
        }
    }

    /// Records what was told of an instance and is news to the ledger.
    pub(super) async fn catch_up<'a>(
        &self,
        mut agent: Agent,
        instance: InstanceId,
        told: impl Iterator<Item = (Timestamp, &'a EventKind)> + Clone,
    ) -> Result<()> {
        let is_over = told.clone().any(|(_, kind)| kind.is_end());
        if agent.instance_id() != instance {
            // Of a run that is over. What still runs of it is not wanted.
            let is_billed = told.clone().any(|(_, kind)| matches!(kind, EventKind::Billed(_)));
            return if is_billed && !is_over { self.stop_unwanted(instance).await } else { Ok(()) };
        }
        for (at, kind) in told {
            if is_news(&agent, kind)
                && let Some(after) = self.heard(&agent, at, kind).await?
            {
                agent = after;
            }
        }
        Ok(())
    }

    /// Records what a provider told of the agent's run; the agent as it is then.
    /// What comes too late changes nothing.
    async fn heard(&self, agent: &Agent, at: Timestamp, kind: &EventKind) -> Result<Option<Agent>> {
        let instance = agent.instance_id();
        let seen = match kind {
            EventKind::Placed(marks) => Seen::Placed { marks: marks.clone() },
            EventKind::Billed(purchase) => {
                let price = self.ledger.rates(at).launched(agent.provider, agent.size, *purchase);
                let seen = Seen::Launched { started_at: at, tier: Tier::own_machine(), price };
                return self.metered_from(instance, seen).await;
            }
            EventKind::NotStarted(exit) => {
                let failure = Failure::new(FailureReason::LaunchRefused, &exit.last_output);
                let ended = Seen::Ended { failure: failure.clone(), at };
                match self.ledger.saw(instance, ended).await {
                    Err(Error::Illegal(Illegal::TooEarly)) => Seen::LaunchFailed { failure },
                    outcome => return settled(outcome),
                }
            }
            EventKind::Interrupted => Seen::InterruptionNotice { until: at },
            EventKind::Exited(exit) => return self.exited(instance, exit, at).await,
        };
        match settled(self.ledger.saw(instance, seen).await) {
            Err(Error::Illegal(Illegal::NotNow | Illegal::Stale | Illegal::Gone)) => Ok(None),
            outcome => outcome,
        }
    }

    /// Records that an instance is metered; one that nobody wants any more must
    /// not run on unmetered.
    pub(super) async fn metered_from(&self, instance: InstanceId, seen: Seen) -> Result<Option<Agent>> {
        match settled(self.ledger.saw(instance, seen).await) {
            Err(Error::Illegal(_)) => self.stop_unwanted(instance).await.map(|()| None),
            outcome => outcome,
        }
    }

    /// Stops what the ledger does not want to run.
    pub(super) async fn stop_unwanted(&self, instance: InstanceId) -> Result<()> {
        match self.provider.stop(&instance).await {
            // It is ending; the next comparison sees whether it has.
            Ok(_) | Err(ProviderError::StillRunning(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Records that an instance ended though nobody stopped it.
    pub(super) async fn exited(
        &self,
        instance: InstanceId,
        exit: &Exit,
        at: Timestamp,
    ) -> Result<Option<Agent>> {
        settled(self.ledger.saw(instance, Seen::Ended { failure: failure_of(exit), at }).await)
    }
}

/// Whether the ledger may not know it yet. Each event tells again all that a
/// task's earlier ones told, so most of it is known: that costs no look.
pub(super) fn is_news(agent: &Agent, kind: &EventKind) -> bool {
    match kind {
        EventKind::Placed(marks) => {
            let reached = agent.boot.current();
            agent.phase == Phase::Provisioning && marks.iter().any(|mark| Some(mark.phase) > reached)
        }
        EventKind::Billed(_) => agent.metered != agent.generation,
        EventKind::Interrupted => {
            matches!(agent.phase, Phase::Provisioning | Phase::Booting | Phase::Running)
        }
        EventKind::NotStarted(_) | EventKind::Exited(_) => {
            agent.instance.is_some() || agent.phase == Phase::Provisioning
        }
    }
}

fn failure_of(exit: &Exit) -> Failure {
    let reason = if exit.oom { FailureReason::OutOfMemory } else { FailureReason::Crashed };
    let how = match (exit.code, exit.signal) {
        (_, Some(signal)) => format!("killed by signal {signal}"),
        (Some(code), None) => format!("exit code {code}"),
        (None, None) => "ended unseen".to_owned(),
    };
    Failure::new(reason, &format!("{how}\n{}", exit.last_output))
}
