//! What is asked of a month, and how an address says it.

use serde::{Deserialize, Serialize};

use super::{By, Scope};
use crate::time::Month;

/// A month of somebody's, stacked by something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Query {
    pub of: Scope,
    /// The one that now is in unless told.
    pub month: Option<Month>,
    pub by: By,
}

impl Query {
    /// From an address's parameters. What it does not know, or can't read, is
    /// as if it were not there.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut query = Self::default();
        for (key, value) in pairs {
            match key {
                "of" if value == Scope::Fleet.as_str() => query.of = Scope::Fleet,
                "month" => query.month = value.parse().ok(),
                "by" => query.by = By::ALL.into_iter().find(|by| by.as_str() == value).unwrap_or_default(),
                _ => {}
            }
        }
        query
    }

    /// The parameters that say what differs from [`Query::default`].
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        if self.of != Scope::default() {
            pairs.push(("of", self.of.as_str().to_owned()));
        }
        if let Some(month) = self.month {
            pairs.push(("month", month.to_string()));
        }
        if self.by != By::default() {
            pairs.push(("by", self.by.as_str().to_owned()));
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_its_address_says_it() {
        let month = Some(Month { year: 2026, month: 2 });
        let query = Query { of: Scope::Fleet, month, by: By::Option };
        let pairs = query.pairs();
        assert_eq!(Query::from_pairs(pairs.iter().map(|(key, value)| (*key, value.as_str()))), query);
        assert_eq!(Query::default().pairs(), []);
        assert_eq!(Query::from_pairs([("month", "2026-13"), ("by", "x"), ("of", "?")]), Query::default());
    }
}
