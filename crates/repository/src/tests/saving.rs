//! What a save must notice, pass over, or refuse.

use super::*;
use std::os::unix::net::UnixListener;
use std::time::{Duration, SystemTime};

fn content(objects: &Path, id: &str, name: &str) -> Vec<u8> {
    let back = folder();
    repository(objects).hydrate(id, back.path()).unwrap();
    fs::read(back.path().join(name)).unwrap()
}

/// Archives set modification times; a save that trusts them loses changes.
#[test]
fn a_change_that_keeps_size_and_modification_time_is_noticed() {
    let (home, objects, back) = (folder(), folder(), folder());
    let write = |root: &Path, content: &[u8]| {
        fs::write(root.join("version"), content).unwrap();
        let file = fs::File::options().write(true).open(root.join("version")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(499_162_500)).unwrap();
    };
    write(home.path(), b"1.2.3");
    let repository = repository(objects.path());
    repository.persist(home.path()).unwrap();
    write(home.path(), b"1.2.4");
    let again = repository.persist(home.path()).unwrap();
    assert_eq!(content(objects.path(), &again.id, "version"), b"1.2.4");

    repository.hydrate(&again.id, back.path()).unwrap();
    write(back.path(), b"1.2.5");
    let later = repository.persist(back.path()).unwrap();
    assert_eq!(content(objects.path(), &later.id, "version"), b"1.2.5");
}

#[test]
fn what_did_not_change_is_not_read_again() {
    use rustix::fs::inotify;
    let (home, objects, back) = (folder(), folder(), folder());
    let repository = repository(objects.path());
    fs::write(home.path().join("file"), b"content").unwrap();
    // Takes longer to bring back than a step of the clock.
    fs::write(home.path().join("more"), noise(12_000_000, 4)).unwrap();
    let saved = repository.persist(home.path()).unwrap();
    repository.hydrate(&saved.id, back.path()).unwrap();
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
    inotify::add_watch(&watch, back.path().join("file"), inotify::WatchFlags::OPEN).unwrap();
    for _ in 0..2 {
        assert_eq!(repository.persist(back.path()).unwrap().files, 2);
        let opened = rustix::io::read(&watch, &mut [0; 64]);
        assert_eq!(opened, Err(rustix::io::Errno::AGAIN));
    }
    assert_eq!(content(objects.path(), &saved.id, "file"), b"content");
}

#[test]
fn files_that_came_back_and_change_places_are_noticed() {
    let (home, objects, back) = (folder(), folder(), folder());
    for (name, content) in [("a", b"1.2.3"), ("b", b"1.2.4")] {
        fs::create_dir(home.path().join(name)).unwrap();
        fs::write(home.path().join(name).join("version"), content).unwrap();
        let file = fs::File::options().write(true).open(home.path().join(name).join("version")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        std::thread::sleep(Duration::from_millis(30));
    }
    let repository = repository(objects.path());
    let saved = repository.persist(home.path()).unwrap();
    repository.hydrate(&saved.id, back.path()).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    for (from, to) in [("a", "c"), ("b", "a"), ("c", "b")] {
        fs::rename(back.path().join(from), back.path().join(to)).unwrap();
    }
    let again = repository.persist(back.path()).unwrap();
    assert_eq!(content(objects.path(), &again.id, "a/version"), b"1.2.4");
    assert_eq!(content(objects.path(), &again.id, "b/version"), b"1.2.3");
}

#[test]
fn a_socket_and_a_pipe_do_not_stop_a_save() {
    let (home, objects, back) = (home(), folder(), folder());
    let _listener = UnixListener::bind(home.path().join("socket")).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, home.path().join("pipe"), fifo, 0o600.into(), 0).unwrap();
    let saved = repository(objects.path()).persist(home.path()).unwrap();
    repository(objects.path()).hydrate(&saved.id, back.path()).unwrap();
    assert!(back.path().join("pipe").exists() && !back.path().join("socket").exists());
}

#[test]
fn what_is_excluded_is_not_saved() {
    let (home, objects, back) = (home(), folder(), folder());
    let repository = repository(objects.path()).excluding(["a folder/ñandú", "big"]);
    let saved = repository.persist(home.path()).unwrap();
    repository.hydrate(&saved.id, back.path()).unwrap();
    assert!(!back.path().join("a folder/ñandú").exists() && !back.path().join("big").exists());
    assert!(back.path().join("a folder/the same").exists());
}

/// Programs write on while a save runs; each file is there as it was at some moment.
#[test]
fn a_home_in_use_can_be_saved() {
    let (home, objects) = (folder(), folder());
    for n in 0..300 {
        fs::write(home.path().join(format!("still {n}")), noise(5000, n)).unwrap();
    }
    let repository = repository(objects.path());
    let stop = std::sync::atomic::AtomicBool::new(false);
    let running = std::sync::atomic::Ordering::Relaxed;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                if stop.load(running) {
                    return;
                }
                let path = home.path().join(format!("moving {}", n % 40));
                match n % 4 {
                    0 => drop(fs::remove_file(&path)),
                    1 => drop(fs::write(&path, noise(n % 90_000, n as u64))),
                    2 => drop(fs::create_dir_all(home.path().join(format!("deep {}/x/y", n % 7)))),
                    _ => drop(fs::remove_dir_all(home.path().join(format!("deep {}", n % 7)))),
                }
            }
        });
        for _ in 0..10 {
            assert!(repository.persist(home.path()).unwrap().files >= 300);
        }
        stop.store(true, running);
    });
    let last = repository.persist(home.path()).unwrap();
    let back = folder();
    repository.hydrate(&last.id, back.path()).unwrap();
    assert_eq!(tree(back.path()), tree(home.path()));
}

/// A tenant must not get the saving process to read what lies elsewhere.
#[test]
fn links_are_saved_as_links_and_never_followed() {
    let (home, objects, back, elsewhere) = (folder(), folder(), folder(), folder());
    fs::write(elsewhere.path().join("foreign"), b"foreign").unwrap();
    symlink(elsewhere.path(), home.path().join("way out")).unwrap();
    symlink("/proc/self", home.path().join("self")).unwrap();
    let saved = repository(objects.path()).persist(home.path()).unwrap();
    assert_eq!(saved.files, 2);
    repository(objects.path()).hydrate(&saved.id, back.path()).unwrap();
    assert_eq!(tree(back.path()), tree(home.path()));
}

/// Root reads everything, so this shows its worth as an ordinary user only.
#[test]
fn what_cannot_be_read_is_named_and_nothing_is_saved() {
    if rustix::process::geteuid().is_root() {
        return;
    }
    let (home, objects) = (home(), folder());
    for closed in ["empty", ".secret"] {
        fs::set_permissions(home.path().join(closed), fs::Permissions::from_mode(0o0)).unwrap();
        let saved = repository(objects.path()).persist(home.path());
        fs::set_permissions(home.path().join(closed), fs::Permissions::from_mode(0o700)).unwrap();
        let Err(Error::Unreadable { count: 1, first }) = saved else { panic!("{saved:?}") };
        assert!(first.starts_with(closed), "{first}");
        assert!(repository(objects.path()).snapshots().unwrap().is_empty());
    }
}

#[test]
fn a_source_that_is_no_folder_is_refused() {
    let (home, objects) = (folder(), folder());
    symlink("/etc", home.path().join("link")).unwrap();
    for name in ["missing", "link"] {
        let saved = repository(objects.path()).persist(&home.path().join(name));
        assert!(matches!(saved, Err(Error::Io { .. })), "{saved:?}");
    }
}
