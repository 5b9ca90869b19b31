//! A demonstration, as its presenter reads it.

use serde::{Deserialize, Serialize};

use crate::money::{NanoDollars, Rate};
use crate::time::Timestamp;

/// A page that a demonstration which gives its own cues is seen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Room {
    Agents,
    Fleet,
    Spend,
}

impl Room {
    /// Its address.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Agents => "/",
            Self::Fleet => "/fleet",
            Self::Spend => "/spend",
        }
    }
}

/// How the fleet that is played is at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Its own time.
    pub now: Timestamp,
    /// How many of its seconds pass in a real one.
    pub speed: u32,
    pub awake: usize,
    /// On their way to being awake.
    pub waking: usize,
    pub asleep: usize,
    pub failed: usize,
    /// What all cost an hour now.
    pub rate: Rate,
    /// Since the first of its month.
    pub month: NanoDollars,
}
