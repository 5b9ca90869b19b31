//! Instances as AWS ECS tasks on Fargate: on Spot first, on demand where the
//! operator allows it and Spot has no room.
//!
//! A task carries its instance in `startedBy`, by which it is found again by
//! any control plane, and by one that was killed in mid-launch. Launching is
//! idempotent by `clientToken`. What a task does is told by events; asking for
//! it is the safety net.

mod cluster;
mod direct;
mod error;
mod journal;
mod launch;
mod pace;
mod task;

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_ecs::types::{DesiredStatus, Task};
use domain::agent::ProviderName;
use domain::id::{AgentId, InstanceId, UserId};
use domain::journal::Daemon;
use domain::time::Timestamp;
use tokio::net::TcpStream;

use super::{Connection, Launch, LaunchSpec, Observed, Provider, ProviderError, State};
use error::failed;
use pace::Pace;

pub use cluster::Cluster;
pub use direct::DirectUrl;
pub(crate) use task::{Told, Word, instance_of, purchase};

/// How long an instance may take to accept a connection.
const DIAL: Duration = Duration::from_secs(3);
const TRIES: u32 = 4;
const TRY_MAX: Duration = Duration::from_secs(5);
const REQUEST_MAX: Duration = Duration::from_secs(12);
/// ECS's lists lag behind what was launched.
const LAG: Duration = Duration::from_secs(60);

/// Where and how tasks run. The cluster is this installation's alone.
#[derive(Debug, Clone)]
pub struct Config {
    pub cluster: String,
    /// Task definitions (family, or with a revision) for x86 and, if any, ARM.
    pub x86: String,
    pub arm: Option<String>,
    /// The container in them that is overridden.
    pub container: String,
    pub subnets: Vec<String>,
    pub security_groups: Vec<String>,
    /// Where instances find the control plane: `https://…` or `http://…`.
    pub control: String,
    /// The port that instances serve on.
    pub port: u16,
    /// Where browsers reach instances by themselves, if they do.
    pub direct: Option<DirectUrl>,
    pub on_demand: OnDemand,
    /// Launches a second, and how many at once, of the account's quota.
    pub launches: (u32, u32),
}

/// What happens when Spot has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDemand {
    /// The launch fails, and says why.
    Never,
    /// On demand, at more than three times the price, until the next wake, if
    /// its owner said that they pay that.
    WhenSpotIsFull,
}

/// Tasks of one cluster.
pub struct Fargate {
    cluster: Cluster,
    config: Config,
    pace: Pace,
    /// What was seen last of instances' tasks; asked anew when it does not hold.
    known: Mutex<HashMap<InstanceId, Known>>,
}

#[derive(Clone)]
struct Known {
    arn: String,
    address: Option<IpAddr>,
    /// Of IPv6.
    wide: Option<Ipv6Addr>,
    /// Since when it runs, if it did when it was seen last.
    runs_since: Option<Timestamp>,
}

impl Fargate {
    pub fn new(sdk: &SdkConfig, config: Config) -> Self {
        let cluster = Cluster::new(sdk, config.cluster.clone());
        let pace = Pace::new(config.launches.0, config.launches.1);
        Self { cluster, config, pace, known: Mutex::default() }
    }

