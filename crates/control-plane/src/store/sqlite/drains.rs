//! Providers at which nothing new is launched.

use domain::agent::ProviderName;
use domain::time::Timestamp;
use rusqlite::{Connection, params};

use crate::store::Result;

use super::sql;

pub(super) fn since(db: &Connection, provider: ProviderName) -> Result<Option<Timestamp>> {
    Ok(sql::DRAINED.one(db, [provider.as_str()], |row| row.get(0).map(Timestamp))?)
}

pub(super) fn set(db: &Connection, provider: ProviderName, since: Option<Timestamp>) -> Result<()> {
    match since {
        Some(since) => sql::DRAIN.run(db, params![provider.as_str(), since.0])?,
        None => sql::UNDRAIN.run(db, [provider.as_str()])?,
    };
    Ok(())
}
