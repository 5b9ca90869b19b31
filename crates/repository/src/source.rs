//! The tree that is saved, read so that nothing readable is passed over, nothing
//! outside of it is reached, and what changes meanwhile does no harm.
//!
//! The owner's programs may still run. Every step is relative to a folder that
//! was opened without following links: a folder swapped for a link leads nowhere.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustic_core::jiff::Timestamp;
use rustic_core::repofile::{Metadata, Node, NodeType};
use rustic_core::{ErrorKind, ReadSource, ReadSourceEntry, ReadSourceOpen, RusticError, RusticResult};
use rustix::fs::{self, AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use crate::baseline::{Baseline, before};
use crate::error::{Error, Result};
use crate::mode;
use crate::watch::Watch;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Not to wait at a pipe that took a file's place.
const CONTENT: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// A folder to be saved.
pub(crate) struct Source {
    root: Arc<OwnedFd>,
    /// Under which path the snapshot has it.
    called: PathBuf,
    exclude: HashSet<PathBuf>,
    baseline: Option<Baseline>,
    watch: Arc<Watch>,
}

impl Source {
    pub fn open(
        root: &Path,
        called: &Path,
        exclude: Vec<PathBuf>,
        baseline: Option<Baseline>,
        watch: Arc<Watch>,
    ) -> Result<Self> {
        let opened = fs::openat(CWD, root, FOLDER, Mode::empty());
        let root = Arc::new(opened.map_err(|error| Error::io("opening", root, error))?);
        let exclude = exclude.into_iter().collect();
        Ok(Self { root, called: called.to_owned(), exclude, baseline, watch })
    }
}

impl ReadSource for Source {
    type Open = Content;
    type Iter = Walk;

    fn size(&self) -> RusticResult<Option<u64>> {
        Ok(None)
    }

    fn entries(&self) -> Walk {
        Walk {
            called: self.called.clone(),
            exclude: self.exclude.clone(),
            baseline: self.baseline.clone(),
            watch: Arc::clone(&self.watch),
            fresh: before(SystemTime::now()),
            links: HashMap::new(),
            root: Some(Arc::clone(&self.root)),
            folders: Vec::new(),
        }
    }
}

/// Goes through the tree, each folder's names in their order, depth first.
pub(crate) struct Walk {
    called: PathBuf,
    exclude: HashSet<PathBuf>,
    baseline: Option<Baseline>,
    watch: Arc<Watch>,
    /// What changed since then may change again without a trace in its times.
    fresh: Timestamp,
    /// By device and inode: what names of one file share.
    links: HashMap<(u64, u64), u64>,
    root: Option<Arc<OwnedFd>>,
    folders: Vec<Folder>,
}

struct Folder {
    fd: Arc<OwnedFd>,
    /// Relative to the root.
    path: PathBuf,
    names: std::vec::IntoIter<OsString>,
}

impl Folder {
    fn read(fd: Arc<OwnedFd>, path: PathBuf) -> io::Result<Self> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&fd)? {
            let name = OsString::from_vec(entry?.file_name().to_bytes().to_vec());
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(Self { fd, path, names: names.into_iter() })
    }
}

type Entry = ReadSourceEntry<Content>;

impl Walk {
    fn entry(&self, path: &Path, node: Node, open: Option<Content>) -> Entry {
        let path = if path.as_os_str().is_empty() { self.called.clone() } else { self.called.join(path) };
        ReadSourceEntry { path, node, open }
    }

    /// The root itself.
    fn start(&mut self, fd: Arc<OwnedFd>) -> io::Result<Entry> {
        let about = fs::fstat(&fd)?;
        let name = self.called.file_name().unwrap_or_default().to_owned();
        let node = Node::new_node(&name, NodeType::Dir, self.metadata(&about, &NodeType::Dir));
        self.folders.push(Folder::read(fd, PathBuf::new())?);
        Ok(self.entry(Path::new(""), node, None))
    }

    /// One name of a folder; `None` for what is not saved.
    fn look(&mut self, folder: &Arc<OwnedFd>, path: &Path, name: &OsStr) -> io::Result<Option<Entry>> {
        let about = fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = match FileType::from_raw_mode(about.st_mode) {
            FileType::RegularFile => NodeType::File,
            FileType::Directory => NodeType::Dir,
            FileType::Fifo => NodeType::Fifo,
            FileType::Symlink => {
                let target = fs::readlinkat(folder, name, Vec::new())?;
                NodeType::from_link(Path::new(OsStr::from_bytes(target.as_bytes())))
            }
            // A socket is dead once its program is; devices are no state.
            _ => return Ok(None),
        };
        let mut metadata = self.metadata(&about, &kind);
        let mut open = None;
        match kind {
            NodeType::Dir => {
                let fd = Arc::new(fs::openat(folder, name, FOLDER, Mode::empty())?);
                self.folders.push(Folder::read(fd, path.to_owned())?);
            }
            NodeType::File => {
                self.mark_links(&mut metadata, &about, path);
                let (folder, watch) = (Arc::clone(folder), Arc::clone(&self.watch));
                open = Some(Content {
                    folder,
                    name: name.to_owned(),
                    path: path.to_owned(),
                    size: metadata.size,
                    watch,
                });
            }
            _ => {}
        }
        if !matches!(kind, NodeType::Symlink { .. }) {
            set_attributes(&mut metadata, folder, name);
        }
        if kind != NodeType::Dir {
            self.watch.offered();
        }
        Ok(Some(self.entry(path, Node::new_node(name, kind, metadata), open)))
    }

