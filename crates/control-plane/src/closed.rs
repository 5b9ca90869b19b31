//! The agents of people whose access is closed: saved and put to sleep, never
//! destroyed. A command closes it beside a running server, which comes by here
//! with every comparison; whoever closes it in the console is not kept waiting.

use std::collections::BTreeSet;

use domain::id::UserId;
use domain::lifecycle::Observation;

use crate::error::{Error, Result};
use crate::fleet::Fleet;
use crate::ledger::{Ledger, settled};
use crate::store::User;

impl Fleet {
    /// Puts the agents of somebody whose access is closed to sleep.
    pub async fn put_closed_to_sleep(&self, owner: &User) -> Result<()> {
        put_to_sleep(&self.ledger, owner).await
    }
}

/// The same for whoever of these owners it is so. One that can't be looked at
/// keeps no other's agents awake.
pub(crate) async fn put_all_to_sleep(ledger: &Ledger, owners: &BTreeSet<UserId>) {
    for id in owners {
        let looked = async {
            match ledger.store.user(*id).await? {
                Some(owner) => put_to_sleep(ledger, &owner).await,
                None => Ok(()),
            }
        };
        if let Err(error) = looked.await {
            tracing::error!(owner = %id, %error, "whether this owner's access is closed was not looked at");
        }
    }
}

async fn put_to_sleep(ledger: &Ledger, owner: &User) -> Result<()> {
    if owner.is_let_in() {
        return Ok(());
    }
    for agent in ledger.agents_of(owner.id).await?.iter().filter(|agent| agent.is_awake()) {
        match settled(ledger.observe(agent.id, Observation::SleepAsked).await) {
            // In a phase that ends by itself: the next time, if it does not.
            Ok(_) | Err(Error::Illegal(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
