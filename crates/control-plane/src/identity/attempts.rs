//! Slows down who tries passwords, by the name that is tried and by the
//! address it is tried from. It takes the same memory whatever is tried: names
//! share a fixed number of places, by a hash that nobody outside can foresee.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use domain::time::Timestamp;

use crate::error::{Error, Result};
use crate::peers::network;

/// Places of each kind.
const PLACES: usize = 8192;
/// After so long without a try all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(15 * 60);

/// How much is allowed before it gets slow, and how slow it gets.
#[derive(Debug, Clone, Copy)]
struct Pace {
    free: u32,
    /// Not so long that a stranger could lock somebody out.
    most: Duration,
}

const BY_NAME: Pace = Pace { free: 5, most: Duration::from_secs(30) };
/// Higher: a house, or a proxy, is one address.
const BY_ADDRESS: Pace = Pace { free: 30, most: Duration::from_secs(15 * 60) };

#[derive(Debug, Clone, Copy)]
struct Place {
    failures: u32,
    last: Timestamp,
}

#[derive(Debug)]
struct Places {
    pace: Pace,
    hasher: RandomState,
    places: Mutex<Box<[Place]>>,
}

impl Places {
    fn new(pace: Pace) -> Self {
        let free = Place { failures: 0, last: Timestamp(i64::MIN) };
        Self { pace, hasher: RandomState::new(), places: Mutex::new(vec![free; PLACES].into()) }
    }

    fn at<T>(&self, key: impl Hash, now: Timestamp, work: impl FnOnce(&mut Place) -> T) -> T {
        let index = usize::try_from(self.hasher.hash_one(key) % PLACES as u64).unwrap_or_default();
        let mut places = self.places.lock().expect("no holder panics");
        let place = &mut places[index];
        if now.0.saturating_sub(place.last.0) > millis(FORGOTTEN) {
            place.failures = 0;
        }
        work(place)
    }

    /// How long the next try has to wait.
    fn wait(&self, key: impl Hash, now: Timestamp) -> Duration {
        self.at(key, now, |place| {
            let Some(over) = place.failures.checked_sub(self.pace.free) else { return Duration::ZERO };
            let wait = Duration::from_secs(1 << over.min(20)).min(self.pace.most);
            let until = place.last.0.saturating_add(millis(wait));
            Duration::from_millis(until.saturating_sub(now.0).max(0).unsigned_abs())
        })
    }

    fn count(&self, key: impl Hash, now: Timestamp) {
        self.at(key, now, |place| *place = Place { failures: place.failures.saturating_add(1), last: now });
    }

    fn forget(&self, key: impl Hash, now: Timestamp, failures: u32) {
        self.at(key, now, |place| place.failures = place.failures.saturating_sub(failures));
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The tries of late. Each server has its own.
#[derive(Debug)]
pub struct Attempts {
    names: Places,
    addresses: Places,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { names: Places::new(BY_NAME), addresses: Places::new(BY_ADDRESS) }
    }
}

impl Attempts {
    /// Counts a try as failed, before it is known: of many at once none gets
    /// through uncounted. From no address it is counted by the name alone.
    ///
    /// # Errors
    /// [`Error::SlowDown`]: it is not its turn, and was not counted.
    pub fn begin(&self, name: &str, from: Option<IpAddr>, now: Timestamp) -> Result<()> {
        let from = from.map(network);
        let by_address = from.map(|from| self.addresses.wait(from, now)).unwrap_or_default();
        let wait = self.names.wait(name, now).max(by_address);
        if !wait.is_zero() {
            return Err(Error::SlowDown { secs: wait.as_secs().max(1) });
        }
        self.names.count(name, now);
        if let Some(from) = from {
            self.addresses.count(from, now);
        }
        Ok(())
    }

    /// It was right. The address keeps its other failures: they may have been
    /// at other names.
    pub fn succeeded(&self, name: &str, from: Option<IpAddr>, now: Timestamp) {
        self.names.forget(name, now, u32::MAX);
        if let Some(from) = from.map(network) {
            self.addresses.forget(from, now, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_790_000_000_000);

    fn from(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn at(secs: u64) -> Timestamp {
        START.after(Duration::from_secs(secs))
    }

    #[test]
    fn a_name_gets_slow_after_five_and_never_slower_than_half_a_minute() {
        let attempts = Attempts::default();
        for n in 0..5 {
            attempts.begin("Ana", from(&format!("10.0.0.{n}")), START).unwrap();
        }
        let refused = attempts.begin("Ana", from("10.0.1.1"), START).unwrap_err();
        assert!(matches!(refused, Error::SlowDown { secs: 1 }), "{refused}");
        attempts.begin("Berta", from("10.0.1.1"), START).unwrap();
        let mut now = 0;
        for _ in 0..20 {
            now += 30;
            attempts.begin("Ana", from("10.0.1.1"), at(now)).unwrap();
        }
        attempts.succeeded("Ana", from("10.0.1.1"), at(now));
        attempts.begin("Ana", from("10.0.1.1"), at(now)).unwrap();
    }

    #[test]
    fn an_address_gets_slow_whatever_names_it_tries() {
        let attempts = Attempts::default();
        for n in 0..30u64 {
            attempts.begin(&format!("name {n}"), from(&format!("2001:db8::{n}")), START).unwrap();
        }
        assert!(attempts.begin("another", from("2001:db8::ffff"), START).is_err());
        attempts.begin("another", from("2001:db8:0:1::1"), START).unwrap();
        attempts.begin("another", from("2001:db8::ffff"), at(16 * 60)).unwrap();
    }

    #[test]
    fn one_that_was_right_takes_only_itself_off_the_address() {
        let attempts = Attempts::default();
        for n in 0..30 {
            attempts.begin(&format!("name {n}"), from("10.0.0.1"), START).unwrap();
        }
        attempts.succeeded("name 0", from("10.0.0.1"), START);
        attempts.begin("mine", from("10.0.0.1"), START).unwrap();
        assert!(attempts.begin("other", from("10.0.0.1"), START).is_err());
    }
}
