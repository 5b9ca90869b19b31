//! Names that people give: to agents and to themselves.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name of 1–60 characters (240 bytes at most), without control or
/// invisible formatting characters, trimmed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is no [`Name`]. The caller mends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    #[error("the name is empty")]
    Empty,
    #[error("the name is longer than 60 characters")]
    TooLong,
    #[error("the name has a control or invisible character")]
    Unprintable,
}

impl Name {
    pub const MAX_CHARS: usize = 60;
    const MAX_BYTES: usize = 240;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Characters that hide or reorder what stands around them, so that two names
/// could look alike or a page could be made to read otherwise.
fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The zero-width joiner holds one emoji together («👩‍💻»), so it may stand
/// between two visible characters.
fn joins(previous: Option<char>, c: char, next: Option<char>) -> bool {
    c == '\u{200d}'
        && previous.is_some_and(|p| !p.is_alphanumeric())
        && next.is_some_and(|n| !n.is_alphanumeric())
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        // Before anything walks over it: the text may be ten megabytes.
        if text.len() > 4 * Self::MAX_BYTES {
            return Err(InvalidName::TooLong);
        }
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidName::Empty);
        }
        if text.len() > Self::MAX_BYTES || text.chars().count() > Self::MAX_CHARS {
            return Err(InvalidName::TooLong);
        }
        let letters: Vec<char> = text.chars().collect();
        for (index, c) in letters.iter().copied().enumerate() {
            let previous = index.checked_sub(1).map(|i| letters[i]);
            if c.is_control() || invisible(c) && !joins(previous, c, letters.get(index + 1).copied()) {
                return Err(InvalidName::Unprintable);
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_and_agents_are_taken_trimmed() {
        for name in ["Ñandú", "  My agent ", "日本語", "👩\u{200d}💻 bot", "O'Brien <b>"] {
            assert_eq!(name.parse::<Name>().unwrap().as_str(), name.trim());
        }
    }

    #[test]
    fn empty_long_and_deceiving_names_are_refused() {
        assert_eq!("  ".parse::<Name>(), Err(InvalidName::Empty));
        assert_eq!("x".repeat(61).parse::<Name>(), Err(InvalidName::TooLong));
        assert_eq!("x".repeat(10_000_000).parse::<Name>(), Err(InvalidName::TooLong));
        for name in ["a\nb", "a\u{0}b", "a\u{202e}b", "a\u{200b}b", "a\u{200d}b", "a\u{7f}"] {
            assert_eq!(name.parse::<Name>(), Err(InvalidName::Unprintable), "{name:?}");
        }
    }
}
