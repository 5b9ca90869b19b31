//! The engine of an AWS account: DynamoDB, S3, Fargate, and the events between.

mod doctor;

use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use domain::lifecycle::Policy;
use domain::price::PriceBook;
use domain::protocol::Certificate;
use domain::spend::Installation as Besides;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::budgets::{Budgets, Endpoint};
use crate::clock::SystemClock;
use crate::events::sqs::Queue;
use crate::identity::Identity;
use crate::live::Writers;
use crate::orchestrator::LaunchPolicy;
use crate::plane::{ControlPlane, Keys, Parts};
use crate::prices::Prices;
use crate::provider::Direct;
use crate::provider::fargate::{Cluster, Fargate};
use crate::provider::witness::Witness;
use crate::snapshots::Place;
use crate::spend::Spend;
use crate::store::Store;
use crate::store::dynamodb::{self, Dynamo, Lanes, TablePrefix};

pub use crate::provider::fargate::{Config as FargateConfig, DirectUrl, OnDemand};
pub use doctor::{Finding, State};

/// What an installation in AWS consists of. Account, region and credentials
/// come from AWS's own variables, files and metadata services.
pub struct Installation {
    pub tables: TablePrefix,
    pub bucket: String,
    /// Another endpoint for S3 than the region's own.
    pub s3_endpoint: Option<String>,
    /// The role whose rights instances get, each narrowed to its own part of the bucket.
    pub agent_role: String,
    /// The queue of ECS's events.
    pub queue: String,
    pub fargate: FargateConfig,
    /// What is there besides agents, and costs.
    pub besides: Besides,
    pub keys: Keys,
    /// By which instances encrypt browsers' connections, where browsers reach
    /// them and nothing before them does.
    pub certificate: Option<Certificate>,
}

impl Installation {
    fn bucket(&self, sdk: &SdkConfig, runtime: Handle) -> repository::s3::Bucket {
        let region = sdk.region().map(ToString::to_string).unwrap_or_default();
        let endpoint = repository::s3::Endpoint { region, url: self.s3_endpoint.clone() };
        repository::s3::Bucket::new(sdk, endpoint, self.bucket.clone(), self.agent_role.clone(), runtime)
    }
}

/// How the control plane works there.
pub struct Settings {
    pub policy: Policy,
    /// A book of the operator's own; it has to price this region.
    pub prices: Option<PriceBook>,
    pub notify: Option<Endpoint>,
    pub origins: Vec<String>,
    pub floor: domain::tier::TierFloor,
    /// Whether this process reads the queue of events.
    pub hears: bool,
}

/// All that is wrong with an installation, a line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Faults(pub Vec<String>);

/// The account that this process finds itself in.
pub struct Account(SdkConfig);

impl Account {
    /// # Errors
    /// No region is named anywhere.
    pub async fn find() -> Result<Self, Faults> {
        let sdk = aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await;
        if sdk.region().is_none() {
            return Err(Faults(vec!["no region: set AWS_REGION".to_owned()]));
        }
        Ok(Self(sdk))
    }

    /// The people alone, for commands beside a server that runs.
    ///
    /// # Errors
    /// What is wrong with the tables.
    pub async fn identity(&self, tables: TablePrefix) -> Result<Identity, Faults> {
        Ok(Identity::new(self.store(tables).await?, Arc::new(SystemClock)))
    }

    /// Budgets, for commands beside a server that runs.
    ///
    /// # Errors
    /// What is wrong with the tables.
    pub async fn budgets(&self, tables: TablePrefix) -> Result<Budgets, Faults> {
        Ok(Budgets::new(self.store(tables).await?, Arc::new(SystemClock)))
    }

    /// The books of what was spent, for commands beside a server that runs.
    ///
    /// # Errors
    /// What is wrong with the tables.
    pub async fn spend(&self, tables: TablePrefix) -> Result<Spend, Faults> {
        Ok(Spend::new(self.store(tables).await?, Arc::new(SystemClock)))
    }

    /// A cluster's tasks, to be held against the ledger.
    pub fn cluster(&self, name: String) -> impl Witness {
        Cluster::new(&self.0, name)
    }

    fn region(&self) -> String {
        self.0.region().map(ToString::to_string).unwrap_or_default()
    }

    async fn store(&self, tables: TablePrefix) -> Result<Arc<dyn Store>, Faults> {
        let config = dynamodb::Config { tables, lanes: Lanes::ONE };
        match Dynamo::open(&self.0, &config).await {
            Ok(store) => Ok(Arc::new(store)),
            Err(error) => Err(Faults(error.to_string().lines().map(str::to_owned).collect())),
        }
    }

    /// Makes the tables of a new installation. Those that are there are kept.
    ///
    /// # Errors
    /// What AWS said.
    pub async fn create_tables(&self, tables: &TablePrefix) -> Result<(), Faults> {
        dynamodb::create_tables(&self.0, tables).await.map_err(|error| Faults(vec![error.to_string()]))
    }

    /// A control plane in this account.
    ///
    /// # Errors
    /// Everything that is missing or otherwise than it must be, at once.
    pub async fn open(&self, at: Installation, settings: Settings) -> Result<ControlPlane, Faults> {
        let bucket = at.bucket(&self.0, Handle::current());
        let queue = Queue::new(&self.0, at.queue);
        let provider = Fargate::new(&self.0, at.fargate);
        let others = async {
            // Pages alone have no right to look at the rest.
            if !settings.hears {
                return Vec::new();
            }
            let (bucket, queue, fargate) = tokio::join!(bucket.check(), queue.check(), provider.check());
            let bucket = bucket.err().map(|error| format!("the bucket: {error}"));
            [bucket, queue.err(), fargate.err()].into_iter().flatten().collect()
        };
        let (store, mut faults) = tokio::join!(self.store(at.tables), others);
        let store = store.map_err(|Faults(more)| faults.extend(more)).ok();
        let Some(store) = store.filter(|_| faults.is_empty()) else { return Err(Faults(faults)) };
        let (tell, events) = mpsc::channel(1024);
        if settings.hears {
            tokio::spawn(queue.run(tell));
        }
        ControlPlane::new(Parts {
            clock: Arc::new(SystemClock),
            store,
            writers: Writers::Many,
            provider: Arc::new(provider),
            events,
            snapshots: Place::Bucket(Box::new(bucket)),
            keys: at.keys,
            certificate: at.certificate,
            policy: settings.policy,
            prices: Prices {
                book: settings.prices.unwrap_or_else(PriceBook::proposal),
                region: self.region(),
            },
            installation: at.besides,
            notify: settings.notify,
            audit: None,
            launches: LaunchPolicy { direct: Direct::RelayOnly, floor: settings.floor },
            origins: settings.origins,
        })
        .map_err(|error| Faults(vec![format!("the ticket key: {error}")]))
    }
}
