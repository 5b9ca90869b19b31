//! When people use their agents: by the hour of the day and the day of the
//! week, the same for the same seed. Made up.

use std::time::Duration;

use domain::id::AgentId;
use domain::time::{Day, Timestamp};

use super::model::Model;
use super::random::of_agent;

/// How far ahead the next use is looked for.
const AHEAD: i64 = 60;

/// One stretch of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Session {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// How many sessions a day, between which hours, and how many minutes each.
struct Habit {
    weekend: bool,
    /// Of a day with any.
    chance: f64,
    sessions: (u64, u64),
    hours: (u64, u64),
    minutes: (u64, u64),
}

/// In working hours.
const OFFICE: Habit =
    Habit { weekend: false, chance: 0.9, sessions: (2, 3), hours: (8, 17), minutes: (40, 150) };
const EVENING: Habit =
    Habit { weekend: true, chance: 0.6, sessions: (1, 1), hours: (18, 22), minutes: (20, 90) };
/// A job that runs by night.
const NIGHT: Habit = Habit { weekend: true, chance: 1.0, sessions: (1, 1), hours: (2, 4), minutes: (15, 50) };
const SELDOM: Habit =
    Habit { weekend: true, chance: 0.12, sessions: (1, 1), hours: (9, 20), minutes: (10, 60) };

impl Model {
    fn habit(self, agent: AgentId) -> &'static Habit {
        match of_agent(self.seed, agent, &[6]).between(0, 9) {
            0..=5 => &OFFICE,
            6..=7 => &EVENING,
            8 => &NIGHT,
            _ => &SELDOM,
        }
    }

    /// When it is used of a UTC day, in order; a session may end on the next.
    pub(crate) fn sessions(self, agent: AgentId, day: Day) -> Vec<Session> {
        let habit = self.habit(agent);
        let mut random = of_agent(self.seed, agent, &[7, day.0.unsigned_abs()]);
        if (day.is_weekend() && !habit.weekend) || !random.chance(habit.chance) {
            return Vec::new();
        }
        let count = random.between(habit.sessions.0, habit.sessions.1);
        let mut sessions: Vec<_> = (0..count)
            .map(|_| {
                let start = random.between(habit.hours.0 * 3600, (habit.hours.1 + 1) * 3600 - 1);
                let length = random.between(habit.minutes.0 * 60, habit.minutes.1 * 60);
                let from = day.start().after(Duration::from_secs(start));
                Session { from, to: from.after(Duration::from_secs(length)) }
            })
            .collect();
        sessions.sort();
        sessions
    }

    /// How long nobody has used it; `None`: not since yesterday began.
    pub(crate) fn unused_for(self, agent: AgentId, at: Timestamp) -> Option<Duration> {
        let days = [Day(at.day().0 - 1), at.day()];
        let begun = days.into_iter().flat_map(|day| self.sessions(agent, day)).filter(|one| one.from <= at);
        begun.map(|session| at.since(session.to)).min()
    }

    /// The next session that begins after `after`.
    pub(crate) fn next_session(self, agent: AgentId, after: Timestamp) -> Option<Session> {
        let today = after.day().0;
        let ahead = (today..today + AHEAD).flat_map(|day| self.sessions(agent, Day(day)));
        ahead.filter(|session| session.from > after).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONDAY: Day = Day(20_416); // 2025-11-24

    #[test]
    fn offices_are_empty_on_sundays_and_nobody_works_at_five() {
        let model = Model::new(7);
        let agents: Vec<_> = (0..=255).map(|agent| AgentId::from_random([agent; 10])).collect();
        let used = |at: Timestamp| {
            agents.iter().filter(|agent| model.unused_for(**agent, at) == Some(Duration::ZERO)).count()
        };
        let hour = |day: i64, hour: u64| Day(MONDAY.0 + day).start().after(Duration::from_secs(hour * 3600));
        assert!(used(hour(0, 11)) > 2 * used(hour(6, 11)), "{} {}", used(hour(0, 11)), used(hour(6, 11)));
        assert_eq!((used(hour(0, 6)), used(hour(6, 6))), (0, 0));
    }

    #[test]
    fn the_next_session_is_the_first_that_begins_later() {
        let (model, agent) = (Model::new(7), AgentId::from_random([1; 10]));
        let mut at = MONDAY.start();
        for _ in 0..20 {
            let next = model.next_session(agent, at).unwrap();
            assert!(next.from > at && next.to > next.from);
            assert_eq!(model.unused_for(agent, next.from), Some(Duration::ZERO));
            at = next.from;
        }
    }
}
