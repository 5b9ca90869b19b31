//! A process that dies, or a disk that fills up, at any write or removal.

use super::*;
use bytes::Bytes;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Refuses every change from the `left`-th on.
struct DiesAfter {
    inner: FolderStore,
    left: AtomicUsize,
}

impl DiesAfter {
    fn change(&self) -> Result<(), ObjectError> {
        let step = |left: usize| left.checked_sub(1);
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step) {
            Ok(_) => Ok(()),
            Err(_) => Err(ObjectError::Full),
        }
    }
}

impl ObjectStore for DiesAfter {
    fn list(&self, kind: Kind) -> Result<Vec<Object>, ObjectError> {
        self.inner.list(kind)
    }
    fn read(&self, kind: Kind, name: &ObjectName) -> Result<Bytes, ObjectError> {
        self.inner.read(kind, name)
    }
    fn read_range(
        &self,
        kind: Kind,
        name: &ObjectName,
        offset: u64,
        length: u64,
    ) -> Result<Bytes, ObjectError> {
        self.inner.read_range(kind, name, offset, length)
    }
    fn write(&self, kind: Kind, name: &ObjectName, content: &[Bytes]) -> Result<(), ObjectError> {
        self.change()?;
        self.inner.write(kind, name, content)
    }
    fn remove(&self, kind: Kind, name: &ObjectName) -> Result<(), ObjectError> {
        self.change()?;
        self.inner.remove(kind, name)
    }
}

fn dying(objects: &Path, left: usize) -> Repository {
    let store = DiesAfter { inner: store(objects), left: AtomicUsize::new(left) };
    Repository::new(Arc::new(store), key("a"))
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

#[test]
fn a_first_save_that_dies_at_any_write_can_be_done_again() {
    let home = folder();
    fs::write(home.path().join("file"), noise(10_000_000, 7)).unwrap();
    for left in 0.. {
        let objects = folder();
        let outcome = dying(objects.path(), left).persist(home.path());
        let Err(error) = outcome else {
            assert!(left >= 5, "only {left} writes");
            return;
        };
        assert!(error.disk_full() && error.retryable(), "at write {left}: {error}");
        let saved = repository(objects.path()).persist(home.path()).unwrap();
        repository(objects.path()).verify(&saved.id).unwrap();
    }
}

#[test]
fn a_save_that_dies_at_any_write_leaves_the_last_snapshot_whole_and_the_next_save_possible() {
    let (home, objects) = (home(), folder());
    let first = repository(objects.path()).persist(home.path()).unwrap();
    let was = tree(home.path());
    fs::write(home.path().join("more"), noise(10_000_000, 9)).unwrap();
    for left in 0.. {
        let trial = folder();
        copy(objects.path(), trial.path());
        let outcome = dying(trial.path(), left).persist(home.path());
        let back = folder();
        repository(trial.path()).hydrate(&first.id, back.path()).unwrap();
        assert_eq!(tree(back.path()), was, "after dying at write {left}");
        repository(trial.path()).verify(&first.id).unwrap();
        let next = repository(trial.path()).persist(home.path()).unwrap();
        repository(trial.path()).verify(&next.id).unwrap();
        match outcome {
            Err(Error::Store(ObjectError::Full)) => {}
            Ok(_) => {
                assert!(left >= 4, "only {left} writes");
                return;
            }
            Err(other) => panic!("dying at write {left} gave {other}"),
        }
    }
}

#[test]
fn pruning_that_dies_at_any_change_keeps_what_is_named_and_is_finished_by_the_next() {
    let now = std::time::Duration::ZERO;
    let (home, objects) = (folder(), folder());
    fs::write(home.path().join("kept"), noise(3_000_000, 1)).unwrap();
    fs::write(home.path().join("dropped"), noise(9_000_000, 2)).unwrap();
    let first = repository(objects.path()).persist(home.path()).unwrap();
    fs::remove_file(home.path().join("dropped")).unwrap();
    fs::write(home.path().join("new"), noise(1_000_000, 3)).unwrap();
    let second = repository(objects.path()).persist(home.path()).unwrap();
    for left in 0.. {
        let trial = folder();
        copy(objects.path(), trial.path());
        let outcome = dying(trial.path(), left).keep_only_for(&[&second.id], now);
        repository(trial.path()).verify(&second.id).unwrap_or_else(|error| panic!("at {left}: {error}"));
        // Once to mark, once to remove.
        for _ in 0..2 {
            repository(trial.path()).keep_only_for(&[&second.id], now).unwrap();
        }
        repository(trial.path()).verify(&second.id).unwrap();
        let size = store(trial.path()).size().unwrap();
        assert!(size < 5_000_000, "at {left}: {size} bytes are left");
        assert!(matches!(repository(trial.path()).verify(&first.id), Err(Error::NoSnapshot(_))));
        if outcome.is_ok() {
            assert!(left >= 3, "only {left} changes");
            return;
        }
    }
}

#[test]
fn pruning_leaves_what_a_reader_may_need_and_what_may_be_about_to_be_committed() {
    let (home, objects, back) = (folder(), folder(), folder());
    let save = |content: &[u8]| {
        fs::write(home.path().join("file"), content).unwrap();
        repository(objects.path()).persist(home.path()).unwrap().id
    };
    let (first, second, third) = (save(b"first"), save(b"second"), save(b"third"));
    let before = store(objects.path()).list(Kind::Pack).unwrap();
    repository(objects.path()).keep_only(&[&second]).unwrap();
    let listed = repository(objects.path()).snapshots().unwrap();
    assert_eq!(listed.iter().map(|one| &one.id).collect::<Vec<_>>(), [&second, &third]);
    let after = store(objects.path()).list(Kind::Pack).unwrap();
    assert!(before.iter().all(|pack| after.contains(pack)), "a reader of {first} may need it");
    repository(objects.path()).hydrate(&third, back.path()).unwrap();
    assert_eq!(fs::read(back.path().join("file")).unwrap(), b"third");
    repository(objects.path()).keep_only(&[] as &[&str]).unwrap();
    assert!(repository(objects.path()).snapshots().unwrap().is_empty());
}

#[test]
fn what_a_dying_write_leaves_is_no_object_and_is_swept() {
    let objects = folder();
    let store = store(objects.path());
    store.sweep().unwrap();
    fs::create_dir(objects.path().join("tmp")).unwrap();
    fs::write(objects.path().join("tmp/1-1"), b"half").unwrap();
    assert!(Kind::ALL.iter().all(|kind| store.list(*kind).unwrap().is_empty()));
    store.sweep().unwrap();
    assert_eq!(fs::read_dir(objects.path().join("tmp")).unwrap().count(), 0);
}
