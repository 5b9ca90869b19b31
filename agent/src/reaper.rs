//! The first process of a namespace inherits every orphan in it. All children
//! are waited for in this one place, so that none stays a zombie and no exit
//! code goes to the wrong hands.

use std::collections::HashMap;
use std::io;
use std::sync::Mutex;

use rustix::process::{Pid, WaitOptions, WaitStatus, wait};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Waits for all children. Nothing else in the process may wait for any.
#[derive(Debug, Default)]
pub struct Reaper {
    awaited: Mutex<HashMap<Pid, oneshot::Sender<i32>>>,
}

impl Reaper {
    /// Starts a child and says how to learn its exit code (128 + the signal for
    /// one that was killed). The start and its noting are one: no exit is missed.
    pub fn start(
        &self,
        spawn: impl FnOnce() -> io::Result<std::process::Child>,
    ) -> io::Result<(Pid, oneshot::Receiver<i32>)> {
        let mut awaited = self.awaited.lock().expect("no holder panics");
        let child = spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("a child without a number"))?;
        let (ended, end) = oneshot::channel();
        awaited.insert(pid, ended);
        Ok((pid, end))
    }

    /// Reaps for ever.
    pub async fn run(&self) -> io::Result<()> {
        let mut children = signal(SignalKind::child())?;
        loop {
            self.reap();
            if children.recv().await.is_none() {
                return Ok(());
            }
        }
    }

    fn reap(&self) {
        // Held throughout: a child that is being started is noted first.
        let mut awaited = self.awaited.lock().expect("no holder panics");
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if let (Some(code), Some(ended)) = (exit_code(status), awaited.remove(&pid)) {
                // Nobody may wait for it any more.
                let _ = ended.send(code);
            }
        }
    }
}

fn exit_code(status: WaitStatus) -> Option<i32> {
    status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal))
}
