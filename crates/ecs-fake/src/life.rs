//! A task's life, from PROVISIONING to STOPPED, with ECS's statuses and
//! instants. Whoever stops a task says so in its record; here it is done.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::address::attach;
use crate::environment::Surroundings;
use crate::family;
use crate::process::{self, Running, Start};
use crate::random::Random;
use crate::settings::{Delays, StartFailure};
use crate::shape::{Epoch, Status, StopCode};
use crate::shared::{Announce, Shared};
use crate::state::{self, Notice, Record, Run, Stop};

/// Lives one task's life.
pub(crate) async fn live(shared: Arc<Shared>, id: String) {
    let begun = {
        let state = shared.state();
        state.tasks.get(&id).map(|record| (record.ordinal, record.run.clone(), record.stop.subscribe()))
    };
    let Some((ordinal, run, stop)) = begun else { return };
    let delays = Drawn::new(&shared.state().settings.delays, Random::new(shared.config.seed, &[4, ordinal]));
    let mut life = Life { shared, id, ordinal, run, stop, delays, address: None };
    match life.start().await {
        Begun::Runs(child) => life.watch(child).await,
        Begun::Stopped => {}
        Begun::Failed(reason) => {
            life.update(|record| {
                if let Some(container) = record.task().containers.first_mut() {
                    container.reason = Some(reason.clone());
                }
                let notice = Notice::Full;
                record.tell_to_stop(Stop { code: StopCode::TaskFailedToStart, reason, notice });
            });
        }
    }
    life.end().await;
}

struct Life {
    shared: Arc<Shared>,
    id: String,
    ordinal: u64,
    run: Run,
    stop: watch::Receiver<Option<Stop>>,
    delays: Drawn,
    address: Option<Ipv4Addr>,
}

/// What came of starting.
enum Begun {
    Runs(Running),
    /// Told to stop before it ran.
    Stopped,
    Failed(String),
}

/// This task's own delays.
struct Drawn {
    provisioning: Duration,
    pending: Duration,
    pull: Duration,
    start: Duration,
    deactivating: Duration,
    deprovisioning: Duration,
}

impl Drawn {
    fn new(delays: &Delays, mut random: Random) -> Self {
        let mut draw = |span: crate::settings::Span| span.draw(&mut random);
        Self {
            provisioning: draw(delays.provisioning),
            pending: draw(delays.pending),
            pull: draw(delays.pull),
            start: draw(delays.start),
            deactivating: draw(delays.deactivating),
            deprovisioning: draw(delays.deprovisioning),
        }
    }
}

impl Life {
    fn update(&self, change: impl FnOnce(&mut Record)) {
        self.shared.update(&self.id, Announce::Event, change);
    }

    fn turn(&self, status: Status, announce: Announce) {
        self.shared.update(&self.id, announce, |record| record.task().last_status = status);
    }

    /// Waits; true when it was told to stop meanwhile.
    async fn stopped_within(&mut self, delay: Duration) -> bool {
        tokio::time::timeout(delay, self.stop.wait_for(Option::is_some)).await.is_ok()
    }

    async fn start(&mut self) -> Begun {
        let failure = {
            let mut state = self.shared.state();
            let failures = &mut state.settings.start_failures;
            if failures.is_empty() { None } else { Some(failures.remove(0)) }
        };
        if self.stopped_within(self.delays.provisioning).await {
            return Begun::Stopped;
        }
        if failure == Some(StartFailure::Network) {
            return Begun::Failed(
                "Timeout waiting for network interface provisioning to complete.".to_owned(),
            );
        }
        let address = match self.shared.state().addresses.take() {
            Ok(address) => address,
            Err(error) => {
                return Begun::Failed(format!(
                    "Unexpected EC2 error while attempting to Create Network Interface: {error}"
                ));
            }
        };
        self.address = Some(address);
        self.update(|record| attach(record, address));
        if self.stopped_within(self.delays.pending).await {
            return Begun::Stopped;
        }
        if failure == Some(StartFailure::Secret) {
            return Begun::Failed(
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource \
                 retrieval failed"
                    .to_owned(),
            );
        }
        self.update(|record| {
            record.task().last_status = Status::Activating;
            record.task().pull_started_at = Some(Epoch::now());
        });
        if self.stopped_within(self.delays.pull).await {
            return Begun::Stopped;
        }
        if failure == Some(StartFailure::Pull) {
            return Begun::Failed(
                "CannotPullContainerError: pull image manifest has been retried 5 time(s): not found"
                    .to_owned(),
            );
        }
        self.update(|record| record.task().pull_stopped_at = Some(Epoch::now()));
        if self.stopped_within(self.delays.start).await {
            return Begun::Stopped;
        }
        match self.execute(address) {
            Ok(child) => Begun::Runs(child),
            Err(error) => Begun::Failed(format!("CannotStartContainerError: {error}")),
        }
    }

