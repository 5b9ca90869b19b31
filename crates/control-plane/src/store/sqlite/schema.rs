//! The file's schema, and how an older file becomes a newer one.

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

/// How long another process may hold the file: `openclaw-cloud user add`
/// writes beside a running server.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// In order; the file's `user_version` counts those it has. One that was
/// released is never changed.
pub(super) const MIGRATIONS: [&str; 9] = [
    include_str!("migrations/0001_agents.sql"),
    include_str!("migrations/0002_people.sql"),
    include_str!("migrations/0003_roles.sql"),
    include_str!("migrations/0004_usage.sql"),
    include_str!("migrations/0005_accounts.sql"),
    include_str!("migrations/0006_sessions.sql"),
    include_str!("migrations/0007_drains.sql"),
    include_str!("migrations/0008_access.sql"),
    include_str!("migrations/0009_awake.sql"),
];

/// Why a ledger could not be opened. The operator mends it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0}")]
    File(#[from] io::Error),
    #[error("{0}")]
    Database(#[from] rusqlite::Error),
    #[error(
        "it was written by a newer version of this program (schema {found}; this one knows {known}): \
         run that version, or bring back the file's backup"
    )]
    Newer { found: usize, known: usize },
    #[error("its journal is in mode {0}, and not in WAL: is it on a network's file system?")]
    Journal(String),
}

/// Opens the connection that writes, to a file with today's schema that only
/// its owner may read.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    // SQLite gives its journal the mode that the file has.
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    drop(file);
    let mut db = Connection::open(path)?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    let mode = patiently(|| db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)))?;
    if mode != "wal" {
        return Err(OpenError::Journal(mode));
    }
    // An acknowledged commit survives a power cut.
    db.pragma_update(None, "synchronous", "FULL")?;
    migrate(&mut db, &MIGRATIONS)?;
    Ok(db)
}

/// Two processes that open a new file at once: SQLite does not wait by itself
/// where it changes the journal's mode.
fn patiently(mut set: impl FnMut() -> rusqlite::Result<String>) -> rusqlite::Result<String> {
    let started = std::time::Instant::now();
    loop {
        match set() {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && started.elapsed() < BUSY_TIMEOUT =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            outcome => return outcome,
        }
    }
}

/// Applies the migrations that the file lacks, each whole or not at all.
pub(super) fn migrate(db: &mut Connection, migrations: &[&str]) -> Result<(), OpenError> {
    loop {
        // Inside the transaction, for another process may be at it too.
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let (next, version) = (version.saturating_add(1), usize::try_from(version).unwrap_or(usize::MAX));
        if version > migrations.len() {
            return Err(OpenError::Newer { found: version, known: migrations.len() });
        }
        let Some(migration) = migrations.get(version) else { return Ok(()) };
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", next)?;
        transaction.commit()?;
    }
}
