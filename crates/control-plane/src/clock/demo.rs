//! A demonstration's clock.

use std::time::Instant;

use domain::time::Timestamp;
use tokio::sync::watch;

use super::Clock;

/// How many seconds of a demonstration pass in a real one: 1 to 600.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed(u32);

impl Speed {
    pub const REAL: Self = Self(1);
    /// A minute in each second.
    pub const MINUTES: Self = Self(60);
    pub const MOST: Self = Self(600);

    /// `None` out of range.
    pub fn new(times: u32) -> Option<Self> {
        (Self::REAL.0..=Self::MOST.0).contains(&times).then_some(Self(times))
    }

    pub const fn times(self) -> u32 {
        self.0
    }
}

/// A clock that runs faster than real time, at a speed that may be changed
/// while it runs. It never goes backwards, whatever the machine's clock does.
#[derive(Debug)]
pub struct DemoClock(watch::Sender<Beat>);

/// From where it counts, and how fast.
#[derive(Debug, Clone, Copy)]
struct Beat {
    at: Timestamp,
    since: Instant,
    speed: Speed,
}

impl Beat {
    fn now(&self) -> Timestamp {
        self.at.after(self.since.elapsed().saturating_mul(self.speed.0))
    }
}

impl DemoClock {
    pub fn new(at: Timestamp, speed: Speed) -> Self {
        Self(watch::Sender::new(Beat { at, since: Instant::now(), speed }))
    }

    pub fn set_speed(&self, speed: Speed) {
        self.0.send_modify(|beat| *beat = Beat { at: beat.now(), since: Instant::now(), speed });
    }

    /// Resolves when it is `at`, however its speed changes until then.
    pub async fn until(&self, at: Timestamp) {
        let mut changes = self.0.subscribe();
        loop {
            let beat = *changes.borrow_and_update();
            let left = at.since(beat.now());
            if left.is_zero() {
                return;
            }
            // A new speed is reckoned with; the sender lives as long as `self`.
            let _ = tokio::time::timeout(left / beat.speed.0, changes.changed()).await;
        }
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        self.0.borrow().now()
    }

    fn speed(&self) -> u32 {
        self.0.borrow().speed.0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    const START: Timestamp = Timestamp(1_793_000_000_000);

    #[test]
    fn speeds_go_from_one_to_six_hundred() {
        assert_eq!([0, 1, 600, 601].map(|times| Speed::new(times).is_some()), [false, true, true, false]);
    }

    #[tokio::test]
    async fn no_reading_is_before_another_whatever_its_speed() {
        let clock = Arc::new(DemoClock::new(START, Speed::MOST));
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let reader = std::thread::spawn({
            let (clock, stop) = (Arc::clone(&clock), Arc::clone(&stop));
            move || {
                let mut last = clock.now();
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let now = clock.now();
                    assert!(now >= last, "{now} after {last}");
                    last = now;
                }
            }
        });
        for minute in 1..=10_u64 {
            clock.set_speed(if minute % 2 == 0 { Speed::MOST } else { Speed(30 + 7 * minute as u32) });
            clock.until(START.after(Duration::from_secs(minute))).await;
        }
        assert!(clock.now() >= START.after(Duration::from_secs(10)));
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        reader.join().unwrap();
    }

    #[tokio::test]
    async fn who_waits_hears_of_a_new_speed() {
        let clock = Arc::new(DemoClock::new(START, Speed::REAL));
        let hour = START.after(Duration::from_secs(3600));
        let waiting = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move { clock.until(hour).await }
        });
        tokio::task::yield_now().await;
        assert!(clock.now() < hour);
        clock.set_speed(Speed::MOST);
        // At the old speed it would take an hour.
        waiting.await.unwrap();
        assert!(clock.now() >= hour);
    }
}
