//! An agent's saved state: snapshots in restic's repository format, one
//! repository an agent, over whatever keeps objects by name.
//!
//! The agent persists and hydrates with it; the control plane serves the
//! objects, verifies, and prunes. Everything blocks: callers in async code use
//! a blocking thread.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backend;
mod baseline;
mod blocks;
mod error;
mod folder;
mod hydrate;
mod key;
mod mode;
mod object;
mod repo;
#[cfg(feature = "s3")]
pub mod s3;
mod source;
mod verify;
mod watch;

#[cfg(test)]
mod tests;

pub use error::{Error, Result};
pub use folder::FolderStore;
pub use key::{MasterSecret, RepositoryKey};
pub use object::{InvalidName, Kind, OBJECT_MAX, Object, ObjectError, ObjectName, ObjectPath, ObjectStore};
pub use repo::{Hydrated, Persisted, Repository, SavedSnapshot};
