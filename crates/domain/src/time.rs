//! Instants, in milliseconds, and the UTC calendar that bills follow.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// An instant: milliseconds since 1970-01-01T00:00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// How long after `earlier` this is; zero when it is before, as after a
    /// clock that was set back.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }

    /// Later by `span`.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// Earlier by `span`.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// The UTC hour it falls in.
    pub fn hour(self) -> Hour {
        Hour(self.0.div_euclid(HOUR_MS))
    }

    /// The UTC day it falls on.
    pub fn day(self) -> Day {
        Day(self.0.div_euclid(DAY_MS))
    }

    /// The UTC month it falls in.
    pub fn month(self) -> Month {
        self.day().month()
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, to the millisecond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.day().civil();
        let ms = self.0.rem_euclid(DAY_MS);
        let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        let fraction = ms % 1000;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z")
    }
}

/// A text that is no hour, day or month of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date of the form {0}")]
pub struct InvalidDate(&'static str);

/// A UTC hour, counted from 1970-01-01T00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hour(pub i64);

impl Hour {
    /// Its first instant.
    pub fn start(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(HOUR_MS))
    }

    /// The hour after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The day it belongs to.
    pub fn day(self) -> Day {
        Day(self.0.div_euclid(24))
    }
}

impl fmt::Display for Hour {
    /// `2026-11-25T13`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{:02}", self.day(), self.0.rem_euclid(24))
    }
}

impl FromStr for Hour {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let invalid = || InvalidDate("YYYY-MM-DDTHH");
        let (day, hour) = text.split_once('T').ok_or_else(invalid)?;
        let day: Day = day.parse().map_err(|_| invalid())?;
        let hour = number(hour, 2).filter(|hour| *hour < 24).ok_or_else(invalid)?;
        Ok(Self(day.0 * 24 + hour))
    }
}

/// Exactly so many digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A UTC day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub i64);

impl Day {
    /// Its first instant.
    pub fn start(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(DAY_MS))
    }

    /// The day after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The month it belongs to.
    pub fn month(self) -> Month {
        let (year, month, _) = self.civil();
        Month { year, month }
    }

    /// Whether it is a Saturday or a Sunday.
    pub fn is_weekend(self) -> bool {
        // 1970-01-01 was a Thursday; these are 5 and 6 from Monday.
        (self.0 + 3).rem_euclid(7) >= 5
    }

    /// Year, month (1–12), day (1–31) of the proleptic Gregorian calendar
    /// (Howard Hinnant's `civil_from_days`).
    pub fn civil(self) -> (i64, u8, u8) {
        let z = self.0.saturating_add(719_468);
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = (doy - (153 * mp + 2) / 5 + 1) as u8;
        let month = (if mp < 10 { mp + 3 } else { mp - 9 }) as u8;
        let year = yoe + era * 400 + i64::from(month <= 2);
        (year, month, day)
    }
}

impl fmt::Display for Day {
    /// `2026-11-25`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let invalid = || InvalidDate("YYYY-MM-DD");
        let (month, day) = text.rsplit_once('-').ok_or_else(invalid)?;
        let month: Month = month.parse().map_err(|_| invalid())?;
        let day = number(day, 2).and_then(|day| day.checked_sub(1)).ok_or_else(invalid)?;
        let day = Self(month.start().day().0 + day);
        if day.month() == month { Ok(day) } else { Err(invalid()) }
    }
}

/// A UTC month, the span of a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Month {
    pub year: i64,
    /// 1–12.
    pub month: u8,
}

impl Month {
    /// Its first instant (`days_from_civil`).
    pub fn start(self) -> Timestamp {
        let (month, year) = (i64::from(self.month), self.year - i64::from(self.month <= 2));
        let era = year.div_euclid(400);
        let yoe = year.rem_euclid(400);
        let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        Day(era * 146_097 + doe - 719_468).start()
    }

    /// The month after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self.month {
            12.. => Self { year: self.year + 1, month: 1 },
            month => Self { month: month + 1, ..self },
        }
    }

    /// The month before it.
    #[must_use]
    pub fn previous(self) -> Self {
        match self.month {
            ..=1 => Self { year: self.year - 1, month: 12 },
            month => Self { month: month - 1, ..self },
        }
    }
}

impl fmt::Display for Month {
    /// `2026-11`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let invalid = || InvalidDate("YYYY-MM");
        let (year, month) = text.split_once('-').ok_or_else(invalid)?;
        let year = number(year, 4).ok_or_else(invalid)?;
        let month = number(month, 2).filter(|month| (1..=12).contains(month)).ok_or_else(invalid)?;
        Ok(Self { year, month: month as u8 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_instants_read_as_the_calendar_says() {
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp(1_709_251_199_999).to_string(), "2024-02-29T23:59:59.999Z");
        assert_eq!(Timestamp(951_782_400_000).to_string(), "2000-02-29T00:00:00.000Z");
    }

    #[test]
    fn months_are_read_as_they_are_written_and_follow_each_other() {
        for text in ["2026-11", "2026-12", "0999-01"] {
            assert_eq!(text.parse::<Month>().unwrap().to_string(), text);
        }
        for text in ["", "2026", "2026-13", "2026-00", "2026-1", "+026-01", "2026-11-01", "2026-é"] {
            assert_eq!(text.parse::<Month>(), Err(InvalidDate("YYYY-MM")), "{text}");
        }
        let mut month: Month = "2026-11".parse().unwrap();
        for text in ["2026-12", "2027-01"] {
            month = month.next();
            assert_eq!(month.to_string(), text);
        }
    }

    #[test]
    fn a_clock_set_back_gives_no_time_at_all() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
    }

    #[test]
    fn no_day_is_read_that_the_calendar_does_not_have() {
        assert_eq!("2024-02-29".parse::<Day>(), Ok(Timestamp(1_709_251_199_999).day()));
        for text in [
            "2023-02-29",
            "2024-02-30",
            "2024-02-00",
            "2024-13-01",
            "2024-2-01",
            "24-02-01",
            "+024-02-01",
            "",
        ] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
        assert!("2024-02-29T24".parse::<Hour>().is_err());
    }

    proptest! {
        #[test]
        fn dates_read_back_as_they_are_written(ms in -60_000_000_000_000i64..250_000_000_000_000) {
            let at = Timestamp(ms);
            prop_assert_eq!(at.hour().to_string().parse(), Ok(at.hour()));
            prop_assert_eq!(at.day().to_string().parse(), Ok(at.day()));
            prop_assert_eq!(at.month().to_string().parse(), Ok(at.month()));
            prop_assert_eq!(at.month().next().previous(), at.month());
            prop_assert!(at.month().next().start() > at);
            prop_assert_eq!(at.hour().day(), at.day());
        }

        #[test]
        fn every_instant_lies_in_its_month(ms in -4_000_000_000_000i64..8_000_000_000_000) {
            let at = Timestamp(ms);
            let start = at.month().start();
            prop_assert!(start <= at && at.0 - start.0 < 31 * DAY_MS);
            prop_assert_eq!(start.month(), at.month());
            prop_assert_eq!(start.day().civil().2, 1);
        }
    }
}
