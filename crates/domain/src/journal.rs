//! What the house itself says of an instance: the daemon in it and the control
//! plane. Never a word of the tenant's programs or files: whoever writes a line
//! leaves those out, so that nobody has to find them in it later.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    Info,
    Warning,
    Error,
}

/// Who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    Daemon,
    ControlPlane,
}

/// A line: some words in English, and numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub at: Timestamp,
    pub by: Speaker,
    pub weight: Weight,
    pub text: String,
}

impl Line {
    /// The most of a text that is kept, in characters.
    pub const TEXT_MAX: usize = 500;

    /// A line of no more than [`Line::TEXT_MAX`] characters, none of which
    /// begins another line or moves a terminal.
    pub fn new(at: Timestamp, by: Speaker, weight: Weight, text: &str) -> Self {
        let text = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        Self { at, by, weight, text: text.take(Self::TEXT_MAX).collect() }
    }
}

/// A stream of a log that somebody else keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    pub group: String,
    /// Not known of a run that was forgotten.
    pub name: Option<String>,
    /// The page that shows it to whoever has a right to it there.
    pub url: Option<String>,
}

/// Where the daemon's lines are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Daemon {
    /// These are the latest.
    Here(Vec<Line>),
    /// With a provider, who keeps them.
    Elsewhere(Stream),
    /// There is no daemon, or none yet.
    Nowhere,
}

/// What is told of an agent's latest run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// In the order of time, up to the latest.
    pub lines: Vec<Line>,
    /// Where the daemon's are, if they are not among these.
    pub elsewhere: Option<Stream>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line_and_short() {
        let line = Line::new(Timestamp(0), Speaker::Daemon, Weight::Info, "a\nb\x1b[31m");
        assert_eq!(line.text, "a b [31m");
        let long = Line::new(Timestamp(0), Speaker::Daemon, Weight::Info, &"ñ".repeat(900));
        assert_eq!(long.text.chars().count(), Line::TEXT_MAX);
    }
}
