//! A repository: persist, hydrate, verify, prune.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustic_core::repofile::SnapshotFile;
use rustic_core::{
    BackupOptions, ConfigOptions, KeyOptions, LocalDestination, LsOptions, PathList, PruneOptions,
    Repository as Rustic, RepositoryOptions, RestoreOptions, SnapshotOptions,
};

use crate::backend::backends;
use crate::error::{Error, Result};
use crate::key::RepositoryKey;
use crate::object::{Kind, ObjectStore};
use crate::walk;

/// Packs are closed past this size, in MiB; far enough under
/// [`crate::OBJECT_MAX`], and small enough that a save holds little memory.
const PACK_MIB: u64 = 16;
/// zstd's level: at 1 a save is bound by hashing, not by compressing.
const COMPRESSION: i32 = 1;
/// The path that all snapshots are of, wherever the state really lies.
const STATE: &str = "/home";

/// One agent's repository.
pub struct Repository {
    store: Arc<dyn ObjectStore>,
    key: RepositoryKey,
}

/// A snapshot that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persisted {
    /// 64 hexadecimal digits.
    pub id: String,
    pub files: u64,
    /// Size of the state.
    pub bytes: u64,
    /// What the repository grew by.
    pub added_bytes: u64,
    pub took: Duration,
}

/// A snapshot that was brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hydrated {
    pub files: u64,
    pub bytes: u64,
    pub took: Duration,
}

impl Repository {
    /// The repository in the store; it is made at the first persist.
    pub fn new(store: Arc<dyn ObjectStore>, key: RepositoryKey) -> Self {
        Self { store, key }
    }

    fn open(&self) -> Result<Rustic<rustic_core::OpenStatus>> {
        let backends = backends(Arc::clone(&self.store));
        let repository = Rustic::new(&RepositoryOptions::default().no_cache(true), &backends)?;
        Ok(repository.open(&self.key.credentials())?)
    }

    fn open_or_init(&self) -> Result<Rustic<rustic_core::OpenStatus>> {
        if !self.store.list(Kind::Config)?.is_empty() {
            return self.open();
        }
        let backends = backends(Arc::clone(&self.store));
        let repository = Rustic::new(&RepositoryOptions::default().no_cache(true), &backends)?;
        let size = bytesize::ByteSize::mib(PACK_MIB);
        let config = ConfigOptions::default()
            .set_compression(COMPRESSION)
            .set_datapack_size(size)
            .set_datapack_size_limit(size)
            .set_treepack_size_limit(size);
        Ok(repository.init(&self.key.credentials(), &KeyOptions::default(), &config)?)
    }

    /// Saves the tree under `source`. Nothing may write to it meanwhile.
    ///
    /// # Errors
    /// [`Error::Unreadable`] when a part of it can't be read: no snapshot is
    /// made then, rather than one with a hole.
    pub fn persist(&self, source: &Path) -> Result<Persisted> {
        let started = Instant::now();
        let expected = walk::count(source)?;
        let repository = self.open_or_init()?.to_indexed_ids()?;
        let mut options = BackupOptions::default();
        options.as_path = Some(STATE.into());
        options.no_scan = true;
        // A hydrated file has another inode and change time than the one that
        // was saved; size and modification time tell.
        options.parent_opts.ignore_ctime = true;
        options.parent_opts.ignore_inode = true;
        let paths = PathList::from_iter(Some(source.to_owned()));
        let blank = SnapshotOptions::default().host("agent".to_owned()).to_snapshot()?;
        let snapshot = repository.backup(&options, &paths, blank)?;
        let summary = snapshot.summary.clone().unwrap_or_default();
        if summary.total_files_processed != expected.files {
            let missing = expected.files.abs_diff(summary.total_files_processed);
            repository.delete_snapshots(&[snapshot.id])?;
            return Err(Error::Unreadable {
                count: usize::try_from(missing).unwrap_or(usize::MAX),
                first: "a file that changed while it was saved".to_owned(),
            });
        }
        Ok(Persisted {
            id: snapshot.id.to_hex().as_str().to_owned(),
            files: expected.files,
            bytes: expected.bytes,
            added_bytes: summary.data_added_packed,
            took: started.elapsed(),
        })
    }

    /// Brings a snapshot back into `dest`, which is there and empty.
    pub fn hydrate(&self, id: &str, dest: &Path) -> Result<Hydrated> {
        let started = Instant::now();
        let repository = self.open()?;
        let snapshot = self.snapshot(&repository, id)?;
        let repository = repository.to_indexed()?;
        let node = repository.node_from_snapshot_and_path(&snapshot, STATE)?;
        let options = RestoreOptions::default().no_ownership(true);
        let path = dest.to_str().ok_or_else(|| Error::Damaged("the folder's path is no UTF-8".to_owned()))?;
        let destination = LocalDestination::new(path, true, true)?;
        let all = LsOptions::default();
        let plan =
            repository.prepare_restore(&options, repository.ls(&node, &all)?, &destination, false)?;
        repository.restore(plan, &options, repository.ls(&node, &all)?, &destination)?;
        let summary = snapshot.summary.unwrap_or_default();
        Ok(Hydrated {
            files: summary.total_files_processed,
            bytes: summary.total_bytes_processed,
            took: started.elapsed(),
        })
    }

    /// Makes sure that every byte of a snapshot is there and whole.
    pub fn verify(&self, id: &str) -> Result<()> {
        let repository = self.open()?;
        let snapshot = self.snapshot(&repository, id)?;
        let mut options = rustic_core::CheckOptions::default();
        options.read_data = true;
        let results = repository.check_with_trees(options, vec![snapshot.tree])?;
        results.is_ok().map_err(Error::from)
    }

    /// Removes all snapshots but these, and what only they needed.
    pub fn keep_only(&self, keep: &[String]) -> Result<()> {
        if self.store.list(Kind::Config)?.is_empty() {
            return Ok(());
        }
        let repository = self.open()?;
        let kept = |snapshot: &SnapshotFile| keep.iter().any(|id| id == snapshot.id.to_hex().as_str());
        let drop: Vec<_> = repository.get_all_snapshots()?.into_iter().filter(|s| !kept(s)).map(|s| s.id).collect();
        if drop.is_empty() {
            return Ok(());
        }
        repository.delete_snapshots(&drop)?;
        let options = PruneOptions::default().instant_delete(true).keep_delete(rustic_core::jiff::Span::new());
        let plan = repository.prune_plan(&options)?;
        Ok(repository.prune(&options, plan)?)
    }

    fn snapshot(&self, repository: &Rustic<rustic_core::OpenStatus>, id: &str) -> Result<SnapshotFile> {
        let name = id.parse().map_err(|_| Error::NoSnapshot(id.to_owned()))?;
        let there = self.store.list(Kind::Snapshot)?.iter().any(|object| object.name == name);
        if !there {
            return Err(Error::NoSnapshot(id.to_owned()));
        }
        Ok(repository.get_snapshots(&[id])?.remove(0))
    }
}
