//! What was asked, counted.

use std::collections::BTreeMap;

use domain::time::Timestamp;
use serde::Serialize;

use crate::api::Operation;
use crate::shape::Tag;

/// Calls by operation, since the start or [`crate::Fake::reset_calls`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Calls(BTreeMap<Operation, Count>);

/// How the calls of one operation went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    pub done: u64,
    /// Answered `ThrottlingException`, by a quota or a fault.
    pub throttled: u64,
    /// Answered another error, or not at all.
    pub failed: u64,
}

impl Calls {
    /// Of one operation.
    pub fn of(&self, operation: Operation) -> Count {
        self.0.get(&operation).copied().unwrap_or_default()
    }

    /// Of each operation that was called.
    pub fn all(&self) -> impl Iterator<Item = (Operation, Count)> {
        self.0.iter().map(|(operation, count)| (*operation, *count))
    }

    /// Of all operations, whatever became of them.
    pub fn total(&self) -> u64 {
        self.0.values().map(|count| count.done + count.throttled + count.failed).sum()
    }

    pub(crate) fn count(&mut self, operation: Operation) -> &mut Count {
        self.0.entry(operation).or_default()
    }
}

/// A task that was really launched; a repeated `clientToken` launches none.
#[derive(Debug, Clone, Serialize)]
pub struct Launch {
    pub task_arn: String,
    pub at: Timestamp,
    pub client_token: Option<String>,
    pub started_by: Option<String>,
    pub capacity_provider: String,
    pub subnet: String,
    pub architecture: String,
    pub tags: Vec<Tag>,
}

impl Launch {
    /// The value of one of its tags.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|tag| tag.key == key).map(|tag| tag.value.as_str())
    }
}
