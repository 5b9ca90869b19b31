//! People and their tokens.

use std::collections::HashMap;

use domain::audit::Entry;
use domain::id::{TokenId, UserId};
use domain::name::Name;
use domain::role::Role;

use crate::store::{ApiToken, Hash, Listed, PasswordHash, Result, StoreError, User, UserChange};

use super::audit::entry_item;
use super::error::failed;
use super::item::{Item, b, hash, item, n, parsed, s, text, timestamp, timestamp_if_any};
use super::key::{self, Key};
use super::read::{Db, Order, Pages};
use super::sessions::take_back;
use super::transact::{Outcome, Transaction};

/// Tokens of an owner that are listed at most.
const TOKENS_MAX: usize = 100;

/// Why a person could not be added.
#[derive(Debug)]
enum Taken {
    Name,
    Id,
}

pub(super) async fn add_user(db: &Db, user: &User) -> Result<bool> {
    let mut writes = Transaction::new(db);
    put_user(&mut writes, user, Taken::Name, Taken::Id);
    match writes.run().await? {
        Outcome::Done => Ok(true),
        Outcome::Refused(Taken::Name, _) => Ok(false),
        Outcome::Refused(Taken::Id, _) => {
            Err(StoreError::Failed(format!("user {} is there already", user.id)))
        }
    }
}

/// A new person's items.
pub(super) fn put_user<T>(writes: &mut Transaction<'_, T>, user: &User, name_taken: T, id_taken: T) {
    writes.put_new(user_item(&key::user_named(user.name.as_str()), user), name_taken);
    writes.put_new(user_item(&key::user(user.id), user), id_taken);
    list(writes, user);
}

/// Has them in the list of all, where they are not: who was added before there
/// was a list comes into it by the first change, or when they are seen.
fn list<T>(writes: &mut Transaction<'_, T>, user: &User) {
    writes.update(&key::person(&user.name), "SET id = :id", [(":id", s(user.id.to_string()))]);
}

/// The same under the id and under the name: either is one read.
fn user_item(key: &Key, user: &User) -> Item {
    let attributes = [
        ("id", s(user.id.to_string())),
        ("name", s(user.name.as_str())),
        ("created_at", n(user.created_at.0)),
        ("role", s(user.role.as_str())),
    ];
    let mut item = item(key, attributes);
    item.extend(user.team.as_ref().map(|team| ("team".to_owned(), s(team.as_str()))));
    item.extend(user.closed_at.map(|at| ("closed_at".to_owned(), n(at.0))));
    item
}

pub(super) async fn change_user(db: &Db, id: UserId, change: &UserChange, told: &Entry) -> Result<bool> {
    let Some(user) = user(db, id).await? else { return Ok(false) };
    let mut writes = Transaction::new(db);
    for key in [key::user_named(user.name.as_str()), key::user(user.id)] {
        let (attribute, value) = match change {
            UserChange::Role(role) => ("role", Some(s(role.as_str()))),
            UserChange::Team(team) => ("team", team.as_ref().map(|team| s(team.as_str()))),
            UserChange::Closed(at) => ("closed_at", at.map(|at| n(at.0))),
        };
        writes.set_there(&key, attribute, value, "its person is gone");
    }
    list(&mut writes, &user);
    writes.put_new(entry_item(told)?, "it is there already");
    match writes.run().await? {
        Outcome::Done => {}
        Outcome::Refused(why, _) => {
            return Err(StoreError::Failed(format!("audit entry {}: {why}", told.id)));
        }
    }
    if matches!(change, UserChange::Role(_) | UserChange::Closed(_)) {
        take_back(db).await?;
    }
    Ok(true)
}

pub(super) async fn people(db: &Db, after: Option<&Name>, limit: u16) -> Result<Vec<Listed>> {
    let listed = db.query(&key::people_after(after), Order::Rising, limit.into()).await?;
    let keys = listed.iter().map(|item| Ok(key::user(parsed(item, "id")?))).collect::<Result<Vec<_>>>()?;
    let mut users = HashMap::new();
    for item in db.get_all(&keys).await? {
        let user = read_user(item)?;
        users.insert(user.id, user);
    }
    let mut people = Vec::with_capacity(listed.len());
    for item in &listed {
        if let Some(user) = users.remove(&parsed(item, "id")?) {
            people.push(Listed { user, seen_at: timestamp_if_any(item, "seen_at")? });
        }
    }
    Ok(people)
}

