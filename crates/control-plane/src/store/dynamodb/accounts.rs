//! Budgets. The turnstile itself is a part of the agent's transaction.

use domain::budget::Account;
use domain::id::UserId;

use crate::store::{Result, StoreError};

use super::item::{from_json, item, json, n, number};
use super::key;
use super::read::Db;
use super::transact::{Outcome, Transaction};

pub(super) async fn account(db: &Db, owner: UserId) -> Result<Option<Account>> {
    let Some(item) = db.get(&key::account(owner)).await? else { return Ok(None) };
    Ok(Some(Account { version: number(&item, "version")?, ..from_json(&item, "account")? }))
}

/// A transaction of one part: by its token a lost answer is known again.
pub(super) async fn put(db: &Db, account: &Account) -> Result<()> {
    let attributes = [("version", n(account.version + 1)), ("account", json(account)?)];
    let item = item(&key::account(account.owner), attributes);
    let mut writes = Transaction::new(db);
    match account.version {
        0 => writes.put_new(item, ()),
        version => {
            writes.put_if(&db.ledger, item, "version = :from", [(":from", n(version))], ());
        }
    }
    match writes.run().await? {
        Outcome::Done => Ok(()),
        Outcome::Refused((), _) => Err(StoreError::Conflict),
    }
}
