//! The local provider: each instance is a bubblewrap sandbox on this machine
//! (see [`sandbox`] for what it sees, [`cgroup`] for what it may use). Instances
//! outlive the server: what it must know of them is on disk, and
//! [`LocalProvider::open`] adopts those that still run.

mod abandoned;
mod alive;
mod cgroup;
mod entry;
mod folder;
mod launch;
mod machine;
mod process;
mod remove;
mod sandbox;
mod seccomp;
mod spawn;
#[cfg(test)]
mod tests;
mod witness;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use domain::agent::ProviderName;
use domain::id::{AgentId, InstanceId};
use domain::journal::Daemon;
use domain::tier::Tier;
use domain::time::Timestamp;
use rustix::process::Signal;
use tokio::sync::mpsc;

pub(crate) use self::abandoned::remove_abandoned;
use self::entry::{Entry, Life};
use self::folder::Folder;
use self::machine::Machine;
pub use self::witness::Sandboxes;
use super::{Connection, Launch, LaunchSpec, Observed, Provider, ProviderError, ProviderEvent, State};
use crate::logbook::LOGBOOK;

/// How the local provider is set up.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// The data folder; instances are in its `instances/`, the sockets that
    /// every sandbox sees in its `run/`.
    pub data: PathBuf,
    pub program: AgentProgram,
    /// Bubblewrap: a name to look for on `PATH`, or a path.
    pub bwrap: PathBuf,
    /// How long a stopped agent has between SIGTERM and SIGKILL.
    pub grace: Duration,
    pub cgroups: Cgroups,
}

/// What runs as PID 1 of an instance.
#[derive(Debug, Clone)]
pub struct AgentProgram {
    pub path: PathBuf,
    pub args: Vec<OsString>,
}

/// Whether control groups are used where they can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cgroups {
    Use,
    Avoid,
}

/// See the module.
pub struct LocalProvider {
    shared: Arc<Shared>,
}

struct Shared {
    config: LocalConfig,
    machine: Result<Arc<Machine>, String>,
    entries: Mutex<HashMap<InstanceId, Arc<Entry>>>,
    /// The users of the host that instances run as.
    uids: Mutex<HashMap<InstanceId, u32>>,
    events: mpsc::Sender<ProviderEvent>,
}

impl LocalProvider {
    /// Probes the machine and adopts the instances that are there. A machine
    /// that can hold no instance is not an error here: [`Provider::launch`]
    /// says it, and what runs can still be stopped.
    pub async fn open(config: LocalConfig, events: mpsc::Sender<ProviderEvent>) -> io::Result<Self> {
        let instances = config.data.join("instances");
        std::fs::create_dir_all(&instances)?;
        let found = tokio::task::spawn_blocking(move || entry::find_all(&instances)).await??;
        let machine = Machine::probe(&config).await.map(Arc::new);
        match &machine {
            Ok(machine) => tracing::info!(tier = %machine.tier, "instances run in local sandboxes"),
            Err(reason) => tracing::warn!(reason, "no instance can run here"),
        }
        let (mut entries, mut uids) = (HashMap::new(), HashMap::new());
        for found in found {
            uids.extend(found.spec.uid.map(|uid| (found.spec.instance, uid)));
            entries.insert(found.spec.instance, found.adopt(events.clone())?);
        }
        let shared = Shared { config, machine, entries: Mutex::new(entries), uids: Mutex::new(uids), events };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The isolation that instances get here, or why there can be none.
    pub fn tier(&self) -> Result<&Tier, &str> {
        self.shared.machine.as_ref().map(|machine| &machine.tier).map_err(String::as_str)
    }

    /// Forgets every instance of an agent; all of them must have ended.
    pub async fn purge(&self, agent: AgentId) -> Result<(), ProviderError> {
        let of_agent: Vec<_> = self.shared.entries().keys().filter(|id| id.agent == agent).copied().collect();
        for instance in of_agent {
            self.forget(&instance).await?;
        }
        Ok(())
    }
}

impl Drop for LocalProvider {
    /// Stops watching. The instances go on.
    fn drop(&mut self) {
        self.shared.entries().values().for_each(|entry| entry.unwatch());
    }
}

impl Shared {
    fn entries(&self) -> MutexGuard<'_, HashMap<InstanceId, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uids(&self) -> MutexGuard<'_, HashMap<InstanceId, u32>> {
        self.uids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, instance: &InstanceId) -> Option<Arc<Entry>> {
        self.entries().get(instance).cloned()
    }

    /// A user of the host for this instance alone.
    fn uid_for(&self, instance: InstanceId, first: u32) -> u32 {
        let mut uids = self.uids();
        if let Some(uid) = uids.get(&instance) {
            return *uid;
        }
        let free = (first..).find(|uid| !uids.values().any(|taken| taken == uid));
        let uid = free.expect("more users than instances fit on a machine");
        uids.insert(instance, uid);
        uid
    }
}

#[async_trait]
impl Provider for LocalProvider {
    fn name(&self) -> ProviderName {
        ProviderName::Local
    }

