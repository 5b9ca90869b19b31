//! Instances that are only played: they boot, are used, save, and are taken
//! back by Spot as Fargate's are, on a clock of their own, and nothing runs.
//! What they do they do by the instances' own ways: they enrol, report and
//! commit at the control plane's counter, and answer when dialed.
//!
//! Nobody bills them: what they cost is Fargate Spot's price as an estimate.

mod answer;
mod habits;
mod life;
mod model;
pub(crate) mod random;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::agent::ProviderName;
use domain::id::InstanceId;
use domain::time::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    Connection, Enrolment, Exit, Launch, LaunchSpec, Observed, Provider, ProviderError, ProviderEvent,
};
use crate::clock::{Clock as _, DemoClock};
use crate::link::Link;
use life::{Life, Stage};

pub use model::Model;

/// Instances of one play. They end with it.
pub struct Simulated {
    house: Arc<House>,
    lives: Mutex<BTreeMap<InstanceId, Arc<Life>>>,
    _ends: DropGuard,
}

/// What all instances share.
struct House {
    clock: Arc<DemoClock>,
    model: Model,
    tell: mpsc::Sender<ProviderEvent>,
    /// The control plane's counter, once there is one.
    link: watch::Sender<Option<Arc<Link>>>,
    over: CancellationToken,
}

impl House {
    async fn link(&self) -> Arc<Link> {
        let mut link = self.link.subscribe();
        loop {
            if let Some(link) = link.borrow_and_update().clone() {
                return link;
            }
            // The sender is beside us.
            let _ = link.changed().await;
        }
    }
}

impl Simulated {
    /// None runs yet. What they do is told to `tell`; they boot no further than
    /// to their enrolment before [`Simulated::connect`].
    pub fn new(clock: Arc<DemoClock>, model: Model, tell: mpsc::Sender<ProviderEvent>) -> Self {
        let over = CancellationToken::new();
        let house = House { clock, model, tell, link: watch::Sender::new(None), over: over.clone() };
        Self { house: Arc::new(house), lives: Mutex::default(), _ends: over.drop_guard() }
    }

    /// Where instances enrol, report and commit.
    pub fn connect(&self, link: Arc<Link>) {
        self.house.link.send_replace(Some(link));
    }

    /// Ends all of it, without a word.
    pub(crate) fn close(&self) {
        self.house.over.cancel();
    }

    /// Goes on with an instance that the ledger has as running since `ready`.
    pub(crate) fn adopt(&self, instance: InstanceId, ready: Timestamp) {
        let life = Arc::new(Life::serving(instance, ready));
        self.lives.lock().expect("no holder panics").insert(instance, Arc::clone(&life));
        tokio::spawn(life.go_on(Arc::clone(&self.house)));
    }

    /// Has Spot take an instance back now, at its two minutes' notice. `false`
    /// when none such can be used.
    pub fn interrupt(&self, instance: &InstanceId) -> bool {
        self.life(instance).is_some_and(|life| life.interrupt())
    }

    fn life(&self, instance: &InstanceId) -> Option<Arc<Life>> {
        self.lives.lock().expect("no holder panics").get(instance).cloned()
    }
}

#[async_trait]
impl Provider for Simulated {
    fn name(&self) -> ProviderName {
        ProviderName::Simulated
    }

    async fn launch(&self, spec: &LaunchSpec) -> Result<Launch, ProviderError> {
        let (life, is_new) = {
            let mut lives = self.lives.lock().expect("no holder panics");
            let known = lives.get(&spec.instance).cloned();
            let is_new = known.is_none();
            let life =
                known.unwrap_or_else(|| Arc::new(Life::launched(spec.instance, self.house.clock.now())));
            lives.insert(spec.instance, Arc::clone(&life));
            (life, is_new)
        };
        if is_new {
            let enrolment = spec.enrolment.clone();
            tokio::spawn(Arc::clone(&life).boot(Arc::clone(&self.house), enrolment));
        }
        match life.stage() {
            Stage::Ended(..) => Err(ProviderError::Ended(spec.instance)),
            _ => Ok(Launch::Placed(life.told())),
        }
    }

    async fn stop(&self, instance: &InstanceId) -> Result<Option<Timestamp>, ProviderError> {
        let Some(life) = self.life(instance) else { return Ok(None) };
        life.end(&self.house, Exit { code: Some(0), ..Exit::default() }).await;
        match life.stage() {
            Stage::Ended(at, _) => Ok(Some(at)),
            _ => Err(ProviderError::StillRunning(*instance)),
        }
    }

    async fn list(&self) -> Result<Vec<Observed>, ProviderError> {
        Ok(self.lives.lock().expect("no holder panics").values().map(|life| life.observed()).collect())
    }

    async fn dial(&self, instance: &InstanceId) -> Result<Connection, ProviderError> {
        match self.life(instance) {
            Some(life) if life.stage() == Stage::Serving => Ok(answer::connection(&self.house, life)),
            _ => Err(ProviderError::NotRunning(*instance)),
        }
    }

    async fn direct(&self, _: &InstanceId) -> Option<String> {
        None
    }

    fn direct_source(&self) -> Option<String> {
        None
    }

    async fn forget(&self, instance: &InstanceId) -> Result<(), ProviderError> {
        let mut lives = self.lives.lock().expect("no holder panics");
        match lives.get(instance).map(|life| life.stage()) {
            Some(Stage::Ended(..)) => drop(lives.remove(instance)),
            Some(_) => return Err(ProviderError::StillRunning(*instance)),
            None => {}
        }
        Ok(())
    }
}
