//! The control plane: decides and records. It knows no HTTP server and no UI.
//!
//! Callers ask [`fleet::Fleet`]; instances talk to [`link::Link`]; the
//! [`orchestrator`] drives what is recorded to what is wanted.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod audit;
#[cfg(feature = "aws")]
pub mod aws;
pub mod budgets;
pub mod clock;
mod closed;
pub mod demo;
pub mod descriptors;
mod drain;
mod due;
pub mod egress;
pub mod embedded;
mod error;
pub mod events;
pub mod fleet;
mod guests;
pub mod identity;
mod instances;
mod keys;
mod ledger;
pub mod link;
pub mod live;
pub mod logbook;
mod looks;
#[cfg(feature = "aws")]
mod mend;
pub mod orchestrator;
pub mod peers;
pub mod plane;
pub mod prices;
pub mod provider;
mod random;
pub mod roster;
pub mod snapshots;
pub mod spend;
pub mod spreadsheet;
pub mod staff;
pub mod store;

pub use error::{Error, Result, Whose};
pub use fleet::Fleet;
pub use identity::{Identity, Principal};
