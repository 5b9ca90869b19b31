//! Objects in a folder, laid out as restic lays them out.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::object::{CONFIG_NAME, Kind, OBJECT_MAX, Object, ObjectError, ObjectName, ObjectStore, place};

/// A folder of objects. Its files are for its owner only (0700, 0600).
#[derive(Debug)]
pub struct FolderStore {
    root: PathBuf,
}

/// Tells the files of writes apart that are under way in this process.
static WRITES: AtomicU64 = AtomicU64::new(0);

/// Where writes are prepared. What is left there was cut short.
const ASIDE: &str = "tmp";

impl FolderStore {
    /// The folder; nothing is made until something is written.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The sum of all objects' sizes, in bytes.
    pub fn size(&self) -> Result<u64, ObjectError> {
        let mut sum = 0;
        for kind in Kind::ALL {
            sum += self.list(kind)?.iter().map(|object| object.size).sum::<u64>();
        }
        Ok(sum)
    }

    /// Removes what writes left that a crash cut short. A write that is under
    /// way fails: call it before anybody writes.
    pub fn sweep(&self) -> Result<(), ObjectError> {
        let sweep =
            || fs::read_dir(self.root.join(ASIDE))?.try_for_each(|left| fs::remove_file(left?.path()));
        match sweep() {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&error)),
            _ => Ok(()),
        }
    }

    fn path(&self, kind: Kind, name: &ObjectName) -> PathBuf {
        self.root.join(place(kind, name))
    }

    fn list_folder(folder: &Path, found: &mut Vec<Object>) -> io::Result<()> {
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            match entry.metadata() {
                Ok(about) if about.is_file() => found.push(Object { name, size: about.len() }),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn list_config(&self, found: &mut Vec<Object>) -> io::Result<()> {
        match fs::metadata(self.root.join("config")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            about => {
                let name = CONFIG_NAME.parse().expect("64 zeros are hexadecimal");
                found.push(Object { name, size: about?.len() });
            }
        }
        Ok(())
    }

    fn open_object(&self, kind: Kind, name: &ObjectName) -> Result<File, ObjectError> {
        File::open(self.path(kind, name)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ObjectError::NotFound(format!("{kind}/{name}")),
            _ => failed(&error),
        })
    }

    /// Written aside, made durable, and put in place in one step.
    fn place(&self, path: &Path, content: &[Bytes]) -> io::Result<()> {
        let folder = path.parent().unwrap_or(&self.root);
        let number = WRITES.fetch_add(1, Ordering::Relaxed);
        let aside = self.root.join(ASIDE).join(format!("{}-{number}", std::process::id()));
        let placed = make_folder(&self.root.join(ASIDE))
            .and_then(|()| write_durably(&aside, content))
            .and_then(|()| make_folder(folder))
            .and_then(|()| fs::rename(&aside, path));
        if placed.is_err() {
            // A full disk gets its room back; the first error is the one to tell.
            let _ = fs::remove_file(&aside);
        }
        placed?;
        File::open(folder)?.sync_all()
    }
}

impl ObjectStore for FolderStore {
    fn list(&self, kind: Kind) -> Result<Vec<Object>, ObjectError> {
        let mut found = Vec::new();
        let listed = match kind {
            Kind::Config => self.list_config(&mut found),
            Kind::Pack => (0..=255).try_for_each(|first| {
                Self::list_folder(&self.root.join("data").join(format!("{first:02x}")), &mut found)
            }),
            _ => Self::list_folder(&self.root.join(kind.as_str()), &mut found),
        };
        listed.map(|()| found).map_err(|error| failed(&error))
    }

    fn contains(&self, kind: Kind, name: &ObjectName) -> Result<bool, ObjectError> {
        self.path(kind, name).try_exists().map_err(|error| failed(&error))
    }

    fn read(&self, kind: Kind, name: &ObjectName) -> Result<Bytes, ObjectError> {
        let mut content = Vec::new();
        self.open_object(kind, name)?.read_to_end(&mut content).map_err(|error| failed(&error))?;
        Ok(content.into())
    }

    fn read_range(
        &self,
        kind: Kind,
        name: &ObjectName,
        offset: u64,
        length: u64,
    ) -> Result<Bytes, ObjectError> {
        let room = usize::try_from(length).ok().filter(|length| *length <= OBJECT_MAX);
        let mut content = vec![0; room.ok_or(ObjectError::TooLarge)?];
        let mut file = self.open_object(kind, name)?;
        let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut content));
        match read {
            Ok(()) => Ok(content.into()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(ObjectError::NotFound(format!("{kind}/{name} from {offset} on")))
            }
            Err(error) => Err(failed(&error)),
        }
    }

    fn write(&self, kind: Kind, name: &ObjectName, content: &[Bytes]) -> Result<(), ObjectError> {
        if content.iter().map(Bytes::len).sum::<usize>() > OBJECT_MAX {
            return Err(ObjectError::TooLarge);
        }
        if kind != Kind::Config && !name.is_of(content) {
            // Damaged on its way here: sent again, it may be whole.
            return Err(ObjectError::Failed(format!(
                "the content of {kind}/{name} is not what its name says"
            )));
        }
        self.place(&self.path(kind, name), content).map_err(|error| failed(&error))
    }

    fn remove(&self, kind: Kind, name: &ObjectName) -> Result<(), ObjectError> {
        match fs::remove_file(self.path(kind, name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&error)),
            _ => Ok(()),
        }
    }
}

/// Makes a folder and those above it, each durably entered in the one above.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(above)?;
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => File::open(above)?.sync_all(),
    }
}

fn write_durably(path: &Path, content: &[Bytes]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    for part in content {
        file.write_all(part)?;
    }
    file.sync_all()
}

fn failed(error: &io::Error) -> ObjectError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ObjectError::Full,
        _ => ObjectError::Failed(error.to_string()),
    }
}
