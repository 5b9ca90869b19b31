//! Wrong keys, damaged data, refused objects.

use super::*;
use bytes::Bytes;

#[test]
fn another_agents_key_opens_nothing_and_writes_nothing() {
    let (home, objects, back) = (folder(), folder(), folder());
    fs::write(home.path().join("file"), b"x").unwrap();
    let saved = repository(objects.path()).persist(home.path()).unwrap();
    let other = Repository::new(Arc::new(store(objects.path())), key("b"));
    assert!(matches!(other.hydrate(&saved.id, back.path()), Err(Error::NotAuthentic)));
    assert!(matches!(other.persist(home.path()), Err(Error::NotAuthentic)));
    assert!(matches!(other.snapshots(), Err(Error::NotAuthentic)));
    assert!(matches!(other.keep_only(&[] as &[&str]), Err(Error::NotAuthentic)));
    repository(objects.path()).verify(&saved.id).unwrap();
}

#[test]
fn an_unknown_snapshot_is_named() {
    let (home, objects) = (folder(), folder());
    repository(objects.path()).persist(home.path()).unwrap();
    for id in ["ab".repeat(32), "latest".to_owned(), "../config".to_owned(), String::new()] {
        let outcome = repository(objects.path()).verify(&id);
        assert!(matches!(outcome, Err(Error::NoSnapshot(named)) if named == id));
    }
}

/// Every object of a repository, damaged or gone, one at a time.
#[test]
fn damage_anywhere_is_found() {
    let (home, objects) = (home(), folder());
    let saved = repository(objects.path()).persist(home.path()).unwrap();
    let store = store(objects.path());
    let mut seen = 0;
    for kind in Kind::ALL {
        for object in store.list(kind).unwrap() {
            let path = match kind {
                Kind::Config => objects.path().join("config"),
                Kind::Pack => {
                    objects.path().join("data").join(&object.name.as_str()[..2]).join(object.name.as_str())
                }
                _ => objects.path().join(kind.as_str()).join(object.name.as_str()),
            };
            let whole = fs::read(&path).unwrap();
            let middle = whole.len() / 2;
            let mut flipped = whole.clone();
            flipped[middle] ^= 1;
            for damaged in [flipped, whole[..middle].to_vec()] {
                fs::write(&path, damaged).unwrap();
                let found = repository(objects.path()).verify(&saved.id);
                assert!(matches!(&found, Err(error) if !error.retryable()), "{kind} {found:?}");
            }
            fs::remove_file(&path).unwrap();
            assert!(repository(objects.path()).verify(&saved.id).is_err(), "{kind} gone");
            fs::write(&path, whole).unwrap();
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen}");
    repository(objects.path()).verify(&saved.id).unwrap();
}

#[test]
fn a_damaged_snapshot_is_not_brought_back_as_if_whole() {
    let (home, objects, back) = (home(), folder(), folder());
    let saved = repository(objects.path()).persist(home.path()).unwrap();
    let largest =
        store(objects.path()).list(Kind::Pack).unwrap().into_iter().max_by_key(|pack| pack.size).unwrap();
    let path = objects.path().join("data").join(&largest.name.as_str()[..2]).join(largest.name.as_str());
    let mut content = fs::read(&path).unwrap();
    content[1_000_000] ^= 1;
    fs::write(&path, content).unwrap();
    let outcome = repository(objects.path()).hydrate(&saved.id, back.path());
    assert!(matches!(outcome, Err(Error::NotAuthentic)), "{outcome:?}");
}

#[test]
fn objects_that_are_not_what_their_name_says_are_refused() {
    let objects = folder();
    let store = store(objects.path());
    let name: ObjectName = "ab".repeat(32).parse().unwrap();
    let content = vec![Bytes::from(vec![0; OBJECT_MAX]), Bytes::from_static(b"x")];
    assert!(matches!(store.write(Kind::Pack, &name, &content), Err(ObjectError::TooLarge)));
    let content = [Bytes::from_static(b"x")];
    assert!(matches!(store.write(Kind::Snapshot, &name, &content), Err(ObjectError::Failed(_))));
    assert!(!store.contains(Kind::Pack, &name).unwrap() && store.size().unwrap() == 0);
    assert!(matches!(store.read(Kind::Pack, &name), Err(ObjectError::NotFound(_))));
    store.remove(Kind::Pack, &name).unwrap();
}

#[test]
fn a_repository_is_for_its_owner_only() {
    let (home, parent) = (home(), folder());
    let objects = parent.path().join("deep/er");
    repository(&objects).persist(home.path()).unwrap();
    for seen in tree(&parent.path().join("deep")) {
        let expected = if seen.mode & 0o040_000 == 0 { 0o600 } else { 0o700 };
        assert_eq!(seen.mode & 0o777, expected, "{:?}", seen.name);
    }
}
