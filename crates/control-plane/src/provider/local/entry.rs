//! One instance in the server's memory, and the watch over it.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::id::InstanceId;
use rustix::process::Signal;
use tokio::io::unix::AsyncFd;
use tokio::process::Child;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::cgroup::Group;
use super::folder::{Ended, Folder, Spec};
use super::process::{self, Identity};
use super::{alive, cgroup, now};
use crate::provider::{EventKind, Exit, Launched, ProviderEvent};
use domain::tier::Limits;
use domain::time::Timestamp;

/// How long a bubblewrap may take to note its child's end, or its beginning.
const MONITOR_PATIENCE: Duration = Duration::from_secs(5);
/// Exit codes above it tell of a signal, as in a shell.
const SIGNALLED: i32 = 128;

pub struct Entry {
    pub instance: InstanceId,
    pub folder: Folder,
    /// Held by whoever changes the instance's life.
    pub gate: tokio::sync::Mutex<()>,
    life: watch::Sender<Life>,
    watcher: Mutex<Option<AbortHandle>>,
}

#[derive(Debug, Clone)]
pub enum Life {
    /// Not launched, or a launch that failed.
    Absent,
    Running(Arc<Running>),
    Ended(Ended),
    Forgotten,
}

#[derive(Debug)]
pub struct Running {
    pub launched: Launched,
    init: AsyncFd<OwnedFd>,
}

/// The bubblewrap outside the sandbox, which notes how it ended.
pub enum Monitor {
    Own(Child),
    /// Started by an earlier server; none when it is gone already.
    Adopted(Option<OwnedFd>),
}

impl Entry {
    pub fn absent(instance: InstanceId, folder: Folder) -> Arc<Self> {
        let (life, _) = watch::channel(Life::Absent);
        Arc::new(Self { instance, folder, gate: Default::default(), life, watcher: Mutex::new(None) })
    }

    pub fn life(&self) -> watch::Ref<'_, Life> {
        self.life.borrow()
    }

    pub fn set_life(&self, life: Life) {
        self.life.send_replace(life);
    }

    /// Signals the sandbox's first process, if it runs.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        match &*self.life() {
            Life::Running(running) => process::signal(running.init.get_ref(), signal),
            _ => Ok(()),
        }
    }

    /// Waits until no process of it is left.
    pub async fn has_ended(&self) {
        let ended = |life: &Life| !matches!(life, Life::Running(_));
        // The sender is in `self`: it can't be gone.
        let _ = self.life.subscribe().wait_for(ended).await;
    }

    pub fn unwatch(&self) {
        if let Some(watcher) = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).take() {
            watcher.abort();
        }
    }

    /// Notes the instance as running and watches it from here on.
    pub fn watch(
        self: &Arc<Self>,
        spec: Spec,
        (identity, init): (Identity, OwnedFd),
        monitor: Monitor,
        events: mpsc::Sender<ProviderEvent>,
    ) -> io::Result<()> {
        self.folder.set_process(&identity)?;
        limit_processes(&spec, identity);
        let running = Arc::new(Running { launched: spec.launched(), init: process::watchable(init)? });
        self.set_life(Life::Running(running.clone()));
        let task = tokio::spawn(watch_over(self.clone(), running, spec.group, monitor, events));
        *self.watcher.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
        Ok(())
    }
}

/// Without a cgroup and a user of its own, an instance's processes are counted
/// in its user namespace, so the limit is set on one who is inside already:
/// outside it would count all that the server's user runs.
fn limit_processes(spec: &Spec, identity: Identity) {
    if spec.tier.limits != Limits::Rlimits || spec.uid.is_some() {
        return;
    }
    let most = Some(cgroup::PROCESSES);
    let limit = rustix::process::Rlimit { current: most, maximum: most };
    let pid = rustix::process::Pid::from_raw(identity.pid);
    if let Err(error) = rustix::process::prlimit(pid, rustix::process::Resource::Nproc, limit) {
        tracing::warn!(instance = %spec.instance, %error, "the number of its processes is not limited");
    }
}

async fn watch_over(
    entry: Arc<Entry>,
    running: Arc<Running>,
    group: Option<Group>,
    monitor: Monitor,
    events: mpsc::Sender<ProviderEvent>,
) {
    let instance = entry.instance;
    if let Err(error) = process::ended(&running.init).await {
        return tracing::error!(%instance, %error, "the instance can't be watched");
    }
    monitor.end().await;
    let folder = entry.folder.clone();
    let closing = tokio::task::spawn_blocking(move || close(&folder, group.as_ref(), now())).await;
    let ended = closing.unwrap_or_else(|_| Ended { exit: Exit::default(), at: now() });
    tracing::info!(%instance, code = ended.exit.code, signal = ended.exit.signal, oom = ended.exit.oom, "the instance ended");
    let event = ProviderEvent { instance, kind: EventKind::Exited(ended.exit.clone()), at: ended.at };
    entry.set_life(Life::Ended(ended));
    // A receiver that is gone has no use for it.
    let _ = events.send(event).await;
}

