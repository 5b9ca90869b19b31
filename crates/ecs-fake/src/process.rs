//! Processes of tasks. Each has a folder and a process group of its own. The
//! kernel kills it when the fake ends, however that happens; what it started is
//! killed too, unless the fake itself is killed by force.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;

use rustix::process::{
    Pid, Signal, getppid, kill_process, kill_process_group, set_parent_process_death_signal,
};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::family;

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

type Request = (Start, oneshot::Sender<io::Result<Running>>);

/// Starts processes from one thread that lives as long as the fake: their death
/// signal comes when the thread that started them ends, and a runtime's threads come and go.
pub(crate) struct Spawner(Mutex<Option<(mpsc::Sender<Request>, JoinHandle<()>)>>);

impl Spawner {
    /// Within a runtime: the processes are watched by it.
    pub fn open() -> io::Result<Self> {
        let (sender, inbox) = mpsc::channel::<Request>();
        let runtime = Handle::current();
        let thread = std::thread::Builder::new().name("ecs-fake-spawner".to_owned()).spawn(move || {
            let _entered = runtime.enter();
            for (start, reply) in inbox {
                // Who asked may be gone with the fake; then it is killed as it is dropped.
                let _ = reply.send(spawn(&start));
            }
        })?;
        Ok(Self(Mutex::new(Some((sender, thread)))))
    }

    pub async fn spawn(&self, start: Start) -> io::Result<Running> {
        let (reply, answer) = oneshot::channel();
        let gone = || io::Error::other("the fake ends");
        let sender = self.open_end().as_ref().map(|(sender, _)| sender.clone());
        sender.ok_or_else(gone)?.send((start, reply)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Starts no more, and returns when what was being started is there: it can be killed then.
    pub fn close(&self) {
        let Some((sender, thread)) = self.open_end().take() else { return };
        drop(sender);
        // It does not panic; if it did, it would start nothing any more either.
        let _ = thread.join();
    }

    fn open_end(&self) -> MutexGuard<'_, Option<(mpsc::Sender<Request>, JoinHandle<()>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spawn(start: &Start) -> io::Result<Running> {
    let (program, arguments) =
        start.command.split_first().ok_or_else(|| io::Error::other("no command specified"))?;
    let output = File::options().create(true).append(true).open(output_of(&start.folder))?;
    let parent = rustix::process::getpid();
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
    // SAFETY: system calls alone, which are allowed between fork and exec.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // It may have ended before it was said.
            if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
        });
    }
    command.spawn().map(Running)
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
pub(crate) struct Running(Child);

impl Running {
    /// Its group's id too; none once it was waited for.
    pub fn id(&self) -> Option<Pid> {
        self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
    }

    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.wait().await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.id().into_iter().for_each(kill);
    }
}
