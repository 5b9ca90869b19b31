//! Providers: where instances run. A provider launches, lists and stops; it
//! decides nothing. What it does is safe to repeat: the orchestrator may be
//! killed between any two calls and calls again.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use domain::agent::ProviderName;
use domain::boot::Mark;
use domain::id::{AgentId, InstanceId, UserId};
use domain::journal::Daemon;
use domain::price::Purchase;
use domain::size::Size;
use domain::tier::{Tier, TierFloor};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};

#[cfg(test)]
mod conformance;
#[cfg(feature = "aws")]
pub mod fargate;
pub mod local;
pub mod simulated;
pub mod witness;

/// Runs instances somewhere.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    fn name(&self) -> ProviderName;

    /// Starts an instance, whose [`Provider::turn`] it is. A second call for a running instance, even at the
    /// same time, gives the first's; one that has run and ended is never
    /// started again ([`ProviderError::Ended`]).
    async fn launch(&self, spec: &LaunchSpec) -> Result<Launch, ProviderError>;

    /// Asks the instance's agent to end, waits the provider's grace, then ends
    /// it by force. Returns when no process of it is left; an unknown or ended
    /// instance is stopped already. Says when it ended, if that is known.
    async fn stop(&self, instance: &InstanceId) -> Result<Option<Timestamp>, ProviderError>;

    /// Waits until one more launch keeps to the provider's limits. Owners take
    /// turns: who launches much does not hold up who launches little.
    async fn turn(&self, _owner: UserId) {}

    /// What runs now. What has ended and is not yet forgotten as well, where
    /// that costs nothing.
    async fn list(&self) -> Result<Vec<Observed>, ProviderError>;

    /// What became of instances that the list has not, as far as it is known.
    async fn seek(&self, _instances: &[InstanceId]) -> Result<Vec<Observed>, ProviderError> {
        Ok(Vec::new())
    }

    /// The instances of one agent that left something behind, to be forgotten.
    async fn traces(&self, agent: AgentId) -> Result<Vec<InstanceId>, ProviderError> {
        let all = self.list().await?.into_iter().map(|seen| seen.instance);
        Ok(all.filter(|instance| instance.agent == agent).collect())
    }

    /// How long an instance that was launched may be missing in [`Provider::list`].
    fn lag(&self) -> Duration {
        Duration::ZERO
    }

    /// Opens a stream to the port that the instance's agent serves.
    async fn dial(&self, instance: &InstanceId) -> Result<Connection, ProviderError>;

    /// Where browsers reach the instance without the relay, if it was launched
    /// so: `ws://…` on this machine, else `wss://…`, without a path.
    async fn direct(&self, instance: &InstanceId) -> Option<String>;

    /// Whether it has dearer machines that are to be had when the others are not.
    fn offers_on_demand(&self) -> bool {
        false
    }

    /// Where the daemon's lines of a run are, and the latest of them if they are here.
    async fn journal(&self, _instance: &InstanceId) -> Result<Daemon, ProviderError> {
        Ok(Daemon::Nowhere)
    }

    /// All such addresses, as a page's policy names them.
    fn direct_source(&self) -> Option<String>;

    /// Removes what an ended instance left behind, its home above all. An
    /// unknown instance is forgotten already; a running one is refused.
    async fn forget(&self, instance: &InstanceId) -> Result<(), ProviderError>;
}

/// What to launch.
#[derive(Debug, Clone)]
pub struct LaunchSpec {
    pub instance: InstanceId,
    pub owner: UserId,
    pub size: Size,
    /// Its owner pays for a machine on demand where Spot has no room.
    pub on_demand: bool,
    pub enrolment: Enrolment,
    pub direct: Direct,
    /// The control plane's clock.
    pub now: Timestamp,
    /// The least isolation; where it can't be had nothing is launched.
    pub floor: TierFloor,
}

