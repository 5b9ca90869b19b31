//! Providers at which nothing new is launched. What is written says all of it,
//! so a try that is repeated does no harm.

use domain::agent::ProviderName;
use domain::time::Timestamp;

use crate::store::Result;

use super::error::failed;
use super::item::{item, n, s, timestamp};
use super::key;
use super::read::Db;
use super::tables::{PARTITION, RANGE};

pub(super) async fn since(db: &Db, provider: ProviderName) -> Result<Option<Timestamp>> {
    let item = db.get(&key::drain(provider)).await?;
    item.map(|item| timestamp(&item, "since")).transpose()
}

pub(super) async fn set(db: &Db, provider: ProviderName, since: Option<Timestamp>) -> Result<()> {
    let key = key::drain(provider);
    match since {
        Some(since) => {
            let put = db.client.put_item().table_name(&*db.ledger);
            put.set_item(Some(item(&key, [("since", n(since.0))]))).send().await.map(drop).map_err(failed)
        }
        None => {
            let delete = db.client.delete_item().table_name(&*db.ledger);
            let delete = delete.key(PARTITION, s(key.partition)).key(RANGE, s(key.range));
            delete.send().await.map(drop).map_err(failed)
        }
    }
}
