//! The audit log: a partition a month. An entry is put where none is, and
//! nothing here changes or removes one.

use domain::audit::Entry;
use domain::id::EntryId;
use domain::time::{Month, Timestamp};

use crate::store::Result;

use super::error::unless_refused;
use super::item::{Item, from_json, item, json};
use super::key;
use super::read::{Db, Order};

pub(super) fn entry_item(entry: &Entry) -> Result<Item> {
    Ok(item(&key::audited(entry.at, entry.id), [("entry", json(entry)?)]))
}

pub(super) async fn tell(db: &Db, entry: &Entry) -> Result<()> {
    let put = db.client.put_item().table_name(&*db.ledger).set_item(Some(entry_item(entry)?));
    // One that is there is this one, by a try whose answer was lost: ids are random.
    unless_refused(put.condition_expression("attribute_not_exists(pk)").send().await).map(drop)
}

pub(super) async fn told(
    db: &Db,
    month: Month,
    after: Option<(Timestamp, EntryId)>,
    limit: u16,
) -> Result<Vec<Entry>> {
    let items = db.query(&key::audited_after(month, after), Order::Rising, limit.into()).await?;
    items.iter().map(|item| from_json(item, "entry")).collect()
}

pub(super) async fn told_last(
    db: &Db,
    month: Month,
    before: Option<(Timestamp, EntryId)>,
    limit: u16,
) -> Result<Vec<Entry>> {
    // A span has both of its ends: that entry comes too, and is left out here.
    let most = usize::from(limit) + usize::from(before.is_some());
    let items = db.query(&key::audited_upto(month, before), Order::Falling, most).await?;
    let entries: Vec<Entry> = items.iter().map(|item| from_json(item, "entry")).collect::<Result<_>>()?;
    Ok(entries.into_iter().filter(|entry| before != Some((entry.at, entry.id))).take(limit.into()).collect())
}
