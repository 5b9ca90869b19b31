//! What is saved comes back.

use super::*;

#[test]
fn a_home_comes_back_as_it_was_saved() {
    let (home, objects, back) = (home(), folder(), folder());
    let saved = repository(objects.path()).persist(home.path()).unwrap();
    let hydrated = repository(objects.path()).hydrate(&saved.id, back.path()).unwrap();
    assert_eq!(tree(back.path()), tree(home.path()));
    assert_eq!(hydrated.files, saved.files);
    let room = |root: &Path| fs::metadata(root.join("sparse")).unwrap().blocks() * 512;
    assert!(room(back.path()) < 1_500_000, "{} bytes for a sparse file", room(back.path()));
    let same = |name: &str| fs::metadata(back.path().join(name)).unwrap().ino();
    assert_eq!(same("big"), same("a folder/the same"));
}

#[test]
fn an_empty_home_comes_back_empty() {
    let (home, objects, back) = (folder(), folder(), folder());
    let saved = repository(objects.path()).persist(home.path()).unwrap();
    let hydrated = repository(objects.path()).hydrate(&saved.id, back.path()).unwrap();
    assert_eq!((saved.files, hydrated.files, hydrated.bytes), (0, 0, 0));
    assert!(tree(back.path()).is_empty());
}

#[test]
fn a_home_that_came_back_gives_the_same_snapshot() {
    let (home, objects, back) = (home(), folder(), folder());
    let first = repository(objects.path()).persist(home.path()).unwrap();
    assert!(first.added_bytes > 3_000_000, "{first:?}");
    let again = repository(objects.path());
    again.hydrate(&first.id, back.path()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(50));
    // What came back in the last step of the clock is looked at once more.
    let second = again.persist(back.path()).unwrap();
    assert!(second.added_bytes < 10_000 && second.files == first.files, "{second:?}");
    let third = again.persist(back.path()).unwrap();
    assert_eq!(third.added_bytes, 0, "{third:?}");
    again.verify(&third.id).unwrap();
}

#[test]
fn a_second_try_replaces_what_the_first_left() {
    let (home, objects, back) = (home(), folder(), folder());
    let saved = repository(objects.path()).persist(home.path()).unwrap();
    fs::create_dir(back.path().join("a folder")).unwrap();
    fs::write(back.path().join("a folder/nothing"), b"half").unwrap();
    fs::write(back.path().join("dangling"), b"half").unwrap();
    symlink("/etc/passwd", back.path().join("run.sh")).unwrap();
    repository(objects.path()).hydrate(&saved.id, back.path()).unwrap();
    assert_eq!(tree(back.path()), tree(home.path()));
}

#[test]
fn extended_attributes_come_back() {
    let (home, objects, back) = (folder(), folder(), folder());
    fs::write(home.path().join("file"), b"x").unwrap();
    let flags = rustix::fs::XattrFlags::empty();
    if rustix::fs::setxattr(home.path().join("file"), "user.note", b"\0\xffyes", flags).is_err() {
        return; // This file system has none.
    }
    let saved = repository(objects.path()).persist(home.path()).unwrap();
    repository(objects.path()).hydrate(&saved.id, back.path()).unwrap();
    let mut value = vec![0; 16];
    let length = rustix::fs::getxattr(back.path().join("file"), "user.note", &mut value).unwrap();
    assert_eq!(&value[..length], b"\0\xffyes");
}

#[test]
fn several_snapshots_are_listed_in_their_order() {
    let (home, objects) = (folder(), folder());
    let repository = repository(objects.path());
    assert!(repository.snapshots().unwrap().is_empty());
    let ids: Vec<_> = (0..3)
        .map(|n| {
            fs::write(home.path().join("n"), n.to_string()).unwrap();
            repository.persist(home.path()).unwrap().id
        })
        .collect();
    let listed: Vec<_> = repository.snapshots().unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(listed, ids);
}
