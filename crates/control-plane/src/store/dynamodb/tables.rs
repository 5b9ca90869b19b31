//! The two tables. `<prefix>-ledger` keeps what must last: it has point-in-time
//! recovery and nothing in it is ever removed by itself. `<prefix>-expiring`
//! keeps what has an end of its own, and DynamoDB removes that.

use std::fmt;
use std::str::FromStr;

/// Partition and range key of the ledger, texts both; `expiring` has the first.
pub(super) const PARTITION: &str = "pk";
pub(super) const RANGE: &str = "sk";
/// When DynamoDB may remove an item of `expiring`: seconds since 1970.
pub(super) const REMOVE_AFTER: &str = "remove_after";

/// What the tables' names begin with: 3–64 of letters, digits, `.`, `_`, `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePrefix(String);

/// A text that no table's name can begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a table prefix has 3 to 64 letters, digits, dots, hyphens and underscores")]
pub struct InvalidTablePrefix;

impl TablePrefix {
    /// The ledger's table, and that of what expires.
    pub fn names(&self) -> [String; 2] {
        [self.ledger(), self.expiring()]
    }

    pub(super) fn ledger(&self) -> String {
        format!("{self}-ledger")
    }

    pub(super) fn expiring(&self) -> String {
        format!("{self}-expiring")
    }
}

impl FromStr for TablePrefix {
    type Err = InvalidTablePrefix;

    fn from_str(text: &str) -> Result<Self, InvalidTablePrefix> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let fits = (3..=64).contains(&text.len()) && text.bytes().all(allowed);
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidTablePrefix) }
    }
}

impl fmt::Display for TablePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