    /// Whether cluster and task definitions are there.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub async fn check(&self) -> Result<(), String> {
        let clusters = self.cluster.client.describe_clusters().clusters(&self.cluster.name).send().await;
        let clusters = clusters.map_err(|error| failed(None, "describing it", error).to_string())?;
        let status = clusters.clusters().first().and_then(|cluster| cluster.status());
        if status != Some("ACTIVE") {
            return Err(format!("the cluster {}: it is not there", self.cluster.name));
        }
        for definition in [Some(&self.config.x86), self.config.arm.as_ref()].into_iter().flatten() {
            let described =
                self.cluster.client.describe_task_definition().task_definition(definition).send().await;
            let described = described.map_err(|error| {
                format!("the task definition {definition}: {}", failed(None, "describing it", error))
            })?;
            let containers = described.task_definition().map(|found| found.container_definitions());
            let named = |name: Option<&str>| name == Some(self.config.container.as_str());
            if !containers.is_some_and(|all| all.iter().any(|container| named(container.name()))) {
                return Err(format!(
                    "the task definition {definition}: it has no container «{}»",
                    self.config.container
                ));
            }
        }
        Ok(())
    }

    /// The instance's task, if it is not ending: the oldest.
    async fn running(&self, instance: InstanceId) -> Result<Option<Task>, ProviderError> {
        // ECS takes no other filter beside this one, and then lists what is to run.
        let listing = self.cluster.client.list_tasks().cluster(&self.cluster.name);
        let listed = listing.started_by(task::started_by(instance)).send().await;
        let listed = listed.map_err(|error| failed(Some(instance), "listing its tasks", error))?;
        let found = task::choose(self.cluster.describe(listed.task_arns()).await?);
        self.remember(instance, found.as_ref());
        Ok(found)
    }

    /// The instance's task, though it be ending or have ended a while ago.
    async fn find(&self, instance: InstanceId) -> Result<Option<Task>, ProviderError> {
        if let Some(known) = self.known(instance) {
            let found = self.cluster.describe(&[known.arn]).await?;
            if !found.is_empty() {
                return Ok(task::choose(found));
            }
        }
        if let Some(found) = self.running(instance).await? {
            return Ok(Some(found));
        }
        Ok(task::choose(
            self.cluster.ended().await?.into_iter().filter(|task| task::is_of(task, instance)).collect(),
        ))
    }

    async fn stop_task(&self, instance: InstanceId, arn: &str, why: &str) -> Result<(), ProviderError> {
        let stopped =
            self.cluster.client.stop_task().cluster(&self.cluster.name).task(arn).reason(why).send().await;
        stopped.map(drop).map_err(|error| failed(Some(instance), "stopping its task", error))
    }

    fn known(&self, instance: InstanceId) -> Option<Known> {
        self.known.lock().expect("no holder panics").get(&instance).cloned()
    }

    fn remember(&self, instance: InstanceId, found: Option<&Task>) {
        let known = found.and_then(|found| {
            let (arn, runs_since) = (found.task_arn()?.to_owned(), task::runs_since(found));
            let (address, wide) = (task::address(found), task::wide_address(found));
            Some(Known { arn, address, wide, runs_since })
        });
        let mut all = self.known.lock().expect("no holder panics");
        match known {
            Some(known) => all.insert(instance, known),
            None => all.remove(&instance),
        };
    }

    /// Of the tasks that are listed: those that were seen to run, with since
    /// when, and the others. What is not listed is on its way out of memory.
    fn known_of(&self, listed: Vec<String>) -> (HashMap<InstanceId, (String, Timestamp)>, Vec<String>) {
        let mut listed: HashSet<String> = listed.into_iter().collect();
        let mut running = HashMap::new();
        self.known.lock().expect("no holder panics").retain(|instance, known| {
            let since = known.runs_since;
            match (listed.contains(&known.arn), since) {
                (true, Some(since)) => {
                    listed.remove(&known.arn);
                    running.insert(*instance, (known.arn.clone(), since));
                    true
                }
                (true, None) => true,
                // By its name it is found again when it is sought.
                (false, _) => known.runs_since.take().is_some(),
            }
        });
        (running, listed.into_iter().collect())
    }

    /// Of two tasks of one run, as a launch whose answer was lost and its
    /// repetition elsewhere make them, one is too many.
    async fn keep_one(&self, instance: InstanceId, a: Task, b: Task) -> Result<Task, ProviderError> {
        let (kept, other) = task::prefer(a, b);
        if !task::is_ending(&other) && !task::is_ending(&kept) {
            let arn = other.task_arn().unwrap_or_default();
            tracing::warn!(%instance, task = arn, "{instance} runs twice: one is stopped");
            self.stop_task(instance, arn, "the same run has another task").await?;
        }
        Ok(kept)
    }

    async fn connect(&self, instance: InstanceId, address: IpAddr) -> Result<TcpStream, ProviderError> {
        let connecting = TcpStream::connect(SocketAddr::new(address, self.config.port));
        let stream = match tokio::time::timeout(DIAL, connecting).await {
            Ok(stream) => stream,
            Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
        };
        let stream = stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
        stream.map_err(|source| ProviderError::Io { instance, doing: "connecting to it", source })
    }
}

#[async_trait]
impl Provider for Fargate {
    fn name(&self) -> ProviderName {
        ProviderName::Fargate
    }

    async fn launch(&self, spec: &LaunchSpec) -> Result<Launch, ProviderError> {
        launch::launch(self, spec).await
    }

    /// ECS gives the instance its own time after SIGTERM. Returns once nothing
    /// of it runs; until then it is [`ProviderError::StillRunning`], and asked again.
    async fn stop(&self, instance: &InstanceId) -> Result<Option<Timestamp>, ProviderError> {
        let Some(found) = self.find(*instance).await? else { return Ok(None) };
        if task::has_ended(&found) {
            self.remember(*instance, None);
            return Ok(task::word(&found).ended.map(|(at, _)| at));
        }
        self.remember(*instance, Some(&found));
        if found.desired_status() != Some("STOPPED") {
            self.stop_task(*instance, found.task_arn().unwrap_or_default(), "asked to stop").await?;
        }
        Err(ProviderError::StillRunning(*instance))
    }

