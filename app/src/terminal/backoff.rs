//! When to try again.

use std::time::Duration;

/// The first pause is at most this long.
const FIRST: Duration = Duration::from_millis(300);
/// None is longer, while the page is seen.
const LONGEST: Duration = Duration::from_secs(15);
/// In the background it is no shorter than the one, no longer than the other.
const HIDDEN: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));
/// A connection that held for so long makes the next try a first one.
pub const HELD: Duration = Duration::from_secs(5);

/// The pause before try number `attempt` (from 1): anything up to a bound that
/// doubles, so that viewers who were cut off together come back apart.
/// `random` is any number.
pub fn pause(attempt: u32, hidden: bool, random: u64) -> Duration {
    let doubled = FIRST.saturating_mul(2u32.saturating_pow(attempt.saturating_sub(1)));
    let (least, most) = if hidden { HIDDEN } else { (Duration::ZERO, LONGEST) };
    let bound = doubled.min(most).max(least * 2);
    let spread = u64::try_from((bound - least).as_millis()).unwrap_or(u64::MAX);
    least + Duration::from_millis(random % (spread + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_its_most_whatever_the_attempt() {
        for attempt in [1, 2, 7, 40, u32::MAX] {
            let bound = LONGEST.min(FIRST.saturating_mul(2u32.saturating_pow(attempt - 1)));
            for random in [0, 17, 299, 300, u64::MAX] {
                assert!(pause(attempt, false, random) <= bound, "{attempt} {random}");
            }
        }
        assert_eq!(pause(1, false, 300), FIRST);
        assert_eq!(pause(2, false, 600), FIRST * 2);
    }

    #[test]
    fn a_page_in_the_background_tries_seldom() {
        for (attempt, random) in [(1, 0), (1, u64::MAX), (9, 12_345), (99, u64::MAX)] {
            let pause = pause(attempt, true, random);
            assert!(pause >= HIDDEN.0 && pause <= HIDDEN.1, "{pause:?}");
        }
    }
}
