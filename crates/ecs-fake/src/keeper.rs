//! Ends the tasks of a fake that was killed by force, when nobody else can: a
//! shell beside it, which holds the other end of a pipe. What a task started is
//! found from its first process alone, so that one must not die with the fake.

use std::io::{self, PipeWriter, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::process::Pid;

/// Each line adds a task's first process or takes it away. After the last one
/// those that are left end: stopped first, lest they start what is not seen.
const SCRIPT: &str = r#"
end() {
  kill -STOP "$1" || return
  for child in $(cat "/proc/$1/task/"*/children); do end "$child"; done
  kill -KILL "$1"
}
tasks=' '
while read -r change task; do
  case $change in
    +) tasks="$tasks$task " ;;
    -) tasks="${tasks%%" $task "*} ${tasks#*" $task "}" ;;
  esac
done
for task in $tasks; do
  end "$task"
  kill -s KILL -- "-$task"
done
"#;

pub(crate) struct Keeper {
    /// Gone first: then the shell ends.
    pipe: Option<PipeWriter>,
    shell: Child,
}

impl Keeper {
    pub fn open() -> io::Result<Self> {
        let (reader, pipe) = io::pipe()?;
        let mut shell = Command::new("sh");
        // Of a group of its own: what ends the fake's group is what it is there for.
        shell.args(["-c", SCRIPT]).process_group(0);
        let shell = shell.stdin(reader).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Self { pipe: Some(pipe), shell })
    }

    /// What a process says of itself before it becomes the task: until it has, the
    /// pipe has an end in it, and the shell waits.
    pub fn entry(&self) -> io::Result<Entry> {
        self.pipe
            .as_ref()
            .map_or_else(|| Err(io::ErrorKind::BrokenPipe.into()), PipeWriter::try_clone)
            .map(Entry)
    }

    /// It has ended; its id may be another's from now on.
    pub fn strike(&self, task: Pid) {
        // Without the shell there is nothing to be told.
        let _ = self.pipe.as_ref().map(|mut pipe| writeln!(pipe, "- {task}"));
    }
}

/// One task's.
pub(crate) struct Entry(PipeWriter);

impl Entry {
    /// In the new process, between fork and exec: allocates nothing.
    pub fn sign(&self) -> io::Result<()> {
        let mut line = [0; 16];
        let mut rest = &mut line[..];
        writeln!(rest, "+ {}", rustix::process::getpid())?;
        let left = rest.len();
        let length = line.len() - left;
        (&self.0).write_all(&line[..length])
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.pipe = None;
        // Its tasks are gone, or go now.
        let _ = self.shell.wait();
    }
}
