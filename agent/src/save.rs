//! Saving: everything stands still, the home goes into the repository, and the
//! control plane commits it. After that nothing runs that could change the home;
//! when it fails everything goes on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::protocol::{Report, SnapshotCommit, Then};
use repository::{ObjectStore, Repository, RepositoryKey};
use tokio::sync::watch;

use crate::control::{Link, is_over};
use crate::freeze::{Frozen, freeze};
use crate::home::{Looks, look};

/// How far saving is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Terminals are served.
    Serving,
    Saving,
    /// Committed; nothing runs any more.
    Saved,
    /// Another run of the agent goes on: this one has nothing to save.
    Over,
}

/// Saves the home when asked.
pub struct Saver {
    home: PathBuf,
    link: Link,
    repository: Arc<Repository>,
    stage: watch::Sender<Stage>,
    /// One save at a time. What the home looked like at the last one.
    saved: tokio::sync::Mutex<Option<Looks>>,
}

/// Why the home was not saved.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Restless(#[from] crate::freeze::Restless),
    #[error("{0}")]
    Repository(#[from] repository::Error),
    #[error("{0}")]
    Control(#[from] crate::control::Failure),
    #[error("the snapshot's name makes no sense")]
    Name(#[from] domain::id::InvalidId),
    #[error("saving broke off")]
    BrokeOff(#[from] tokio::task::JoinError),
}

impl Saver {
    pub fn new(home: PathBuf, link: Link, objects: Arc<dyn ObjectStore>, key: [u8; 32]) -> Self {
        let repository = Arc::new(Repository::new(objects, RepositoryKey::new(key)));
        Self {
            home,
            link,
            repository,
            stage: watch::Sender::new(Stage::Serving),
            saved: tokio::sync::Mutex::default(),
        }
    }

    /// Follows how far saving is.
    pub fn stage(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    /// Brings a snapshot back into the home, which is empty.
    pub async fn hydrate(&self, snapshot: domain::id::SnapshotId) -> Result<(), String> {
        let (repository, home) = (Arc::clone(&self.repository), self.home.clone());
        let done = tokio::task::spawn_blocking(move || repository.hydrate(snapshot.as_str(), &home)).await;
        match done {
            Ok(Ok(hydrated)) => {
                tracing::info!(files = hydrated.files, bytes = hydrated.bytes, took = ?hydrated.took, "hydrated");
                *self.saved.lock().await = look(self.home.clone()).await;
                Ok(())
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Starts to save, unless that is under way or done.
    pub fn start(self: &Arc<Self>) {
        let begins = self.stage.send_if_modified(|stage| {
            let begins = *stage == Stage::Serving;
            if begins {
                *stage = Stage::Saving;
            }
            begins
        });
        if begins {
            let saver = Arc::clone(self);
            tokio::spawn(async move { saver.save().await });
        }
    }

    /// Saves, and says whether that is done.
    pub async fn finish(self: &Arc<Self>) -> Stage {
        self.start();
        let mut stage = self.stage();
        let ended = stage.wait_for(|stage| *stage != Stage::Saving).await;
        ended.map_or(Stage::Serving, |stage| stage.clone())
    }

    /// Saves from time to time while terminals are served, if something changed.
    /// Everything stands still for as long as it takes.
    pub async fn keep_saving(self: Arc<Self>, every: Duration) {
        let mut times = tokio::time::interval(every);
        times.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        times.tick().await;
        loop {
            times.tick().await;
            if *self.stage.borrow() != Stage::Serving {
                continue;
            }
            match self.save_if_changed().await {
                Ok(()) => {}
                Err(Failed::Control(failure)) if is_over(&failure) => return,
                // Asked to save it will try again, and tell whoever asked.
                Err(failed) => tracing::warn!(%failed, "the home was not saved in between"),
            }
        }
    }

    async fn save_if_changed(&self) -> Result<(), Failed> {
        let mut saved = self.saved.lock().await;
        let looks = look(self.home.clone()).await;
        if looks.is_some() && *saved == looks {
            return Ok(());
        }
        let (frozen, looks) = self.put_by(Then::GoesOn).await?;
        drop(frozen);
        *saved = looks;
        Ok(())
    }

    async fn save(&self) {
        let failed = match self.try_save().await {
            Ok(frozen) => {
                frozen.keep();
                self.stage.send_replace(Stage::Saved);
                return;
            }
            Err(failed) => failed,
        };
        let over = match &failed {
            Failed::Control(failure) => is_over(failure),
            Failed::Repository(repository::Error::Store(repository::ObjectError::Fenced)) => true,
            _ => false,
        };
        if over {
            tracing::warn!("another run of the agent goes on: nothing was saved");
            self.stage.send_replace(Stage::Over);
            return;
        }
        tracing::error!(%failed, "the home was not saved");
        self.stage.send_replace(Stage::Serving);
        if let Err(failure) = self.link.report(&Report::SaveFailed { message: failed.to_string() }).await {
            tracing::warn!(%failure, "the control plane does not know that saving failed");
        }
    }

    async fn try_save(&self) -> Result<Frozen, Failed> {
        let mut saved = self.saved.lock().await;
        let (frozen, looks) = self.put_by(Then::Ends).await?;
        *saved = looks;
        Ok(frozen)
    }

    /// Everything stands still; the home is in the repository, and committed.
    async fn put_by(&self, then: Then) -> Result<(Frozen, Option<Looks>), Failed> {
        let frozen = tokio::task::spawn_blocking(freeze).await??;
        let looks = look(self.home.clone()).await;
        let (repository, home) = (Arc::clone(&self.repository), self.home.clone());
        let saved = tokio::task::spawn_blocking(move || repository.persist(&home)).await??;
        let commit = SnapshotCommit {
            id: saved.id.parse()?,
            files: saved.files,
            bytes: saved.bytes,
            added_bytes: saved.added_bytes,
            then,
        };
        self.link.commit(&commit).await?;
        tracing::info!(files = saved.files, added = saved.added_bytes, took = ?saved.took, "saved");
        Ok((frozen, looks))
    }
}
