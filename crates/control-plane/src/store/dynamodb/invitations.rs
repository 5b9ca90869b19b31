//! Invitations, and looks into terminals. They are few, and in the ledger: what
//! has expired leaves it when the next invitation comes.

use domain::audit::Entry;
use domain::id::{AgentId, InvitationId};
use domain::look::Look;
use domain::time::Timestamp;

use crate::store::{Accepted, Hash, Invitation, Result, StoreError, User};

use super::audit::entry_item;
use super::item::{Item, b, from_json, hash, item, json, n, number, timestamp};
use super::key::{self, Key};
use super::people::put_user;
use super::read::{Db, Order};
use super::sessions::take_back;
use super::transact::{Outcome, Transaction};

/// Expired ones that one transaction removes.
const REMOVED_MAX: usize = 50;

fn key_of(token: Hash) -> Key {
    key::invitation(InvitationId::from_random(token.beginning()))
}

pub(super) async fn put(db: &Db, invitation: &Invitation, told: &Entry) -> Result<()> {
    let attributes = [
        ("digest", b(invitation.token)),
        ("created_at", n(invitation.created_at.0)),
        ("expires_at", n(invitation.expires_at.0)),
        ("invitation", json(&invitation.invited)?),
    ];
    let mut writes = Transaction::new(db);
    writes.put_new(item(&key_of(invitation.token), attributes), ());
    writes.put_new(entry_item(told)?, ());
    let all = all(db).await?;
    let expired = all.iter().filter(|other| other.expires_at <= invitation.created_at);
    for other in expired.take(REMOVED_MAX) {
        writes.delete(&key_of(other.token));
    }
    match writes.run().await? {
        Outcome::Done => Ok(()),
        Outcome::Refused((), _) => {
            Err(StoreError::Failed(format!("invitation {} is there already", invitation.id())))
        }
    }
}

pub(super) async fn open_at(db: &Db, now: Timestamp) -> Result<Vec<Invitation>> {
    let mut open = all(db).await?;
    open.retain(|invitation| invitation.expires_at > now);
    open.sort_by_key(|invitation| std::cmp::Reverse(invitation.expires_at));
    Ok(open)
}

async fn all(db: &Db) -> Result<Vec<Invitation>> {
    db.query(&key::invitations(), Order::Rising, usize::MAX).await?.iter().map(read).collect()
}

fn read(item: &Item) -> Result<Invitation> {
    Ok(Invitation {
        token: hash(item, "digest")?,
        created_at: timestamp(item, "created_at")?,
        expires_at: timestamp(item, "expires_at")?,
        invited: from_json(item, "invitation")?,
    })
}

pub(super) async fn invitation(db: &Db, token: Hash, now: Timestamp) -> Result<Option<Invitation>> {
    let found = db.get(&key_of(token)).await?.as_ref().map(read).transpose()?;
    Ok(found.filter(|found| found.token == token && found.expires_at > now))
}

/// What does not hold where a transaction is refused.
enum Refusal {
    Gone,
    NameTaken,
    There,
}

pub(super) async fn withdraw(db: &Db, token: Hash, told: &Entry) -> Result<bool> {
    let mut writes = Transaction::new(db);
    writes.delete_there(&key_of(token), Refusal::Gone);
    writes.put_new(entry_item(told)?, Refusal::There);
    match writes.run().await? {
        Outcome::Done => Ok(true),
        Outcome::Refused(Refusal::Gone, _) => Ok(false),
        Outcome::Refused(..) => Err(told_before(told)),
    }
}

pub(super) async fn accept(
    db: &Db,
    token: Hash,
    now: Timestamp,
    user: &User,
    told: &Entry,
) -> Result<Accepted> {
    let mut writes = Transaction::new(db);
    let open = [(":token", b(token)), (":now", n(now.0))];
    writes.delete_if(&key_of(token), "digest = :token AND expires_at > :now", open, Refusal::Gone);
    put_user(&mut writes, user, Refusal::NameTaken, Refusal::There);
    writes.put_new(entry_item(told)?, Refusal::There);
    match writes.run().await? {
        Outcome::Done => Ok(Accepted::Done),
        Outcome::Refused(Refusal::Gone, _) => Ok(Accepted::Gone),
        Outcome::Refused(Refusal::NameTaken, _) => Ok(Accepted::NameTaken),
        Outcome::Refused(Refusal::There, _) => Err(told_before(told)),
    }
}

fn told_before(told: &Entry) -> StoreError {
    StoreError::Failed(format!("audit entry {} is there already", told.id))
}

// ── Looks into terminals ────────────────────────────────────────────────────

pub(super) async fn look(db: &Db, agent: AgentId) -> Result<Option<Look>> {
    let Some(item) = db.get(&key::look(agent)).await? else { return Ok(None) };
    Ok(Some(Look { version: number(&item, "version")?, ..from_json(&item, "look")? }))
}

pub(super) async fn put_look(db: &Db, look: &Look, told: &Entry) -> Result<()> {
    let attributes = [("version", n(look.version + 1)), ("look", json(look)?)];
    let item = item(&key::look(look.agent), attributes);
    let mut writes = Transaction::new(db);
    match look.version {
        0 => writes.put_new(item, Refusal::Gone),
        version => {
            let from = [(":from", n(version))];
            writes.put_if(&db.ledger, item, "version = :from", from, Refusal::Gone);
        }
    }
    writes.put_new(entry_item(told)?, Refusal::There);
    match writes.run().await? {
        Outcome::Done => take_back(db).await,
        Outcome::Refused(Refusal::There, _) => Err(told_before(told)),
        Outcome::Refused(..) => Err(StoreError::Conflict),
    }
}
