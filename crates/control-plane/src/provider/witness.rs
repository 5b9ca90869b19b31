//! What providers tell of runs afterwards, to be held against the ledger.

use async_trait::async_trait;
use domain::agent::ProviderName;
use domain::id::InstanceId;
use domain::price::Purchase;
use domain::time::Timestamp;

use super::ProviderError;

/// Tells what a provider still knows of all that ran, and changes nothing.
#[async_trait]
pub trait Witness: Send + Sync {
    fn name(&self) -> ProviderName;

    /// What runs, and what has ended and is not forgotten. What is not billed
    /// (yet) is left out; a second machine of the same run is not.
    async fn runs(&self) -> Result<Vec<Run>, ProviderError>;
}

/// A run by its provider's own instants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What the provider calls it.
    pub name: String,
    /// Whose it is; nobody's where it does not say so.
    pub instance: Option<InstanceId>,
    /// Since when it is billed.
    pub started_at: Timestamp,
    /// `None` while anything of it runs.
    pub ended_at: Option<Timestamp>,
    /// How it was bought, where that is told.
    pub purchase: Option<Purchase>,
}
