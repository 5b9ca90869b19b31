//! What works on though nobody types: a job that uses the CPU or puts something
//! out. An editor left open does neither.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::agent::Busy;
use tokio::time::Instant;

use super::processes::{self, Process};
use crate::terminal::Terminal;

/// A job counts as working for so long after it was last seen to.
const RECENT: Duration = Duration::from_secs(60);
/// Looks closer together than this are one.
const STEP: Duration = Duration::from_secs(2);
/// The share of a CPU that is work rather than waiting, in percent.
const WORKING: u64 = 2;
/// Clock ticks in a second; the same on every Linux that is in use.
const TICKS: u64 = 100;

/// Compares what processes have done with what they had.
#[derive(Default)]
pub struct Watch {
    jobs: HashMap<i32, Job>,
    looked: Option<Instant>,
}

/// One process group.
struct Job {
    ticks: u64,
    started: u64,
    worked: Option<(Instant, u64)>,
}

impl Watch {
    /// Looks at the processes, and says what works.
    pub fn look(&mut self, terminals: &[Arc<Terminal>], now: Instant) -> Option<Busy> {
        let processes = processes::all();
        let shells: Vec<i32> = terminals.iter().map(|terminal| terminal.shell.as_raw_nonzero().get()).collect();
        self.compare(&processes, &shells, now);
        let foreground = terminals.iter().filter_map(|terminal| Some((terminal.foreground_job()?, terminal)));
        for (group, terminal) in foreground {
            let put_out = terminal.last_output().is_some_and(|at| now.duration_since(at) < RECENT);
            if put_out && let Some(name) = name(&processes, group) {
                return Some(Busy { reason: name });
            }
        }
        let (group, job) = self
            .jobs
            .iter()
            .filter(|(_, job)| job.worked.is_some_and(|(at, _)| now.duration_since(at) < RECENT))
            .max_by_key(|(_, job)| job.worked)?;
        let percent = job.worked.map_or(0, |(_, percent)| percent);
        Some(Busy { reason: format!("{} (CPU {percent} %)", name(&processes, *group)?) })
    }

    fn compare(&mut self, processes: &[Process], shells: &[i32], now: Instant) {
        let passed = match self.looked {
            Some(before) if now.duration_since(before) < STEP => return,
            Some(before) => Some(now.duration_since(before)),
            None => None,
        };
        self.looked = Some(now);
        let mut jobs: HashMap<i32, Job> = HashMap::new();
        for process in processes.iter().filter(|process| !process.is_over() && !shells.contains(&process.pid)) {
            let job = jobs.entry(process.group).or_insert(Job { ticks: 0, started: process.started, worked: None });
            job.ticks += process.ticks;
            job.started = job.started.min(process.started);
        }
        for (group, job) in &mut jobs {
            let known = self.jobs.get(group).filter(|known| known.started == job.started);
            let before = known.map_or(0, |known| known.ticks);
            job.worked = known.and_then(|known| known.worked);
            let Some(passed) = passed else { continue };
            let done = job.ticks.saturating_sub(before) * 100_000 / TICKS;
            let percent = done / u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).max(1);
            if percent >= WORKING {
                job.worked = Some((now, percent));
            }
        }
        self.jobs = jobs;
    }
}

/// The name of a job: its leader's, or that of the one who works most.
fn name(processes: &[Process], group: i32) -> Option<String> {
    let members = processes.iter().filter(|process| process.group == group && !process.is_over());
    members.max_by_key(|process| (process.pid == group, process.ticks)).map(|process| process.name.clone())
}
