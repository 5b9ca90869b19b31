//! What has an end of its own: sign-in links, enrolments, keys of creations
//! here, sessions in a file of theirs. DynamoDB removes it days later at times, so its end is compared
//! wherever it is read.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::id::{AgentId, InstanceId, UserId};
use domain::time::Timestamp;

use crate::random;
use crate::store::{Created, Enrolment, Hash, Idempotency, Result, SignInLink};

use super::error::unless_refused;
use super::item::{Item, b, hash, n, parsed, s, timestamp};
use super::key;
use super::read::Db;
use super::sessions;
use super::tables::{PARTITION, REMOVE_AFTER};
use super::transact::{Outcome, Transaction};

/// How long what has expired is kept at least: a clock here that is behind
/// Amazon's must not lose what is of use.
const KEPT: Duration = Duration::from_secs(3600);

/// An item that is of no use from `expires_at` on.
pub(super) fn item<const N: usize>(
    key: String,
    expires_at: Timestamp,
    attributes: [(&str, AttributeValue); N],
) -> Item {
    let mut item = HashMap::from(attributes.map(|(name, value)| (name.to_owned(), value)));
    item.insert(PARTITION.to_owned(), s(key));
    item.insert("expires_at".to_owned(), n(expires_at.0));
    item.insert(REMOVE_AFTER.to_owned(), n(expires_at.after(KEPT).0.div_euclid(1000)));
    item
}

/// Writes an item under a secret's digest. One that is there is this one, by a
/// try whose answer was lost: no two secrets are the same. It must not be
/// written twice, for it may have been spent meanwhile.
async fn put(db: &Db, item: Item) -> Result<()> {
    let put = db.client.put_item().table_name(&*db.expiring).set_item(Some(item));
    unless_refused(put.condition_expression("attribute_not_exists(pk)").send().await).map(drop)
}

/// Changes an item if a condition holds; what it is then.
async fn spend(update: UpdateItemFluentBuilder) -> Result<Option<Item>> {
    let spent = unless_refused(update.return_values(ReturnValue::AllNew).send().await)?;
    Ok(spent.and_then(|spent| spent.attributes))
}

fn update(db: &Db, key: String) -> UpdateItemFluentBuilder {
    db.client.update_item().table_name(&*db.expiring).key(PARTITION, s(key))
}

// ── Keys of creations ───────────────────────────────────────────────────────

pub(super) fn idempotency_item(owner: UserId, idempotency: &Idempotency, agent: AgentId) -> Item {
    let attributes = [("request", b(idempotency.request)), ("agent", s(agent.to_string()))];
    item(key::idempotency(owner, &idempotency.key), idempotency.expires_at, attributes)
}

pub(super) async fn created(
    db: &Db,
    owner: UserId,
    idempotency: &Idempotency,
    now: Timestamp,
) -> Result<Option<Created>> {
    let item = db.get_expiring(key::idempotency(owner, &idempotency.key)).await?;
    live(item, now)?.map(|item| came_to(&item, idempotency.request)).transpose()
}

/// What the key of this item came to, for a caller who asks `request` by it.
pub(super) fn came_to(item: &Item, request: Hash) -> Result<Created> {
    if hash(item, "request")? == request {
        Ok(Created::Before(parsed(item, "agent")?))
    } else {
        Ok(Created::KeyReused)
    }
}

/// The item, if it has not expired.
pub(super) fn live(item: Option<Item>, now: Timestamp) -> Result<Option<Item>> {
    let Some(item) = item else { return Ok(None) };
    Ok((timestamp(&item, "expires_at")? > now).then_some(item))
}

// ── Enrolments ──────────────────────────────────────────────────────────────

pub(super) async fn put_enrolment(db: &Db, enrolment: &Enrolment) -> Result<()> {
    let attributes = [("instance", s(enrolment.instance.to_string()))];
    put(db, item(key::enrolment(enrolment.nonce), enrolment.expires_at, attributes)).await
}

pub(super) async fn spend_enrolment(
    db: &Db,
    nonce: Hash,
    binding: Hash,
    now: Timestamp,
) -> Result<Option<InstanceId>> {
    let update = update(db, key::enrolment(nonce))
        .update_expression("SET binding = :binding")
        .condition_expression("expires_at > :now AND (attribute_not_exists(binding) OR binding = :binding)")
        .expression_attribute_values(":binding", b(binding))
        .expression_attribute_values(":now", n(now.0));
    spend(update).await?.map(|item| parsed(&item, "instance")).transpose()
}

// ── Sign-in links ───────────────────────────────────────────────────────────

pub(super) async fn put_sign_in_link(db: &Db, link: &SignInLink) -> Result<()> {
    let attributes = [("owner", s(link.user.to_string()))];
    let there = item(key::sign_in_link(link.token), link.expires_at, attributes);
    let mut writes = Transaction::new(db);
    writes.put_if(&db.expiring, there, "attribute_not_exists(pk)", [], ());
    // The person's link: whichever is not named here works no more.
    writes.put(super::item::item(&key::link_of(link.user), [("token", b(link.token))]));
    match writes.run().await? {
        // One that is there is this one, as above.
        Outcome::Done | Outcome::Refused((), _) => Ok(()),
    }
}

pub(super) async fn void_sign_in_links(db: &Db, owner: UserId) -> Result<()> {
    sessions::remove(db, &key::link_of(owner)).await
}

/// Marked and not removed: a try whose answer was lost finds its own mark.
pub(super) async fn take_sign_in_link(db: &Db, token: Hash, now: Timestamp) -> Result<Option<UserId>> {
    let update = update(db, key::sign_in_link(token))
        .update_expression("SET taken_by = :me")
        .condition_expression("expires_at > :now AND (attribute_not_exists(taken_by) OR taken_by = :me)")
        .expression_attribute_values(":me", n(u64::from_le_bytes(random::bytes())))
        .expression_attribute_values(":now", n(now.0));
    let spent = spend(update).await?.map(|item| parsed(&item, "owner")).transpose()?;
    let Some(owner) = spent else { return Ok(None) };
    let works = db.get(&key::link_of(owner)).await?.map(|item| hash(&item, "token")).transpose()?;
    Ok((works == Some(token)).then_some(owner))
}
