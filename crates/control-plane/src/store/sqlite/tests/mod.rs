//! What is SQLite's own; the rest is in the suite that all stores share.

mod crash;
mod disk;
mod migrations;
mod plans;
mod writes;

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use super::Sqlite;
use crate::store::Store;
use crate::store::conformance::suite;

suite!(fresh);

async fn fresh() -> (Arc<dyn Store>, TempDir) {
    let (folder, path) = place();
    (Arc::new(Sqlite::open(&path).unwrap()), folder)
}

/// Where a ledger can be made.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("console.db");
    (folder, path)
}
