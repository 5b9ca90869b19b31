//! Drives what is recorded to what is wanted. Level-triggered: each step looks
//! at the ledger and does the one next thing, so being killed between any two
//! instructions loses nothing. Work is found by deadlines, never by walking
//! over the fleet.

mod deadlines;
mod reconcile;

use std::sync::Arc;
use std::time::Duration;

use domain::agent::{Agent, Failure, FailureReason};
use domain::id::InstanceId;
use domain::lifecycle::{Illegal, Seen};
use domain::tier::{Tier, TierFloor};
use domain::time::Timestamp;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::instances::Instances;
use crate::ledger::{Ledger, settled};
use crate::provider::{Direct, EventKind, Exit, Provider, ProviderError, ProviderEvent};
use crate::snapshots::Repositories;
use crate::store::Shard;

/// How long a claimed agent is this replica's alone: so soon another takes over
/// after it was killed. Longer than most steps; a step that is done twice does
/// no harm.
const CLAIM: Duration = Duration::from_secs(8);
/// Steps that are under way at once.
const STEPS_MAX: usize = 64;
/// Agents taken from a shard at once.
const BATCH: u16 = 64;
/// How often provider and ledger are compared though nothing was told.
const RECONCILE_EVERY: Duration = Duration::from_secs(30);
/// How often expired rows are swept out.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// The longest sleep, should a deadline be missed after all.
const NAP_MAX: Duration = Duration::from_secs(5);

/// What the fleet demands of every launch.
#[derive(Debug, Clone, Copy)]
pub struct LaunchPolicy {
    pub direct: Direct,
    pub floor: TierFloor,
}

/// The orchestrator of one provider.
pub struct Orchestrator {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) instances: Arc<Instances>,
    pub(crate) repositories: Arc<Repositories>,
    pub(crate) launches: LaunchPolicy,
}

impl Orchestrator {
    /// Works until `stop` is cancelled, then ends its steps.
    pub async fn run(self: Arc<Self>, mut events: mpsc::Receiver<ProviderEvent>, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        tasks.spawn(stop.clone().run_until_cancelled_owned(Arc::clone(&self).work_deadlines()));
        tasks.spawn(stop.clone().run_until_cancelled_owned(Arc::clone(&self).keep_in_step()));
        let hear = async move {
            while let Some(event) = events.recv().await {
                self.hear(event).await;
            }
        };
        stop.run_until_cancelled(hear).await;
        while tasks.join_next().await.is_some() {}
    }

    async fn work_deadlines(self: Arc<Self>) {
        let room = Arc::new(Semaphore::new(STEPS_MAX));
        let mut steps = JoinSet::new();
        loop {
            let due = self.ledger.due.notified();
            if let Err(error) = self.start_due(&room, &mut steps).await {
                tracing::error!(%error, "the ledger gave no due work");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
            while steps.try_join_next().is_some() {}
            tokio::select! {
                () = due => {}
                () = tokio::time::sleep(self.nap().await) => {}
            }
        }
    }

    /// Claims what is due and starts a step for each.
    async fn start_due(self: &Arc<Self>, room: &Arc<Semaphore>, steps: &mut JoinSet<()>) -> Result<()> {
        for shard in Shard::all() {
            let now = self.ledger.now();
            let due = self.ledger.store.claim_due(shard, now, now.after(CLAIM), BATCH).await?;
            for agent in due {
                let permit = Arc::clone(room).acquire_owned().await.expect("the semaphore is never closed");
                let orchestrator = Arc::clone(self);
                steps.spawn(async move {
                    let (id, phase) = (agent.id, agent.phase.clone());
                    let outcome = orchestrator.step(agent).await;
                    // That it takes its time to end is no failure.
                    if let Err(error) = outcome
                        && !matches!(error, Error::Provider(ProviderError::StillRunning(_)))
                    {
                        tracing::warn!(agent = %id, ?phase, %error, "agent {id}: the step failed and will be repeated");
                    }
                    drop(permit);
                });
            }
        }
        Ok(())
    }

    async fn nap(&self) -> Duration {
        let mut earliest = self.ledger.now().after(NAP_MAX);
        for shard in Shard::all() {
            match self.ledger.store.next_due(shard).await {
                Ok(Some(due)) => earliest = earliest.min(due),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "the ledger told no deadline"),
            }
        }
        // A step that keeps failing stays due: no spinning on it.
        earliest.since(self.ledger.now()).max(Duration::from_millis(2))
    }

