//! An agent's saved state: snapshots in restic's repository format, one
//! repository an agent, over whatever keeps objects by name.
//!
//! The agent persists and hydrates with it; the control plane serves the
//! objects, verifies, and prunes. Everything blocks: callers in async code use
//! a blocking thread.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backend;
mod error;
mod folder;
mod key;
mod object;
mod repo;
mod walk;

#[cfg(test)]
mod tests;

pub use error::{Error, Result};
pub use folder::FolderStore;
pub use key::{MasterSecret, RepositoryKey};
pub use object::{InvalidName, Kind, OBJECT_MAX, Object, ObjectError, ObjectName, ObjectStore};
pub use repo::{Hydrated, Persisted, Repository};
