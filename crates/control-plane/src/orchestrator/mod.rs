//! Drives what is recorded to what is wanted. Level-triggered: each step looks
//! at the ledger and does the one next thing, so being killed between any two
//! instructions loses nothing. Work is found by deadlines, never by walking
//! over the fleet.

mod deadlines;
mod hear;
mod reconcile;
mod waiting;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::agent::Agent;
use domain::lifecycle::Seen;
use domain::tier::TierFloor;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::budgets::{self, Courier, Endpoint};
use crate::closed;
use crate::due::Look;
use crate::error::{Error, Result};
use crate::instances::Instances;
use crate::ledger::{Ledger, settled};
use crate::provider::{Direct, Provider, ProviderError, ProviderEvent};
use crate::snapshots::Repositories;
use crate::spend;
use crate::store::Shard;

pub(crate) use waiting::Waiting;

/// How long, in real time, a claimed agent is this replica's alone: so soon another takes over
/// after it was killed. Longer than most steps; a step that is done twice does
/// no harm.
const CLAIM: Duration = Duration::from_secs(8);
/// Steps that are under way at once.
const STEPS_MAX: usize = 64;
/// Agents taken from a shard at once.
const BATCH: u16 = 64;
/// How often provider and ledger are compared though nothing was told.
const RECONCILE_EVERY: Duration = Duration::from_secs(30);
/// How close to each other that may come where a clock goes faster.
const RECONCILE_LEAST: Duration = Duration::from_secs(1);
/// How often expired rows are swept out.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// After the ledger failed.
const PAUSE: Duration = Duration::from_secs(1);

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
    /// Launches that wait for the provider's turn.
    pub(crate) waiting: Waiting,
    /// Where notices are sent besides being shown.
    pub(crate) notify: Option<Endpoint>,
}

impl Orchestrator {
    /// Works until `stop` is cancelled, then ends its steps.
    pub async fn run(self: Arc<Self>, events: mpsc::Receiver<ProviderEvent>, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        tasks.spawn(stop.clone().run_until_cancelled_owned(Arc::clone(&self).work_deadlines()));
        tasks.spawn(stop.clone().run_until_cancelled_owned(Arc::clone(&self).keep_in_step()));
        if let Some(endpoint) = self.notify.clone() {
            match Courier::new(Arc::clone(&self.ledger), endpoint) {
                Ok(courier) => drop(tasks.spawn(stop.clone().run_until_cancelled_owned(async {
                    courier.run().await;
                }))),
                Err(error) => {
                    tracing::error!(%error, "no notice is sent: the system has no root certificates")
                }
            }
        }
        stop.run_until_cancelled(self.hear(events)).await;
        while tasks.join_next().await.is_some() {}
    }

    /// Looks at once for what is due: the clock goes faster than when it began to wait.
    pub fn wake_up(&self) {
        self.ledger.due.ring();
    }

    /// Stops all that runs, saved or not: this installation ends for good.
    pub async fn stop_everything(&self) -> Result<()> {
        for seen in self.provider.list().await? {
            self.provider.stop(&seen.instance).await?;
        }
        Ok(())
    }

    async fn work_deadlines(self: Arc<Self>) {
        let room = Arc::new(Semaphore::new(STEPS_MAX));
        let mut steps = JoinSet::new();
        loop {
            for (shard, look) in self.ledger.due.take(self.ledger.now(), self.ledger.clock.speed()) {
                if let Err(error) = self.look(shard, look, &room, &mut steps).await {
                    tracing::error!(%error, shard = shard.0, "the ledger gave no due work");
                    self.ledger.due.at(shard, self.ledger.now().after(PAUSE));
                }
            }
            while steps.try_join_next().is_some() {}
            self.ledger.due.wait(self.ledger.now(), self.ledger.clock.speed()).await;
        }
    }

    /// Starts what is due in a shard, and notes what is due next.
    async fn look(
        self: &Arc<Self>,
        shard: Shard,
        look: Look,
        room: &Arc<Semaphore>,
        steps: &mut JoinSet<()>,
    ) -> Result<()> {
        let now = self.ledger.now();
        let mut next = match look {
            Look::Due => Some(now),
            Look::Ask => self.ledger.store.next_due(shard).await?,
        };
        if next.is_some_and(|at| at <= now) {
            self.start_due(shard, room, steps).await?;
            next = self.ledger.store.next_due(shard).await?;
        }
        if let Some(next) = next {
            self.ledger.due.at(shard, next);
        }
        Ok(())
    }

