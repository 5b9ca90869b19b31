//! One run of a demonstration, from its start until it is begun anew.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::agent::Phase;
use domain::id::AgentId;
use domain::money::{NanoDollars, Rate};
use domain::protocol::from_hex;
use domain::stage::Look;
use domain::tier::TierFloor;
use domain::view::AgentView;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Config, crowd, failed, open, policy};
use crate::budgets::Budgets;
use crate::clock::{Clock as _, DemoClock, Speed};
use crate::error::Result;
use crate::fleet::Fleet;
use crate::identity::Principal;
use crate::live::Writers;
use crate::orchestrator::{LaunchPolicy, Orchestrator};
use crate::plane::{ControlPlane, Keys, Parts};
use crate::prices::Prices;
use crate::provider::Direct;
use crate::provider::simulated::{Model, Simulated};
use crate::random;
use crate::snapshots::Place;
use crate::spend::Spend;
use crate::store::{Shard, Store};

/// The ledger as it is at the start, and each show's copy of it.
pub(super) const LEDGER: &str = "console.db";
/// How often a past show's folder is tried to be removed.
const REMOVALS: u32 = 20;
/// Rows that one look at the ledger takes.
const PAGE: u16 = 100;

/// A control plane of its own, and those who use it.
pub struct Show {
    pub fleet: Arc<Fleet>,
    pub spend: Arc<Spend>,
    pub budgets: Arc<Budgets>,
    /// Of two shows the later has the higher.
    pub number: u32,
    pub(super) provider: Arc<Simulated>,
    pub(super) clock: Arc<DemoClock>,
    orchestrator: Arc<Orchestrator>,
    folder: PathBuf,
    stop: CancellationToken,
    tasks: Mutex<JoinSet<()>>,
}

impl Show {
    pub(super) async fn begin(
        config: &Config,
        agents: &[(Principal, AgentId)],
        number: u32,
    ) -> Result<Arc<Self>> {
        let folder = config.folder.join(format!("show-{number}"));
        tokio::fs::create_dir(&folder).await.map_err(|error| failed("the show's folder", error))?;
        let ledger = folder.join(LEDGER);
        tokio::fs::copy(config.folder.join(LEDGER), &ledger)
            .await
            .map_err(|error| failed("copying the ledger", error))?;
        let store: Arc<dyn Store> = Arc::new(open(&ledger)?);
        let clock = Arc::new(DemoClock::new(config.start, Speed::REAL));
        let model = Model::new(config.seed);
        let (tell, events) = mpsc::channel(1024);
        let provider = Arc::new(Simulated::new(Arc::clone(&clock), model, tell));
        let key = || from_hex(random::secret().expose()).expect("it is hexadecimal");
        let plane = ControlPlane::new(Parts {
            clock: Arc::clone(&clock) as _,
            store: Arc::clone(&store),
            writers: Writers::One,
            provider: Arc::clone(&provider) as _,
            events,
            snapshots: Place::Folder(folder.join("snapshots")),
            keys: Keys { ticket: key(), repository: key() },
            policy: policy(),
            prices: Prices::built_in(),
            installation: Default::default(),
            notify: None,
            audit: config.audit.clone(),
            launches: LaunchPolicy { direct: Direct::RelayOnly, floor: TierFloor::Sandbox },
            origins: config.origins.clone(),
            certificate: None,
        });
        let plane = plane.map_err(|error| failed("the ticket key", error))?;
        provider.connect(plane.link);
        for agent in metered(store.as_ref()).await? {
            provider.adopt(agent.instance_id(), agent.last_use);
        }
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&plane.orchestrator).run(plane.events, stop.clone()));
        let crowd = crowd::live(Arc::clone(&plane.fleet), Arc::clone(&clock), model, agents.to_vec());
        let until = stop.clone();
        tasks.spawn(async move { until.run_until_cancelled(crowd).await.unwrap_or_default() });
        Ok(Arc::new(Self {
            fleet: plane.fleet,
            spend: plane.spend,
            budgets: plane.budgets,
            number,
            provider,
            clock,
            orchestrator: plane.orchestrator,
            folder,
            stop,
            tasks: Mutex::new(tasks),
        }))
    }

    /// Ends it; what is left of it is removed.
    pub(super) async fn end(&self) {
        self.stop.cancel();
        self.provider.close();
        self.fleet.ledger.hub.close();
        let mut tasks = std::mem::take(&mut *self.tasks.lock().expect("no holder panics"));
        while tasks.join_next().await.is_some() {}
        // A write that was begun comes to its end, and would be in the way.
        for _ in 0..REMOVALS {
            match tokio::fs::remove_dir_all(&self.folder).await {
                Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(%error, "a past show was not removed: {}", self.folder.display());
                    return;
                }
            }
        }
        tracing::warn!("a past show is still written to, and was not removed: {}", self.folder.display());
    }

    pub fn set_speed(&self, speed: Speed) {
        self.clock.set_speed(speed);
        self.orchestrator.wake_up();
    }

    /// How it is now, by what its owners see.
    pub async fn look(&self, owners: &[Principal]) -> Result<Look> {
        let mut look = Look {
            now: self.clock.now(),
            speed: self.clock.speed(),
            awake: 0,
            waking: 0,
            asleep: 0,
            failed: 0,
            rate: Rate::ZERO,
            month: NanoDollars::ZERO,
        };
        for (_, view) in self.all(owners).await? {
            match view.phase {
                Phase::Running | Phase::Saving | Phase::Interrupted { .. } => look.awake += 1,
                Phase::Pending | Phase::Provisioning | Phase::Booting => look.waking += 1,
                Phase::Failed { .. } => look.failed += 1,
                Phase::Asleep | Phase::Deleting | Phase::Deleted => look.asleep += 1,
            }
            look.month += view.meter.month.unwrap_or_default();
            if view.meter.running {
                look.rate = Rate(look.rate.0 + view.meter.rate.0);
            }
        }
        Ok(look)
    }

    /// All agents, owner by owner.
    pub(super) async fn all(&self, owners: &[Principal]) -> Result<Vec<(Principal, AgentView)>> {
        let mut all = Vec::new();
        for owner in owners {
            all.extend(self.fleet.list(owner).await?.into_iter().map(|view| (owner.clone(), view)));
        }
        Ok(all)
    }
}

async fn metered(store: &dyn Store) -> Result<Vec<domain::agent::Agent>> {
    let mut all = Vec::new();
    for shard in Shard::all() {
        // A shard holds a sixteenth of the fleet: one look has it whole.
        let awake = store.awake(shard, None, PAGE).await?;
        all.extend(awake.into_iter().filter(|agent| agent.instance.is_some()));
    }
    Ok(all)
}