    /// Owners are left out: one user owns all of it, and is another one
    /// wherever it is brought back. So are inodes and access times: a tree that
    /// was brought back is to give the same snapshot.
    fn metadata(&self, about: &Stat, kind: &NodeType) -> Metadata {
        let mut metadata = Metadata {
            mode: Some(mode::to_restic(about.st_mode, kind)),
            mtime: timestamp(about.st_mtime, about.st_mtime_nsec),
            ..Metadata::default()
        };
        if *kind == NodeType::File {
            metadata.size = u64::try_from(about.st_size).unwrap_or_default();
            metadata.ctime = self.change_time(about);
        }
        metadata
    }

    /// What the library compares with the parent snapshot's.
    fn change_time(&self, about: &Stat) -> Option<Timestamp> {
        let changed = timestamp(about.st_ctime, about.st_ctime_nsec)?;
        let untouched = self.baseline.as_ref().and_then(|base| base.untouched(about.st_ino, changed));
        if untouched.is_some() {
            return untouched;
        }
        // Too fresh to trust: spoilt, so that the next save reads it again.
        let spoilt = Timestamp::new(changed.as_second(), changed.subsec_nanosecond() ^ 1).ok();
        if changed >= self.fresh { spoilt } else { Some(changed) }
    }

    fn mark_links(&mut self, metadata: &mut Metadata, about: &Stat, path: &Path) {
        if about.st_nlink > 1 {
            let first_path = || {
                let hash = Sha256::digest(path.as_os_str().as_bytes());
                hash[..8].iter().fold(1, |number: u64, byte| number << 8 | u64::from(*byte)) | 1
            };
            metadata.inode = *self.links.entry((about.st_dev, about.st_ino)).or_insert_with(first_path);
            metadata.device_id = 1;
            metadata.links = wide(about.st_nlink);
        }
    }
}

impl Iterator for Walk {
    type Item = RusticResult<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(root) = self.root.take() {
            match self.start(root) {
                Ok(entry) => return Some(Ok(entry)),
                Err(error) => self.watch.unreadable(Path::new("."), &error),
            }
        }
        loop {
            let folder = self.folders.last_mut()?;
            let Some(name) = folder.names.next() else {
                self.folders.pop();
                continue;
            };
            let (fd, path) = (Arc::clone(&folder.fd), folder.path.join(&name));
            if self.exclude.contains(&path) {
                continue;
            }
            match self.look(&fd, &path, &name) {
                Ok(Some(entry)) => return Some(Ok(entry)),
                Ok(None) => {}
                Err(error) if is_gone(&error) => {}
                Err(error) => self.watch.unreadable(&path, &error),
            }
        }
    }
}

/// A file whose content may be wanted.
pub(crate) struct Content {
    folder: Arc<OwnedFd>,
    name: OsString,
    path: PathBuf,
    size: u64,
    watch: Arc<Watch>,
}

impl ReadSourceOpen for Content {
    type Reader = Reader;

    fn open(self) -> RusticResult<Reader> {
        let opened = fs::openat(&self.folder, &self.name, CONTENT, Mode::empty());
        let regular = |fd: OwnedFd| match FileType::from_raw_mode(fs::fstat(&fd)?.st_mode) {
            FileType::RegularFile => Ok(fd),
            _ => Err(Errno::NOENT.into()),
        };
        match opened.map_err(io::Error::from).and_then(regular) {
            Ok(fd) => {
                Ok(Reader { file: File::from(fd), left: self.size, path: self.path, watch: self.watch })
            }
            Err(error) => {
                if is_gone(&error) {
                    self.watch.vanished();
                } else {
                    self.watch.unreadable(&self.path, &error);
                }
                Err(RusticError::with_source(ErrorKind::InputOutput, "a file could not be opened", error))
            }
        }
    }
}

/// Reads a file as long as it was when it was seen: one that grows has no end.
pub(crate) struct Reader {
    file: File,
    left: u64,
    path: PathBuf,
    watch: Arc<Watch>,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        match self.file.read(&mut buffer[..most]) {
            Ok(read) => {
                self.left -= read as u64;
                Ok(read)
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::Interrupted {
                    self.watch.unreadable(&self.path, &error);
                }
                Err(error)
            }
        }
    }
}

/// Removed, or replaced by something else, since it was seen.
fn is_gone(error: &io::Error) -> bool {
    [Errno::NOENT, Errno::NOTDIR, Errno::LOOP]
        .iter()
        .any(|gone| error.raw_os_error() == Some(gone.raw_os_error()))
}

fn timestamp(seconds: i64, nanoseconds: impl TryInto<i32>) -> Option<Timestamp> {
    Timestamp::new(seconds, nanoseconds.try_into().ok()?).ok()
}

/// Extended attributes, as far as they can be read: they are an addition.
fn set_attributes(metadata: &mut Metadata, folder: &OwnedFd, name: &OsStr) {
    let path = Path::new("/proc/self/fd").join(folder.as_fd().as_raw_fd().to_string()).join(name);
    let mut names = vec![0; 1024];
    let Ok(length @ 1..) = fs::llistxattr(&path, &mut names) else {
        return;
    };
    let mut found = Vec::new();
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 64 * 1024];
        let (Ok(text), Ok(length)) = (std::str::from_utf8(name), fs::lgetxattr(&path, name, &mut value))
        else {
            continue;
        };
        found.push(serde_json::json!({ "name": text, "value": STANDARD.encode(&value[..length]) }));
    }
    // The attributes' type has no name outside of the library.
    metadata.extended_attributes = serde_json::from_value(found.into()).unwrap_or_default();
}

fn wide(number: impl Into<u64>) -> u64 {
    number.into()
}
