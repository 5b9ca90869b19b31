//! Budgets, and the turnstile before every wake.

use domain::budget::Account;
use domain::id::UserId;
use rusqlite::{Connection, params};

use crate::store::{Result, StoreError, Turn};

use super::row::{from_json, json, signed};
use super::sql;

pub(super) fn account(db: &Connection, owner: UserId) -> Result<Option<Account>> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Account { version: row.get::<_, i64>(0)?.unsigned_abs(), ..from_json(row, 1)? })
    };
    Ok(sql::ACCOUNT.one(db, [owner.to_string()], read)?)
}

pub(super) fn put(db: &Connection, account: &Account) -> Result<()> {
    let (owner, version) = (account.owner.to_string(), signed(account.version)?);
    let row = params![owner, version, json(account)?];
    let written = match version {
        0 => sql::ADD_ACCOUNT.run(db, row)?,
        _ => sql::PUT_ACCOUNT.run(db, row)?,
    };
    if written == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

/// Passes the turnstile, if nobody else did.
pub(super) fn pass(db: &Connection, turn: &Turn) -> Result<()> {
    let row = params![turn.owner.to_string(), signed(turn.version)?];
    if sql::PASS.run(db, row)? == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}
