//! Connections that only read, beside the one that writes: in WAL mode neither
//! waits for the other.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use crate::store::{Result, StoreError};

use super::{BUSY_TIMEOUT, schema::OpenError};

/// Reads that run at once. Each takes microseconds.
const COUNT: usize = 4;

#[derive(Clone)]
pub(super) struct Readers {
    free: Arc<Semaphore>,
    connections: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub fn open(path: &Path) -> std::result::Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connections = (0..COUNT)
            .map(|_| {
                let db = Connection::open_with_flags(path, flags)?;
                db.busy_timeout(BUSY_TIMEOUT)?;
                Ok(db)
            })
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self { free: Arc::new(Semaphore::new(COUNT)), connections: Arc::new(Mutex::new(connections)) })
    }

    /// Runs `work` on a connection of its own.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let failed = |why: &dyn std::fmt::Display| StoreError::Failed(format!("a read was given up: {why}"));
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(|error| failed(&error))?;
        let connections = Arc::clone(&self.connections);
        let reading = tokio::task::spawn_blocking(move || {
            let db = lock(&connections).pop().ok_or_else(|| failed(&"no connection is left"))?;
            let outcome = work(&db);
            lock(&connections).push(db);
            drop(permit);
            outcome
        });
        reading.await.map_err(|error| failed(&error))?
    }
}

/// The list is whole between any two instructions, so a panic elsewhere does
/// not spoil it.
fn lock(connections: &Mutex<Vec<Connection>>) -> std::sync::MutexGuard<'_, Vec<Connection>> {
    connections.lock().unwrap_or_else(PoisonError::into_inner)
}