    async fn launch(&self, spec: &LaunchSpec) -> Result<Launch, ProviderError> {
        let instance = spec.instance;
        let folder = Folder::of(&self.shared.config.data.join("instances"), &instance);
        let entry =
            self.shared.entries().entry(instance).or_insert_with(|| Entry::absent(instance, folder)).clone();
        // A task of its own: a caller that goes away leaves no half-made instance.
        let launching = tokio::spawn(launch::launch(self.shared.clone(), entry, spec.clone()));
        let launched = launching
            .await
            .unwrap_or_else(|error| Err(ProviderError::Launch { instance, reason: error.to_string() }));
        launched.map(Launch::Started)
    }

    async fn stop(&self, instance: &InstanceId) -> Result<Option<Timestamp>, ProviderError> {
        let Some(entry) = self.shared.entry(instance) else { return Ok(None) };
        let _launching = entry.gate.lock().await;
        let io = |doing| move |source| ProviderError::Io { instance: *instance, doing, source };
        entry.signal(Signal::TERM).map_err(io("ask the agent to end"))?;
        if tokio::time::timeout(self.shared.config.grace, entry.has_ended()).await.is_err() {
            tracing::warn!(%instance, "the agent did not end in time and is killed");
            entry.signal(Signal::KILL).map_err(io("kill the agent"))?;
            entry.has_ended().await;
        }
        Ok(None)
    }

    async fn list(&self) -> Result<Vec<Observed>, ProviderError> {
        let observe = |entry: &Arc<Entry>| {
            let (state, since) = match &*entry.life() {
                Life::Absent | Life::Forgotten => return None,
                Life::Running(running) => (State::Running, running.launched.at),
                Life::Ended(ended) => (State::Exited(ended.exit.clone()), ended.at),
            };
            Some(Observed { instance: entry.instance, state, since, told: Vec::new() })
        };
        let observed: Vec<_> = self.shared.entries().values().filter_map(observe).collect();
        if observed.iter().any(|seen| seen.state == State::Running)
            && let Err(error) = alive::mark(&self.shared.config.data.join("instances"))
        {
            tracing::warn!(%error, "when instances were last seen to run is not noted");
        }
        Ok(observed)
    }

    async fn dial(&self, instance: &InstanceId) -> Result<Connection, ProviderError> {
        let entry = self.shared.entry(instance).ok_or(ProviderError::NotRunning(*instance))?;
        if !matches!(&*entry.life(), Life::Running(_)) {
            return Err(ProviderError::NotRunning(*instance));
        }
        let connected = entry.folder.connect().await;
        Ok(Box::new(connected.map_err(|source| ProviderError::Io {
            instance: *instance,
            doing: "connect",
            source,
        })?))
    }

    async fn direct(&self, instance: &InstanceId) -> Option<String> {
        match &*self.shared.entry(instance)?.life() {
            Life::Running(running) => running.launched.direct.map(|address| format!("ws://{address}")),
            _ => None,
        }
    }

    fn direct_source(&self) -> Option<String> {
        Some("ws://127.0.0.1:*".to_owned())
    }

    async fn journal(&self, instance: &InstanceId) -> Result<Daemon, ProviderError> {
        let Some(entry) = self.shared.entry(instance) else { return Ok(Daemon::Nowhere) };
        let folder = entry.folder.clone();
        let lines = tokio::task::spawn_blocking(move || folder.journal()).await;
        Ok(Daemon::Here(lines.unwrap_or_default()))
    }

    async fn forget(&self, instance: &InstanceId) -> Result<(), ProviderError> {
        let Some(entry) = self.shared.entry(instance) else { return Ok(()) };
        let _launching = entry.gate.lock().await;
        if matches!(&*entry.life(), Life::Running(_)) {
            return Err(ProviderError::StillRunning(*instance));
        }
        let (folder, agent) = (entry.folder.clone(), instance.agent);
        let removed = tokio::task::spawn_blocking(move || {
            // Who looks for why it ended must find it after that.
            LOGBOOK.take_over(agent, folder.journal());
            folder.remove()
        });
        let removed = removed.await;
        removed.map_err(io::Error::other).flatten().map_err(|source| ProviderError::Io {
            instance: *instance,
            doing: "remove its files",
            source,
        })?;
        entry.set_life(Life::Forgotten);
        self.shared.uids().remove(instance);
        self.shared.entries().remove(instance);
        Ok(())
    }
}

fn now() -> Timestamp {
    timestamp(SystemTime::now())
}

fn timestamp(at: SystemTime) -> Timestamp {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
