//! What a process has started, and that has started. A terminal's shell is in a
//! session of its own: no signal to the group reaches it.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// A process that is not taken for a later one of the same id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Member {
    process: Pid,
    /// In clock ticks since boot.
    started: u64,
}

/// All descendants of a process that are there now.
pub(crate) fn of(process: Pid) -> Vec<Member> {
    let mut family = Vec::new();
    let mut parents = vec![process];
    while let Some(parent) = parents.pop() {
        for child in children(parent) {
            family.extend(Member::now(child));
            parents.push(child);
        }
    }
    family
}

fn children(process: Pid) -> Vec<Pid> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let ids: Vec<_> =
        lists.flat_map(|list| list.split(' ').map(str::parse::<i32>).collect::<Vec<_>>()).collect();
    ids.into_iter().filter_map(|id| Pid::from_raw(id.ok()?)).collect()
}

impl Member {
    fn now(process: Pid) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // proc(5): the name may hold anything; `starttime` is the 20th field after it.
        let started = stat.rsplit(')').next()?.split_whitespace().nth(19)?.parse().ok()?;
        Some(Self { process, started })
    }

    pub fn kill(&self) {
        if Self::now(self.process).as_ref() == Some(self) {
            // It may have ended just now.
            let _ = kill_process(self.process, Signal::KILL);
        }
    }
}