/// Notes an end and gives the limits back.
fn close(folder: &Folder, group: Option<&Group>, at: Timestamp) -> Ended {
    let code = folder.status().exit_code;
    let signal = code.filter(|code| *code > SIGNALLED).map(|code| code - SIGNALLED);
    let oom = signal == Some(libc::SIGKILL) && group.is_some_and(|group| group.oom_kills() > 0);
    let code = code.filter(|_| signal.is_none());
    let ended = Ended { exit: Exit { code, signal, oom, last_output: folder.last_output() }, at };
    let removed = group.map_or(Ok(()), Group::remove);
    if let Err(error) = removed.and_then(|()| folder.set_ended(&ended)) {
        tracing::warn!(%error, "an ended instance was not closed in full");
    }
    ended
}

impl Monitor {
    /// Waits until it has noted the end; one that does not is killed.
    async fn end(self) {
        match self {
            Self::Own(mut child) => {
                if tokio::time::timeout(MONITOR_PATIENCE, child.wait()).await.is_err() {
                    let _ = child.kill().await;
                }
            }
            Self::Adopted(None) => {}
            Self::Adopted(Some(handle)) => {
                let Ok(handle) = process::watchable(handle) else { return };
                if tokio::time::timeout(MONITOR_PATIENCE, process::ended(&handle)).await.is_err() {
                    let _ = process::signal(handle.get_ref(), Signal::KILL);
                }
            }
        }
    }
}

/// An instance that was found on disk.
pub struct Found {
    pub spec: Spec,
    folder: Folder,
    state: FoundState,
}

enum FoundState {
    Running(Identity, OwnedFd),
    Ended(Ended),
}

/// Looks through the folder of instances. Launches that were cut short before
/// any process ran are removed; they can be launched anew. Blocks.
pub fn find_all(instances: &Path) -> io::Result<Vec<Found>> {
    let alive = alive::last(instances);
    let mut all = Vec::new();
    for item in fs::read_dir(instances)? {
        let item = item?;
        let folder = Folder::at(item.path());
        let name = item.file_name();
        let Some(instance) = name.to_str().and_then(|name| InstanceId::from_file_name(name).ok()) else {
            if !name.as_encoded_bytes().starts_with(b".") {
                tracing::warn!(?name, "no instance's folder: left alone");
            }
            continue;
        };
        let spec = folder.spec().filter(|spec| spec.instance == instance);
        let state = spec.as_ref().and_then(|spec| find(&folder, spec, alive));
        match (spec, state) {
            (Some(spec), Some(state)) => all.push(Found { spec, folder, state }),
            (spec, _) => {
                tracing::info!(%instance, "a launch was cut short: its folder is removed");
                spec.and_then(|spec| spec.group).map_or(Ok(()), |group| group.remove())?;
                folder.remove()?;
            }
        }
    }
    Ok(all)
}

/// What became of a launched instance; none if nothing of it ever ran.
fn find(folder: &Folder, spec: &Spec, alive: Option<Timestamp>) -> Option<FoundState> {
    if let Some(ended) = folder.ended() {
        return Some(FoundState::Ended(ended));
    }
    // The server may have been killed the instant before: bubblewrap is on its way.
    let since = Instant::now();
    while folder.status().child.is_none() && folder.is_monitored() && since.elapsed() < MONITOR_PATIENCE {
        std::thread::sleep(Duration::from_millis(2));
    }
    if let Some((identity, handle)) = folder.find_process(spec) {
        return Some(FoundState::Running(identity, handle));
    }
    folder.status().child?;
    // Bubblewrap may still be writing the end down.
    while folder.is_monitored() && since.elapsed() < MONITOR_PATIENCE {
        std::thread::sleep(Duration::from_millis(2));
    }
    Some(FoundState::Ended(close(folder, spec.group.as_ref(), ended_at(folder, spec, alive))))
}

/// When one ended that nobody watched: as bubblewrap noted it, or else when it
/// was last seen to run. The time that passed until somebody looked is not its.
fn ended_at(folder: &Folder, spec: &Spec, alive: Option<Timestamp>) -> Timestamp {
    let noted = folder.status().exit_code.and_then(|_| folder.status_at());
    noted.or(alive).unwrap_or(spec.at).min(now()).max(spec.at)
}

impl Found {
    /// Kills it, and waits until nothing of it runs.
    pub async fn end(self) -> io::Result<()> {
        if let FoundState::Running(identity, handle) = self.state {
            let monitor = Monitor::Adopted(process::monitor_of(identity.pid));
            process::signal(&handle, Signal::KILL)?;
            process::ended(&process::watchable(handle)?).await?;
            monitor.end().await;
        }
        let group = self.spec.group;
        let removed = tokio::task::spawn_blocking(move || group.map_or(Ok(()), |group| group.remove())).await;
        removed.map_err(io::Error::other)?
    }

    /// Takes it over: watches it, or tells its end.
    pub fn adopt(self, events: mpsc::Sender<ProviderEvent>) -> io::Result<Arc<Entry>> {
        let Self { spec, folder, state } = self;
        let entry = Entry::absent(spec.instance, folder);
        match state {
            FoundState::Running(identity, handle) => {
                tracing::info!(instance = %spec.instance, "an instance that runs is adopted");
                let monitor = Monitor::Adopted(process::monitor_of(identity.pid));
                entry.watch(spec, (identity, handle), monitor, events)?;
            }
            FoundState::Ended(ended) => {
                let kind = EventKind::Exited(ended.exit.clone());
                let event = ProviderEvent { instance: spec.instance, kind, at: ended.at };
                entry.set_life(Life::Ended(ended));
                tokio::spawn(async move { events.send(event).await });
            }
        }
        Ok(entry)
    }
}
