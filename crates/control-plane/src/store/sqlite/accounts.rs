//! Budgets, and the turnstile before every wake.

use domain::budget::{Account, Subject};
use rusqlite::{Connection, Row, params};

use crate::store::{Result, StoreError};

use super::row::{from_json, json, signed};
use super::sql;

pub(super) fn account(db: &Connection, of: &Subject) -> Result<Option<Account>> {
    Ok(sql::ACCOUNT.one(db, [of.to_string()], read)?)
}

pub(super) fn all(db: &Connection, after: Option<&Subject>, limit: u16) -> Result<Vec<Account>> {
    let after = after.map(ToString::to_string).unwrap_or_default();
    Ok(sql::ACCOUNTS.all(db, params![after, limit], read)?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account { version: row.get::<_, i64>(0)?.unsigned_abs(), ..from_json(row, 1)? })
}

/// In the place of the one of its version; a turnstile too, passed if nobody
/// else did.
pub(super) fn put(db: &Connection, account: &Account) -> Result<()> {
    let (of, version) = (account.of.to_string(), signed(account.version)?);
    let row = params![of, version, json(account)?];
    let written = match version {
        0 => sql::ADD_ACCOUNT.run(db, row)?,
        _ => sql::PUT_ACCOUNT.run(db, row)?,
    };
    if written == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}
