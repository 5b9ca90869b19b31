//! Processes of tasks. Each has a folder and a process group of its own, and ends
//! with the fake, however that ends, and with it all that it started.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};

use crate::family;
use crate::keeper::Keeper;

/// What to start.
#[derive(Debug)]
pub(crate) struct Start {
    pub command: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub folder: PathBuf,
}

/// Where a task's output goes, in its folder.
const OUTPUT: &str = "output.log";

pub(crate) fn output_of(folder: &Path) -> PathBuf {
    folder.join(OUTPUT)
}

/// Starts processes, as long as the fake lives.
pub(crate) struct Spawner(Arc<Mutex<Option<Keeper>>>);

impl Spawner {
    pub fn open() -> io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Some(Keeper::open()?)))))
    }

    /// Within a runtime: the process is watched by it.
    pub fn spawn(&self, start: &Start) -> io::Result<Running> {
        let keeper = lock(&self.0);
        let keeper = keeper.as_ref().ok_or_else(|| io::Error::other("the fake ends"))?;
        spawn(start, keeper).map(|child| Running { child, keeper: Arc::clone(&self.0) })
    }

    /// Starts no more, and ends what was started.
    pub fn close(&self) {
        drop(lock(&self.0).take());
    }
}

fn lock(keeper: &Mutex<Option<Keeper>>) -> MutexGuard<'_, Option<Keeper>> {
    keeper.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spawn(start: &Start, keeper: &Keeper) -> io::Result<Child> {
    let (program, arguments) =
        start.command.split_first().ok_or_else(|| io::Error::other("no command specified"))?;
    let output = File::options().create(true).append(true).open(output_of(&start.folder))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(start.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(&start.folder)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0);
    let entry = keeper.entry()?;
    // SAFETY: system calls alone, which are allowed between fork and exec.
    unsafe {
        command.pre_exec(move || entry.sign());
    }
    command.spawn()
}

/// SIGTERM to the first process, as `docker stop` does.
pub(crate) fn terminate(process: Pid) {
    // It may have ended by itself.
    let _ = kill_process(process, Signal::TERM);
}

/// SIGKILL to all that runs in it, as when a container ends.
pub(crate) fn kill(first: Pid) {
    let family = family::of(first);
    // There may be none left.
    let _ = kill_process_group(first, Signal::KILL);
    family.iter().for_each(family::Member::kill);
}

/// As a container's exit code tells it: 128 and the signal for one that was killed.
pub(crate) fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// A task's first process. With it goes all that it started.
pub(crate) struct Running {
    child: Child,
    keeper: Arc<Mutex<Option<Keeper>>>,
}

impl Running {
    /// Its group's id too; none once it was waited for.
    pub fn id(&self) -> Option<Pid> {
        self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
    }

    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        let id = self.id();
        let status = self.child.wait().await;
        if let (Some(id), Some(keeper)) = (id, &*lock(&self.keeper)) {
            keeper.strike(id);
        }
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.id().into_iter().for_each(kill);
    }
}
