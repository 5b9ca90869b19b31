//! A repository: persist, hydrate, verify, prune.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytesize::ByteSize;
use rustic_core::jiff::Span;
use rustic_core::repofile::{Chunker, SnapshotFile};
use rustic_core::{
    BackupOptions, ConfigOptions, KeyOptions, LimitOption, OpenStatus, PruneOptions, Repository as Rustic,
    RepositoryOptions, RusticResult, SnapshotOptions,
};

use crate::backend::backends;
use crate::baseline::Baseline;
use crate::error::{Error, Result};
use crate::hydrate::hydrate;
use crate::key::RepositoryKey;
use crate::object::{Kind, ObjectName, ObjectStore};
use crate::source::Source;
use crate::verify::verify;
use crate::watch::Watch;

/// A pack is closed past this size; it may exceed it by one chunk. Small, so that
/// a save holds little memory; [`crate::OBJECT_MAX`] is far.
const PACK: ByteSize = ByteSize::mib(8);
/// Files are cut every so many bytes. Databases change in place and logs at their
/// end, which this serves as well as cuts by content would; and those cost a
/// table of 170 µs for each file that is read, 40 % of a first save.
const CHUNK: ByteSize = ByteSize::kib(256);
/// zstd's level: at 1 a save is bound by hashing, not by compressing.
const COMPRESSION: i32 = 1;
/// How long data that no snapshot needs stays; longer than any hydration.
const GRACE: Duration = Duration::from_secs(60 * 60);
/// Where snapshots have the state, wherever it lay when it was saved.
const HOME: &str = "/home/agent";

/// One agent's repository. Each call opens it anew: nothing of it is kept that
/// another process could have made stale.
///
/// What is kept is the last snapshot that this value made of a folder or brought
/// back into it, so that the next save of that folder reads only what changed.
pub struct Repository {
    store: Arc<dyn ObjectStore>,
    key: RepositoryKey,
    exclude: Vec<PathBuf>,
    last: Mutex<Option<(PathBuf, Baseline)>>,
}

/// A snapshot that was made.
#[derive(Debug, Clone)]
pub struct Persisted {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Everything but folders.
    pub files: u64,
    /// Size of the state.
    pub bytes: u64,
    /// What the repository grew by.
    pub added_bytes: u64,
    pub took: Duration,
}

/// A snapshot that was brought back.
#[derive(Debug, Clone)]
pub struct Hydrated {
    /// Everything but folders.
    pub files: u64,
    pub bytes: u64,
    pub took: Duration,
}

/// A snapshot that is in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSnapshot {
    /// 64 hexadecimal digits.
    pub id: String,
    pub at: SystemTime,
    pub files: u64,
    pub bytes: u64,
}

/// The library's view of the repository, and what went wrong beneath it.
struct Session<S> {
    library: Rustic<S>,
    watch: Arc<Watch>,
}

impl<S> Session<S> {
    fn told<T>(&self, result: RusticResult<T>) -> Result<T> {
        result.map_err(|error| self.watch.explain(&error))
    }

    /// To the same repository in another state.
    fn then<T>(self, next: impl FnOnce(Rustic<S>) -> RusticResult<Rustic<T>>) -> Result<Session<T>> {
        let watch = self.watch;
        let library = next(self.library).map_err(|error| watch.explain(&error))?;
        Ok(Session { library, watch })
    }
}

impl Repository {
    /// The repository in the store; it is made at the first save.
    pub fn new(store: Arc<dyn ObjectStore>, key: RepositoryKey) -> Self {
        Self { store, key, exclude: Vec::new(), last: Mutex::default() }
    }

