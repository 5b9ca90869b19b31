//! Amounts as people type them, in either language's way: `1000`, `12,5`,
//! `12.50`, `1.000,50`. What may be read in two ways is asked again.

use domain::money::NanoDollars;

use super::Lang;

/// How an amount is written, shown to who writes one.
pub const EXAMPLE: NanoDollars = NanoDollars(12_500_000_000);

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// A thousand in one language, one in the other: its digits alone.
    TwoWays(String),
    NoSum,
    NoCount,
}

/// Dollars, to the nano-dollar.
///
/// # Errors
/// [`Unread`].
pub fn dollars(text: &str) -> Result<NanoDollars, Unread> {
    let is_mark = |char| matches!(char, '.' | ',');
    let text = text.trim();
    let text = text.strip_prefix('$').unwrap_or(text).trim_start();
    let marks: Vec<char> = text.chars().filter(|char| is_mark(*char)).collect();
    let parts: Vec<&str> = text.split(is_mark).collect();
    if parts.iter().any(|part| part.is_empty() || !digits(part)) {
        return Err(Unread::NoSum);
    }
    let (whole, part) = match marks[..] {
        [] => (text.to_owned(), ""),
        // No thousands begin with a nought.
        [_] if parts[1].len() == 3 && parts[0].len() <= 3 && !parts[0].starts_with('0') => {
            return Err(Unread::TwoWays(parts.concat()));
        }
        [_] => (parts[0].to_owned(), parts[1]),
        // The same mark again and again stands between thousands; another one, at the end, before the cents.
        [between, .., last] => {
            let (groups, part) = match parts.split_last() {
                Some((part, groups)) if last != between => (groups, *part),
                _ => (&parts[..], ""),
            };
            let same = marks[..groups.len() - 1].iter().all(|mark| *mark == between);
            if !same || groups[0].len() > 3 || groups[1..].iter().any(|group| group.len() != 3) {
                return Err(Unread::NoSum);
            }
            (groups.concat(), part)
        }
    };
    if part.len() > 9 {
        return Err(Unread::NoSum);
    }
    format!("{whole}{part:0<9}").parse().map(NanoDollars).map_err(|_| Unread::NoSum)
}

fn digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A whole number.
///
/// # Errors
/// [`Unread::NoCount`].
pub fn count(text: &str) -> Result<u32, Unread> {
    let text = text.trim();
    // Rust would read a sign too.
    text.parse().ok().filter(|_| digits(text)).ok_or(Unread::NoCount)
}

impl Lang {
    /// An amount to be changed in a field: exact, and [`dollars`] reads it back.
    pub fn typed(self, amount: NanoDollars) -> String {
        // Never three decimals, which might be taken for thousands.
        let exact = |decimals: &u32| amount.0 % 10i64.pow(9 - decimals) == 0;
        let decimals = [2, 4, 5, 6, 7, 8].into_iter().find(exact).unwrap_or(9);
        self.decimal(&amount.to_decimal(decimals))
    }

    /// What to say of a text that is no amount.
    pub fn unread(self, why: &Unread) -> String {
        let example = self.typed(EXAMPLE);
        let with_cents = |digits: &str| self.decimal(&format!("{digits}.00"));
        match (self.spoken(), why) {
            (Self::En, Unread::TwoWays(digits)) => format!("Write {digits} or {}.", with_cents(digits)),
            (_, Unread::TwoWays(digits)) => format!("Escribe {digits} o {}.", with_cents(digits)),
            (Self::En, Unread::NoSum) => format!("That is no sum in dollars. Write it as in {example}."),
            (_, Unread::NoSum) => format!("No es una cantidad en dólares. Escríbela como {example}."),
            (Self::En, Unread::NoCount) => "That is no whole number.".to_owned(),
            (_, Unread::NoCount) => "No es un número entero.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_as_either_language_writes_them() {
        let read = |text| dollars(text).unwrap().to_decimal(2);
        for thousand in ["1000", "1000,00", "1000.00", "1.000,00", "1,000.00", " $1000 ", "1000,0"] {
            assert_eq!(read(thousand), "1000.00", "{thousand}");
        }
        assert_eq!([read("12,5"), read("12.50"), read("0")], ["12.50", "12.50", "0.00"]);
        assert_eq!([read("1.234.567"), read("1,234,567.8")], ["1234567.00", "1234567.80"]);
        assert_eq!(dollars("0,005"), Ok(NanoDollars(5_000_000)));
        assert_eq!(dollars("1234.567"), Ok(NanoDollars(1_234_567_000_000)));
    }

    #[test]
    fn a_thousand_that_might_be_one_is_asked_again() {
        for (text, digits) in
            [("1,000", "1000"), ("1.000", "1000"), ("12,500", "12500"), ("999.999", "999999")]
        {
            assert_eq!(dollars(text), Err(Unread::TwoWays(digits.to_owned())), "{text}");
        }
        // Whatever the reader's marks are: who writes may be used to others.
        let asked = |lang: Lang, text| lang.unread(&dollars(text).unwrap_err());
        assert_eq!(asked(Lang::Es, "1.000"), "Escribe 1000 o 1000,00.");
        assert_eq!(asked(Lang::EsPoint, "1,000"), "Escribe 1000 o 1000.00.");
        assert_eq!(asked(Lang::En, "1.000"), "Write 1000 or 1000.00.");
    }

    #[test]
    fn what_is_no_sum_is_never_taken_for_one() {
        let texts = [
            "",
            ".",
            "12.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "12 50",
            "1.00,5.0",
            "1,00.50",
            "1.000,000,50",
            "1000.000,5",
            "mil",
            "0.0000000001",
            "99999999999",
            "１２",
        ];
        for text in texts {
            assert_eq!(dollars(text), Err(Unread::NoSum), "{text}");
        }
        assert_eq!(count("25"), Ok(25));
        for text in ["", "1.5", "-1", "+1", "1.000", "99999999999", "dos"] {
            assert_eq!(count(text), Err(Unread::NoCount), "{text}");
        }
    }

    #[test]
    fn what_stands_in_the_field_is_what_the_budget_is() {
        for nanos in
            [0, 1, 5_000_000, 1_005_000_000, 12_500_000_000, 1_000_000_000_000, 123_456_789, i64::MAX]
        {
            for lang in Lang::ALL {
                let text = lang.typed(NanoDollars(nanos));
                assert_eq!(dollars(&text), Ok(NanoDollars(nanos)), "{text}");
            }
        }
        assert_eq!([Lang::Es, Lang::EsPoint].map(|lang| lang.typed(EXAMPLE)), ["12,50", "12.50"]);
        assert_eq!(Lang::En.typed(NanoDollars(1_005_000_000)), "1.0050");
    }
}
