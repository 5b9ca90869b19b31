//! Objects: what a repository consists of, by kind and name.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// The largest object, in bytes. Packs are made to stay well under it.
pub const OBJECT_MAX: usize = 32 * 1024 * 1024;

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

    /// Whether it is the SHA-256 of the content.
    pub fn is_of(&self, content: &[Bytes]) -> bool {
        let mut hash = Sha256::new();
        content.iter().for_each(|part| hash.update(part));
        let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]);
        hash.finalize().iter().flat_map(digits).eq(self.0.bytes())
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

/// One object, as a path: `data/7f83b1…`. Both sides of an HTTP store spell it so.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectPath {
    pub kind: Kind,
    pub name: ObjectName,
}

/// restic's config has no name: it is an object of its own. Its name towards the
/// library is all zeros.
pub(crate) const CONFIG_NAME: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Where an object lies within a repository, as restic lays it out.
pub(crate) fn place(kind: Kind, name: &ObjectName) -> String {
    match kind {
        Kind::Config => "config".to_owned(),
        Kind::Pack => format!("data/{}/{name}", &name.as_str()[..2]),
        _ => format!("{kind}/{name}"),
    }
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl FromStr for ObjectPath {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (kind, name) = text.split_once('/').ok_or(InvalidName)?;
        Ok(Self { kind: kind.parse()?, name: name.parse()? })
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
    /// More than [`OBJECT_MAX`] bytes.
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
/// same object again changes nothing. Names of all kinds but the config are the
/// SHA-256 of the content.
pub trait ObjectStore: Send + Sync + 'static {
    fn list(&self, kind: Kind) -> Result<Vec<Object>, ObjectError>;

    /// Whether an object is there. None is empty.
    fn contains(&self, kind: Kind, name: &ObjectName) -> Result<bool, ObjectError> {
        match self.read_range(kind, name, 0, 1) {
            Ok(_) => Ok(true),
            Err(ObjectError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_is_64_hexadecimal_digits_and_nothing_else(text in "\\PC{0,80}|[0-9a-fA-F/.]{60,68}") {
            let name = text.parse::<ObjectName>();
            let digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
            prop_assert_eq!(name.is_ok(), text.len() == 64 && text.chars().all(digit));
            if let Ok(name) = name { prop_assert_eq!(name.as_str(), text); }
        }

        #[test]
        fn a_path_is_read_as_it_is_written(kind in 0usize..5, name in "[0-9a-f]{64}") {
            let path = ObjectPath { kind: Kind::ALL[kind], name: name.parse().unwrap() };
            prop_assert_eq!(path.to_string().parse::<ObjectPath>(), Ok(path));
        }

        #[test]
        fn what_is_no_path_is_refused(text in "\\PC{0,90}|(data|keys|locks|\\.\\.)/{0,2}[0-9a-f./]{62,66}") {
            if let Ok(path) = text.parse::<ObjectPath>() { prop_assert_eq!(path.to_string(), text); }
        }
    }

    #[test]
    fn ways_out_of_the_repository_are_no_names() {
        let name = "a".repeat(64);
        for text in ["../config", "data/..", "data//", "config", "data/../../x"] {
            assert_eq!(text.parse::<ObjectPath>(), Err(InvalidName), "{text}");
        }
        for text in [
            format!("data/{name}/"),
            format!("/data/{name}"),
            format!("data/{name}\n"),
            format!("DATA/{name}"),
        ] {
            assert_eq!(text.parse::<ObjectPath>(), Err(InvalidName), "{text}");
        }
    }
}
