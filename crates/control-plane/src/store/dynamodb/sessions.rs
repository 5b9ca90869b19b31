//! Sessions: each under its token, among what expires, and in its owner's list.

use domain::id::UserId;
use domain::session::How;
use domain::time::Timestamp;

use crate::store::{Hash, Result, Session, StoreError};

use super::error::failed;
use super::expiring::{self, live};
use super::item::{Item, b, hash, item, key_item, n, parsed, s, text, timestamp, timestamp_if_any};
use super::key::{self, Key};
use super::people;
use super::read::{Db, Order};
use super::transact::{Outcome, Transaction};

/// Sessions of an owner that are listed at most.
const SESSIONS_MAX: usize = 200;

pub(super) async fn put(db: &Db, session: &Session) -> Result<()> {
    let mut writes = Transaction::new(db);
    writes.put_if(&db.expiring, by_token(session), "attribute_not_exists(pk)", [], ());
    writes.put(in_list(session));
    match writes.run().await? {
        Outcome::Done => Ok(()),
        Outcome::Refused((), _) => {
            Err(StoreError::Failed(format!("session {} is there already", session.id())))
        }
    }
}

fn by_token(session: &Session) -> Item {
    let mut item = expiring::item(key::session(session.token), session.expires_at, []);
    item.extend(attributes(session));
    item
}

fn listed(session: &Session) -> Key {
    key::session_of(session.user, session.created_at, session.id())
}

fn in_list(session: &Session) -> Item {
    let end = [("token", b(session.token)), ("expires_at", n(session.expires_at.0))];
    let mut item = item(&listed(session), end);
    item.extend(attributes(session));
    item
}

fn attributes(session: &Session) -> Item {
    let attributes = [
        ("owner", s(session.user.to_string())),
        ("created_at", n(session.created_at.0)),
        ("how", s(session.how.as_str())),
        ("browser", s(session.browser.as_str())),
        ("seen_at", n(session.seen_at.0)),
    ];
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

fn read(item: &Item, token: Hash) -> Result<Session> {
    let created_at = timestamp(item, "created_at")?;
    Ok(Session {
        token,
        user: parsed(item, "owner")?,
        created_at,
        expires_at: timestamp(item, "expires_at")?,
        // Those that were begun before these were noted began by a link.
        how: if item.contains_key("how") { parsed(item, "how")? } else { How::Link },
        browser: if item.contains_key("browser") { text(item, "browser")?.to_owned() } else { String::new() },
        seen_at: timestamp_if_any(item, "seen_at")?.unwrap_or(created_at),
    })
}

pub(super) async fn session(db: &Db, token: Hash, now: Timestamp) -> Result<Option<Session>> {
    let item = live(db.get_expiring(key::session(token)).await?, now)?;
    item.map(|item| read(&item, token)).transpose()
}

/// What has expired leaves the list here: DynamoDB removes it in the other
/// table alone.
pub(super) async fn of(db: &Db, owner: UserId, now: Timestamp) -> Result<Vec<Session>> {
    let mut sessions = Vec::new();
    for item in db.query(&key::sessions_of(owner), Order::Falling, SESSIONS_MAX).await? {
        let session = read(&item, hash(&item, "token")?)?;
        if session.expires_at > now {
            sessions.push(session);
        } else {
            remove(db, &listed(&session)).await?;
        }
    }
    Ok(sessions)
}

pub(super) async fn remove(db: &Db, key: &Key) -> Result<()> {
    let delete = db.client.delete_item().table_name(&*db.ledger).set_key(Some(key_item(key)));
    delete.send().await.map(drop).map_err(failed)
}

/// One that was begun before there was a list comes into it here.
pub(super) async fn see(db: &Db, session: &Session, at: Timestamp) -> Result<()> {
    let Some(user) = people::user(db, session.user).await? else { return Ok(()) };
    let seen = Session { seen_at: at, ..session.clone() };
    let mut writes = Transaction::new(db);
    writes.put_if(&db.expiring, by_token(&seen), "attribute_exists(pk)", [], ());
    writes.put(in_list(&seen));
    let values = [(":id", s(user.id.to_string())), (":at", n(at.0))];
    writes.update(&key::person(&user.name), "SET id = :id, seen_at = :at", values);
    // One that ended meanwhile stays ended.
    writes.run().await.map(drop)
}

pub(super) async fn end(db: &Db, token: Hash) -> Result<bool> {
    let Some(item) = db.get_expiring(key::session(token)).await? else { return Ok(false) };
    let mut writes = Transaction::<()>::new(db);
    writes.delete_expiring(key::session(token));
    writes.delete(&listed(&read(&item, token)?));
    writes.run().await?;
    take_back(db).await?;
    Ok(true)
}

/// Counts that something was taken. After the taking: who reads the number
/// before it is written asks again at the next.
pub(super) async fn take_back(db: &Db) -> Result<()> {
    let count = db
        .client
        .update_item()
        .table_name(&*db.ledger)
        .set_key(Some(key_item(&key::taken_back())))
        .update_expression("ADD times :one")
        .expression_attribute_values(":one", n(1));
    count.send().await.map(drop).map_err(failed)
}

pub(super) async fn taken_back(db: &Db) -> Result<u64> {
    let item = db.get(&key::taken_back()).await?;
    item.map_or(Ok(0), |item| super::item::number(&item, "times"))
}
