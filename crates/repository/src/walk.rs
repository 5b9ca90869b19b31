//! What is in a tree, before it is saved. The library passes over what it
//! can't read; here nothing is passed over.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::error::{Error, Result};

/// Counts what a snapshot of the tree must hold.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    /// Everything but folders.
    pub files: u64,
    pub bytes: u64,
}

/// Walks the tree and makes sure that all of it can be read.
pub(crate) fn count(root: &Path) -> Result<Count> {
    let mut count = Count::default();
    let mut unreadable = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(_) => {
                unreadable.push(folder);
                continue;
            }
        };
        for entry in entries {
            let io = |source| Error::Io { doing: format!("reading {}", folder.display()), source };
            let entry = entry.map_err(io)?;
            let kind = entry.file_type().map_err(io)?;
            if kind.is_dir() {
                folders.push(entry.path());
                continue;
            }
            count.files += 1;
            if kind.is_file() {
                count.bytes += entry.metadata().map_err(io)?.len();
                if accessat(CWD, entry.path(), Access::READ_OK, AtFlags::EACCESS).is_err() {
                    unreadable.push(entry.path());
                }
            } else if kind.is_socket() || kind.is_fifo() {
                // Saved as what they are: they have no content.
            }
        }
    }
    match unreadable.first() {
        None => Ok(count),
        Some(first) => Err(Error::Unreadable {
            count: unreadable.len(),
            first: first.strip_prefix(root).unwrap_or(first).display().to_string(),
        }),
    }
}
