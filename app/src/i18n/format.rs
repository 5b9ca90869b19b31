//! Numbers, money, spans and instants, as each language writes them.

use std::time::Duration;

use domain::money::{NanoDollars, Rate};
use domain::time::Timestamp;

use super::Lang;

impl Lang {
    pub(super) fn decimal(self, number: &str) -> String {
        match self {
            Self::Es => number.replace('.', ","),
            Self::En => number.to_owned(),
        }
    }

    /// A whole number in groups of three; Spanish leaves four digits together.
    pub fn count(self, count: u64) -> String {
        let digits = count.to_string();
        let (separator, least) = match self {
            Self::Es => ('.', 5),
            Self::En => (',', 4),
        };
        if digits.len() < least {
            return digits;
        }
        let mut out = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                out.push(separator);
            }
            out.push(digit);
        }
        out
    }

    /// An amount with that many decimals: `$0,0419`.
    pub fn money(self, amount: NanoDollars, decimals: u32) -> String {
        let number = self.decimal(&amount.to_decimal(decimals));
        match number.strip_prefix('-') {
            Some(number) => format!("-${number}"),
            None => format!("${number}"),
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
        format!("${}", self.decimal(number.trim_end_matches('0').trim_end_matches('.')))
    }

    /// A price of an hour, without noughts at its end: `$0,00925/h`.
    pub fn rate(self, rate: Rate) -> String {
        let number = rate.hours(1).to_decimal(6);
        let number = number.trim_end_matches('0').trim_end_matches('.');
        format!("${}/h", self.decimal(number))
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

    /// How long ago that was; past a day the date.
    pub fn ago(self, at: Timestamp, now: Timestamp) -> String {
        let secs = now.since(at).as_secs();
        let span = match secs {
            0..2 => return self.strings().now.to_owned(),
            2..60 => format!("{secs} s"),
            60..3600 => format!("{} min", secs / 60),
            3600..86_400 => format!("{} h", secs / 3600),
            _ => return self.date(at),
        };
        match self {
            Self::Es => format!("hace {span}"),
            Self::En => format!("{span} ago"),
        }
    }

    /// A day of the UTC calendar: `3 nov 2026`.
    pub fn date(self, at: Timestamp) -> String {
        let (year, month, day) = at.day().civil();
        let month = self.strings().months.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or("");
        format!("{day} {month} {year}")
    }

    /// A minute of the UTC calendar: `3 nov 2026, 14:05`.
    pub fn moment(self, at: Timestamp) -> String {
        let minutes = at.0.div_euclid(60_000).rem_euclid(24 * 60);
        format!("{}, {:02}:{:02}", self.date(at), minutes / 60, minutes % 60)
    }

    /// A share in whole percent.
    pub fn percent(self, percent: u64) -> String {
        match self {
            // A non-breaking space, as the academy asks.
            Self::Es => format!("{percent}\u{a0}%"),
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
    fn the_past_is_told_by_its_distance_then_by_its_date() {
        let at = Timestamp(1_793_000_000_000);
        let later = |secs| at.after(Duration::from_secs(secs));
        assert_eq!(Lang::Es.ago(at, later(12)), "hace 12 s");
        assert_eq!(Lang::En.ago(at, later(7300)), "2 h ago");
        assert_eq!(Lang::Es.ago(at, at.before(Duration::from_secs(5))), "ahora");
        assert_eq!(Lang::Es.ago(at, later(90_000)), "26 oct 2026");
    }
}
