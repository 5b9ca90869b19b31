//! Stands every process of the instance still while its state is saved, so that
//! a snapshot is of one moment and nothing is done after it that would be lost.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::usage::processes::{self, Process};

/// How long a process may take to stand still: one that waits for a disk does
/// not at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// The processes are stopped as long as this is there, except for
/// [`Frozen::keep`].
#[derive(Debug)]
pub struct Frozen {
    /// Those that stood still before: they stay so.
    before: HashSet<i32>,
    thaws: bool,
}

/// A process did not stand still.
#[derive(Debug, thiserror::Error)]
#[error("{0} could not be stopped")]
pub struct Restless(String);

/// Stops all processes but this one. Blocks.
///
/// # Errors
/// [`Restless`] when one goes on; then all go on.
pub fn freeze() -> Result<Frozen, Restless> {
    let before =
        processes::all().into_iter().filter(Process::is_stopped).map(|process| process.pid).collect();
    let frozen = Frozen { before, thaws: true };
    let since = Instant::now();
    loop {
        // Those that were started meanwhile, too.
        let moving: Vec<Process> = processes::all()
            .into_iter()
            .filter(|process| !process.is_stopped() && !process.is_over())
            .collect();
        let Some(one) = moving.first() else { return Ok(frozen) };
        if since.elapsed() > PATIENCE {
            return Err(Restless(one.name.clone()));
        }
        // Parents first: a shell must not see its job stop and take the terminal back.
        for process in ordered(moving) {
            signal(&process, Signal::STOP);
        }
        stop_all();
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl Frozen {
    /// They stay stopped for good.
    pub fn keep(mut self) {
        self.thaws = false;
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        if !self.thaws {
            return;
        }
        // Children first, for the same reason.
        for process in ordered(processes::all()).into_iter().rev() {
            if !self.before.contains(&process.pid) {
                signal(&process, Signal::CONT);
            }
        }
    }
}

/// As the first process of a namespace: all others at once, so that none can
/// outrun the listing by forking.
fn stop_all() {
    if std::process::id() == 1 {
        // SAFETY: no pointer is passed. -1 spares the caller and the first process.
        unsafe { libc::kill(-1, libc::SIGSTOP) };
    }
}

fn ordered(mut processes: Vec<Process>) -> Vec<Process> {
    processes.sort_by_key(|process| (process.started, process.pid));
    processes
}

fn signal(process: &Process, signal: Signal) {
    if let Some(pid) = Pid::from_raw(process.pid) {
        // One that has ended stands still.
        let _ = kill_process(pid, signal);
    }
}
