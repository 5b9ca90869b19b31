//! What works on though nobody types: a job that uses the CPU or puts something
//! out. An editor left open does neither.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::agent::Busy;
use tokio::time::Instant;

use super::processes::{self, Process, TICKS};
use crate::terminal::Terminal;

/// A job counts as working for so long after it last did.
const RECENT: Duration = Duration::from_secs(60);
/// What comes out within so long of a job's start may be the echo of its name.
const ECHO: Duration = Duration::from_secs(1);
/// Looks closer together than this are one.
const STEP: Duration = Duration::from_secs(1);
/// The share of a CPU that is work rather than waiting, in percent.
const WORKING: u64 = 2;

/// Compares what processes have done with what they had.
#[derive(Default)]
pub struct Watch {
    jobs: HashMap<i32, Job>,
    looked: Option<Instant>,
}

/// One process group.
#[derive(Debug, Clone)]
struct Job {
    name: String,
    ticks: u64,
    /// Clock ticks after boot, of its oldest member.
    started: u64,
    /// When it last used the CPU, and how much of one, in percent.
    worked: Option<(Instant, u64)>,
}

impl Watch {
    /// Looks at the processes, and says what works.
    pub fn look(&mut self, terminals: &[Arc<Terminal>], now: Instant) -> Option<Busy> {
        let uptime = processes::uptime()?;
        if self.looked.is_none_or(|before| now.duration_since(before) >= STEP) {
            self.compare(&processes::all(), uptime, now);
        }
        let putting_out = terminals.iter().find_map(|terminal| {
            let job = self.jobs.get(&terminal.foreground_job()?)?;
            let age = Duration::from_millis(uptime.saturating_sub(job.started) * 1000 / TICKS);
            let ago = now.duration_since(terminal.last_output()?);
            (ago < RECENT && ago + ECHO < age).then(|| format!("{} (output)", job.name))
        });
        let using_cpu = || {
            let recent = self.jobs.values().filter_map(|job| Some((job.worked?, &job.name)));
            let recent = recent.filter(|((at, _), _)| now.duration_since(*at) < RECENT);
            let ((_, percent), name) = recent.max_by_key(|(worked, _)| *worked)?;
            Some(format!("{name} (CPU {percent} %)"))
        };
        putting_out.or_else(using_cpu).map(|reason| Busy { reason })
    }

    fn compare(&mut self, processes: &[Process], uptime: u64, now: Instant) {
        let since_last = self.looked.map(|before| now.duration_since(before));
        self.looked = Some(now);
        let mut jobs: HashMap<i32, Job> = HashMap::new();
        for process in processes.iter().filter(|process| !process.is_over()) {
            let new = Job { name: process.name.clone(), ticks: 0, started: process.started, worked: None };
            let job = jobs.entry(process.group).or_insert(new);
            job.ticks += process.ticks;
            job.started = job.started.min(process.started);
            if process.pid == process.group {
                job.name.clone_from(&process.name);
            }
        }
        for (group, job) in &mut jobs {
            // One that is new to us has all of its life to answer for.
            let age = Duration::from_millis(uptime.saturating_sub(job.started) * 1000 / TICKS);
            let known = self.jobs.get(group).filter(|known| known.started == job.started).zip(since_last);
            let (before, passed) = known.map_or((0, age), |(known, passed)| (known.ticks, passed));
            job.worked = known.and_then(|(known, _)| known.worked);
            let done = job.ticks.saturating_sub(before) * 100_000 / TICKS;
            let percent = done / u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).max(1000);
            if percent >= WORKING {
                job.worked = Some((now, percent));
            }
        }
        self.jobs = jobs;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, name: &str, ticks: u64) -> Process {
        Process { pid, parent: 1, group: pid, name: name.to_owned(), state: 'S', ticks, started: 1000 }
    }

    fn busy_after(watch: &mut Watch, ticks: [u64; 2], uptime: u64, now: Instant) -> Vec<(i32, u64)> {
        watch.compare(&[process(7, "make", ticks[0]), process(8, "vim", ticks[1])], uptime, now);
        let mut worked: Vec<_> = watch
            .jobs
            .iter()
            .filter_map(|(group, job)| Some((*group, job.worked.filter(|(at, _)| *at == now)?.1)))
            .collect();
        worked.sort();
        worked
    }

    #[test]
    fn what_uses_the_cpu_works_and_what_waits_does_not() {
        let (mut watch, now) = (Watch::default(), Instant::now());
        // 20 s old: 10 s of CPU, and 0.1 s.
        assert_eq!(busy_after(&mut watch, [1000, 10], 3000, now), [(7, 50)]);
        // 10 s later: nothing more of the first, all of the time of the second.
        let later = now + Duration::from_secs(10);
        assert_eq!(busy_after(&mut watch, [1000, 1010], 4000, later), [(8, 100)]);
        assert_eq!(watch.jobs[&7].worked, Some((now, 50)));
    }
}