    /// Claims what is due and starts a step for each.
    async fn start_due(
        self: &Arc<Self>,
        shard: Shard,
        room: &Arc<Semaphore>,
        steps: &mut JoinSet<()>,
    ) -> Result<()> {
        // No more than can be begun: a claim must not run out while it queues.
        drop(room.acquire().await.expect("the semaphore is never closed"));
        let most = BATCH.min(u16::try_from(room.available_permits()).unwrap_or(BATCH)).max(1);
        let now = self.ledger.now();
        let claim = now.after(CLAIM * self.ledger.clock.speed());
        for agent in self.ledger.store.claim_due(shard, now, claim, most).await? {
            let permit = Arc::clone(room).acquire_owned().await.expect("the semaphore is never closed");
            steps.spawn(Arc::clone(self).work_on(agent, permit, Arc::clone(room)));
        }
        Ok(())
    }

    async fn work_on(self: Arc<Self>, agent: Agent, permit: OwnedSemaphorePermit, room: Arc<Semaphore>) {
        let (id, phase) = (agent.id, agent.phase.clone());
        let permit = if deadlines::launches(&agent) {
            // Claimed again while it waits: once is enough.
            let Some(_waits) = self.waiting.enter(id) else { return };
            drop(permit);
            self.provider.turn(agent.owner).await;
            room.acquire_owned().await.expect("the semaphore is never closed")
        } else {
            permit
        };
        // That it takes its time to end is no failure.
        if let Err(error) = self.step(agent).await
            && !matches!(error, Error::Provider(ProviderError::StillRunning(_)))
        {
            tracing::warn!(agent = %id, ?phase, %error, "agent {id}: the step failed and will be repeated");
        }
        drop(permit);
    }

    async fn keep_in_step(self: Arc<Self>) {
        let mut swept = tokio::time::Instant::now();
        // Whose agents ended since the last look: they may have used a budget up.
        let mut ended = BTreeSet::new();
        loop {
            if let Err(error) = spend::fold_of(&*self.ledger.store, &mut ended).await {
                tracing::error!(%error, "closed segments were not added to the rollups");
            }
            // The ledger first: what is launched in between is then only in the
            // provider's list, where it is looked up again before anything is judged.
            match self.metered().await {
                Ok(metered) => {
                    let mut owners = std::mem::take(&mut ended);
                    owners.extend(metered.values().map(|agent| agent.owner));
                    if let Err(error) = self.reconcile(metered).await {
                        tracing::error!(%error, "provider and ledger could not be compared");
                    }
                    closed::put_all_to_sleep(&self.ledger, &owners).await;
                    if let Err(error) = budgets::enforce(&self.ledger, &owners, self.notify.is_some()).await {
                        tracing::error!(%error, "budgets were not looked at");
                        ended = owners;
                    }
                }
                Err(error) => tracing::error!(%error, "the ledger did not tell what runs"),
            }
            if swept.elapsed() >= SWEEP_EVERY {
                swept = tokio::time::Instant::now();
                if let Err(error) = self.ledger.store.sweep(self.ledger.now()).await {
                    tracing::error!(%error, "expired rows were not swept");
                }
            }
            // A demonstration's half minute is shorter.
            let pause = RECONCILE_EVERY / self.ledger.clock.speed();
            tokio::time::sleep(pause.max(RECONCILE_LEAST)).await;
        }
    }

    /// Stops what of `agent`'s run may be there, and records that it is gone.
    async fn stop(&self, agent: &Agent) -> Result<()> {
        let instance = agent.instance_id();
        let at = self.provider.stop(&instance).await?;
        let launched = agent.instance.as_ref().map(|instance| instance.started_at);
        // Launched a moment ago and not to be found: what the provider tells may be
        // older than it, and it would run on unmetered.
        if at.is_none() && launched.is_some_and(|at| self.ledger.now().since(at) < self.provider.lag()) {
            return Err(ProviderError::StillRunning(instance).into());
        }
        match settled(self.ledger.saw(instance, Seen::Stopped { at }).await) {
            // Its end was told first, and meant the same.
            Err(Error::Illegal(_)) => Ok(()),
            outcome => outcome.map(drop),
        }
    }
}
