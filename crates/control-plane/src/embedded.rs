//! The embedded default: SQLite, a folder, and sandboxes on this machine. No
//! account, no other server.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::lifecycle::Policy;
use domain::spend::Installation;
use tokio::sync::mpsc;

use crate::budgets::{Budgets, Endpoint};
use crate::clock::{Clock, SystemClock};
use crate::identity::Identity;
use crate::keys;
use crate::live::Writers;
use crate::orchestrator::LaunchPolicy;
use crate::plane::{ControlPlane, Keys, Parts};
use crate::prices::Prices;
use crate::provider::local::{self, AgentProgram, Cgroups, LocalConfig, LocalProvider, Sandboxes};
use crate::provider::witness::Witness;
use crate::snapshots::Place;
use crate::spend::Spend;
use crate::store::Store;
use crate::store::sqlite::Sqlite;

/// How long a folder that is held is tried again.
const HOLD_PATIENCE: Duration = Duration::from_secs(2);
/// How long a stopped instance has to end by itself.
const GRACE: Duration = Duration::from_secs(20);

/// Settings of an embedded control plane.
#[derive(Debug, Clone)]
pub struct Config {
    /// Everything that must outlive a restart is under it; made when absent.
    pub data: PathBuf,
    /// The `openclaw-agent` program, which every sandbox runs.
    pub agent_program: PathBuf,
    pub policy: Policy,
    pub prices: Prices,
    pub notify: Option<Endpoint>,
    pub launches: LaunchPolicy,
    /// `Origin`s that terminals may be opened from.
    pub origins: Vec<String>,
}

/// An embedded control plane.
pub struct Embedded {
    pub plane: ControlPlane,
    /// The only folder of the host that sandboxes see, read-only; its sockets
    /// are the server's to bind.
    pub run: PathBuf,
    /// Held as long as this is: nobody else opens the folder.
    _alone: File,
}

/// Why it could not be opened. The operator mends it.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {why}")]
pub struct OpenError {
    doing: String,
    why: String,
}

fn doing<E: std::fmt::Display>(what: impl Into<String>) -> impl FnOnce(E) -> OpenError {
    let doing = what.into();
    move |error| OpenError { doing, why: error.to_string() }
}

/// The people alone, for commands beside a server that runs.
pub fn identity(data: &Path) -> Result<Identity, OpenError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(Identity::new(store(data)?, clock))
}

/// Budgets, for commands beside a server that runs.
pub fn budgets(data: &Path) -> Result<Budgets, OpenError> {
    Ok(Budgets::new(store(data)?, Arc::new(SystemClock)))
}

/// The books of what was spent, for commands beside a server that runs.
pub fn spend(data: &Path) -> Result<Spend, OpenError> {
    Ok(Spend::new(store(data)?, Arc::new(SystemClock)))
}

/// What runs on this machine, to be held against the ledger.
pub fn sandboxes(data: &Path) -> impl Witness {
    Sandboxes::of(data)
}

fn store(data: &Path) -> Result<Arc<dyn Store>, OpenError> {
    folder(data)?;
    let path = data.join("console.db");
    Ok(Arc::new(Sqlite::open(&path).map_err(doing(format!("opening the ledger {}", path.display())))?))
}

/// Ends what runs of a data folder whose server was killed, and removes it, if
/// nobody uses it. Says whether it did.
///
/// # Errors
/// Some of it could not be removed.
pub async fn remove_abandoned(data: &Path) -> std::io::Result<bool> {
    let lock = match File::open(data.join("lock")) {
        // A server is about to take it, or it is none's.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        lock => lock?,
    };
    match lock.try_lock() {
        Ok(()) => local::remove_abandoned(data).await.map(|()| true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn folder(path: &Path) -> Result<(), OpenError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(doing(format!("making the folder {}", path.display())))
}

/// Takes the folder for this process. A server that was killed while it started
/// a sandbox leaves its hold to a child for the blink until that becomes
/// another program.
async fn alone(data: &Path) -> Result<File, OpenError> {
    let path = data.join("lock");
    let lock = File::create(&path).map_err(doing(path.display().to_string()))?;
    let patience = tokio::time::Instant::now() + HOLD_PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if tokio::time::Instant::now() < patience => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(TryLockError::WouldBlock) => {
                let why = "another server uses it; name another folder with --data".to_owned();
                return Err(OpenError { doing: format!("the folder {}", data.display()), why });
            }
            Err(TryLockError::Error(error)) => return Err(doing(path.display().to_string())(error)),
        }
    }
}

impl Embedded {
    /// The control plane; the folder stays held until the process ends.
    pub fn into_plane(self) -> ControlPlane {
        std::mem::forget(self._alone);
        self.plane
    }

    /// Opens what is there, or makes it; adopts the instances that still run.
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        let data = &config.data;
        folder(data)?;
        let alone = alone(data).await?;
        let store = store(data)?;
        let (key_folder, run) = (data.join("keys"), data.join("run"));
        for path in [&key_folder, &run] {
            folder(path)?;
        }
        let key = |name| keys::load_or_create(&key_folder.join(name));
        let keys = Keys {
            ticket: key("ticket.key").map_err(doing("the ticket key"))?,
            repository: key("repository.key").map_err(doing("the repository key"))?,
        };
        let (tell, events) = mpsc::channel(1024);
        let provider = LocalProvider::open(
            LocalConfig {
                data: data.clone(),
                program: AgentProgram { path: config.agent_program, args: Vec::new() },
                bwrap: PathBuf::from("bwrap"),
                grace: GRACE,
                cgroups: Cgroups::Use,
            },
            tell,
        )
        .await
        .map_err(doing("preparing sandboxes"))?;
        let plane = ControlPlane::new(Parts {
            clock: Arc::new(SystemClock),
            store,
            writers: Writers::One,
            provider: Arc::new(provider),
            events,
            snapshots: Place::Folder(data.join("snapshots")),
            keys,
            certificate: None,
            policy: config.policy,
            prices: config.prices,
            installation: Installation::default(),
            notify: config.notify,
            audit: None,
            launches: config.launches,
            origins: config.origins,
        });
        Ok(Self { plane: plane.map_err(doing("the ticket key"))?, run, _alone: alone })
    }
}
