//! Saving: everything stands still, the home goes into the repository, and the
//! control plane commits it. After that nothing runs that could change the home;
//! when it fails everything goes on. Saved in between, everything goes on before
//! the commit, and soon.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::protocol::{Report, SnapshotCommit, Then};
use repository::{ObjectStore, Persisted, Repository, RepositoryKey};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::control::{Link, is_over};
use crate::freeze::{Frozen, freeze};
use crate::home::{Looks, look};

/// How long everything may stand still for a save in between, besides looking
/// the home over: whoever types then waits as long for what they typed.
const STILL: Duration = Duration::from_secs(3);
/// Each try has less to do than the one before.
const TRIES: u32 = 3;

/// A save that takes longer is told of.
const SOON: Duration = Duration::from_secs(5);

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
    #[error("more changed than could be saved while everything stood still")]
    TooMuch,
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
                *self.saved.lock().await = self.look(None).await.0;
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
        let (looks, _) = self.look(*saved).await;
        if looks.is_some() && *saved == looks {
            return Ok(());
        }
        // Whoever does not answer is waited for while everything runs.
        let repository = Arc::clone(&self.repository);
        tokio::task::spawn_blocking(move || repository.answers()).await??;
        let (snapshot, looks) = self.persist_soon().await?;
        self.commit(&snapshot, Then::GoesOn).await?;
        *saved = looks;
        Ok(())
    }

    /// A snapshot of one moment, for which nothing stood still longer than
    /// [`STILL`]. What takes longer is finished while everything runs: it is of
    /// no one moment, but the next try finds most of it in the repository.
    async fn persist_soon(&self) -> Result<(Persisted, Option<Looks>), Failed> {
        for _ in 0..TRIES {
            let frozen = tokio::task::spawn_blocking(freeze).await??;
            let (looks, _) = self.look(None).await;
            let mut persist = self.persist();
            if let Ok(snapshot) = tokio::time::timeout(STILL, &mut persist).await {
                return Ok((snapshot??, looks));
            }
            drop(frozen);
            persist.await??;
            // Asked to save, it should not wait for this.
            if *self.stage.borrow() != Stage::Serving {
                break;
            }
        }
        Err(Failed::TooMuch)
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

    /// Everything stands still; the home is in the repository, and committed.
    async fn try_save(&self) -> Result<Frozen, Failed> {
        let mut saved = self.saved.lock().await;
        let frozen = tokio::task::spawn_blocking(freeze).await??;
        let (looks, unsaved) = self.look(*saved).await;
        let mut persist = self.persist();
        let snapshot = match tokio::time::timeout(SOON, &mut persist).await {
            Ok(snapshot) => snapshot,
            Err(_) => {
                // Should time run out, it is known what that cost.
                if let Err(failure) = self.link.report(&Report::Unsaved { bytes: unsaved }).await {
                    tracing::warn!(%failure, "the control plane does not know how much is not saved");
                }
                persist.await
            }
        }??;
        self.commit(&snapshot, Then::Ends).await?;
        *saved = looks;
        Ok(frozen)
    }

    /// What the home looks like, and the bytes in it that changed since `before`.
    async fn look(&self, before: Option<Looks>) -> (Option<Looks>, u64) {
        let looked = look(self.home.clone(), before).await;
        looked.map_or((None, 0), |(looks, changed)| (Some(looks), changed))
    }

    fn persist(&self) -> JoinHandle<Result<Persisted, repository::Error>> {
        let (repository, home) = (Arc::clone(&self.repository), self.home.clone());
        tokio::task::spawn_blocking(move || repository.persist(&home))
    }

    async fn commit(&self, saved: &Persisted, then: Then) -> Result<(), Failed> {
        let (id, files, added_bytes) = (saved.id.parse()?, saved.files, saved.added_bytes);
        self.link.commit(&SnapshotCommit { id, files, bytes: saved.bytes, added_bytes, then }).await?;
        tracing::info!(files, added = added_bytes, took = ?saved.took, "saved");
        Ok(())
    }
}
