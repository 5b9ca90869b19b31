//! Objects: what a repository consists of, by kind and name.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

/// The largest object, in bytes. Packs are made to stay well under it.
pub const OBJECT_MAX: usize = 64 * 1024 * 1024;

/// The kinds of objects in restic's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The repository's own settings: one object.
    Config,
    Key,
    Snapshot,
    Index,
    /// Contents of files and folders.
    Pack,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Config, Self::Key, Self::Snapshot, Self::Index, Self::Pack];

    /// The word in paths, restic's own.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Key => "keys",
            Self::Snapshot => "snapshots",
            Self::Index => "index",
            Self::Pack => "data",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(InvalidName)
    }
}

/// A text that names no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such kind or name of an object")]
pub struct InvalidName;

/// An object's name: 64 hexadecimal digits. It can name nothing outside of the
/// repository.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName(String);

impl ObjectName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ObjectName {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(hex) { Ok(Self(text.to_owned())) } else { Err(InvalidName) }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0[..8])
    }
}

/// One row of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub name: ObjectName,
    /// In bytes.
    pub size: u64,
}

/// Why a store of objects did not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ObjectError {
    #[error("there is no object {0}")]
    NotFound(String),
    #[error("the object is larger than {} MiB", OBJECT_MAX / 1024 / 1024)]
    TooLarge,
    /// No room. Nothing of the object was kept.
    #[error("the repository's disk is full")]
    Full,
    /// Another run of the agent writes now: this one must not.
    #[error("this run of the agent is over")]
    Fenced,
    /// Out of reach, or failing.
    #[error("{0}")]
    Failed(String),
}

impl ObjectError {
    /// Whether the same call may succeed later without anyone's doing.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Full)
    }
}

/// Keeps objects. A write is all there, durably, or not at all; writing the
/// same object again changes nothing.
pub trait ObjectStore: Send + Sync + 'static {
    fn list(&self, kind: Kind) -> Result<Vec<Object>, ObjectError>;

    fn read(&self, kind: Kind, name: &ObjectName) -> Result<Bytes, ObjectError>;

    /// `length` bytes from `offset`; an object that ends before is an error.
    fn read_range(
        &self,
        kind: Kind,
        name: &ObjectName,
        offset: u64,
        length: u64,
    ) -> Result<Bytes, ObjectError>;

    fn write(&self, kind: Kind, name: &ObjectName, content: &[Bytes]) -> Result<(), ObjectError>;

    /// An object that is not there is removed already.
    fn remove(&self, kind: Kind, name: &ObjectName) -> Result<(), ObjectError>;
}
