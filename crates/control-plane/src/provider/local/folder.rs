//! The host's side of one instance on disk: `instances/<agent>-<generation>/`.
//! What a restarted server knows of an instance, it knows from here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use domain::id::InstanceId;
use domain::journal::{Line, Speaker};
use domain::tier::Tier;
use domain::time::Timestamp;
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::cgroup::Group;
use super::process::{self, Identity};
use super::{remove, timestamp};
use crate::provider::{Exit, Launched};

/// How much of an instance's output is told, in bytes.
const LAST_OUTPUT: u64 = 4096;
/// How much of what its daemon says.
const LAST_JOURNAL: u64 = 32 * 1024;

/// Written before the sandbox is started.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spec {
    pub instance: InstanceId,
    pub tier: Tier,
    pub direct: Option<SocketAddr>,
    /// The host's user that it runs as, when the server is root.
    pub uid: Option<u32>,
    pub group: Option<Group>,
    pub at: Timestamp,
    pub boot: String,
}

impl Spec {
    pub fn launched(&self) -> Launched {
        Launched { tier: self.tier.clone(), direct: self.direct, at: self.at }
    }
}

/// Written when the instance has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ended {
    pub exit: Exit,
    pub at: Timestamp,
}

/// What bubblewrap wrote of its child.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The first process in the sandbox, by the host's number.
    pub child: Option<i32>,
    pub pid_namespace: Option<u64>,
    pub exit_code: Option<i32>,
}

#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    pub fn of(instances: &Path, instance: &InstanceId) -> Self {
        Self { path: instances.join(instance.file_name()) }
    }

    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub fn home(&self) -> PathBuf {
        self.path.join("home")
    }

    /// Makes the folder with an empty home that belongs to `uid`.
    pub fn create(&self, uid: Option<u32>) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(self.home())?;
        std::os::unix::fs::lchown(self.home(), uid, uid)
    }

    pub fn remove(&self) -> io::Result<()> {
        remove::tree(&self.path)
    }

    pub fn spec(&self) -> Option<Spec> {
        self.read("spec.json")
    }

    pub fn set_spec(&self, spec: &Spec) -> io::Result<()> {
        self.write("spec.json", spec)
    }

    pub fn process(&self) -> Option<Identity> {
        self.read("process.json")
    }

    pub fn set_process(&self, identity: &Identity) -> io::Result<()> {
        self.write("process.json", identity)
    }

    pub fn ended(&self) -> Option<Ended> {
        self.read("exit.json")
    }

    pub fn set_ended(&self, ended: &Ended) -> io::Result<()> {
        self.write("exit.json", ended)
    }

    /// The file for bubblewrap's status. Its lock lives as long as the process
    /// that inherits it: so a server that knows no number still knows that a
    /// bubblewrap is at work here.
    pub fn create_status(&self) -> io::Result<File> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(self.path.join("status.json"))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(file)
    }

    pub fn status(&self) -> Status {
        fs::read(self.path.join("status.json")).map(|bytes| Status::read(&bytes)).unwrap_or_default()
    }

    /// When bubblewrap wrote that last.
    pub fn status_at(&self) -> Option<Timestamp> {
        fs::metadata(self.path.join("status.json")).and_then(|file| file.modified()).map(timestamp).ok()
    }

    /// Whether the bubblewrap that was started here still lives.
    pub fn is_monitored(&self) -> bool {
        File::open(self.path.join("status.json"))
            .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_err())
    }

    /// Where the instance says what its owner may read.
    pub fn create_output(&self) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).mode(0o600).open(self.path.join("output.log"))
    }

    /// Where its daemon says what whoever looks after the fleet may read as well.
    pub fn create_journal(&self) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).mode(0o600).open(self.path.join("journal.log"))
    }

    /// The end of that. What is no line of the daemon's is left out.
    pub fn journal(&self) -> Vec<Line> {
        let text = self.tail("journal.log", LAST_JOURNAL).unwrap_or_default();
        let lines =
            text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        lines.map(|line| Line::new(line.at, Speaker::Daemon, line.weight, &line.text)).collect()
    }

    fn tail(&self, name: &str, most: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(self.path.join(name))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The end of the instance's output, made safe to show.
    pub fn last_output(&self) -> String {
        let tail = self.tail("output.log", LAST_OUTPUT).unwrap_or_default();
        let text = String::from_utf8_lossy(&tail).into_owned();
        text.chars()
            .filter(|c| *c == '\n' || *c == '\t' || !c.is_control())
            .collect::<String>()
            .trim()
            .to_owned()
    }

    /// Binds the agent's socket anew.
    pub fn listen(&self) -> io::Result<UnixListener> {
        match fs::remove_file(self.path.join("agent.sock")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (_dir, path) = self.short_socket_path()?;
        UnixListener::bind(path)
    }

    pub async fn connect(&self) -> io::Result<tokio::net::UnixStream> {
        let (_dir, path) = self.short_socket_path()?;
        tokio::net::UnixStream::connect(path).await
    }

    /// A socket's path may have 107 bytes; through the folder's descriptor any
    /// folder is near. The path is good as long as the descriptor lives.
    fn short_socket_path(&self) -> io::Result<(OwnedFd, PathBuf)> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(&self.path, flags, Mode::empty())?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/agent.sock", dir.as_raw_fd()));
        Ok((dir, path))
    }

    /// The first process of the sandbox, if it lives.
    pub fn find_process(&self, spec: &Spec) -> Option<(Identity, OwnedFd)> {
        if process::boot_id().ok()? != spec.boot {
            return None;
        }
        if let Some(identity) = self.process() {
            return identity.open().map(|handle| (identity, handle));
        }
        // The server died before it wrote the number down: bubblewrap did.
        let Status { child: Some(child), pid_namespace: Some(namespace), .. } = self.status() else {
            return None;
        };
        let handle = process::open(child)?;
        let identity = Identity::of(child).ok()?;
        (process::pid_namespace(child).ok()? == namespace).then_some((identity, handle))
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&fs::read(self.path.join(name)).ok()?).ok()
    }

    /// Whole or not at all when the server dies in between. Not forced to disk:
    /// when the power fails, so do the instances.
    fn write<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        let partial = self.path.join(format!("{name}.partial"));
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        file.write_all(&serde_json::to_vec(value)?)?;
        fs::rename(partial, self.path.join(name))
    }
}

