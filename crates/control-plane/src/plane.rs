//! A control plane, put together from what one engine or another brings.

use std::sync::Arc;

use domain::lifecycle::Policy;
use domain::protocol::Certificate;
use domain::spend::Installation;
use domain::ticket::{Refused, TicketSigner, TicketVerifier};
use tokio::sync::mpsc;

use crate::audit::Audit;
use crate::budgets::{Budgets, Endpoint};
use crate::clock::Clock;
use crate::drain::Drain;
use crate::fleet::Fleet;
use crate::guests::Guests;
use crate::identity::Identity;
use crate::instances::Instances;
use crate::ledger::Ledger;
use crate::link::Link;
use crate::live::Writers;
use crate::orchestrator::{LaunchPolicy, Orchestrator, Waiting};
use crate::prices::Prices;
use crate::provider::{Provider, ProviderEvent};
use crate::snapshots::{Place, Repositories};
use crate::spend::Spend;
use crate::store::Store;

/// What an engine brings.
pub struct Parts {
    pub clock: Arc<dyn Clock>,
    pub store: Arc<dyn Store>,
    pub writers: Writers,
    pub provider: Arc<dyn Provider>,
    pub events: mpsc::Receiver<ProviderEvent>,
    pub snapshots: Place,
    pub keys: Keys,
    pub policy: Policy,
    pub prices: Prices,
    /// What is there besides agents, and costs.
    pub installation: Installation,
    /// Where budgets' notices are sent besides being shown.
    pub notify: Option<Endpoint>,
    /// Where it is told what people did; in its own store unless another log is named.
    pub audit: Option<Audit>,
    pub launches: LaunchPolicy,
    /// `Origin`s that terminals may be opened from.
    pub origins: Vec<String>,
    /// For instances that browsers reach by themselves.
    pub certificate: Option<Certificate>,
}

/// The installation's secrets.
#[derive(Clone, Copy)]
pub struct Keys {
    /// Signs tickets.
    pub ticket: [u8; 32],
    /// The repositories' keys are derived from it: without it no snapshot can be read.
    pub repository: [u8; 32],
}

/// A control plane, wired.
pub struct ControlPlane {
    pub fleet: Arc<Fleet>,
    pub identity: Arc<Identity>,
    pub spend: Arc<Spend>,
    pub budgets: Arc<Budgets>,
    pub link: Arc<Link>,
    pub orchestrator: Arc<Orchestrator>,
    pub events: mpsc::Receiver<ProviderEvent>,
}

impl ControlPlane {
    /// # Errors
    /// The ticket key is none.
    pub fn new(parts: Parts) -> Result<Self, Refused> {
        let Parts {
            clock,
            store,
            writers,
            provider,
            events,
            snapshots,
            keys,
            policy,
            prices,
            installation,
            notify,
            audit,
            launches,
            origins,
            certificate,
        } = parts;
        let audit = audit.unwrap_or_else(|| Audit::new(Arc::clone(&store), Arc::clone(&clock)));
        if prices.at(clock.now()).is_empty() {
            tracing::warn!(region = %prices.region, "the price book has no line for {}: what is billed there is unknown", prices.region);
        }
        let signer = Arc::new(TicketSigner::new(&keys.ticket));
        let verifier = TicketVerifier::new(&signer.public_key())?;
        let master = repository::MasterSecret::new(keys.repository);
        let repositories = Arc::new(Repositories::new(snapshots, master));
        let ledger = Arc::new(Ledger::new(store.clone(), clock.clone(), policy, prices.clone(), writers));
        let spend = Spend::new(Arc::clone(&store), Arc::clone(&clock))
            .telling(audit.clone())
            .with_upkeep(installation, prices)
            .with_list(Arc::clone(&ledger));
        let instances = Arc::new(Instances::new(Arc::clone(&provider), Arc::clone(&signer)));
        let budgets = Arc::new(Budgets::of(Arc::clone(&ledger), audit.clone(), notify.as_ref()));
        let orchestrator = Arc::new(Orchestrator {
            ledger: Arc::clone(&ledger),
            provider: Arc::clone(&provider),
            instances: Arc::clone(&instances),
            repositories: Arc::clone(&repositories),
            launches,
            waiting: Waiting::default(),
            notify,
        });
        let identity = Arc::new(Identity::new(Arc::clone(&store), Arc::clone(&clock)));
        let guests = Guests::new(Arc::clone(&ledger), Arc::clone(&identity), Arc::clone(&instances));
        Ok(Self {
            fleet: Arc::new(Fleet {
                ledger: Arc::clone(&ledger),
                drain: Drain::of(provider.name()),
                provider,
                instances,
                signer: Arc::clone(&signer),
                audit: audit.clone(),
                guests: Arc::new(guests),
            }),
            budgets,
            spend: Arc::new(spend),
            identity,
            link: Arc::new(Link {
                ledger,
                orchestrator: Arc::clone(&orchestrator),
                signer,
                verifier,
                repositories,
                origins,
                certificate,
            }),
            orchestrator,
            events,
        })
    }
}
