//! What this process said of each agent lately, for whoever looks after the
//! fleet. The log itself goes where the operator sends it; this is its end,
//! bounded, in memory, and gone with the process.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::id::AgentId;
use domain::journal::Line;

/// Lines that are kept of all agents together: two megabytes at the most.
const LINES: usize = 4000;

/// The process's, as its log is.
pub static LOGBOOK: Logbook = Logbook::new();

/// Lines in the order that they were written down in.
pub struct Logbook(Mutex<VecDeque<(AgentId, Line)>>);

impl Logbook {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    fn lines(&self) -> MutexGuard<'_, VecDeque<(AgentId, Line)>> {
        // Each change of it is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn note(&self, agent: AgentId, line: Line) {
        self.take_over(agent, [line]);
    }

    /// Keeps lines that go where they were.
    pub fn take_over(&self, agent: AgentId, lines: impl IntoIterator<Item = Line>) {
        let mut all = self.lines();
        for line in lines {
            if all.len() == LINES {
                all.pop_front();
            }
            all.push_back((agent, line));
        }
    }

    /// What is kept of an agent.
    pub fn of(&self, agent: AgentId) -> Vec<Line> {
        self.lines().iter().filter(|(of, _)| *of == agent).map(|(_, line)| line.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::journal::{Speaker, Weight};
    use domain::time::Timestamp;

    #[test]
    fn the_latest_lines_of_all_are_kept_and_told_by_agent() {
        let logbook = Logbook::new();
        let agent = |n: usize| AgentId::from_random([(n % 2) as u8; 10]);
        for n in 0..LINES + 10 {
            let line = Line::new(Timestamp(n as i64), Speaker::ControlPlane, Weight::Info, "x");
            logbook.note(agent(n), line);
        }
        let kept = [0, 1].map(|n| logbook.of(agent(n)));
        assert_eq!(kept.iter().map(Vec::len).sum::<usize>(), LINES);
        assert_eq!((kept[0][0].at, kept[1][0].at), (Timestamp(10), Timestamp(11)));
        assert!(logbook.of(AgentId::from_random([7; 10])).is_empty());
    }
}
