//! A mark of when instances were last seen to run. Of one that ended while no
//! server watched, and that nobody noted the end of (the power failed), it is the
//! latest moment that is known: what came after is not billed.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use domain::time::Timestamp;

use super::timestamp;

fn path(instances: &Path) -> PathBuf {
    instances.join(".alive")
}

/// Marks that they run now. Its time is the file's own, which is there whole or
/// not at all.
pub fn mark(instances: &Path) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path(instances))?;
    file.set_modified(SystemTime::now())
}

/// When that was last.
pub fn last(instances: &Path) -> Option<Timestamp> {
    fs::metadata(path(instances)).and_then(|mark| mark.modified()).map(timestamp).ok()
}