    /// Saves leave out what lies at or below these paths, relative to the folder
    /// that is saved.
    #[must_use]
    pub fn excluding(mut self, paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        self.exclude.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Makes sure that the store answers at all.
    ///
    /// # Errors
    /// [`Error::Store`] when it does not.
    pub fn answers(&self) -> Result<()> {
        self.exists().map(drop)
    }

    fn exists(&self) -> Result<bool> {
        Ok(!self.store.list(Kind::Config)?.is_empty())
    }

    fn session(&self) -> Result<Session<()>> {
        let watch = Arc::new(Watch::default());
        let backends = backends(Arc::clone(&self.store), Arc::clone(&watch));
        let library = Rustic::new(&RepositoryOptions::default().no_cache(true), &backends);
        Ok(Session { library: library.map_err(|error| watch.explain(&error))?, watch })
    }

    fn open(&self) -> Result<Session<OpenStatus>> {
        self.session()?.then(|library| library.open(&self.key.credentials()))
    }

    fn open_or_make(&self) -> Result<Session<OpenStatus>> {
        if self.exists()? {
            return self.open();
        }
        let config = ConfigOptions::default()
            .set_compression(COMPRESSION)
            .set_chunker(Chunker::FixedSize)
            .set_chunk_size(CHUNK)
            .set_datapack_size(PACK)
            .set_datapack_size_limit(PACK)
            .set_treepack_size_limit(PACK);
        self.session()?.then(|library| library.init(&self.key.credentials(), &KeyOptions::default(), &config))
    }

    /// Saves the tree under `source`. Sockets and devices are left out.
    ///
    /// Programs may go on writing: a file that changes while it is read is saved
    /// as it was read, one that vanishes is left out, and both are looked at
    /// again by the next save.
    ///
    /// At most one save at a time, and none while [`keep_only`](Self::keep_only)
    /// runs.
    ///
    /// # Errors
    /// [`Error::Unreadable`] when a part of the tree can't be read: no snapshot
    /// is made then, rather than one with a hole. [`Error::Store`] when the store
    /// refused. After any error the snapshots that were there are whole.
    pub fn persist(&self, source: &Path) -> Result<Persisted> {
        let started = Instant::now();
        let session = self.open_or_make()?.then(Rustic::to_indexed_ids)?;
        let home = Path::new(HOME);
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let baseline = last.filter(|(folder, _)| folder == source).map(|(_, baseline)| baseline);
        let (watch, exclude) = (Arc::clone(&session.watch), self.exclude.clone());
        let walked = Source::open(source, home, exclude, baseline.clone(), watch)?;
        let mut options = BackupOptions::default();
        options.no_scan = true;
        match &baseline {
            Some(baseline) => options.parent_opts.parents = vec![baseline.snapshot.clone()],
            None => options.parent_opts.force = true,
        }
        let blank = session.told(SnapshotOptions::default().host("agent".to_owned()).to_snapshot())?;
        let paths = [home.to_owned()];
        let snapshot = session.told(session.library.archive(&options, &walked, blank, &paths))?;
        let summary = snapshot.summary.clone().unwrap_or_default();
        let expected = session.watch.expected();
        if summary.total_files_processed != expected {
            session.told(session.library.delete_snapshots(&[snapshot.id]))?;
            let saved = summary.total_files_processed;
            return Err(Error::Damaged(format!("{saved} of {expected} files were saved")));
        }
        let id = snapshot.id.to_hex().as_str().to_owned();
        self.remember(source, baseline.map_or_else(|| Baseline::saved(&id), |last| last.moved_to(&id)));
        Ok(Persisted {
            files: expected,
            bytes: summary.total_bytes_processed,
            added_bytes: summary.data_added_packed,
            took: started.elapsed(),
            id,
        })
    }

    /// Brings a snapshot back into `dest`, a folder that is there. What is in it
    /// under the same names is replaced. Owners are the caller's; extended
    /// attributes come back as far as the system lets them.
    ///
    /// # Errors
    /// [`Error::Io`] when `dest` can't be written (see [`Error::disk_full`]);
    /// what was written so far stays.
    pub fn hydrate(&self, id: &str, dest: &Path) -> Result<Hydrated> {
        let started = Instant::now();
        let session = self.open()?;
        let snapshot = self.snapshot(&session, id)?;
        let session = session.then(Rustic::to_indexed)?;
        let home = session.told(session.library.node_from_path(snapshot.tree, Path::new(HOME)))?;
        let tree = home.subtree.ok_or_else(|| Error::Damaged("the snapshot has no home".to_owned()))?;
        let done = hydrate(&session.library, &session.watch, tree, dest)?;
        self.remember(dest, Baseline::restored(id, done.changed));
        Ok(Hydrated { files: done.files, bytes: done.bytes, took: started.elapsed() })
    }

    fn remember(&self, folder: &Path, baseline: Baseline) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((folder.to_owned(), baseline));
    }

