//! What every part of a running fake holds.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::events::Bus;
use crate::life;
use crate::process::{self, Spawner};
use crate::shape::{Status, StopCode};
use crate::state::{Notice, Record, State, Stop, Told};

pub(crate) struct Shared {
    pub config: Config,
    /// `http://127.0.0.1:4711`.
    pub endpoint: String,
    /// Tasks' folders are in it.
    pub folder: PathBuf,
    pub bus: Bus,
    pub spawner: Spawner,
    /// Moves with every change of a task.
    pub changes: watch::Sender<()>,
    state: Mutex<State>,
    /// None once the fake has ended.
    lives: Mutex<Option<JoinSet<()>>>,
    runtime: Handle,
}

/// Whether a change is told to those who listen for events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announce {
    Event,
    Silent,
}

impl Shared {
    pub fn new(config: Config, endpoint: String, folder: PathBuf) -> std::io::Result<Self> {
        let mut state = State::new(config.settings.clone(), config.seed);
        crate::api::furnish(&mut state, &config).map_err(|refusal| std::io::Error::other(refusal.message))?;
        Ok(Self {
            bus: Bus::open(&config),
            spawner: Spawner::open()?,
            changes: watch::Sender::new(()),
            state: Mutex::new(state),
            lives: Mutex::new(Some(JoinSet::new())),
            runtime: Handle::current(),
            config,
            endpoint,
            folder,
        })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lives(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a task and tells of it: one change is one version. A task that
    /// is known no more stays as it is.
    pub fn update<T>(
        &self,
        id: &str,
        announce: Announce,
        change: impl FnOnce(&mut Record) -> T,
    ) -> Option<T> {
        let mut state = self.state();
        let deliveries = state.settings.deliveries;
        let record = state.tasks.get_mut(id)?;
        let changed = change(record);
        self.tell(record, announce, &deliveries);
        Some(changed)
    }

    /// The record's task is a new version from here on.
    pub fn tell(&self, record: &mut Record, announce: Announce, deliveries: &crate::settings::Deliveries) {
        record.task().version += 1;
        record.remember();
        if announce == Announce::Event {
            self.bus.publish(record.ordinal, &record.task, deliveries);
        }
        self.changes.send_replace(());
    }

    /// Begins a task's life; its record is there.
    pub fn bring_to_life(self: &Arc<Self>, id: String) {
        if let Some(lives) = &mut *self.lives() {
            lives.spawn_on(life::live(Arc::clone(self), id), &self.runtime);
        }
    }

    /// Tells a task to end. Says nothing to one that was told already or has ended.
    pub fn stop(&self, state: &mut State, id: &str, stop: Stop) {
        let deliveries = state.settings.deliveries;
        let Some(record) = state.tasks.get_mut(id) else { return };
        if record.is_stopped() {
            return;
        }
        let announce = match stop.notice {
            Notice::Full | Notice::EventOnly => Announce::Event,
            Notice::SignalOnly | Notice::None => Announce::Silent,
        };
        if record.tell_to_stop(stop) == Told::Now {
            self.tell(record, announce, &deliveries);
        }
    }

    /// Interrupts Spot tasks: the one named, or all. Returns their ARNs.
    pub fn interrupt(&self, task: Option<&str>, code: StopCode, notice: Notice) -> Vec<String> {
        let mut state = self.state();
        let hit = |record: &&Record| {
            let named = task.is_none_or(|task| record.task.id() == crate::shape::id_of(task));
            named
                && record.task.desired_status == Status::Running
                && record.task.capacity_provider_name.as_deref() == Some("FARGATE_SPOT")
        };
        let arns: Vec<_> =
            state.in_order().into_iter().filter(hit).map(|record| record.task.task_arn.clone()).collect();
        for arn in &arns {
            let reason = "Your Spot Task was interrupted.".to_owned();
            self.stop(&mut state, crate::shape::id_of(arn), Stop { code, reason, notice });
        }
        arns
    }

    /// Kills a task's processes without a word, as when memory runs out or its machine breaks.
    /// Says whether any ran.
    pub fn crash(&self, task: &str, reason: Option<String>) -> bool {
        let mut state = self.state();
        let Some(record) = state.tasks.get_mut(crate::shape::id_of(task)) else { return false };
        let Some(group) = record.group else { return false };
        record.container_reason = reason;
        process::kill(group);
        true
    }

    /// A task's address is free for another.
    pub fn give_back(&self, address: Ipv4Addr) {
        self.state().addresses.give_back(address);
    }

    /// Connections outlive the server that took them.
    pub fn has_ended(&self) -> bool {
        self.lives().is_none()
    }

    /// Ends all lives and what runs in them. Nothing is told of it.
    pub fn end(&self) {
        drop(self.lives().take());
        self.spawner.close();
        self.state().tasks.values_mut().filter_map(|record| record.group.take()).for_each(process::kill);
    }
}
