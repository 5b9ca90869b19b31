//! Whoever opens a terminal at an instance itself is out of the control plane's
//! sight: the instance knows tickets, and no sessions. It is told when the right
//! that a ticket was given by has ended, and shows them out.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::id::InstanceId;
use domain::protocol::ShowOut;

use crate::error::Error;
use crate::identity::{Identity, Proof};
use crate::instances::Instances;
use crate::ledger::Ledger;

/// How often an instance is told that does not answer.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(300);

/// Who may be at which instance. Of this process alone: what was opened before
/// it began lasts until the page goes or the agent sleeps.
pub(crate) struct Guests {
    pub ledger: Arc<Ledger>,
    pub identity: Arc<Identity>,
    pub instances: Arc<Instances>,
    known: Mutex<HashSet<(Proof, InstanceId)>>,
}

impl Guests {
    pub fn new(ledger: Arc<Ledger>, identity: Arc<Identity>, instances: Arc<Instances>) -> Self {
        Self { ledger, identity, instances, known: Mutex::default() }
    }

    /// Somebody got a ticket by `proof`: has them shown out when that ends.
    pub fn expect(self: &Arc<Self>, proof: Proof, instance: InstanceId) {
        if !self.known.lock().expect("no holder panics").insert((proof, instance)) {
            return;
        }
        let guests = Arc::clone(self);
        tokio::spawn(async move {
            guests.identity.until(|| guests.ended(proof, instance)).await;
            // Before they are shown out: a ticket that is given meanwhile is a new guest's.
            guests.known.lock().expect("no holder panics").remove(&(proof, instance));
            if guests.runs(instance).await {
                guests.show_out(proof, instance).await;
            }
        });
    }

    /// Whether the right has ended, or the run.
    async fn ended(&self, proof: Proof, instance: InstanceId) -> bool {
        let refused = matches!(self.identity.proves(proof).await, Err(Error::Unauthenticated));
        refused || !self.runs(instance).await
    }

    async fn runs(&self, instance: InstanceId) -> bool {
        match self.ledger.agent(instance.agent).await {
            Ok(agent) => agent.instance.is_some() && agent.instance_id() == instance,
            Err(Error::NotFound) => false,
            // That the ledger is away says nothing of the run.
            Err(_) => true,
        }
    }

    async fn show_out(&self, proof: Proof, instance: InstanceId) {
        let out = ShowOut { holder: proof.holder() };
        for _ in 0..TRIES {
            match self.instances.show_out(instance, out, self.ledger.now()).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(agent = %instance.agent, %error, "agent {}: a viewer was not shown out", instance.agent);
                }
            }
            tokio::time::sleep(PAUSE).await;
            if !self.runs(instance).await {
                return;
            }
        }
    }
}
