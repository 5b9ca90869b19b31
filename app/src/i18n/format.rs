//! Numbers, money, spans and instants, as each language writes them.

use std::time::Duration;

use domain::money::{NanoDollars, Rate};
use domain::time::Timestamp;

use super::Lang;

/// By which clock an instant is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    Utc,
    /// A reader's, which is so many minutes ahead of UTC at that instant.
    Ahead(i32),
}

/// How exactly an instant is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exact {
    Day,
    Minute,
    Second,
}

impl Lang {
    /// What stands before its decimals, what between its thousands, and how many
    /// digits are the fewest that have thousands.
    const fn marks(self) -> (char, char, usize) {
        match self {
            // Four digits are left together.
            Self::Es => (',', '.', 5),
            Self::EsPoint | Self::En => ('.', ',', 4),
        }
    }

    /// A number with its decimals, its thousands together.
    pub(super) fn decimal(self, number: &str) -> String {
        let (point, ..) = self.marks();
        number.replace('.', point.encode_utf8(&mut [0; 4]))
    }

    /// A number that is not negative, its thousands apart.
    fn grouped(self, number: &str) -> String {
        let (point, between, least) = self.marks();
        let (whole, part) =
            number.split_once('.').map_or((number, None), |(whole, part)| (whole, Some(part)));
        let mut out = String::new();
        for (index, digit) in whole.chars().enumerate() {
            let left = whole.len() - index;
            if index > 0 && whole.len() >= least && left.is_multiple_of(3) {
                out.push(between);
            }
            out.push(digit);
        }
        if let Some(part) = part {
            out.push(point);
            out.push_str(part);
        }
        out
    }

    /// A whole number in groups of three.
    pub fn count(self, count: u64) -> String {
        self.grouped(&count.to_string())
    }

    /// An amount with that many decimals: `$0,0419`.
    pub fn money(self, amount: NanoDollars, decimals: u32) -> String {
        let number = amount.to_decimal(decimals);
        match number.strip_prefix('-') {
            Some(number) => format!("-${}", self.grouped(number)),
            None => format!("${}", self.grouped(&number)),
        }
    }

    /// An amount with as many decimals as it needs to say something.
    pub fn sum(self, amount: NanoDollars) -> String {
        let decimals = match amount.0.unsigned_abs() {
            0 => 2,
            1..10_000_000 => 6,
            10_000_000..10_000_000_000 => 4,
            _ => 2,
        };
        self.money(amount, decimals)
    }

    /// A figure at the side of a chart, without noughts at its end: `$0,5`.
    pub fn tick(self, amount: NanoDollars) -> String {
        let number = amount.to_decimal(9);
        format!("${}", self.grouped(number.trim_end_matches('0').trim_end_matches('.')))
    }

    /// A price of an hour, without noughts at its end: `$0,00925/h`.
    pub fn rate(self, rate: Rate) -> String {
        let number = rate.hours(1).to_decimal(6);
        let number = number.trim_end_matches('0').trim_end_matches('.');
        format!("${}/h", self.grouped(number))
    }

    /// How long something took: `4 ms`, `0,4 s`, `12 s`, `3 min 5 s`.
    pub fn took(self, span: Duration) -> String {
        match span.as_millis() {
            ms @ 0..100 => format!("{ms} ms"),
            ms @ 100..10_000 => format!("{} s", self.decimal(&format!("{}.{}", ms / 1000, ms % 1000 / 100))),
            ms @ 10_000..60_000 => format!("{} s", ms / 1000),
            ms => format!("{} min {} s", ms / 60_000, ms / 1000 % 60),
        }
    }

    /// A clock that counts down: `1:42`.
    pub fn countdown(self, left: Duration) -> String {
        // Up: it reads 0:00 only when the time has come.
        let secs = left.as_millis().div_ceil(1000);
        format!("{}:{:02}", secs / 60, secs % 60)
    }

