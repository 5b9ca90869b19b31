//! Processes by name that can't be mistaken: a number alone may be another
//! process's by the time it is used.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use tokio::io::unix::AsyncFd;

/// A process of this boot: its number and when it started, in clock ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub pid: i32,
    pub started: u64,
}

impl Identity {
    /// Who has this number now.
    pub fn of(pid: i32) -> io::Result<Self> {
        Ok(Self { pid, started: stat_field(pid, 22)? })
    }

    /// A handle on the process, if it still is the one.
    pub fn open(self) -> Option<OwnedFd> {
        let handle = open(self.pid)?;
        // After the handle was taken: a number can't change hands under it.
        (Self::of(self.pid).ok()? == self).then_some(handle)
    }
}

/// A handle on whoever has this number now.
pub fn open(pid: i32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(pid)?, PidfdFlags::NONBLOCK).ok()
}

/// The parent, as long as it is a bubblewrap that still waits for it.
pub fn monitor_of(pid: i32) -> Option<OwnedFd> {
    let parent = i32::try_from(stat_field(pid, 4).ok()?).ok()?;
    let handle = open(parent)?;
    let named = fs::read_to_string(format!("/proc/{parent}/comm")).ok()?;
    (named.trim_end() == "bwrap").then_some(handle)
}

/// The inode of a process's pid namespace.
pub fn pid_namespace(pid: i32) -> io::Result<u64> {
    Ok(fs::metadata(format!("/proc/{pid}/ns/pid"))?.ino())
}

/// Sends a signal; one who has ended needs none.
pub fn signal(handle: impl AsFd, signal: Signal) -> io::Result<()> {
    match pidfd_send_signal(handle, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(refused) => Err(refused.into()),
    }
}

/// Kills and waits for the end. Blocks.
pub fn kill(handle: &OwnedFd) -> io::Result<()> {
    signal(handle, Signal::KILL)?;
    let mut ends = [PollFd::new(handle, PollFlags::IN)];
    while poll(&mut ends, None)? == 0 {}
    Ok(())
}

/// A handle that can be waited on in the runtime.
pub fn watchable(handle: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor is owned by the registration and closed after it.
    Ok(unsafe { AsyncFd::register(handle) }?)
}

/// Waits until the process has ended, and with it, if it is the first of a pid
/// namespace, every process in there: the kernel reaps those first.
pub async fn ended(handle: &AsyncFd<OwnedFd>) -> io::Result<()> {
    handle.readable().await.map(drop)
}

/// This boot's name: numbers of processes mean nothing across boots.
pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim_end().to_owned())
}

/// Field `number` of `/proc/<pid>/stat`, counted from 1 as in proc(5); those after the name only.
fn stat_field(pid: i32, number: usize) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "an odd /proc/<pid>/stat");
    // The name stands in parentheses and may itself hold any character.
    let (_, rest) = text.rsplit_once(')').ok_or_else(odd)?;
    rest.split_ascii_whitespace().nth(number - 3).and_then(|field| field.parse().ok()).ok_or_else(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_number_and_start() {
        let own = std::process::id().cast_signed();
        let identity = Identity::of(own).unwrap();
        assert!(identity.open().is_some());
        assert!(Identity { started: identity.started + 1, ..identity }.open().is_none());
    }
}