    async fn turn(&self, owner: UserId) {
        self.pace.turn(owner).await;
    }

    async fn journal(&self, instance: &InstanceId) -> Result<Daemon, ProviderError> {
        journal::daemon(self, *instance).await
    }

    /// The tasks that are to run. Only those are looked at that were not seen
    /// to run before: no more is to be learnt of these until they are missing.
    async fn list(&self) -> Result<Vec<Observed>, ProviderError> {
        let listed = self.cluster.listed(DesiredStatus::Running).await?;
        let (mut running, new) = self.known_of(listed);
        let mut tasks: HashMap<InstanceId, Task> = HashMap::new();
        for task in self.cluster.describe(&new).await? {
            let Some(instance) = task::instance(&task) else { continue };
            let other = match (tasks.remove(&instance), running.remove(&instance)) {
                (Some(other), _) => Some(other),
                (None, Some((arn, _))) => self.cluster.describe(&[arn]).await?.pop(),
                (None, None) => None,
            };
            let kept = match other {
                Some(other) => self.keep_one(instance, other, task).await?,
                None => task,
            };
            tasks.insert(instance, kept);
        }
        for (instance, task) in &tasks {
            self.remember(*instance, Some(task));
        }
        let known = running.into_iter().map(|(instance, (_, since))| Observed {
            instance,
            state: State::Running,
            since,
            told: Vec::new(),
        });
        Ok(known.chain(tasks.values().filter_map(task::observed)).collect())
    }

    async fn seek(&self, instances: &[InstanceId]) -> Result<Vec<Observed>, ProviderError> {
        if let [instance] = instances
            && self.known(*instance).is_none()
            && let Some(task) = self.running(*instance).await?
        {
            return Ok(task::observed(&task).into_iter().collect());
        }
        let known = instances.iter().filter_map(|instance| self.known(*instance));
        let mut tasks = self.cluster.describe(&known.map(|known| known.arn).collect::<Vec<_>>()).await?;
        if tasks.len() < instances.len() {
            tasks.extend(self.cluster.ended().await?);
        }
        let mut found: HashMap<InstanceId, Task> = HashMap::new();
        for task in tasks {
            let Some(instance) = task::instance(&task).filter(|id| instances.contains(id)) else { continue };
            let kept = match found.remove(&instance) {
                Some(other) => task::prefer(other, task).0,
                None => task,
            };
            found.insert(instance, kept);
        }
        Ok(found.values().filter_map(task::observed).collect())
    }

    /// ECS forgets tasks by itself.
    async fn traces(&self, _: AgentId) -> Result<Vec<InstanceId>, ProviderError> {
        Ok(Vec::new())
    }

    fn lag(&self) -> Duration {
        LAG
    }

    async fn dial(&self, instance: &InstanceId) -> Result<Connection, ProviderError> {
        let known = self.known(*instance);
        if let Some(address) = known.as_ref().and_then(|known| known.address)
            && let Ok(stream) = self.connect(*instance, address).await
        {
            return Ok(Box::new(stream));
        }
        let found = match known.filter(|known| known.address.is_none()) {
            // As it was launched from here: by its name it costs one call, not two.
            Some(known) => task::choose(self.cluster.describe(&[known.arn]).await?),
            None => None,
        };
        let found = match found.filter(|found| task::address(found).is_some() && !task::is_ending(found)) {
            Some(found) => {
                self.remember(*instance, Some(&found));
                Some(found)
            }
            None => self.running(*instance).await?,
        };
        let address = found.as_ref().and_then(task::address).ok_or(ProviderError::NotRunning(*instance))?;
        Ok(Box::new(self.connect(*instance, address).await?))
    }

    async fn direct(&self, instance: &InstanceId) -> Option<String> {
        let url = self.config.direct.as_ref()?;
        let known = self.known(*instance).filter(|known| known.address.is_some());
        let (address, wide) = match known {
            Some(known) => (known.address, known.wide),
            None => {
                let found = self.running(*instance).await.ok()??;
                (task::address(&found), task::wide_address(&found))
            }
        };
        url.of(address, wide)
    }

    fn offers_on_demand(&self) -> bool {
        self.config.on_demand == OnDemand::WhenSpotIsFull
    }

    fn direct_source(&self) -> Option<String> {
        self.config.direct.as_ref().map(DirectUrl::source)
    }

    /// ECS forgets a task by itself; its disk went with it.
    async fn forget(&self, instance: &InstanceId) -> Result<(), ProviderError> {
        self.remember(*instance, None);
        Ok(())
    }
}
