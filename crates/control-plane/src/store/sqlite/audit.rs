//! The audit log. The schema itself refuses to change or remove an entry.

use domain::audit::Entry;
use domain::id::EntryId;
use domain::time::{Month, Timestamp};
use rusqlite::{Connection, params};

use crate::store::Result;

use super::row::{from_json, json};
use super::sql;

pub(super) fn tell(db: &Connection, entry: &Entry) -> Result<()> {
    sql::TELL.run(db, params![entry.at.0, entry.id.to_string(), json(entry)?])?;
    Ok(())
}

pub(super) fn told(
    db: &Connection,
    month: Month,
    after: Option<(Timestamp, EntryId)>,
    limit: u16,
) -> Result<Vec<Entry>> {
    // No entry's id is the empty text.
    let (at, id) = after.map_or((month.start(), String::new()), |(at, id)| (at, id.to_string()));
    let page = params![at.0, id, month.next().start().0, limit];
    Ok(sql::TOLD.all(db, page, |row| from_json(row, 0))?)
}

pub(super) fn told_last(
    db: &Connection,
    month: Month,
    before: Option<(Timestamp, EntryId)>,
    limit: u16,
) -> Result<Vec<Entry>> {
    // No entry of the month is as late as the next one's first instant.
    let (at, id) = before.map_or((month.next().start(), String::new()), |(at, id)| (at, id.to_string()));
    let page = params![at.0, id, month.start().0, limit];
    Ok(sql::TOLD_LAST.all(db, page, |row| from_json(row, 0))?)
}
