//! The report's numbers, which a float would round.

use std::fmt;
use std::ops::AddAssign;
use std::str::FromStr;

use domain::money::NanoDollars;

const DIGITS: i32 = 15;
/// Whole digits: no bill has more, and sums of these don't overflow.
const WHOLE_MAX: i32 = 12;

/// A decimal number with fifteen digits behind the point; what has more is cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(i128);

impl Decimal {
    /// `count` times, rounded to the nearest whole number.
    pub fn times(self, count: u32) -> i128 {
        let one = 10i128.pow(DIGITS as u32);
        self.0.saturating_mul(i128::from(count)).saturating_add(one / 2).div_euclid(one)
    }

    /// As money, to the nearest nano-dollar.
    pub fn dollars(self) -> NanoDollars {
        NanoDollars(i64::try_from(self.times(1_000_000_000)).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Decimal {
    /// To nine digits behind the point.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.dollars().to_decimal(9))
    }
}

impl AddAssign for Decimal {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

/// A text that is no number of a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number")]
pub struct InvalidDecimal;

impl FromStr for Decimal {
    type Err = InvalidDecimal;

    /// As in `0.0041666667`, `-3` or `4.1E-8`.
    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i32 = exponent.parse().map_err(|_| InvalidDecimal)?;
        let (sign, number) = number.strip_prefix('-').map_or((1, number), |rest| (-1, rest));
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if whole.len() + part.len() == 0 || exponent.unsigned_abs() > 99 {
            return Err(InvalidDecimal);
        }
        let point = i32::try_from(whole.len()).map_err(|_| InvalidDecimal)? + exponent;
        let mut value = 0i128;
        for (place, digit) in (1 - point..).zip(whole.bytes().chain(part.bytes())) {
            if !digit.is_ascii_digit() || (digit != b'0' && place <= -WHOLE_MAX) {
                return Err(InvalidDecimal);
            }
            if place <= DIGITS && digit != b'0' {
                value += i128::from(digit - b'0') * 10i128.pow((DIGITS - place) as u32);
            }
        }
        Ok(Self(sign * value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        let read = |text: &str| text.parse::<Decimal>().map(|number| number.0);
        let one = 10i128.pow(15);
        for (text, value) in [
            ("1", one),
            ("-12.5", -125 * one / 10),
            ("0.000000000000001", 1),
            ("0.0000000000000019", 1),
            ("4.1E-8", 41_000_000),
            ("1.5e+2", 150 * one),
            (".5", one / 2),
            ("000000000000000001", one),
            ("999999999999", 999_999_999_999 * one),
        ] {
            assert_eq!(read(text), Ok(value), "{text}");
        }
        for text in ["", ".", "-", "1,5", "NaN", "1e", "1000000000000", "1e99", "+1", "1.2.3", "١"] {
            assert_eq!(read(text), Err(InvalidDecimal), "{text}");
        }
        assert_eq!("0.0000000015".parse::<Decimal>().unwrap().dollars(), NanoDollars(2));
        assert_eq!("0.25".parse::<Decimal>().unwrap().times(3_600_000_000), 900_000_000);
    }
}
