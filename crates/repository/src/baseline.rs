//! What is known of a tree because it was saved or brought back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use rustic_core::jiff::Timestamp;

/// Lets a save skip what has not changed since a snapshot of the same folder.
///
/// A file is unchanged if its size, its modification time and its change time
/// are the snapshot's. The modification time alone would not do: archives and
/// `cp -p` set it. The change time can't be set, so it differs in a tree that
/// was brought back; there, what counts is that the file was not touched since.
#[derive(Debug, Clone)]
pub(crate) struct Baseline {
    pub snapshot: String,
    /// When the tree had been brought back.
    restored: Timestamp,
    /// By inode: the change time that the snapshot has of the file that was
    /// brought back there.
    changed: Arc<HashMap<u64, Timestamp>>,
}

/// How coarse a file system's clock may be: what changes a file within one step
/// of it leaves no trace in its times.
pub(crate) const STEP_MS: i64 = 20;

impl Baseline {
    /// Of a tree that a snapshot with this id was made of.
    pub fn saved(snapshot: &str) -> Self {
        Self { snapshot: snapshot.to_owned(), restored: Timestamp::MIN, changed: Arc::default() }
    }

    pub fn restored(snapshot: &str, changed: HashMap<u64, Timestamp>) -> Self {
        Self {
            snapshot: snapshot.to_owned(),
            restored: before(SystemTime::now()),
            changed: Arc::new(changed),
        }
    }

    /// The same tree, with a newer snapshot made of it.
    pub fn moved_to(&self, snapshot: &str) -> Self {
        Self { snapshot: snapshot.to_owned(), ..self.clone() }
    }

    /// The change time that the snapshot has of an untouched file.
    pub fn untouched(&self, inode: u64, changed: Timestamp) -> Option<Timestamp> {
        if changed < self.restored { self.changed.get(&inode).copied() } else { None }
    }
}

/// A step of the clock earlier.
pub(crate) fn before(time: SystemTime) -> Timestamp {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::MIN);
    Timestamp::from_millisecond(time.as_millisecond().saturating_sub(STEP_MS)).unwrap_or(Timestamp::MIN)
}
