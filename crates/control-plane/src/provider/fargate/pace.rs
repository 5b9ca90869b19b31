//! Launches at the account's pace: a bucket that fills steadily.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// Gives out turns: `burst` at once, then `rate` a second.
pub struct Pace {
    every: Duration,
    burst: u32,
    /// When the bucket would have been full.
    full_at: Mutex<Instant>,
}

impl Pace {
    pub fn new(rate: u32, burst: u32) -> Self {
        let every = Duration::from_secs(1) / rate.max(1);
        Self { every, burst: burst.max(1), full_at: Mutex::new(Instant::now()) }
    }

    /// Waits for a turn.
    pub async fn turn(&self) {
        let at = self.reserve(Instant::now());
        tokio::time::sleep_until(at).await;
    }

    /// Gives a launch's turn back to later ones after AWS itself said «slower».
    pub fn slow_down(&self) {
        let mut full_at = self.full_at.lock().expect("no holder panics");
        let latest = Instant::now() + self.every * self.burst;
        *full_at = (*full_at).max(latest);
    }

    fn reserve(&self, now: Instant) -> Instant {
        let mut full_at = self.full_at.lock().expect("no holder panics");
        *full_at = (*full_at).max(now) + self.every;
        let room = self.every * self.burst;
        full_at.checked_sub(room).map_or(now, |at| at.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let pace = Pace::new(20, 100);
        let now = Instant::now();
        let waits: Vec<_> = (0..200).map(|_| pace.reserve(now).duration_since(now)).collect();
        assert!(waits[..100].iter().all(Duration::is_zero), "{:?}", &waits[95..100]);
        assert_eq!(waits[100], Duration::from_millis(50));
        assert_eq!(waits[199], Duration::from_secs(5));
        let later = now + Duration::from_secs(60);
        assert_eq!(pace.reserve(later), later, "it fills again");
    }

    #[test]
    fn told_to_slow_down_it_has_no_burst_left() {
        let pace = Pace::new(10, 5);
        pace.slow_down();
        let now = Instant::now();
        assert!(pace.reserve(now) > now);
    }
}
