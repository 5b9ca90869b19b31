//! Against real folders.

mod crash;
mod damage;
mod restic;
mod round_trip;
#[cfg(feature = "s3")]
mod s3;
mod saving;

use std::fs;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Arc;

use crate::*;

fn key(name: &str) -> RepositoryKey {
    MasterSecret::new([3; 32]).derive(name)
}

fn store(root: &Path) -> FolderStore {
    FolderStore::new(root)
}

fn repository(root: &Path) -> Repository {
    Repository::new(Arc::new(store(root)), key("a"))
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// What does not compress and is no two times the same.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15);
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
    .take(length)
    .collect()
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    name: std::ffi::OsString,
    mode: u32,
    modified: (i64, i64),
    links: u64,
    content: Vec<u8>,
}

/// Everything in a tree.
fn tree(root: &Path) -> Vec<Seen> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let about = fs::symlink_metadata(&path).unwrap();
            let content = if about.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else if about.is_file() {
                fs::read(&path).unwrap()
            } else {
                Vec::new()
            };
            if about.is_dir() {
                folders.push(path.clone());
            }
            found.push(Seen {
                name: path.strip_prefix(root).unwrap().into(),
                mode: about.mode(),
                modified: (about.mtime(), about.mtime_nsec()),
                links: if about.is_dir() { 0 } else { about.nlink() },
                content,
            });
        }
    }
    found.sort();
    found
}

/// A home with all that may lie in one.
fn home() -> tempfile::TempDir {
    use std::os::unix::ffi::OsStrExt as _;
    let home = folder();
    let at = |name: &str| home.path().join(name);
    let write = |name: &str, content: &[u8], mode: u32| {
        fs::write(at(name), content).unwrap();
        fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::create_dir_all(at("a folder/ñandú/日本")).unwrap();
    fs::create_dir(at("empty")).unwrap();
    write("a folder/nothing", b"", 0o644);
    write("a folder/ñandú/日本/☕", b"cup", 0o644);
    write("new\nline", b"x", 0o644);
    write("back\\slash \"quoted\" 'twice'", b"x", 0o644);
    write(&"long".repeat(63), b"y", 0o644);
    fs::write(home.path().join(std::ffi::OsStr::from_bytes(b"no \xff utf-8")), b"z").unwrap();
    write("big", &noise(3_000_000, 1), 0o644);
    write("run.sh", b"#!/bin/sh\n", 0o755);
    write(".secret", b"token", 0o600);
    write("read-only", b"kept", 0o400);
    write("setuid", b"s", 0o4755);
    let sparse = fs::File::create(at("sparse")).unwrap();
    sparse.write_all_at(b"end", 4_000_000).unwrap();
    sparse.set_len(6_000_000).unwrap();
    symlink("a folder/nothing", at("link")).unwrap();
    symlink("/nowhere", at("dangling")).unwrap();
    fs::hard_link(at("big"), at("a folder/the same")).unwrap();
    fs::create_dir(at("sticky")).unwrap();
    fs::set_permissions(at("sticky"), fs::Permissions::from_mode(0o1777)).unwrap();
    fs::create_dir(at("locked")).unwrap();
    write("locked/inside", b"i", 0o444);
    fs::set_permissions(at("locked"), fs::Permissions::from_mode(0o555)).unwrap();
    let old = std::time::SystemTime::UNIX_EPOCH - std::time::Duration::from_millis(1500);
    fs::File::options().write(true).open(at("run.sh")).unwrap().set_modified(old).unwrap();
    home
}
