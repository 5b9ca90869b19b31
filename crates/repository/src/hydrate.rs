//! Brings a snapshot back: folder by folder, with few open at a time, so that
//! memory does not grow with the tree. The library's own restore holds whole
//! packs for twenty threads, and panics when the disk is full.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustic_core::jiff::Timestamp;
use rustic_core::repofile::{BlobType, Metadata, Node, NodeType};
use rustic_core::{IndexedFullStatus, Repository, TreeId};
use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, Timespec, Timestamps, XattrFlags};

use crate::error::{Error, Result};
use crate::mode;
use crate::watch::Watch;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const NEW_FILE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Threads that write files. Two: what they do is decrypt and decompress.
const WRITERS: usize = 2;
/// Files waiting for a writer.
const WAITING: usize = 64;

/// What was brought back.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub files: u64,
    pub bytes: u64,
    /// By inode: the change time that the snapshot has.
    pub changed: HashMap<u64, Timestamp>,
}

/// Writes the tree into `dest`, a folder that is there.
pub(crate) fn hydrate(
    repository: &Repository<IndexedFullStatus>,
    watch: &Watch,
    tree: TreeId,
    dest: &Path,
) -> Result<Done> {
    let opened = fs::openat(CWD, dest, FOLDER, Mode::empty());
    let fd = opened.map_err(|error| Error::io("opening", dest, error))?;
    let root = Arc::new(Folder { fd, metadata: None });
    let restore =
        Restore { repository, watch, root: &root, done: Mutex::default(), failure: Mutex::default() };
    let (jobs, queue) = sync_channel(WAITING);
    let queue = Arc::new(Mutex::new(queue));
    let walked = thread::scope(|scope| {
        for _ in 0..WRITERS {
            let (restore, queue) = (&restore, Arc::clone(&queue));
            scope.spawn(move || restore.work(&queue));
        }
        // The queue ends with its last reader: after a failure, sending fails.
        drop(queue);
        let mut links = HashMap::new();
        let walked = restore.folder(tree, &root, Path::new(""), &jobs, &mut links);
        // Nothing more comes: the writers end.
        drop(jobs);
        walked
    });
    match restore.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => walked.map(|()| restore.done.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

/// A folder that is being filled. Once all that is in it is written, its mode
/// and times are set: a read-only folder could not be filled.
struct Folder {
    fd: OwnedFd,
    metadata: Option<Metadata>,
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(metadata) = &self.metadata {
            // A folder with another mode or time is better than none.
            let _ = finish(&self.fd, metadata);
        }
    }
}

/// A file to be written.
struct Job {
    folder: Arc<Folder>,
    path: PathBuf,
    node: Node,
}

struct Restore<'a> {
    repository: &'a Repository<IndexedFullStatus>,
    watch: &'a Watch,
    root: &'a Folder,
    done: Mutex<Done>,
    /// The first failure of a writer.
    failure: Mutex<Option<Error>>,
}

