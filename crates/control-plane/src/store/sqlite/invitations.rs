//! Invitations, and looks into terminals.

use domain::audit::Entry;
use domain::id::AgentId;
use domain::look::Look;
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::store::{Accepted, Hash, Invitation, Result, StoreError, User};

use super::row::{from_json, json};
use super::{audit, people, sql};

pub(super) fn put(db: &Connection, invitation: &Invitation, told: &Entry) -> Result<()> {
    let row = params![
        invitation.token.0,
        invitation.created_at.0,
        invitation.expires_at.0,
        json(&invitation.invited)?
    ];
    sql::PUT_INVITATION.run(db, row)?;
    audit::tell(db, told)
}

pub(super) fn open_at(db: &Connection, now: Timestamp) -> Result<Vec<Invitation>> {
    Ok(sql::INVITATIONS.all(db, [now.0], read)?)
}

pub(super) fn invitation(db: &Connection, token: Hash, now: Timestamp) -> Result<Option<Invitation>> {
    Ok(sql::INVITATION.one(db, params![token.0, now.0], read)?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Invitation> {
    Ok(Invitation {
        token: Hash(row.get(0)?),
        created_at: Timestamp(row.get(1)?),
        expires_at: Timestamp(row.get(2)?),
        invited: from_json(row, 3)?,
    })
}

pub(super) fn withdraw(db: &Connection, token: Hash, told: &Entry) -> Result<bool> {
    if sql::WITHDRAW_INVITATION.run(db, [token.0])? == 0 {
        return Ok(false);
    }
    audit::tell(db, told)?;
    Ok(true)
}

/// A name that is taken leaves the invitation as it was, for an administrator to
/// see and withdraw.
pub(super) fn accept(
    db: &Connection,
    token: Hash,
    now: Timestamp,
    user: &User,
    told: &Entry,
) -> Result<Accepted> {
    if invitation(db, token, now)?.is_none() {
        return Ok(Accepted::Gone);
    }
    if !people::add_user(db, user)? {
        return Ok(Accepted::NameTaken);
    }
    sql::TAKE_INVITATION.run(db, params![token.0, now.0])?;
    audit::tell(db, told)?;
    Ok(Accepted::Done)
}

pub(super) fn look(db: &Connection, agent: AgentId) -> Result<Option<Look>> {
    let read = |row: &Row<'_>| {
        let version = row.get::<_, i64>(0)?.cast_unsigned();
        Ok(Look { version, ..from_json(row, 1)? })
    };
    Ok(sql::LOOK.one(db, [agent.to_string()], read)?)
}

pub(super) fn put_look(db: &Connection, look: &Look, told: &Entry) -> Result<()> {
    let row = params![look.agent.to_string(), look.version.cast_signed(), json(look)?];
    let put = if look.version == 0 { sql::ADD_LOOK } else { sql::PUT_LOOK };
    if put.run(db, row)? == 0 {
        return Err(StoreError::Conflict);
    }
    audit::tell(db, told)
}
