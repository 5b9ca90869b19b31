//! The control plane's side of the repositories: one folder an agent.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::id::AgentId;
pub use repository::{FolderStore, InvalidName, Kind, OBJECT_MAX, ObjectError, ObjectName, ObjectStore};

use crate::error::{Error, Result};

/// Where the agents' repositories are.
pub struct Repositories {
    root: PathBuf,
    master: repository::MasterSecret,
}

impl Repositories {
    pub fn new(root: PathBuf, master: repository::MasterSecret) -> Self {
        Self { root, master }
    }

    /// The objects of one agent's repository. None of another's can be named
    /// through it.
    pub fn of(&self, agent: AgentId) -> Arc<FolderStore> {
        Arc::new(FolderStore::new(&self.folder(agent)))
    }

    /// The key that opens it.
    pub fn key(&self, agent: AgentId) -> repository::RepositoryKey {
        self.master.derive(&agent.to_string())
    }

    /// Removes an agent's repository; one that is not there is gone already.
    pub async fn purge(&self, agent: AgentId) -> Result<()> {
        let folder = self.folder(agent);
        match tokio::fs::remove_dir_all(&folder).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }

    fn folder(&self, agent: AgentId) -> PathBuf {
        Path::new(&self.root).join(agent.to_string())
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Repository(error.to_string())
}
