//! What can go wrong with a repository.

use rustic_core::RusticError;

use crate::object::ObjectError;

/// Why a repository did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store of objects refused; see [`ObjectError::retryable`].
    #[error(transparent)]
    Store(#[from] ObjectError),
    /// Files or folders of the state that could not be read. Nothing was
    /// saved: a snapshot without them would pass for a whole one.
    #[error("{count} could not be read, {first} first")]
    Unreadable { count: usize, first: String },
    /// There is no such snapshot.
    #[error("there is no snapshot {0}")]
    NoSnapshot(String),
    /// The data is damaged, or the key is another's.
    #[error("{0}")]
    Damaged(String),
    /// The local disk failed or is full.
    #[error("{doing}: {source}")]
    Io { doing: String, source: std::io::Error },
}

/// `Result` of a repository.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether the same call may succeed later without anyone's doing.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.retryable(),
            Self::Io { .. } => true,
            _ => false,
        }
    }
}

impl From<Box<RusticError>> for Error {
    fn from(error: Box<RusticError>) -> Self {
        // What our own store said is passed through the library unchanged.
        let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(&*error);
        while let Some(source) = cause {
            if let Some(ours) = source.downcast_ref::<ObjectError>() {
                return Self::Store(ours.clone());
            }
            cause = source.source();
        }
        Self::Damaged(error.display_log())
    }
}
