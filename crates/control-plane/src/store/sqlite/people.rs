//! People, their sessions and tokens, and the nonces of instances.

use domain::audit::Entry;
use domain::id::{InstanceId, TokenId, UserId};
use domain::role::Role;
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::store::{ApiToken, Enrolment, Hash, Result, Session, SignInLink, User};

use super::audit;
use super::row::parsed;
use super::sql;

pub(super) fn put_enrolment(db: &Connection, enrolment: &Enrolment) -> Result<()> {
    let row = params![enrolment.nonce.0, enrolment.instance.to_string(), enrolment.expires_at.0];
    sql::PUT_ENROLMENT.run(db, row)?;
    Ok(())
}

pub(super) fn spend_enrolment(
    db: &Connection,
    nonce: Hash,
    binding: Hash,
    now: Timestamp,
) -> Result<Option<InstanceId>> {
    Ok(sql::SPEND_ENROLMENT.one(db, params![nonce.0, binding.0, now.0], |row| parsed(row, 0))?)
}

pub(super) fn add_user(db: &Connection, user: &User) -> Result<bool> {
    let row = params![user.id.to_string(), user.name.as_str(), user.created_at.0, user.role.as_str()];
    Ok(sql::ADD_USER.run(db, row)? == 1)
}

pub(super) fn user(db: &Connection, id: UserId) -> Result<Option<User>> {
    Ok(sql::USER.one(db, [id.to_string()], read_user)?)
}

pub(super) fn user_named(db: &Connection, name: &str) -> Result<Option<User>> {
    Ok(sql::USER_NAMED.one(db, [name], read_user)?)
}

fn read_user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: parsed(row, 0)?,
        name: parsed(row, 1)?,
        created_at: Timestamp(row.get(2)?),
        role: parsed(row, 3)?,
    })
}

pub(super) fn set_role(db: &Connection, user: UserId, role: Role, told: &Entry) -> Result<bool> {
    if sql::SET_ROLE.run(db, params![user.to_string(), role.as_str()])? == 0 {
        return Ok(false);
    }
    audit::tell(db, told)?;
    Ok(true)
}

pub(super) fn put_sign_in_link(db: &Connection, link: &SignInLink) -> Result<()> {
    sql::PUT_SIGN_IN_LINK.run(db, params![link.token.0, link.user.to_string(), link.expires_at.0])?;
    Ok(())
}

pub(super) fn take_sign_in_link(db: &Connection, token: Hash, now: Timestamp) -> Result<Option<UserId>> {
    Ok(sql::TAKE_SIGN_IN_LINK.one(db, params![token.0, now.0], |row| parsed(row, 0))?)
}

pub(super) fn put_session(db: &Connection, session: &Session) -> Result<()> {
    let row = params![session.token.0, session.user.to_string(), session.created_at.0, session.expires_at.0];
    sql::PUT_SESSION.run(db, row)?;
    Ok(())
}

pub(super) fn session(db: &Connection, token: Hash, now: Timestamp) -> Result<Option<Session>> {
    let read = |row: &Row<'_>| {
        Ok(Session {
            token,
            user: parsed(row, 0)?,
            created_at: Timestamp(row.get(1)?),
            expires_at: Timestamp(row.get(2)?),
        })
    };
    Ok(sql::SESSION.one(db, params![token.0, now.0], read)?)
}

pub(super) fn end_session(db: &Connection, token: Hash) -> Result<()> {
    sql::END_SESSION.run(db, [token.0])?;
    Ok(())
}

pub(super) fn put_token(db: &Connection, token: &ApiToken) -> Result<()> {
    let row = params![
        token.token.0,
        token.id.to_string(),
        token.owner.to_string(),
        token.name.as_str(),
        token.created_at.0
    ];
    sql::PUT_TOKEN.run(db, row)?;
    Ok(())
}

pub(super) fn token(db: &Connection, hash: Hash) -> Result<Option<ApiToken>> {
    Ok(sql::TOKEN.one(db, [hash.0], read_token)?)
}

pub(super) fn tokens_of(db: &Connection, owner: UserId) -> Result<Vec<ApiToken>> {
    Ok(sql::TOKENS_OF.all(db, [owner.to_string()], read_token)?)
}

fn read_token(row: &Row<'_>) -> rusqlite::Result<ApiToken> {
    Ok(ApiToken {
        token: Hash(row.get(0)?),
        id: parsed(row, 1)?,
        owner: parsed(row, 2)?,
        name: parsed(row, 3)?,
        created_at: Timestamp(row.get(4)?),
    })
}

pub(super) fn revoke_token(db: &Connection, owner: UserId, id: TokenId) -> Result<bool> {
    Ok(sql::REVOKE_TOKEN.run(db, [id.to_string(), owner.to_string()])? == 1)
}

/// Forgets what nobody could use any more.
pub(super) fn sweep(db: &Connection, now: Timestamp) -> Result<()> {
    for statement in [sql::SWEEP_KEYS, sql::SWEEP_ENROLMENTS, sql::SWEEP_SIGN_IN_LINKS, sql::SWEEP_SESSIONS] {
        statement.run(db, [now.0])?;
    }
    Ok(())
}
