//! People, their links and tokens, and the nonces of instances.

use domain::audit::Entry;
use domain::id::{InstanceId, TokenId, UserId};
use domain::name::Name;
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::store::{ApiToken, Enrolment, Hash, Listed, PasswordHash, Result, SignInLink, User, UserChange};

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
    let team = user.team.as_ref().map(Name::as_str);
    let row = params![
        user.id.to_string(),
        user.name.as_str(),
        user.created_at.0,
        user.role.as_str(),
        team,
        user.closed_at.map(|at| at.0)
    ];
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
        team: row.get::<_, Option<String>>(4)?.map(|_| parsed(row, 4)).transpose()?,
        closed_at: row.get::<_, Option<i64>>(5)?.map(Timestamp),
    })
}

pub(super) fn people(db: &Connection, after: Option<&Name>, limit: u16) -> Result<Vec<Listed>> {
    // No name is the empty text.
    let after = after.map_or("", Name::as_str);
    let read = |row: &Row<'_>| {
        Ok(Listed { user: read_user(row)?, seen_at: row.get::<_, Option<i64>>(6)?.map(Timestamp) })
    };
    Ok(sql::PEOPLE.all(db, params![after, limit], read)?)
}

pub(super) fn change_user(db: &Connection, id: UserId, change: &UserChange, told: &Entry) -> Result<bool> {
    let id = id.to_string();
    let changed = match change {
        UserChange::Role(role) => sql::SET_ROLE.run(db, params![id, role.as_str()])?,
        UserChange::Team(team) => sql::SET_TEAM.run(db, params![id, team.as_ref().map(Name::as_str)])?,
        UserChange::Closed(at) => sql::SET_CLOSED.run(db, params![id, at.map(|at| at.0)])?,
    };
    if changed == 0 {
        return Ok(false);
    }
    audit::tell(db, told)?;
    Ok(true)
}

pub(super) fn password(db: &Connection, user: UserId) -> Result<Option<PasswordHash>> {
    Ok(sql::PASSWORD.one(db, [user.to_string()], |row| row.get(0).map(PasswordHash))?)
}

pub(super) fn put_password(db: &Connection, user: UserId, hash: &PasswordHash) -> Result<()> {
    sql::PUT_PASSWORD.run(db, params![user.to_string(), hash.0])?;
    Ok(())
}

pub(super) fn put_sign_in_link(db: &Connection, link: &SignInLink) -> Result<()> {
    void_sign_in_links(db, link.user)?;
    sql::PUT_SIGN_IN_LINK.run(db, params![link.token.0, link.user.to_string(), link.expires_at.0])?;
    Ok(())
}

pub(super) fn void_sign_in_links(db: &Connection, owner: UserId) -> Result<()> {
    sql::VOID_SIGN_IN_LINKS.run(db, [owner.to_string()])?;
    Ok(())
}

pub(super) fn take_sign_in_link(db: &Connection, token: Hash, now: Timestamp) -> Result<Option<UserId>> {
    Ok(sql::TAKE_SIGN_IN_LINK.one(db, params![token.0, now.0], |row| parsed(row, 0))?)
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
    let all = [
        sql::SWEEP_KEYS,
        sql::SWEEP_ENROLMENTS,
        sql::SWEEP_SIGN_IN_LINKS,
        sql::SWEEP_INVITATIONS,
        sql::SWEEP_SESSIONS,
    ];
    for statement in all {
        statement.run(db, [now.0])?;
    }
    Ok(())
}
