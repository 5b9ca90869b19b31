//! Sessions, and the count of what was taken back.

use domain::id::UserId;
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::store::{Hash, Result, Session};

use super::row::parsed;
use super::sql;

pub(super) fn put(db: &Connection, session: &Session) -> Result<()> {
    let row = params![
        session.token.0,
        session.user.to_string(),
        session.created_at.0,
        session.expires_at.0,
        session.how.as_str(),
        session.browser,
        session.seen_at.0
    ];
    sql::PUT_SESSION.run(db, row)?;
    Ok(())
}

pub(super) fn session(db: &Connection, token: Hash, now: Timestamp) -> Result<Option<Session>> {
    Ok(sql::SESSION.one(db, params![token.0, now.0], read)?)
}

pub(super) fn of(db: &Connection, owner: UserId, now: Timestamp) -> Result<Vec<Session>> {
    Ok(sql::SESSIONS_OF.all(db, params![owner.to_string(), now.0], read)?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        token: Hash(row.get(0)?),
        user: parsed(row, 1)?,
        created_at: Timestamp(row.get(2)?),
        expires_at: Timestamp(row.get(3)?),
        how: parsed(row, 4)?,
        browser: row.get(5)?,
        seen_at: Timestamp(row.get(6)?),
    })
}

pub(super) fn see(db: &Connection, session: &Session, at: Timestamp) -> Result<()> {
    if sql::SEE_SESSION.run(db, params![session.token.0, at.0])? == 1 {
        sql::SEE_USER.run(db, params![session.user.to_string(), at.0])?;
    }
    Ok(())
}

pub(super) fn end(db: &Connection, token: Hash) -> Result<bool> {
    Ok(sql::END_SESSION.run(db, [token.0])? == 1)
}

/// The schema's triggers count it.
pub(super) fn taken_back(db: &Connection) -> Result<u64> {
    Ok(sql::TAKEN_BACK.one(db, [], |row| row.get::<_, i64>(0))?.unwrap_or_default().cast_unsigned())
}
