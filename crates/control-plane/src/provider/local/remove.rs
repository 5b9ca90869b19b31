//! Removing a tree that a stranger made. `std::fs::remove_dir_all` descends,
//! one descriptor and one stack frame a level: a home with a hundred thousand
//! nested folders would end the server. Here nested folders are moved up to the
//! top first, so nothing is ever deeper than two levels.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, chmodat, openat, renameat_with, unlinkat,
};
use rustix::io::Errno;

const BATCH: usize = 1024;

/// Removes `path` and all below it; what is not there is removed already.
/// Nobody else may be at work in it.
pub fn tree(path: &Path) -> io::Result<()> {
    let top = match open_dir(CWD, path) {
        Err(Errno::NOENT) => return Ok(()),
        Err(Errno::NOTDIR) => return Ok(unlinkat(CWD, path, AtFlags::empty())?),
        top => top?,
    };
    let mut numbers = 0u64..;
    loop {
        let children = some_entries(&top)?;
        if children.is_empty() {
            return Ok(unlinkat(CWD, path, AtFlags::REMOVEDIR)?);
        }
        for child in children {
            if unlink_file(&top, &child) == Err(Errno::ISDIR) {
                make_accessible(&top, &child.name);
                flatten(&top, &child.name, &mut numbers)?;
                unlinkat(&top, child.name.as_c_str(), AtFlags::REMOVEDIR)?;
            }
        }
    }
}

/// Empties a folder of `top`: files are removed, folders move up to `top`.
fn flatten(top: &OwnedFd, name: &CStr, numbers: &mut impl Iterator<Item = u64>) -> io::Result<()> {
    let folder = open_dir(top, name)?;
    loop {
        let children = some_entries(&folder)?;
        if children.is_empty() {
            return Ok(());
        }
        for child in children {
            match unlink_file(&folder, &child) {
                Err(Errno::ISDIR) => {
                    make_accessible(&folder, &child.name);
                    move_up(&folder, &child.name, top, numbers)?;
                }
                done => done?,
            }
        }
    }
}

/// Moves a folder to `top` by a name that is free there.
fn move_up(
    from: &OwnedFd,
    name: &CStr,
    top: &OwnedFd,
    numbers: &mut impl Iterator<Item = u64>,
) -> io::Result<()> {
    for number in numbers {
        match renameat_with(from, name, top, format!(".removing-{number}"), RenameFlags::NOREPLACE) {
            Err(Errno::EXIST) => {}
            done => return Ok(done?),
        }
    }
    Err(io::ErrorKind::QuotaExceeded.into())
}

struct Entry {
    name: CString,
    kind: FileType,
}

/// The first entries of a folder, none when it is empty: a stranger's folder
/// may hold more names than memory does.
fn some_entries(dir: &OwnedFd) -> io::Result<Vec<Entry>> {
    let all = Dir::read_from(dir)?.map(|entry| {
        let entry = entry?;
        Ok(Entry { name: entry.file_name().to_owned(), kind: entry.file_type() })
    });
    let itself = |entry: &io::Result<Entry>| matches!(entry, Ok(Entry { name, .. }) if matches!(name.as_bytes(), b"." | b".."));
    all.filter(|entry| !itself(entry)).take(BATCH).collect()
}

/// Unlinks all but a folder, for which it says `ISDIR`.
fn unlink_file(dir: &OwnedFd, entry: &Entry) -> Result<(), Errno> {
    if entry.kind == FileType::Directory {
        return Err(Errno::ISDIR);
    }
    match unlinkat(dir, entry.name.as_c_str(), AtFlags::empty()) {
        Err(Errno::ISDIR | Errno::PERM) => Err(Errno::ISDIR),
        done => done,
    }
}

fn open_dir(at: impl AsFd, path: impl rustix::path::Arg + Copy) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, path, flags, Mode::empty())
}

/// An ordinary user can empty or move only a folder that it may read and write.
fn make_accessible(dir: &OwnedFd, name: &CStr) {
    // A refusal shows at the next step, with a better reason.
    let _ = chmodat(dir, name, Mode::RWXU, AtFlags::empty());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_deep_tree_is_removed_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("keep"), "kept").unwrap();
        let home = dir.path().join("home");
        fs::create_dir(&home).unwrap();
        let mut at = rustix::fs::open(&home, OFlags::DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..500 {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
            at = open_dir(&at, "d").unwrap();
        }
        fs::create_dir_all(home.join("a/b/c")).unwrap();
        fs::write(home.join("a/b/c/file"), "x").unwrap();
        symlink(dir.path(), home.join("a/link")).unwrap();
        symlink("..", home.join("link")).unwrap();
        fs::set_permissions(home.join("a/b"), fs::Permissions::from_mode(0o000)).unwrap();
        tree(&home).unwrap();
        tree(&home).unwrap();
        assert!(!home.exists());
        assert_eq!(fs::read_to_string(dir.path().join("keep")).unwrap(), "kept");
    }
}