    /// A span that somebody chose: `45 s`, `15 min`, `1 h`.
    pub fn span(self, secs: u32) -> String {
        match secs {
            0..60 => format!("{secs} s"),
            60..3600 if secs.is_multiple_of(60) => format!("{} min", secs / 60),
            60..3600 => format!("{} min {} s", secs / 60, secs % 60),
            _ if secs.is_multiple_of(3600) => format!("{} h", secs / 3600),
            _ => format!("{} h {} min", secs / 3600, secs / 60 % 60),
        }
    }

    /// Bytes in decimal units, as disks count: `38,2 MB`.
    pub fn bytes(self, bytes: u64) -> String {
        let (unit, name) = match bytes {
            0..1_000 => return format!("{bytes} B"),
            1_000..1_000_000 => (1_000, "KB"),
            1_000_000..1_000_000_000 => (1_000_000, "MB"),
            _ => (1_000_000_000, "GB"),
        };
        let (whole, tenths) = (bytes / unit, bytes % unit * 10 / unit);
        if whole >= 100 {
            return format!("{} {name}", self.count(whole));
        }
        format!("{} {name}", self.decimal(&format!("{whole}.{tenths}")))
    }

    /// How long ago that was; past a day its date says more.
    pub fn ago(self, at: Timestamp, now: Timestamp) -> Option<String> {
        let secs = now.since(at).as_secs();
        let span = match secs {
            0..2 => return Some(self.strings().now.to_owned()),
            2..60 => format!("{secs} s"),
            60..3600 => format!("{} min", secs / 60),
            3600..86_400 => format!("{} h", secs / 3600),
            _ => return None,
        };
        Some(match self {
            Self::Es | Self::EsPoint => format!("hace {span}"),
            Self::En => format!("{span} ago"),
        })
    }

    /// A day of the UTC calendar, which bills follow: `3 nov 2026`.
    pub fn date(self, at: Timestamp) -> String {
        let (year, month, day) = at.day().civil();
        let month = self.strings().months.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or("");
        format!("{day} {month} {year}")
    }

    /// An instant by a clock; that it is UTC is said, for it is nobody's own:
    /// `3 nov 2026, 14:05 UTC`.
    pub fn at(self, at: Timestamp, to: Exact, clock: Clock) -> String {
        let (ahead, zone) = match clock {
            Clock::Utc => (0, " UTC"),
            Clock::Ahead(minutes) => (i64::from(minutes) * 60_000, ""),
        };
        let there = Timestamp(at.0.saturating_add(ahead));
        let secs = there.0.div_euclid(1000).rem_euclid(24 * 3600);
        let (hour, minute, second) = (secs / 3600, secs / 60 % 60, secs % 60);
        let date = self.date(there);
        match to {
            Exact::Day => format!("{date}{zone}"),
            Exact::Minute => format!("{date}, {hour:02}:{minute:02}{zone}"),
            Exact::Second => format!("{date}, {hour:02}:{minute:02}:{second:02}{zone}"),
        }
    }

    /// A share in whole percent.
    pub fn percent(self, percent: u64) -> String {
        match self {
            // A non-breaking space, as the academy asks.
            Self::Es | Self::EsPoint => format!("{percent}\u{a0}%"),
            Self::En => format!("{percent}%"),
        }
    }

