//! Closed segments go into the rollups, a day's part at a time. Whoever is
//! killed between two parts is followed by anybody: the ledger knows how far
//! each segment is.

use crate::error::Result;
use crate::store::{Shard, Store, StoreError};

/// Segments taken from a shard at once.
const BATCH: u16 = 100;

/// Folds all that waits; says how many parts it added.
pub(crate) async fn fold(store: &dyn Store) -> Result<usize> {
    let mut added = 0;
    for shard in Shard::all() {
        loop {
            let before = added;
            let waiting = store.unfolded(shard, BATCH).await?;
            for unfolded in waiting {
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
