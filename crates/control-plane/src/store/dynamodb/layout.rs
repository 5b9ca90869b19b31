//! How the ledger's items are laid out: one item that says it, so that a
//! program that knows another layout does not write into this one.

use domain::id::AgentId;

use crate::store::Result;

use super::check::{Fault, OpenError};
use super::error::unless_refused;
use super::item::{Item, illegible, item, n, number};
use super::key;
use super::read::Db;

/// The layout that this program reads and writes.
const VERSION: u32 = 1;

/// Partitions that the deadlines of a shard are spread over: 1 to 16. Each
/// takes 200 looks at agents a second; each costs a read whenever the shard is
/// asked what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lanes(u8);

impl Lanes {
    /// Enough until some 190,000 agents are busy at once.
    pub const ONE: Self = Self(1);

    /// `None` for a number out of range.
    pub fn new(count: u8) -> Option<Self> {
        (1..=16).contains(&count).then_some(Self(count))
    }

    /// All of them.
    pub(super) fn all(self) -> std::ops::Range<u8> {
        0..self.0
    }

    /// An agent's. By another byte of its id than the shard is.
    pub(super) fn of(self, agent: AgentId) -> u8 {
        agent.as_bytes()[9] % self.0
    }
}

/// The ledger's lanes; a new ledger gets `lanes`.
pub(super) async fn settle(db: &Db, lanes: Lanes) -> std::result::Result<Lanes, OpenError> {
    let found = match read(db).await? {
        Some(found) => found,
        None => write(db, lanes).await?,
    };
    let version: u32 = number(&found, "version")?;
    if version != VERSION {
        let newer = Fault::Layout { table: db.ledger.to_string(), found: version, known: VERSION };
        return Err(OpenError::Faults(vec![newer]));
    }
    let lanes = Lanes::new(number(&found, "lanes")?);
    Ok(lanes.ok_or_else(|| illegible("layout", "lanes"))?)
}

/// The item, if it was written.
pub(super) async fn read(db: &Db) -> Result<Option<Item>> {
    db.get(&key::layout()).await
}

/// Writes it, unless somebody else just did; gives what is there then.
async fn write(db: &Db, lanes: Lanes) -> Result<Item> {
    let new = item(&key::layout(), [("version", n(VERSION)), ("lanes", n(lanes.0))]);
    let written = db
        .client
        .put_item()
        .table_name(&*db.ledger)
        .set_item(Some(new.clone()))
        .condition_expression("attribute_not_exists(pk)")
        .send()
        .await;
    match unless_refused(written)? {
        Some(_) => Ok(new),
        None => read(db).await?.ok_or_else(|| illegible("layout", "version")),
    }
}
