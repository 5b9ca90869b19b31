//! Whether the tables are there and as they must be. All that is wrong is said
//! at once.

use std::fmt;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    KeyType, ScalarAttributeType, TableDescription, TableStatus, TimeToLiveStatus,
};

use crate::store::{Result, StoreError};

use super::error::failed;
use super::read::Db;
use super::tables::{PARTITION, RANGE, REMOVE_AFTER};

/// Why a ledger could not be opened. The operator mends it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{}", .0.iter().map(Fault::to_string).collect::<Vec<_>>().join("; "))]
    Faults(Vec<Fault>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    Missing { table: String },
    NotReady { table: String, status: String },
    Keys { table: String, found: String, expected: String },
    Removal { table: String, found: String },
    Layout { table: String, found: u32, known: u32 },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { table } => {
                write!(f, "table {table} is not there: create it, or name another prefix or region")
            }
            Self::NotReady { table, status } => {
                write!(f, "table {table} is {status}: wait until it is ACTIVE")
            }
            Self::Keys { table, found, expected } => {
                write!(
                    f,
                    "table {table} has the keys {found} and not {expected}: it is none of this program's"
                )
            }
            Self::Removal { table, found } => write!(
                f,
                "table {table} never removes what has expired (time to live: {found}): \
                 enable it on the attribute {REMOVE_AFTER}"
            ),
            Self::Layout { table, found, known } => write!(
                f,
                "table {table} has layout {found} and this program knows {known}: run the version that wrote it"
            ),
        }
    }
}

/// Looks at both tables.
pub(super) async fn tables(db: &Db) -> std::result::Result<(), OpenError> {
    let mut faults = table(db, &db.ledger, &[PARTITION, RANGE]).await?;
    let of_expiring = table(db, &db.expiring, &[PARTITION]).await?;
    // Of a table that is not there more can't be asked.
    if of_expiring.is_empty() {
        faults.extend(removal(db).await?);
    }
    faults.extend(of_expiring);
    if faults.is_empty() { Ok(()) } else { Err(OpenError::Faults(faults)) }
}

async fn table(db: &Db, name: &str, keys: &[&str]) -> Result<Vec<Fault>> {
    let table = name.to_owned();
    let described = db.client.describe_table().table_name(name).send().await;
    let description = match described {
        Ok(described) => described.table,
        Err(error) if error.code() == Some("ResourceNotFoundException") => None,
        Err(error) => return Err(failed(error)),
    };
    let Some(description) = description else { return Ok(vec![Fault::Missing { table }]) };
    let mut faults = Vec::new();
    // A table whose settings are being changed serves all the same.
    let status = description.table_status();
    if !matches!(status, Some(TableStatus::Active | TableStatus::Updating)) {
        let status = status.map_or("of no status", TableStatus::as_str).to_owned();
        faults.push(Fault::NotReady { table: table.clone(), status });
    }
    let (found, expected) = (keys_of(&description), keys.iter().map(|key| format!("{key}: S")));
    let expected = expected.collect::<Vec<_>>().join(", ");
    if found != expected {
        faults.push(Fault::Keys { table, found, expected });
    }
    Ok(faults)
}

/// Partition and range key with their types, as `pk: S, sk: S`.
fn keys_of(table: &TableDescription) -> String {
    let named = |kind: &KeyType| {
        let key = table.key_schema().iter().find(|key| key.key_type() == kind)?;
        let name = key.attribute_name();
        let typed = table.attribute_definitions().iter().find(|known| known.attribute_name() == name);
        let kind = typed.map_or("?", |typed| ScalarAttributeType::as_str(typed.attribute_type()));
        Some(format!("{name}: {kind}"))
    };
    [KeyType::Hash, KeyType::Range].iter().filter_map(named).collect::<Vec<_>>().join(", ")
}

async fn removal(db: &Db) -> Result<Option<Fault>> {
    let described = db.client.describe_time_to_live().table_name(&*db.expiring).send().await;
    let removal = described.map_err(failed)?.time_to_live_description;
    let on =
        |status: &TimeToLiveStatus| matches!(status, TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling);
    let (status, attribute) = match &removal {
        Some(removal) => (removal.time_to_live_status(), removal.attribute_name()),
        None => (None, None),
    };
    if status.is_some_and(on) && attribute == Some(REMOVE_AFTER) {
        return Ok(None);
    }
    let found = status.map_or("unknown", TimeToLiveStatus::as_str);
    let found = attribute.map_or_else(|| found.to_owned(), |attribute| format!("{found} on {attribute}"));
    Ok(Some(Fault::Removal { table: db.expiring.to_string(), found }))
}
