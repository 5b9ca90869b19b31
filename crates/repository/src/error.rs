//! What can go wrong with a repository.

use std::io;
use std::path::Path;

use crate::object::ObjectError;

/// Why a repository did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store of objects refused; see [`ObjectError::retryable`].
    #[error("saved state: {0}")]
    Store(#[from] ObjectError),
    /// Files or folders of the state that could not be read. Nothing was
    /// saved: a snapshot without them would pass for a whole one.
    #[error("{count} could not be read, first {first}")]
    Unreadable { count: u64, first: String },
    /// There is no such snapshot.
    #[error("there is no snapshot {0}")]
    NoSnapshot(String),
    /// Data does not bear out its key: the key is another repository's, or the
    /// data was changed.
    #[error("the key does not fit, or the saved state was changed")]
    NotAuthentic,
    /// The data is there and cannot be used.
    #[error("the saved state is damaged: {0}")]
    Damaged(String),
    /// The local disk failed or is full while a snapshot was brought back.
    #[error("{doing}: {source}")]
    Io { doing: String, source: io::Error },
}

/// `Result` of a repository.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn io(doing: &str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Io { doing: format!("{doing} {}", path.display()), source: source.into() }
    }

    /// Whether the same call may succeed later: after a while, or once someone
    /// made room on the disk. `false`: trying again changes nothing.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.retryable(),
            // Its owner may mend what is unreadable at any time.
            Self::Io { .. } | Self::Unreadable { .. } => true,
            Self::NoSnapshot(_) | Self::NotAuthentic | Self::Damaged(_) => false,
        }
    }

    /// Whether a disk (the repository's, or the local one) has no room left.
    pub fn disk_full(&self) -> bool {
        match self {
            Self::Store(error) => matches!(error, ObjectError::Full),
            Self::Io { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }
}