pub(super) async fn password(db: &Db, owner: UserId) -> Result<Option<PasswordHash>> {
    let Some(item) = db.get(&key::password(owner)).await? else { return Ok(None) };
    Ok(Some(PasswordHash(text(&item, "hash")?.to_owned())))
}

pub(super) async fn put_password(db: &Db, owner: UserId, hash: &PasswordHash) -> Result<()> {
    let item = item(&key::password(owner), [("hash", s(hash.0.as_str()))]);
    let put = db.client.put_item().table_name(&*db.ledger).set_item(Some(item));
    put.send().await.map(drop).map_err(failed)
}

pub(super) async fn user(db: &Db, id: UserId) -> Result<Option<User>> {
    db.get(&key::user(id)).await?.map(read_user).transpose()
}

pub(super) async fn user_named(db: &Db, name: &str) -> Result<Option<User>> {
    db.get(&key::user_named(name)).await?.map(read_user).transpose()
}

fn read_user(item: Item) -> Result<User> {
    Ok(User {
        id: parsed(&item, "id")?,
        name: parsed(&item, "name")?,
        created_at: timestamp(&item, "created_at")?,
        // Who was added before there were roles has none.
        role: if item.contains_key("role") { parsed(&item, "role")? } else { Role::User },
        team: item.contains_key("team").then(|| parsed(&item, "team")).transpose()?,
        closed_at: timestamp_if_any(&item, "closed_at")?,
    })
}

pub(super) async fn put_token(db: &Db, token: &ApiToken) -> Result<()> {
    let mut writes = Transaction::new(db);
    writes.put_new(token_item(&key::token(token.token), token), ());
    writes.put_new(token_item(&key::token_of(token.owner, token.created_at, token.id), token), ());
    match writes.run().await? {
        Outcome::Done => Ok(()),
        Outcome::Refused((), _) => Err(StoreError::Failed(format!("token {} is there already", token.id))),
    }
}

/// The same under its digest and in its owner's list.
fn token_item(key: &Key, token: &ApiToken) -> Item {
    let attributes = [
        ("id", s(token.id.to_string())),
        ("token", b(token.token)),
        ("owner", s(token.owner.to_string())),
        ("name", s(token.name.as_str())),
        ("created_at", n(token.created_at.0)),
    ];
    item(key, attributes)
}

fn read_token(item: &Item) -> Result<ApiToken> {
    Ok(ApiToken {
        id: parsed(item, "id")?,
        token: hash(item, "token")?,
        owner: parsed(item, "owner")?,
        name: parsed(item, "name")?,
        created_at: timestamp(item, "created_at")?,
    })
}

pub(super) async fn token(db: &Db, hash: Hash) -> Result<Option<ApiToken>> {
    db.get(&key::token(hash)).await?.as_ref().map(read_token).transpose()
}

pub(super) async fn tokens_of(db: &Db, owner: UserId) -> Result<Vec<ApiToken>> {
    db.query(&key::tokens_of(owner), Order::Falling, TOKENS_MAX).await?.iter().map(read_token).collect()
}

pub(super) async fn revoke_token(db: &Db, owner: UserId, id: TokenId) -> Result<bool> {
    let Some(token) = token_named(db, owner, id).await? else { return Ok(false) };
    let mut writes = Transaction::new(db);
    writes.delete_there(&key::token(token.token), ());
    writes.delete_there(&key::token_of(owner, token.created_at, id), ());
    let done = matches!(writes.run().await?, Outcome::Done);
    if done {
        take_back(db).await?;
    }
    Ok(done)
}

/// Found among the owner's, newest first; nobody has more than a page of them.
async fn token_named(db: &Db, owner: UserId, id: TokenId) -> Result<Option<ApiToken>> {
    let mut pages =
        Pages::new(db, key::tokens_of(owner), Order::Falling).that("id = :value", s(id.to_string()));
    while let Some(page) = pages.next(TOKENS_MAX).await? {
        if let Some(item) = page.first() {
            return read_token(item).map(Some);
        }
    }
    Ok(None)
}
