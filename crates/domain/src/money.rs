//! Money in whole nano-dollars: sums are exact, and there is no float to drift.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

const HOUR_MS: i128 = 3_600_000;

/// An amount in nano-dollars (10⁻⁹ US dollars). Ranges over ± $9.2 thousand
/// million; sums past that stop at the end of the range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoDollars(pub i64);

impl NanoDollars {
    pub const ZERO: Self = Self(0);

    /// Whole and part dollars with `decimals` (0–9) digits, rounded half up:
    /// `5.66` of 5 657 500 000 with two.
    pub fn to_decimal(self, decimals: u32) -> String {
        let decimals = decimals.min(9);
        let unit = 10i128.pow(9 - decimals);
        let scaled = (i128::from(self.0.unsigned_abs()) + unit / 2) / unit;
        let sign = if self.0 < 0 && scaled > 0 { "-" } else { "" };
        let one = 10i128.pow(decimals);
        if decimals == 0 {
            return format!("{sign}{scaled}");
        }
        format!("{sign}{}.{:0width$}", scaled / one, scaled % one, width = decimals as usize)
    }

    /// `count` times the amount.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(i64::from(count)))
    }
}

impl Add for NanoDollars {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for NanoDollars {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl AddAssign for NanoDollars {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for NanoDollars {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for NanoDollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.to_decimal(9))
    }
}

/// A price of time: nano-dollars an hour, never negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(pub u64);

impl Rate {
    pub const ZERO: Self = Self(0);

    /// What `span` costs, rounded down to the nano-dollar (at milliseconds).
    pub fn over(self, span: Duration) -> NanoDollars {
        let ms = i128::try_from(span.as_millis()).unwrap_or(i128::MAX);
        let nanos = i128::from(self.0).saturating_mul(ms) / HOUR_MS;
        NanoDollars(i64::try_from(nanos).unwrap_or(i64::MAX))
    }

    /// What `hours` whole hours cost.
    pub fn hours(self, hours: u32) -> NanoDollars {
        self.over(Duration::from_secs(u64::from(hours) * 3600))
    }
}

/// The hours that clouds call a month: 365 · 24 / 12.
pub const MONTH_HOURS: u32 = 730;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_round_half_up_and_keep_the_sign() {
        assert_eq!(NanoDollars(5_657_500_000).to_decimal(2), "5.66");
        assert_eq!(NanoDollars(-5_655_000_000).to_decimal(2), "-5.66");
        assert_eq!(NanoDollars(-1).to_decimal(2), "0.00");
        assert_eq!(NanoDollars(565_750_000_000).to_decimal(0), "566");
        assert_eq!(NanoDollars(7_750_000).to_decimal(5), "0.00775");
        assert_eq!(NanoDollars(i64::MIN).to_decimal(0), "-9223372037");
    }

    proptest! {
        #[test]
        fn cost_never_falls_with_time(rate in 0u64..10_000_000_000, a in 0u64..1 << 42, b in 0u64..1 << 42) {
            let rate = Rate(rate);
            let (a, b) = (a.min(b), a.max(b));
            prop_assert!(rate.over(Duration::from_millis(a)) <= rate.over(Duration::from_millis(b)));
        }

        #[test]
        fn no_time_and_no_rate_is_too_large(rate: u64, ms: u64) {
            prop_assert!(Rate(rate).over(Duration::from_millis(ms)).0 >= 0);
        }
    }
}
