//! Processes of tasks. Each has a folder and a process group of its own, and
//! the kernel kills it when the fake ends, however that happens.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc;

use rustix::process::{
    Pid, Signal, getppid, kill_process, kill_process_group, set_parent_process_death_signal,
};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

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

type Request = (Start, oneshot::Sender<io::Result<Child>>);

/// Starts processes from one thread that lives as long as the fake: their death
/// signal comes when the thread that started them ends, and a runtime's threads come and go.
pub(crate) struct Spawner(mpsc::Sender<Request>);

impl Spawner {
    /// Within a runtime: the processes are watched by it.
    pub fn open() -> io::Result<Self> {
        let (sender, inbox) = mpsc::channel::<Request>();
        let runtime = Handle::current();
        std::thread::Builder::new().name("ecs-fake-spawner".to_owned()).spawn(move || {
            let _entered = runtime.enter();
            for (start, reply) in inbox {
                // Who asked may be gone with the fake; then the child is killed as it is dropped.
                let _ = reply.send(spawn(&start));
            }
        })?;
        Ok(Self(sender))
    }

    pub async fn spawn(&self, start: Start) -> io::Result<Child> {
        let (reply, answer) = oneshot::channel();
        let gone = || io::Error::other("the fake ends");
        self.0.send((start, reply)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn spawn(start: &Start) -> io::Result<Child> {
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
        .process_group(0)
        .kill_on_drop(true);
    // SAFETY: system calls alone, which are allowed between fork and exec.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // It may have ended before it was said.
            if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
        });
    }
    command.spawn()
}

/// SIGTERM to the first process, as `docker stop` does.
pub(crate) fn terminate(process: Pid) {
    // It may have ended by itself.
    let _ = kill_process(process, Signal::TERM);
}

/// SIGKILL to all that is left, as when a container's first process ends.
pub(crate) fn kill(group: Pid) {
    // There may be none left.
    let _ = kill_process_group(group, Signal::KILL);
}

/// As a container's exit code tells it: 128 and the signal for one that was killed.
pub(crate) fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// The child's id, which is its group's too; none once it was waited for.
pub(crate) fn id(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
}
