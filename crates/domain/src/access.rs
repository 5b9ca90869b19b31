//! Whether a person is let in.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an administrator made of somebody's access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    Open,
    /// Nothing of theirs opens anything; nothing of it is lost.
    Closed,
}

/// A text that is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("access is open or closed")]
pub struct UnknownAccess;

impl Access {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

impl FromStr for Access {
    type Err = UnknownAccess;

    fn from_str(text: &str) -> Result<Self, UnknownAccess> {
        [Self::Open, Self::Closed].into_iter().find(|access| access.as_str() == text).ok_or(UnknownAccess)
    }
}
