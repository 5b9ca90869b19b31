//! Closed segments go into the rollups, a day's part at a time. Whoever is
//! killed between two parts is followed by anybody: the ledger knows how far
//! each segment is.

use std::collections::BTreeSet;

use domain::id::UserId;

use crate::error::Result;
use crate::store::{Shard, Store, StoreError};

/// Segments taken from a shard at once.
const BATCH: u16 = 100;

/// Folds all that waits; says how many parts it added.
pub(crate) async fn fold(store: &dyn Store) -> Result<usize> {
    fold_of(store, &mut BTreeSet::new()).await
}

/// The same, noting whose they were, also when it fails on its way.
pub(crate) async fn fold_of(store: &dyn Store, owners: &mut BTreeSet<UserId>) -> Result<usize> {
    let mut added = 0;
    for shard in Shard::all() {
        loop {
            let before = added;
            let waiting = store.unfolded(shard, BATCH).await?;
            for unfolded in waiting {
                owners.insert(unfolded.segment.owner);
                let mut rest = Some(unfolded);
                while let Some(unfolded) = rest {
                    let part = unfolded.next();
                    match store.fold(&part).await {
                        Ok(true) => added += 1,
                        // Another replica has it, or is at the same lines: whatever is left still waits.
                        Ok(false) | Err(StoreError::Conflict) => break,
                        Err(error) => return Err(error.into()),
                    }
                    rest = unfolded.after(&part);
                }
            }
            if added == before {
                break;
            }
        }
    }
    Ok(added)
}
