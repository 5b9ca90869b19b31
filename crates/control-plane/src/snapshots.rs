//! The control plane's side of the repositories: one an agent, in a folder or
//! in its part of a bucket.

use std::path::PathBuf;
use std::sync::Arc;

use domain::id::{AgentId, InstanceId};
use domain::protocol::{Bucket, BucketKeys, Objects, Secret};
use domain::time::Timestamp;
use repository::FolderStore;
#[cfg(feature = "aws")]
use repository::s3;
pub use repository::{InvalidName, Kind, OBJECT_MAX, ObjectError, ObjectName, ObjectStore};

use crate::error::{Error, Result};

/// Where the agents' repositories are.
pub struct Repositories {
    place: Place,
    master: repository::MasterSecret,
}

/// One folder of folders, or one bucket.
pub enum Place {
    Folder(PathBuf),
    #[cfg(feature = "aws")]
    Bucket(Box<s3::Bucket>),
}

impl Repositories {
    pub fn new(place: Place, master: repository::MasterSecret) -> Self {
        Self { place, master }
    }

    /// The objects of one agent's repository. None of another's can be named
    /// through it. Its calls block.
    pub fn of(&self, agent: AgentId) -> Arc<dyn ObjectStore> {
        match &self.place {
            Place::Folder(root) => Arc::new(FolderStore::new(&root.join(agent.to_string()))),
            #[cfg(feature = "aws")]
            Place::Bucket(bucket) => Arc::new(bucket.store(prefix(agent))),
        }
    }

    /// The key that opens it.
    pub fn key(&self, agent: AgentId) -> repository::RepositoryKey {
        self.master.derive(&agent.to_string())
    }

    /// Where an instance of the agent finds the objects.
    pub fn objects(&self, agent: AgentId) -> Objects {
        match &self.place {
            Place::Folder(_) => Objects::ControlPlane,
            #[cfg(feature = "aws")]
            Place::Bucket(bucket) => Objects::Bucket(Bucket {
                name: bucket.name().to_owned(),
                prefix: prefix(agent),
                region: bucket.endpoint().region.clone(),
                endpoint: bucket.endpoint().url.clone(),
            }),
        }
    }

    /// Short-lived keys of the agent's part of the bucket.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the repositories are in no bucket.
    pub async fn keys(&self, instance: InstanceId) -> Result<BucketKeys> {
        match &self.place {
            Place::Folder(_) => Err(Error::NotFound),
            #[cfg(feature = "aws")]
            Place::Bucket(bucket) => {
                // A colon is none of the characters that STS takes.
                let session = instance.to_string().replace(':', "=");
                let keys = bucket.keys(prefix(instance.agent), &session).await.map_err(failed)?;
                let since = keys.expires_at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
                Ok(BucketKeys {
                    id: keys.id,
                    secret: Secret::new(keys.secret),
                    session: Secret::new(keys.session),
                    expires_at: Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
                })
            }
        }
    }

    /// Frees what a run that was cut short left half-written. To be called
    /// while nobody writes. In a bucket its lifecycle rule does it.
    pub async fn sweep(&self, agent: AgentId) -> Result<()> {
        match &self.place {
            Place::Folder(root) => {
                let store = FolderStore::new(&root.join(agent.to_string()));
                blocking(move || store.sweep()).await
            }
            #[cfg(feature = "aws")]
            Place::Bucket(_) => Ok(()),
        }
    }

    /// Removes an agent's repository; one that is not there is gone already.
    pub async fn purge(&self, agent: AgentId) -> Result<()> {
        match &self.place {
            Place::Folder(root) => match tokio::fs::remove_dir_all(root.join(agent.to_string())).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error)),
                _ => Ok(()),
            },
            #[cfg(feature = "aws")]
            Place::Bucket(bucket) => {
                let store = bucket.store(prefix(agent));
                blocking(move || store.purge()).await
            }
        }
    }
}

#[cfg(feature = "aws")]
fn prefix(agent: AgentId) -> String {
    format!("agents/{agent}/")
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::result::Result<T, ObjectError> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(failed)?.map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Repository(error.to_string())
}
