//! The price book that an operator brings: a TOML file, taken whole or not at
//! all.

use std::path::Path;

use domain::price::{PriceBook, PriceLine, REGION, Rates};
use domain::time::Timestamp;
use serde::Deserialize;
use toml::Spanned;

/// The book, and where the fleet's machines are.
#[derive(Debug, Clone)]
pub struct Prices {
    pub book: PriceBook,
    pub region: String,
}

impl Prices {
    /// The book that is built in.
    pub fn built_in() -> Self {
        Self { book: PriceBook::proposal(), region: REGION.to_owned() }
    }

    /// What holds at an instant.
    pub fn at(&self, at: Timestamp) -> Rates {
        self.book.rates(&self.region, at.day())
    }
}

/// Why a file is no price book. Nothing of it is used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    line: Vec<Spanned<PriceLine>>,
}

/// Reads a book from a file.
///
/// # Errors
/// The line that is wrong, and why.
pub fn load(path: &Path) -> Result<PriceBook, Refused> {
    let text =
        std::fs::read_to_string(path).map_err(|error| Refused(format!("{}: {error}", path.display())))?;
    parse(&text).map_err(|Refused(why)| Refused(format!("{}: {why}", path.display())))
}

fn parse(text: &str) -> Result<PriceBook, Refused> {
    let File { version, line } = toml::from_str(text).map_err(|error| Refused(error.to_string()))?;
    let starts: Vec<usize> = line.iter().map(|line| line.span().start).collect();
    let lines = line.into_iter().map(Spanned::into_inner).collect();
    PriceBook::new(version, lines).map_err(|(number, fault)| {
        let line = text[..starts[number]].matches('\n').count() + 1;
        Refused(format!("the price at line {line}: {fault}"))
    })
}

#[cfg(test)]
mod tests {
    use domain::agent::ProviderName;
    use domain::price::{Basis, Purchase};
    use domain::size::Size;
    use domain::time::Day;

    use super::*;

    fn line(item: &str, from: &str, more: &str) -> String {
        format!(
            "[[line]]\nprovider = \"fargate\"\nregion = \"us-east-1\"\npurchase = \"spot\"\n\
             item = \"{item}\"\nfrom = \"{from}\"\n{more}\n\n"
        )
    }

    fn book(lines: &[String]) -> Result<PriceBook, Refused> {
        parse(&format!("version = \"test\"\n\n{}", lines.concat()))
    }

    fn refused(lines: &[String]) -> String {
        book(lines).unwrap_err().to_string()
    }

    #[test]
    fn a_price_holds_from_its_day_to_the_next() {
        let lines: Vec<String> = ["vcpu_hour", "gb_hour"]
            .iter()
            .flat_map(|item| {
                [
                    line(item, "2026-01-01", "until = \"2026-03-01\"\nusd = \"0.01\""),
                    line(item, "2026-03-01", "usd = \"0.02\""),
                ]
            })
            .collect();
        let book = book(&lines).unwrap();
        let price = |day: &str| {
            let rates = book.rates("us-east-1", day.parse::<Day>().unwrap());
            rates.launched(ProviderName::Fargate, Size::Small, Purchase::Spot)
        };
        assert_eq!(price("2025-12-31").basis, Basis::Unpriced);
        assert_eq!(price("2026-02-28").rate.0, 15_000_000);
        assert_eq!(price("2026-03-01").rate.0, 30_000_000);
        assert_eq!(price("2026-03-01").book, "test");
    }

    #[test]
    fn a_wrong_line_refuses_the_whole_file_and_is_named() {
        let usd = "usd = \"0.01\"";
        let until = "until = \"2026-03-01\"\nusd = \"0.01\"";
        let gap = [line("vcpu_hour", "2026-01-01", until), line("vcpu_hour", "2026-04-01", usd)];
        let told = refused(&gap);
        assert!(told.contains("line 12") && told.contains("no price"), "{told}");
        let overlap = [line("vcpu_hour", "2026-01-01", until), line("vcpu_hour", "2026-02-01", usd)];
        assert!(refused(&overlap).contains("two prices"));
        let twice = [line("vcpu_hour", "2026-01-01", usd), line("vcpu_hour", "2026-01-01", usd)];
        assert!(refused(&twice).contains("two prices"));
        assert!(refused(&[line("vcpu_hour", "2026-01-01", usd)]).contains("both"));
        let negative = refused(&[line("vcpu_hour", "2026-01-01", "usd = \"-1\"")]);
        assert!(negative.contains("never negative") && negative.contains("line 9"), "{negative}");
        let unknown = refused(&[line("gpu_hour", "2026-01-01", usd)]);
        assert!(unknown.contains("gpu_hour") && unknown.contains("line 7"), "{unknown}");
        let field = refused(&[line("vcpu_hour", "2026-01-01", "usd = \"1\"\ndiscount = \"1\"")]);
        assert!(field.contains("discount"), "{field}");
        let backwards = refused(&[line("vcpu_hour", "2026-03-01", until)]);
        assert!(backwards.contains("begins on"), "{backwards}");
        let bought = refused(&[line("ipv4_hour", "2026-03-01", usd)]);
        assert!(bought.contains("purchase"), "{bought}");
        assert!(refused(&[line("vcpu_hour", "2026-02-30", usd)]).contains("YYYY-MM-DD"));
    }
}
