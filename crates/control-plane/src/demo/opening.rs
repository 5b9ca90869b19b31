//! When a demonstration opens.

use std::time::Duration;

use domain::time::{Day, Timestamp};

/// Ten in the morning, UTC: offices are at work, and the day is still before
/// them.
const HOUR: Duration = Duration::from_secs(10 * 3600);
/// Days of its month that must lie behind it, so that «this month» has
/// something to say, and ahead of it: a presenter who lets time run fast for a
/// minute or two must not see the month's sum begin at nothing.
const BEHIND: i64 = 7;
const AHEAD: i64 = 3;

/// The latest working morning that fits, by the machine's clock: the hour is
/// the same whenever somebody opens it, so that no stage shows a fleet that
/// sleeps through the presenter's night.
pub fn opening(now: Timestamp) -> Timestamp {
    let mut day = now.day();
    while !fits(day, now) {
        day = Day(day.0 - 1);
    }
    ten(day)
}

fn ten(day: Day) -> Timestamp {
    day.start().after(HOUR)
}

fn fits(day: Day, now: Timestamp) -> bool {
    let month = day.month();
    ten(day) <= now
        && !day.is_weekend()
        && Day(day.0 - BEHIND).month() == month
        && Day(day.0 + AHEAD).month() == month
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_at_ten_of_a_working_day_that_has_been_and_well_within_its_month() {
        for hour in 0..24 * 800 {
            let now = Timestamp(1_790_000_000_000).after(Duration::from_secs(hour * 3600));
            let at = opening(now);
            assert!(at <= now && now.since(at) < Duration::from_secs(16 * 24 * 3600), "{now}: {at}");
            assert_eq!(at.since(at.day().start()), HOUR);
            let (_, _, day) = at.day().civil();
            assert!((8..=28).contains(&day) && !at.day().is_weekend(), "{now}: {at}");
        }
    }

    #[test]
    fn it_is_todays_morning_where_that_fits() {
        let thursday: Day = "2026-11-26".parse().unwrap();
        let at = |day: Day, hour: u64| day.start().after(Duration::from_secs(hour * 3600));
        assert_eq!(opening(at(thursday, 15)).to_string(), "2026-11-26T10:00:00.000Z");
        assert_eq!(opening(at(thursday, 3)).to_string(), "2026-11-25T10:00:00.000Z");
        // A Tuesday, and the first of its month.
        let first: Day = "2026-12-01".parse().unwrap();
        assert_eq!(opening(at(first, 12)).to_string(), "2026-11-27T10:00:00.000Z");
    }
}
