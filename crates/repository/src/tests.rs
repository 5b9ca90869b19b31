//! Against a real folder.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use proptest::prelude::*;

use crate::{
    Error, FolderStore, Kind, MasterSecret, OBJECT_MAX, Object, ObjectError, ObjectName, ObjectStore, Repository,
    RepositoryKey,
};

fn key(name: &str) -> RepositoryKey {
    MasterSecret::new([3; 32]).derive(name)
}

fn repository(root: &Path) -> Repository {
    Repository::new(Arc::new(FolderStore::new(root)), key("a"))
}

/// Path, mode and content of everything in a tree.
fn tree(root: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let about = fs::symlink_metadata(&path).unwrap();
            let content = if about.is_symlink() {
                fs::read_link(&path).unwrap().to_string_lossy().into_owned().into_bytes()
            } else if about.is_file() {
                fs::read(&path).unwrap()
            } else {
                Vec::new()
            };
            if about.is_dir() {
                folders.push(path.clone());
            }
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            found.push((name, about.mode(), content));
        }
    }
    found.sort();
    found
}

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    fs::create_dir_all(at("a folder/ñandú/日本")).unwrap();
    fs::create_dir(at("empty")).unwrap();
    fs::write(at("a folder/nothing"), b"").unwrap();
    fs::write(at("new\nline"), b"x").unwrap();
    fs::write(at(&"long".repeat(60)), b"y").unwrap();
    fs::write(at("big"), (0..3_000_000u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>()).unwrap();
    fs::write(at("run.sh"), b"#!/bin/sh\n").unwrap();
    fs::set_permissions(at("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(at(".secret"), b"token").unwrap();
    fs::set_permissions(at(".secret"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("a folder/nothing", at("link")).unwrap();
    symlink("/nowhere", at("dangling")).unwrap();
    fs::hard_link(at("big"), at("the same")).unwrap();
    home
}

#[test]
fn a_home_comes_back_as_it_was_saved() {
    let (home, objects, back) = (home(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let saved = repository(objects.path()).persist(home.path()).unwrap();
    let hydrated = repository(objects.path()).hydrate(&saved.id, back.path()).unwrap();
    assert_eq!(tree(back.path()), tree(home.path()));
    assert_eq!((hydrated.files, saved.files), (saved.files, 9));
}

#[test]
fn the_second_save_of_the_same_adds_next_to_nothing_even_from_a_hydrated_copy() {
    let (home, objects, back) = (home(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = repository(objects.path()).persist(home.path()).unwrap();
    assert!(first.added_bytes > 1_000_000, "{first:?}");
    repository(objects.path()).hydrate(&first.id, back.path()).unwrap();
    let second = repository(objects.path()).persist(back.path()).unwrap();
    assert!(second.added_bytes < 10_000, "{second:?}");
    repository(objects.path()).verify(&second.id).unwrap();
}

#[test]
fn another_key_opens_nothing() {
    let (home, objects) = (home(), tempfile::tempdir().unwrap());
    let saved = repository(objects.path()).persist(home.path()).unwrap();
    let other = Repository::new(Arc::new(FolderStore::new(objects.path())), key("b"));
    let back = tempfile::tempdir().unwrap();
    assert!(matches!(other.hydrate(&saved.id, back.path()), Err(Error::Damaged(_))));
}

#[test]
fn an_unknown_snapshot_is_named() {
    let (home, objects) = (home(), tempfile::tempdir().unwrap());
    repository(objects.path()).persist(home.path()).unwrap();
    let id = "ab".repeat(32);
    assert!(matches!(repository(objects.path()).verify(&id), Err(Error::NoSnapshot(named)) if named == id));
}

#[test]
fn damage_is_found() {
    let (home, objects) = (home(), tempfile::tempdir().unwrap());
    let saved = repository(objects.path()).persist(home.path()).unwrap();
    let store = FolderStore::new(objects.path());
    let pack = store.list(Kind::Pack).unwrap().into_iter().max_by_key(|pack| pack.size).unwrap();
    let mut content = store.read(Kind::Pack, &pack.name).unwrap().to_vec();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    store.write(Kind::Pack, &pack.name, &[content.into()]).unwrap();
    assert!(repository(objects.path()).verify(&saved.id).is_err());
}

#[test]
fn pruning_keeps_what_is_named_and_gives_the_room_back() {
    let (home, objects) = (home(), tempfile::tempdir().unwrap());
    let first = repository(objects.path()).persist(home.path()).unwrap();
    fs::remove_file(home.path().join("big")).unwrap();
    fs::remove_file(home.path().join("the same")).unwrap();
    let second = repository(objects.path()).persist(home.path()).unwrap();
    let store = FolderStore::new(objects.path());
    let before = store.size().unwrap();
    repository(objects.path()).keep_only(std::slice::from_ref(&second.id)).unwrap();
    assert!(store.size().unwrap() < before / 2);
    repository(objects.path()).verify(&second.id).unwrap();
    assert!(matches!(repository(objects.path()).verify(&first.id), Err(Error::NoSnapshot(_))));
}

#[test]
fn a_socket_and_a_pipe_do_not_stop_a_save() {
    let (home, objects, back) = (home(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _listener = std::os::unix::net::UnixListener::bind(home.path().join("socket")).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, home.path().join("pipe"), fifo, 0o600.into(), 0).unwrap();
    let saved = repository(objects.path()).persist(home.path()).unwrap();
    repository(objects.path()).hydrate(&saved.id, back.path()).unwrap();
    assert!(back.path().join("run.sh").exists());
}

/// Root reads everything, so this shows its worth as an ordinary user only.
#[test]
fn what_cannot_be_read_is_named_and_nothing_is_saved() {
    if rustix::process::geteuid().is_root() {
        return;
    }
    let (home, objects) = (home(), tempfile::tempdir().unwrap());
    fs::set_permissions(home.path().join("empty"), fs::Permissions::from_mode(0)).unwrap();
    let saved = repository(objects.path()).persist(home.path());
    fs::set_permissions(home.path().join("empty"), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(matches!(saved, Err(Error::Unreadable { count: 1, first }) if first == "empty"));
}

/// Fails every write from the `n`-th on, as a killed process or a full disk does.
struct DiesAt {
    inner: FolderStore,
    writes: AtomicUsize,
    n: usize,
}

impl ObjectStore for DiesAt {
    fn list(&self, kind: Kind) -> Result<Vec<Object>, ObjectError> {
        self.inner.list(kind)
    }
    fn read(&self, kind: Kind, name: &ObjectName) -> Result<Bytes, ObjectError> {
        self.inner.read(kind, name)
    }
    fn read_range(&self, kind: Kind, name: &ObjectName, offset: u64, length: u64) -> Result<Bytes, ObjectError> {
        self.inner.read_range(kind, name, offset, length)
    }
    fn write(&self, kind: Kind, name: &ObjectName, content: &[Bytes]) -> Result<(), ObjectError> {
        if self.writes.fetch_add(1, Ordering::SeqCst) >= self.n {
            return Err(ObjectError::Full);
        }
        self.inner.write(kind, name, content)
    }
    fn remove(&self, kind: Kind, name: &ObjectName) -> Result<(), ObjectError> {
        self.inner.remove(kind, name)
    }
}

#[test]
fn a_save_that_dies_at_any_write_leaves_the_last_snapshot_whole_and_the_next_save_possible() {
    let (home, objects) = (home(), tempfile::tempdir().unwrap());
    let first = repository(objects.path()).persist(home.path()).unwrap();
    let was = tree(home.path());
    let random: Vec<u8> = (0..4_000_000u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
    fs::write(home.path().join("more"), random).unwrap();
    let mut n = 0;
    loop {
        let store = DiesAt { inner: FolderStore::new(objects.path()), writes: AtomicUsize::new(0), n };
        let outcome = Repository::new(Arc::new(store), key("a")).persist(home.path());
        let back = tempfile::tempdir().unwrap();
        repository(objects.path()).hydrate(&first.id, back.path()).unwrap();
        assert_eq!(tree(back.path()), was, "after dying at write {n}");
        match outcome {
            Err(Error::Store(ObjectError::Full)) => n += 1,
            Ok(saved) => {
                repository(objects.path()).verify(&saved.id).unwrap();
                break;
            }
            Err(other) => panic!("dying at write {n} gave {other}"),
        }
    }
    assert!(n >= 3, "only {n} writes");
}

#[test]
fn an_object_too_large_is_refused() {
    let objects = tempfile::tempdir().unwrap();
    let store = FolderStore::new(objects.path());
    let name: ObjectName = "ab".repeat(32).parse().unwrap();
    let content = vec![Bytes::from(vec![0; OBJECT_MAX]), Bytes::from_static(b"x")];
    assert!(matches!(store.write(Kind::Pack, &name, &content), Err(ObjectError::TooLarge)));
    assert!(!store.contains(Kind::Pack, &name).unwrap());
}

proptest! {
    #[test]
    fn only_hexadecimal_names_are_names(text in "\\PC{0,80}") {
        if let Ok(name) = text.parse::<ObjectName>() {
            prop_assert_eq!(name.as_str(), text.as_str());
            prop_assert!(!text.contains(['/', '.']) && text.len() == 64);
        }
    }
}
