//! People and their tokens.

use domain::audit::Entry;
use domain::id::{TokenId, UserId};
use domain::role::Role;

use crate::store::{ApiToken, Hash, Result, StoreError, User};

use super::audit::entry_item;
use super::item::{Item, b, hash, item, n, parsed, s, timestamp};
use super::key::{self, Key};
use super::read::{Db, Order, Pages};
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
    writes.put_new(user_item(&key::user_named(user.name.as_str()), user), Taken::Name);
    writes.put_new(user_item(&key::user(user.id), user), Taken::Id);
    match writes.run().await? {
        Outcome::Done => Ok(true),
        Outcome::Refused(Taken::Name, _) => Ok(false),
        Outcome::Refused(Taken::Id, _) => {
            Err(StoreError::Failed(format!("user {} is there already", user.id)))
        }
    }
}

/// The same under the id and under the name: either is one read.
fn user_item(key: &Key, user: &User) -> Item {
    let attributes = [
        ("id", s(user.id.to_string())),
        ("name", s(user.name.as_str())),
        ("created_at", n(user.created_at.0)),
        ("role", s(user.role.as_str())),
    ];
    item(key, attributes)
}

/// Nothing else of a person ever changes, so both items are written whole.
pub(super) async fn set_role(db: &Db, id: UserId, role: Role, told: &Entry) -> Result<bool> {
    let Some(user) = user(db, id).await? else { return Ok(false) };
    let user = User { role, ..user };
    let mut writes = Transaction::new(db);
    writes.put(user_item(&key::user_named(user.name.as_str()), &user));
    writes.put(user_item(&key::user(user.id), &user));
    writes.put_new(entry_item(told)?, ());
    match writes.run().await? {
        Outcome::Done => Ok(true),
        Outcome::Refused((), _) => {
            Err(StoreError::Failed(format!("audit entry {} is there already", told.id)))
        }
    }
}

pub(super) async fn user(db: &Db, id: UserId) -> Result<Option<User>> {
    read_user(db.get(&key::user(id)).await?)
}

pub(super) async fn user_named(db: &Db, name: &str) -> Result<Option<User>> {
    read_user(db.get(&key::user_named(name)).await?)
}

fn read_user(item: Option<Item>) -> Result<Option<User>> {
    let read = |item: Item| {
        Ok(User {
            id: parsed(&item, "id")?,
            name: parsed(&item, "name")?,
            created_at: timestamp(&item, "created_at")?,
            // Who was added before there were roles has none.
            role: if item.contains_key("role") { parsed(&item, "role")? } else { Role::User },
        })
    };
    item.map(read).transpose()
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
    Ok(matches!(writes.run().await?, Outcome::Done))
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
