//! A running fake, as a test holds it.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::api::Operation;
use crate::calls::{Calls, Launch};
use crate::config::Config;
use crate::events::{Delivered, Event};
use crate::fault::Fault;
use crate::http;
use crate::process;
use crate::settings::Settings;
use crate::shape::{StopCode, Task, id_of};
use crate::shared::Shared;
use crate::state::Notice;

/// Ends with its tasks when it is dropped.
pub struct Fake {
    shared: Arc<Shared>,
    server: JoinHandle<io::Result<()>>,
    /// Gone with it, unless the configuration names a folder.
    _folder: Option<TempDir>,
}

impl Fake {
    /// Listens and serves, in the runtime that this is called in.
    ///
    /// # Errors
    /// The address is taken, the folder can't be made, or a task definition is wrong.
    pub async fn start(config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let temporary = if config.folder.is_none() { Some(folder_of_tasks()?) } else { None };
        let folder = match (&config.folder, &temporary) {
            (Some(folder), _) => {
                std::fs::create_dir_all(folder)?;
                folder.canonicalize()?
            }
            (None, Some(temporary)) => temporary.path().canonicalize()?,
            (None, None) => return Err(io::Error::other("no folder for tasks")),
        };
        let shared = Arc::new(Shared::new(config, endpoint, folder)?);
        let router = http::router(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { shared, server, _folder: temporary })
    }

    /// `http://127.0.0.1:4711`: an SDK's endpoint.
    pub fn endpoint(&self) -> &str {
        &self.shared.endpoint
    }

    /// Changes what can be changed. Buckets fill by their new rates from now on.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        let mut state = self.shared.state();
        let mut settings = state.settings.clone();
        change(&mut settings);
        state.set(settings);
    }

    /// The next calls of an operation go wrong, after those that were to go wrong already.
    pub fn inject(&self, operation: Operation, fault: Fault, times: u32) {
        self.shared.state().faults.add(operation, fault, times);
    }

    /// No more calls go wrong.
    pub fn heal(&self) {
        self.shared.state().faults.clear();
    }

    /// Spot takes one task back, by ARN or id. Says whether it ran on Spot and was not being stopped.
    pub fn interrupt(&self, task: &str, code: StopCode, notice: Notice) -> bool {
        !self.shared.interrupt(Some(task), code, notice).is_empty()
    }

    /// Spot takes all its tasks back at once. Returns their ARNs.
    pub fn interrupt_all(&self, code: StopCode, notice: Notice) -> Vec<String> {
        self.shared.interrupt(None, code, notice)
    }

    /// Kills a task's processes without a word, as when its memory runs out
    /// (`OutOfMemoryError: …` is the container's reason then). Says whether any ran.
    pub fn crash(&self, task: &str, reason: Option<&str>) -> bool {
        self.shared.crash(task, reason.map(str::to_owned))
    }

    /// How often was called what, since the start or [`Fake::reset_calls`].
    pub fn calls(&self) -> Calls {
        self.shared.state().calls.clone()
    }

    pub fn reset_calls(&self) {
        self.shared.state().calls = Calls::default();
    }

    /// Every task that was ever launched, in order.
    pub fn launches(&self) -> Vec<Launch> {
        self.shared.state().launches.clone()
    }

    /// Every task as it is now, whatever reads tell, in the order of launches.
    pub fn tasks(&self) -> Vec<Arc<Task>> {
        self.shared.state().in_order().into_iter().map(|record| Arc::clone(&record.task)).collect()
    }

    /// One task as it is now, by ARN or id.
    pub fn task(&self, task: &str) -> Option<Arc<Task>> {
        self.shared.state().tasks.get(id_of(task)).map(|record| Arc::clone(&record.task))
    }

    /// Waits until the tasks are so, looking at every change. Returns them.
    pub async fn until(&self, mut so: impl FnMut(&[Arc<Task>]) -> bool) -> Vec<Arc<Task>> {
        let mut changes = self.shared.changes.subscribe();
        loop {
            changes.borrow_and_update();
            let tasks = self.tasks();
            if so(&tasks) {
                return tasks;
            }
            // The other end is in `self`.
            let _ = changes.changed().await;
        }
    }

    /// All that happened, in order, delivered or not.
    pub fn events(&self) -> Vec<Event> {
        self.shared.bus.published()
    }

    pub fn delivered(&self) -> Delivered {
        self.shared.bus.delivered()
    }

    /// What a task printed so far, by ARN or id.
    ///
    /// # Errors
    /// It did not start.
    pub fn output(&self, task: &str) -> io::Result<String> {
        let bytes = std::fs::read(process::output_of(&self.shared.folder.join(id_of(task))))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
        self.shared.end();
    }
}

/// Processes of tasks may be of another user, and must get to their folders.
fn folder_of_tasks() -> io::Result<TempDir> {
    tempfile::Builder::new().permissions(Permissions::from_mode(0o711)).tempdir()
}
