//! Whose limits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::name::Name;

/// Who or what has a budget.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Subject {
    /// All agents of the installation.
    Fleet,
    /// All agents of a team's people.
    Team(Name),
    Person(UserId),
}

/// A text that is no subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a subject of a budget")]
pub struct InvalidSubject;

impl Subject {
    /// Whose limit it is, for who is refused by it.
    pub fn whose(&self) -> String {
        match self {
            Self::Fleet => "the fleet".to_owned(),
            Self::Team(team) => format!("the team {team}"),
            Self::Person(_) => "your agents".to_owned(),
        }
    }
}

impl fmt::Display for Subject {
    /// `fleet`, `person#…`, `team#…`: the text in the ledger.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fleet => f.write_str("fleet"),
            Self::Team(team) => write!(f, "team#{team}"),
            Self::Person(user) => write!(f, "person#{user}"),
        }
    }
}

impl FromStr for Subject {
    type Err = InvalidSubject;

    fn from_str(text: &str) -> Result<Self, InvalidSubject> {
        match text.split_once('#') {
            None if text == "fleet" => Ok(Self::Fleet),
            Some(("team", name)) => name.parse().map(Self::Team).map_err(|_| InvalidSubject),
            Some(("person", id)) => id.parse().map(Self::Person).map_err(|_| InvalidSubject),
            _ => Err(InvalidSubject),
        }
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

impl TryFrom<String> for Subject {
    type Error = InvalidSubject;

    fn try_from(text: String) -> Result<Self, InvalidSubject> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_read_as_it_is_written() {
        let person = Subject::Person(UserId::from_random([7; 10]));
        for subject in [Subject::Fleet, Subject::Team("a#b ñ".parse().unwrap()), person] {
            assert_eq!(subject.to_string().parse(), Ok(subject));
        }
        for text in ["", "fleets", "team#", "person#x", "all#1"] {
            assert_eq!(text.parse::<Subject>(), Err(InvalidSubject), "{text}");
        }
    }
}
