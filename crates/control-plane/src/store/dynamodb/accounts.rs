//! Budgets. A turnstile is a part of the agent's transaction.

use domain::budget::{Account, Subject};

use crate::store::{Result, StoreError};

use super::item::{Item, from_json, item, json, n, number};
use super::key;
use super::read::{Db, Order};
use super::transact::{Outcome, Transaction};

pub(super) async fn account(db: &Db, of: &Subject) -> Result<Option<Account>> {
    db.get(&key::account(of)).await?.map(|item| read(&item)).transpose()
}

pub(super) async fn all(db: &Db, after: Option<&Subject>, limit: u16) -> Result<Vec<Account>> {
    let items = db.query(&key::accounts_after(after), Order::Rising, limit.into()).await?;
    items.iter().map(read).collect()
}

fn read(item: &Item) -> Result<Account> {
    Ok(Account { version: number(item, "version")?, ..from_json(item, "account")? })
}

/// A transaction of one part: by its token a lost answer is known again.
pub(super) async fn put(db: &Db, account: &Account) -> Result<()> {
    let mut writes = Transaction::new(db);
    change(&mut writes, db, account, ())?;
    match writes.run().await? {
        Outcome::Done => Ok(()),
        Outcome::Refused((), _) => Err(StoreError::Conflict),
    }
}

/// The account in the place of the one of its version.
pub(super) fn change<T>(
    writes: &mut Transaction<'_, T>,
    db: &Db,
    account: &Account,
    refusal: T,
) -> Result<()> {
    let attributes = [("version", n(account.version + 1)), ("account", json(account)?)];
    let item = item(&key::account(&account.of), attributes);
    match account.version {
        0 => writes.put_new(item, refusal),
        version => writes.put_if(&db.ledger, item, "version = :from", [(":from", n(version))], refusal),
    }
    Ok(())
}