/// The one-time nonce with which an instance enrols. Secret: it shows in no
/// `Debug` output, argument list or file.
#[derive(Clone)]
pub struct Enrolment(String);

impl Enrolment {
    pub fn new(nonce: String) -> Self {
        Self(nonce)
    }

    fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolment(…)")
    }
}

/// Whether the agent's port is opened to this machine's browsers besides the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direct {
    /// Reached through the control plane's relay only.
    RelayOnly,
    /// A port of the host's loopback is the agent's own.
    Loopback,
}

/// What came of a launch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// The instance runs, and is metered.
    Started(Launched),
    /// The provider took it on: it tells by events how far it is, and when it
    /// begins to be billed. What it knows now, with the instant of each.
    Placed(Vec<(Timestamp, EventKind)>),
}

/// An instance that was launched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launched {
    /// The isolation that was really reached.
    pub tier: Tier,
    pub direct: Option<SocketAddr>,
    pub at: Timestamp,
}

/// An instance as the provider sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    pub instance: InstanceId,
    pub state: State,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// What the provider tells of it otherwise by events, should one be lost.
    pub told: Vec<(Timestamp, EventKind)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Running,
    Exited(Exit),
}

/// How an instance ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The agent's exit code; none when it was killed, or when nobody was there to see it.
    pub code: Option<i32>,
    /// The signal that killed it.
    pub signal: Option<i32>,
    /// It was killed because the instance's memory was used up.
    pub oom: bool,
    /// The end of what it printed, at most 4 KiB, without control characters.
    pub last_output: String,
}

/// What a provider tells unasked. Told at least once: at a restart the ends of
/// all instances that are not forgotten are told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    pub instance: InstanceId,
    pub kind: EventKind,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// How far its boot is.
    Placed(Vec<Mark>),
    /// It is billed from that instant on, bought so.
    Billed(Purchase),
    /// It ended before anything of it ran, billed or not.
    NotStarted(Exit),
    /// The provider takes it back at that instant.
    Interrupted,
    Exited(Exit),
}

impl EventKind {
    /// Whether nothing of it runs any more.
    pub fn is_end(&self) -> bool {
        matches!(self, Self::NotStarted(_) | Self::Exited(_))
    }
}

/// A stream of bytes to an agent.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What [`Provider::dial`] gives.
pub type Connection = Box<dyn Stream>;

/// Why a provider could not do it.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// For the operator: this machine can't hold an instance at all.
    #[error("no instance can run here: {0}")]
    Unavailable(String),
    /// For the operator: the isolation demanded is not to be had. Nothing was launched.
    #[error("the isolation demanded ({wanted:?}) can't be had here, only {reached}: {reason}")]
    BelowFloor { wanted: TierFloor, reached: Tier, reason: String },
    /// The instance could not be made; a later try may go better.
    #[error("{instance} was not launched: {reason}")]
    Launch { instance: InstanceId, reason: String },
    /// There is no room for it anywhere that it may run.
    #[error("no room for {instance} now: {reason}")]
    NoRoom { instance: InstanceId, reason: String },
    /// Whether it was done is not known, or it was not: the same call is made again.
    #[error("the provider did not do it yet: {0}")]
    Busy(String),
    /// The instance ran and ended; a new generation is needed.
    #[error("{0} has already run and ended")]
    Ended(InstanceId),
    #[error("no instance {0} runs here")]
    NotRunning(InstanceId),
    #[error("{0} still runs")]
    StillRunning(InstanceId),
    /// For the operator: the machine refused something.
    #[error("{instance}: {doing}: {source}")]
    Io { instance: InstanceId, doing: &'static str, source: std::io::Error },
}

impl ProviderError {
    /// Whether the same call may succeed later without anyone's doing.
    pub fn retryable(&self) -> bool {
        matches!(
            self,
            Self::Launch { .. }
                | Self::Io { .. }
                | Self::StillRunning(_)
                | Self::NoRoom { .. }
                | Self::Busy(_)
        )
    }
}