impl Status {
    /// Reads a run of JSON objects; the last may be half written.
    fn read(bytes: &[u8]) -> Self {
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        struct Line {
            child_pid: Option<i32>,
            pid_namespace: Option<u64>,
            exit_code: Option<i32>,
        }
        let lines = serde_json::Deserializer::from_slice(bytes).into_iter::<Line>();
        lines.map_while(Result::ok).fold(Self::default(), |status, line| Self {
            child: line.child_pid.or(status.child),
            pid_namespace: line.pid_namespace.or(status.pid_namespace),
            exit_code: line.exit_code.or(status.exit_code),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bubblewraps_status_is_read_also_half_written() {
        let text = br#"{ "child-pid": 41, "pid-namespace": 4026532181, "uts-namespace": 1 }
{ "exit-code": 7 }
{ "exit"#;
        let expected = Status { child: Some(41), pid_namespace: Some(4026532181), exit_code: Some(7) };
        assert_eq!(Status::read(text), expected);
        assert_eq!(Status::read(b"{ \"child"), Status::default());
    }

    #[test]
    fn the_last_output_is_short_and_holds_no_control_characters() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::at(dir.path().to_owned());
        folder.create_output().unwrap().write_all(&[b'x'; 9000]).unwrap();
        folder.create_output().unwrap().write_all(b"\x1b[31mred\x07\n\xff").unwrap();
        let output = folder.last_output();
        assert!(output.len() <= 4100 && output.ends_with("[31mred\n\u{fffd}"), "{output:?}");
    }

    #[test]
    fn a_journal_is_the_daemons_lines_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::at(dir.path().to_owned());
        assert_eq!(folder.journal(), []);
        let mut file = folder.create_journal().unwrap();
        for n in 0..900 {
            let line =
                format!(r#"{{"at":{n},"by":"control_plane","weight":"info","text":"saved \u001b[31m {n}"}}"#);
            writeln!(file, "{line}\nsome program's words").unwrap();
        }
        let lines = folder.journal();
        let last =
            Line::new(Timestamp(899), Speaker::Daemon, domain::journal::Weight::Info, "saved  [31m 899");
        assert!(lines.len() < 500 && lines.len() > 100, "{}", lines.len());
        assert_eq!(lines.last(), Some(&last));
    }
}
