//! Stands every process of the instance still while its state is saved, so that
//! a snapshot is of one moment and nothing is done after it that would be lost.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::usage::processes::{self, Process};

/// How long a process may take to stand still: one that waits for a disk does
/// not at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// After so long all are stopped at once: they fork quicker than they are listed.
const ORDERLY: Duration = Duration::from_secs(1);
/// After so long one that waits uninterruptibly does not wait for a disk.
const SETTLED: Duration = Duration::from_millis(1200);

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
        let all = processes::all();
        let moving: Vec<&Process> =
            all.iter().filter(|process| !stands_still(process, &all, since.elapsed())).collect();
        let Some(one) = moving.first() else { return Ok(frozen) };
        if since.elapsed() > PATIENCE {
            return Err(Restless(one.name.clone()));
        }
        // A parent must stand still before its child is stopped: a shell that saw
        // its job stop would take the terminal back.
        let parents: HashSet<i32> = moving.iter().map(|process| process.pid).collect();
        for process in moving.iter().filter(|process| !parents.contains(&process.parent)) {
            signal(process, Signal::STOP);
        }
        if since.elapsed() > ORDERLY {
            stop_all();
        }
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
        let mut all = processes::all();
        all.sort_by_key(|process| std::cmp::Reverse((process.started, process.pid)));
        for process in all.iter().filter(|process| !self.before.contains(&process.pid)) {
            signal(process, Signal::CONT);
        }
    }
}

/// Whether a process does nothing any more. One that waits, uninterruptibly,
/// for a child that it made by `vfork` never comes to stop when the child has:
/// it will not get to do anything either.
fn stands_still(process: &Process, all: &[Process], since: Duration) -> bool {
    let waits_for_child = || {
        process.state == 'D'
            && since > SETTLED
            && all.iter().any(|child| child.parent == process.pid && child.is_stopped())
    };
    process.is_stopped() || process.is_over() || waits_for_child()
}

/// As the first process of a namespace: all others at once, so that none can
/// outrun the listing by forking.
fn stop_all() {
    if std::process::id() == 1 {
        // SAFETY: no pointer is passed. -1 spares the caller and the first process.
        unsafe { libc::kill(-1, libc::SIGSTOP) };
    }
}

fn signal(process: &Process, signal: Signal) {
    if let Some(pid) = Pid::from_raw(process.pid) {
        // One that has ended stands still.
        let _ = kill_process(pid, signal);
    }
}
