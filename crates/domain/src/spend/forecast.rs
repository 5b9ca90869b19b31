//! What a month will come to, if its last days are like those before: the mean
//! of the last full days, with a range that holds four times in five where days
//! are alike and independent of each other.

use serde::{Deserialize, Serialize};

use crate::money::NanoDollars;
use crate::time::{Month, Timestamp};

/// Full days that are looked back at: two weeks have each day of the week twice.
const LOOK_BACK: usize = 14;
/// Fewer full days say nothing of how much days differ.
const DAYS_LEAST: usize = 3;
/// Standard deviations to each side of the middle that hold 80 % of a normal
/// distribution.
const WIDTH: f64 = 1.2816;

/// A month's end, guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    pub low: NanoDollars,
    pub likely: NanoDollars,
    pub high: NanoDollars,
}

impl Forecast {
    /// From what each day cost so far; nothing for a month that is over, or of
    /// which too little has passed.
    pub fn of(month: Month, days: &[NanoDollars], now: Timestamp) -> Option<Self> {
        if now.month() != month {
            return None;
        }
        let full = usize::try_from(now.day().0 - month.start().day().0).ok()?;
        let sample: Vec<f64> =
            days.get(full.saturating_sub(LOOK_BACK)..full)?.iter().map(|day| day.0 as f64).collect();
        if sample.len() < DAYS_LEAST {
            return None;
        }
        let count = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / count;
        let variance = sample.iter().map(|day| (day - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let left = month.next().start().since(now).as_secs_f64() / 86_400.0;
        // The days' own spread, and that of a mean known from so few of them.
        let spread = WIDTH * (variance * left * (1.0 + left / count)).sqrt();
        let spent: NanoDollars = days.iter().copied().sum();
        let rest = |nanos: f64| spent + NanoDollars(nanos.max(0.0).round() as i64);
        Some(Self {
            low: rest(mean * left - spread),
            likely: rest(mean * left),
            high: rest(mean * left + spread),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOVEMBER: Month = Month { year: 2026, month: 11 };

    fn at(days: u64) -> Timestamp {
        NOVEMBER.start().after(Duration::from_secs(days * 86_400))
    }

    #[test]
    fn days_that_are_alike_go_on() {
        let days: Vec<_> = (0..30).map(|day| NanoDollars(if day < 10 { 1_000 } else { 0 })).collect();
        let whole = NanoDollars(30_000);
        assert_eq!(
            Forecast::of(NOVEMBER, &days, at(10)),
            Some(Forecast { low: whole, likely: whole, high: whole })
        );
    }

    #[test]
    fn days_that_differ_have_a_range_and_never_less_than_was_spent() {
        let cost = |day: i64| if day < 6 { day % 2 * 10_000 } else { 0 };
        let days: Vec<_> = (0..30).map(|day| NanoDollars(cost(day))).collect();
        let Forecast { low, likely, high } = Forecast::of(NOVEMBER, &days, at(6)).unwrap();
        assert_eq!(likely, NanoDollars(30_000 + 24 * 5_000));
        assert!(NanoDollars(30_000) <= low && low < likely && likely < high);
    }

    #[test]
    fn too_little_says_nothing_and_what_is_over_is_known() {
        let days = vec![NanoDollars(1); 30];
        assert_eq!(Forecast::of(NOVEMBER, &days, at(2)), None);
        assert_eq!(Forecast::of(NOVEMBER, &days, at(30)), None);
        assert_eq!(Forecast::of(NOVEMBER.previous(), &days, at(10)), None);
    }
}