    /// Thousandths as a short decimal number: `0,25`.
    pub fn thousandths(self, thousandths: u32) -> String {
        let number = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
        self.decimal(number.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_as_each_language_does() {
        assert_eq!(Lang::Es.money(NanoDollars(1_234_567), 7), "$0,0012346");
        assert_eq!(Lang::En.sum(NanoDollars(5_657_500_000)), "$5.6575");
        assert_eq!(Lang::Es.sum(NanoDollars(123_000)), "$0,000123");
        assert_eq!(Lang::Es.money(NanoDollars(-1_500_000_000), 2), "-$1,50");
        assert_eq!(Lang::Es.rate(Rate(9_250_000)), "$0,00925/h");
        assert_eq!(Lang::En.rate(Rate(37_000_000)), "$0.037/h");
        assert_eq!(Lang::En.rate(Rate::ZERO), "$0/h");
    }

    #[test]
    fn thousands_of_dollars_stand_apart() {
        let sums =
            |lang: Lang| [1_234_560_000_000, -12_345_670_000_000].map(|nanos| lang.sum(NanoDollars(nanos)));
        assert_eq!(sums(Lang::Es), ["$1234,56", "-$12.345,67"]);
        assert_eq!(sums(Lang::EsPoint), ["$1,234.56", "-$12,345.67"]);
        assert_eq!(sums(Lang::En), ["$1,234.56", "-$12,345.67"]);
        assert_eq!(Lang::En.money(NanoDollars(5_657_500_000_000_000), 2), "$5,657,500.00");
        assert_eq!(Lang::EsPoint.money(NanoDollars(999_000_000_000), 0), "$999");
        assert_eq!(Lang::Es.tick(NanoDollars(20_000_000_000_000)), "$20.000");
        assert_eq!(Lang::EsPoint.tick(NanoDollars(500_000_000)), "$0.5");
        assert_eq!(Lang::EsPoint.rate(Rate(9_250_000)), "$0.00925/h");
    }

    #[test]
    fn an_instant_is_told_by_the_readers_clock_and_otherwise_in_utc() {
        let told = |at, to, clock| Lang::Es.at(Timestamp(at), to, clock);
        // 2024-02-29T23:59:59.999Z
        let leap = 1_709_251_199_999;
        assert_eq!(told(leap, Exact::Minute, Clock::Utc), "29 feb 2024, 23:59 UTC");
        assert_eq!(told(leap, Exact::Second, Clock::Utc), "29 feb 2024, 23:59:59 UTC");
        assert_eq!(told(leap, Exact::Day, Clock::Utc), "29 feb 2024 UTC");
        assert_eq!(told(leap, Exact::Minute, Clock::Ahead(330)), "1 mar 2024, 05:29");
        assert_eq!(told(leap, Exact::Minute, Clock::Ahead(-180)), "29 feb 2024, 20:59");
        // 2027-01-01T01:30:00Z
        let year = 1_798_767_000_000;
        assert_eq!(told(year, Exact::Minute, Clock::Ahead(-180)), "31 dic 2026, 22:30");
        assert_eq!(told(year, Exact::Day, Clock::Ahead(-180)), "31 dic 2026");
        assert_eq!(told(year, Exact::Second, Clock::Ahead(330)), "1 ene 2027, 07:00:00");
        assert_eq!(told(-1, Exact::Second, Clock::Ahead(0)), "31 dic 1969, 23:59:59");
    }

    #[test]
    fn spans_take_the_unit_that_reads_best() {
        let took = |ms| Lang::Es.took(Duration::from_millis(ms));
        assert_eq!([took(4), took(432), took(12_300), took(185_000)], ["4 ms", "0,4 s", "12 s", "3 min 5 s"]);
        assert_eq!(Lang::En.countdown(Duration::from_millis(101_001)), "1:42");
        assert_eq!(Lang::Es.span(900), "15 min");
        assert_eq!(Lang::Es.span(5400), "1 h 30 min");
    }

    #[test]
    fn counts_and_sizes() {
        assert_eq!([Lang::Es.count(1204), Lang::Es.count(12_040)], ["1204", "12.040"]);
        assert_eq!(Lang::En.count(1_234_567), "1,234,567");
        assert_eq!(Lang::Es.bytes(38_240_000), "38,2 MB");
        assert_eq!(Lang::En.bytes(412_345), "412 KB");
        assert_eq!(Lang::Es.thousandths(250), "0,25");
        assert_eq!(Lang::Es.thousandths(2000), "2");
    }

    #[test]
    fn the_past_is_told_by_its_distance_for_a_day() {
        let at = Timestamp(1_793_000_000_000);
        let later = |secs| at.after(Duration::from_secs(secs));
        let ago = |lang: Lang, now| lang.ago(at, now).unwrap();
        assert_eq!(ago(Lang::Es, later(12)), "hace 12 s");
        assert_eq!(ago(Lang::En, later(7300)), "2 h ago");
        assert_eq!(ago(Lang::EsPoint, at.before(Duration::from_secs(5))), "ahora");
        assert_eq!(Lang::Es.ago(at, later(90_000)), None);
    }
}