impl Restore<'_> {
    fn folder(
        &self,
        tree: TreeId,
        folder: &Arc<Folder>,
        path: &Path,
        jobs: &SyncSender<Job>,
        links: &mut HashMap<u64, PathBuf>,
    ) -> Result<()> {
        let tree = self.repository.get_tree(&tree).map_err(|error| self.watch.explain(&error))?;
        for node in tree.nodes {
            let name = plain_name(&node)?;
            let path = path.join(&name);
            let io = |error: io::Error| Error::io("writing", &path, error);
            match &node.node_type {
                NodeType::Dir => {
                    let subtree = node.subtree.ok_or_else(|| damaged("a folder without content", &path))?;
                    let fd = make_folder(&folder.fd, &name).map_err(io)?;
                    let below = Arc::new(Folder { fd, metadata: Some(node.meta) });
                    self.folder(subtree, &below, &path, jobs, links)?;
                }
                NodeType::File if node.meta.links > 1 => match links.get(&node.meta.inode) {
                    // Several names of one file: the first is written here and now, so that it is there.
                    None => {
                        links.insert(node.meta.inode, path.clone());
                        self.file(&Job { folder: Arc::clone(folder), path, node })?;
                    }
                    Some(first) => {
                        let link = || fs::linkat(&self.root.fd, first, &folder.fd, &*name, AtFlags::empty());
                        replace(&folder.fd, &name, link).map_err(io)?;
                        self.count(0, None);
                    }
                },
                NodeType::File => {
                    // No reader left: a writer failed, and its failure is the one to tell.
                    if jobs.send(Job { folder: Arc::clone(folder), path, node }).is_err() {
                        return Ok(());
                    }
                }
                NodeType::Symlink { .. } => {
                    let target = node.node_type.to_link();
                    replace(&folder.fd, &name, || fs::symlinkat(target, &folder.fd, &*name)).map_err(io)?;
                    // A link's own times matter to nobody enough to fail for.
                    let _ = fs::utimensat(&folder.fd, &*name, &times(&node.meta), AtFlags::SYMLINK_NOFOLLOW);
                    self.count(0, None);
                }
                NodeType::Fifo => {
                    let mode = permissions(&node.meta);
                    let make = || fs::mknodat(&folder.fd, &*name, FileType::Fifo, mode, 0);
                    replace(&folder.fd, &name, make).map_err(io)?;
                    self.count(0, None);
                }
                NodeType::Socket | NodeType::Dev { .. } | NodeType::Chardev { .. } => {}
            }
        }
        Ok(())
    }

    fn work(&self, queue: &Mutex<Receiver<Job>>) {
        loop {
            let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else { return };
            if let Err(error) = self.file(&job) {
                self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
            if self.failure.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
                return;
            }
        }
    }

    fn file(&self, job: &Job) -> Result<()> {
        let io = |error: io::Error| Error::io("writing", &job.path, error);
        let name = plain_name(&job.node)?;
        let make = || fs::openat(&job.folder.fd, &*name, NEW_FILE, Mode::RUSR | Mode::WUSR);
        let mut file = File::from(replace(&job.folder.fd, &name, make).map_err(io)?);
        let mut length = 0;
        let mut hole = false;
        for id in job.node.content.iter().flatten() {
            let blob = self.repository.cat_blob(BlobType::Data, id.to_hex().as_str());
            let blob = blob.map_err(|error| self.watch.explain(&error))?;
            length += blob.len() as u64;
            // What was sparse comes back sparse, or it might not fit.
            hole = blob.iter().all(|byte| *byte == 0);
            if hole {
                file.seek(SeekFrom::Start(length)).map_err(io)?;
            } else {
                file.write_all(&blob).map_err(io)?;
            }
        }
        if hole {
            file.set_len(length).map_err(io)?;
        }
        finish(&file, &job.node.meta).map_err(io)?;
        let inode = fs::fstat(&file).map_err(|error| io(error.into()))?.st_ino;
        self.count(length, job.node.meta.ctime.map(|changed| (inode, changed)));
        Ok(())
    }

    fn count(&self, bytes: u64, changed: Option<(u64, Timestamp)>) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.files += 1;
        done.bytes += bytes;
        done.changed.extend(changed);
    }
}

fn damaged(what: &str, path: &Path) -> Error {
    Error::Damaged(format!("{what}: {}", path.display()))
}

/// The node's name, if it can name only something in its folder.
fn plain_name(node: &Node) -> Result<std::ffi::OsString> {
    let name = node.name().into_owned();
    let plain = !name.is_empty() && name != "." && name != ".." && !name.as_encoded_bytes().contains(&b'/');
    if plain { Ok(name) } else { Err(damaged("a name that is none", Path::new(&name))) }
}

/// Makes something, in place of what an earlier try left.
fn replace<T>(folder: &OwnedFd, name: &OsStr, make: impl Fn() -> rustix::io::Result<T>) -> io::Result<T> {
    match make() {
        Err(rustix::io::Errno::EXIST) => {
            fs::unlinkat(folder, name, AtFlags::empty())?;
            Ok(make()?)
        }
        made => Ok(made?),
    }
}

fn make_folder(folder: &OwnedFd, name: &OsStr) -> io::Result<OwnedFd> {
    match fs::mkdirat(folder, name, Mode::RWXU) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(fs::openat(folder, name, FOLDER, Mode::empty())?),
        Err(error) => Err(error.into()),
    }
}

/// Sets what a file or folder has besides its content.
fn finish(fd: impl AsFd, metadata: &Metadata) -> io::Result<()> {
    let fd = fd.as_fd();
    for attribute in &metadata.extended_attributes {
        let value = attribute.value.as_deref().unwrap_or_default();
        // Some are the system's own to set.
        let _ = fs::fsetxattr(fd, attribute.name.as_str(), value, XattrFlags::empty());
    }
    fs::fchmod(fd, permissions(metadata))?;
    Ok(fs::futimens(fd, &times(metadata))?)
}

fn permissions(metadata: &Metadata) -> Mode {
    Mode::from_raw_mode(mode::to_unix(metadata.mode.unwrap_or(0o600)))
}

fn times(metadata: &Metadata) -> Timestamps {
    let modified = metadata.mtime.map_or(Timespec { tv_sec: 0, tv_nsec: 0 }, |time| {
        // Before 1970 the library's parts are both negative; the kernel's second one never is.
        let (seconds, nanoseconds) = (time.as_second(), i64::from(time.subsec_nanosecond()));
        let borrow = i64::from(nanoseconds < 0);
        Timespec { tv_sec: seconds - borrow, tv_nsec: nanoseconds + borrow * 1_000_000_000 }
    });
    Timestamps { last_access: modified, last_modification: modified }
}