    /// All snapshots, the oldest first.
    pub fn snapshots(&self) -> Result<Vec<SavedSnapshot>> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        let session = self.open()?;
        let mut snapshots = session.told(session.library.get_all_snapshots())?;
        snapshots.sort_by(|one, other| one.time.cmp(&other.time));
        let row = |snapshot: SnapshotFile| {
            let summary = snapshot.summary.unwrap_or_default();
            SavedSnapshot {
                id: snapshot.id.to_hex().as_str().to_owned(),
                at: snapshot.time.into(),
                files: summary.total_files_processed,
                bytes: summary.total_bytes_processed,
            }
        };
        Ok(snapshots.into_iter().map(row).collect())
    }

    /// Makes sure that every byte of a snapshot is there and whole, by reading
    /// all of it.
    pub fn verify(&self, id: &str) -> Result<()> {
        let session = self.open()?;
        let snapshot = self.snapshot(&session, id)?;
        let session = session.then(Rustic::to_indexed)?;
        verify(&session.library, &session.watch, snapshot.tree)
    }

    /// Removes the snapshots that were made before the newest of these and are
    /// none of them; all, if `keep` names none. A newer one stays: it may be about
    /// to be committed.
    ///
    /// What only they needed is marked, and removed by the first call that comes
    /// an hour later or more: whoever hydrates meanwhile still finds it. No save
    /// should run meanwhile: what it takes from marked data could not be read
    /// until the next call. Cut short at any point, the call leaves what is kept
    /// whole, and the next one goes on.
    pub fn keep_only(&self, keep: &[impl AsRef<str>]) -> Result<()> {
        self.keep_only_for(keep, GRACE)
    }

    pub(crate) fn keep_only_for(&self, keep: &[impl AsRef<str>], grace: Duration) -> Result<()> {
        if !self.exists()? {
            return Ok(());
        }
        let session = self.open()?;
        let all = session.told(session.library.get_all_snapshots())?;
        let kept =
            |snapshot: &SnapshotFile| keep.iter().any(|id| id.as_ref() == snapshot.id.to_hex().as_str());
        let newest = all.iter().filter(|snapshot| kept(snapshot)).map(|snapshot| &snapshot.time).max();
        let old = |snapshot: &&SnapshotFile| {
            !kept(snapshot) && newest.map_or(keep.is_empty(), |newest| snapshot.time < *newest)
        };
        let drop: Vec<_> = all.iter().filter(old).map(|snapshot| snapshot.id).collect();
        session.told(session.library.delete_snapshots(&drop))?;
        let mut options = PruneOptions::default();
        options.keep_delete = Span::try_from(grace).unwrap_or_default();
        options.max_repack = LimitOption::Unlimited;
        // What is moved is checked when it is read.
        options.fast_repack = true;
        let plan = session.told(session.library.prune_plan(&options))?;
        session.told(session.library.prune(&options, plan))
    }

    /// Adds a password with which stock `restic` opens the repository.
    pub fn add_password(&self, password: &str) -> Result<()> {
        let session = self.open()?;
        session.told(session.library.add_key(password, &KeyOptions::default())).map(|_| ())
    }

    fn snapshot(&self, session: &Session<OpenStatus>, id: &str) -> Result<SnapshotFile> {
        let unknown = || Error::NoSnapshot(id.to_owned());
        let name: ObjectName = id.parse().map_err(|_| unknown())?;
        if !self.store.list(Kind::Snapshot)?.iter().any(|object| object.name == name) {
            return Err(unknown());
        }
        let mut found = session.told(session.library.get_snapshots(&[id]))?;
        found.pop().ok_or_else(unknown)
    }
}