    fn execute(&self, address: Ipv4Addr) -> io::Result<Running> {
        let folder: PathBuf = self.shared.folder.join(&self.id);
        let runtime_id = state::runtime_id(&self.id, self.ordinal);
        let surroundings = Surroundings {
            endpoint: &self.shared.endpoint,
            region: &self.shared.config.region,
            address,
            runtime_id: &runtime_id,
            folder: &folder,
            own_paths: &self.shared.config.own_paths,
        };
        surroundings.make()?;
        let environment = surroundings.environment(&self.run);
        let start = Start { command: self.run.command.clone(), environment, folder };
        let child = self.shared.spawner.spawn(&start)?;
        self.update(|record| {
            record.group = child.id();
            record.task().last_status = Status::Running;
            record.task().started_at = Some(Epoch::now());
            if let Some(container) = record.task().containers.first_mut() {
                container.last_status = Status::Running;
                container.runtime_id = Some(runtime_id);
            }
        });
        Ok(child)
    }

    /// Until the container has ended, by itself or because it was told to.
    async fn watch(&mut self, mut child: Running) {
        let group = child.id();
        let mut family = Vec::new();
        let told = tokio::select! {
            _ = child.wait() => None,
            told = self.stop.wait_for(Option::is_some) => told.ok().and_then(|told| told.clone()),
        };
        match told {
            None => {
                let reason = "Essential container in task exited".to_owned();
                let stop = Stop { code: StopCode::EssentialContainerExited, reason, notice: Notice::Full };
                // Told of with the next change.
                let mut state = self.shared.state();
                state.tasks.get_mut(&self.id).map(|record| record.tell_to_stop(stop));
            }
            Some(stop) => {
                // Who is known now is found again when the first process, their parent, is gone.
                family = group.map(family::of).unwrap_or_default();
                self.wind_down(&mut child, stop.notice).await;
            }
        }
        let status = child.wait().await;
        // With its first process a container ends, whatever else runs in it.
        group.into_iter().for_each(process::kill);
        family.iter().for_each(family::Member::kill);
        self.update(|record| {
            record.group = None;
            record.task().execution_stopped_at = Some(Epoch::now());
            record.task().last_status = Status::Deprovisioning;
            let reason = record.container_reason.take();
            if let Some(container) = record.task().containers.first_mut() {
                container.last_status = Status::Stopped;
                container.exit_code = status.ok().map(process::exit_code);
                container.reason = reason;
            }
        });
    }

    /// SIGTERM, time, SIGKILL; as much of it as the notice has.
    async fn wind_down(&mut self, child: &mut Running, notice: Notice) {
        let Some(process) = child.id() else { return };
        if notice == Notice::None {
            return process::kill(process);
        }
        let announce = if notice == Notice::SignalOnly { Announce::Silent } else { Announce::Event };
        self.turn(Status::Deactivating, announce);
        tokio::time::sleep(self.delays.deactivating).await;
        self.turn(Status::Stopping, announce);
        if notice != Notice::EventOnly {
            process::terminate(process);
        }
        let configured = self.shared.state().settings.stop_timeout_ms.map(Duration::from_millis);
        let grace = configured.unwrap_or(self.run.stop_timeout);
        if tokio::time::timeout(grace, child.wait()).await.is_err() {
            process::kill(process);
        }
    }

    /// The network goes, and with it the task.
    async fn end(&mut self) {
        let never_ran = |record: &Record| record.task.last_status != Status::Deprovisioning;
        let early = self.shared.state().tasks.get(&self.id).is_some_and(never_ran);
        if early {
            self.turn(Status::Deprovisioning, Announce::Event);
        }
        tokio::time::sleep(self.delays.deprovisioning).await;
        self.update(|record| {
            record.task().last_status = Status::Stopped;
            record.task().stopped_at = Some(Epoch::now());
            record.ended = Some(std::time::Instant::now());
            record.task().attachments.iter_mut().for_each(|attachment| attachment.status = "DELETED");
            record.task().containers.iter_mut().for_each(|container| container.last_status = Status::Stopped);
        });
        self.address.take().into_iter().for_each(|address| self.shared.give_back(address));
    }
}