    async fn keep_in_step(self: Arc<Self>) {
        let mut swept = tokio::time::Instant::now();
        loop {
            if let Err(error) = self.reconcile().await {
                tracing::error!(%error, "provider and ledger could not be compared");
            }
            if swept.elapsed() >= SWEEP_EVERY {
                swept = tokio::time::Instant::now();
                if let Err(error) = self.ledger.store.sweep(self.ledger.now()).await {
                    tracing::error!(%error, "expired rows were not swept");
                }
            }
            tokio::time::sleep(RECONCILE_EVERY).await;
        }
    }

    async fn hear(&self, event: ProviderEvent) {
        // The end of an instance may be told before its launch is recorded.
        for _ in 0..20 {
            match self.heard(&event).await {
                Err(Error::Illegal(Illegal::TooEarly)) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Ok(()) | Err(Error::Illegal(_) | Error::NotFound) => return,
                Err(error) => {
                    tracing::error!(instance = %event.instance, ?event.kind, %error, "what {} did was not recorded", event.instance);
                    return;
                }
            }
        }
    }

    /// Records what a provider told. What is known already is no news, and
    /// neither is what comes too late.
    async fn heard(&self, event: &ProviderEvent) -> Result<()> {
        let instance = event.instance;
        let seen = match &event.kind {
            EventKind::Placed(marks) => Seen::Placed { marks: marks.clone() },
            EventKind::Billed(purchase) => {
                let price = self.ledger.book.billed(self.ledger.agent(instance.agent).await?.size, *purchase);
                let seen = Seen::Launched { started_at: event.at, tier: Tier::own_machine(), price };
                return self.metered_from(instance, seen).await;
            }
            EventKind::NotStarted(exit) => {
                let failure = Failure::new(FailureReason::LaunchRefused, &exit.last_output);
                let ended = Seen::Ended { failure: failure.clone(), at: event.at };
                match self.ledger.saw(instance, ended).await {
                    Err(Error::Illegal(Illegal::TooEarly)) => Seen::LaunchFailed { failure },
                    outcome => return settled(outcome).map(drop),
                }
            }
            EventKind::Interrupted => Seen::InterruptionNotice { until: event.at },
            EventKind::Exited(exit) => return self.exited(instance, exit, event.at).await,
        };
        match settled(self.ledger.saw(instance, seen).await) {
            Err(Error::Illegal(Illegal::NotNow | Illegal::Stale | Illegal::Gone)) => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    /// Records that an instance is metered; one that nobody wants any more must
    /// not run on unmetered.
    async fn metered_from(&self, instance: InstanceId, seen: Seen) -> Result<()> {
        match settled(self.ledger.saw(instance, seen).await) {
            Ok(_) => Ok(()),
            Err(Error::Illegal(_)) => {
                match self.provider.stop(&instance).await {
                    // It is ending; the next comparison sees whether it has.
                    Ok(_) | Err(ProviderError::StillRunning(_)) => Ok(()),
                    Err(error) => Err(error.into()),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Records that an instance ended though nobody stopped it.
    async fn exited(&self, instance: InstanceId, exit: &Exit, at: Timestamp) -> Result<()> {
        settled(self.ledger.saw(instance, Seen::Ended { failure: failure_of(exit), at }).await)?;
        Ok(())
    }

    /// Stops what of `agent`'s run may be there, and records that it is gone.
    async fn stop(&self, agent: &Agent) -> Result<()> {
        let instance = agent.instance_id();
        let at = self.provider.stop(&instance).await?;
        match settled(self.ledger.saw(instance, Seen::Stopped { at }).await) {
            // Its end was told first, and meant the same.
            Err(Error::Illegal(_)) => Ok(()),
            outcome => outcome.map(drop),
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
