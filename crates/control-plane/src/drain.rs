//! Whether the provider is being drained, as pages show it: read once for all
//! who look on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::agent::ProviderName;
use domain::fleet::Place;
use domain::time::Timestamp;

use crate::store::{Result, Store};

/// A little less than the pause between two looks of a page.
const GOOD_FOR: Duration = Duration::from_millis(900);

pub(crate) struct Drain {
    provider: ProviderName,
    /// Since when, and when that was read.
    known: Mutex<Option<(Instant, Option<Timestamp>)>>,
}

impl Drain {
    pub fn of(provider: ProviderName) -> Self {
        Self { provider, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Option<(Instant, Option<Timestamp>)>> {
        // Each change of it is whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub async fn place(&self, store: &dyn Store) -> Result<Place> {
        let (asked, provider) = (Instant::now(), self.provider);
        let known = self.known().filter(|(read, _)| read.elapsed() < GOOD_FOR);
        let drained = match known {
            Some((_, drained)) => drained,
            None => {
                let drained = store.drained(provider).await?;
                *self.known() = Some((asked, drained));
                drained
            }
        };
        Ok(Place { provider, drained })
    }

    /// Says since when nothing new is launched there, or that it is again.
    pub async fn set(&self, store: &dyn Store, since: Option<Timestamp>) -> Result<()> {
        store.set_drained(self.provider, since).await?;
        *self.known() = Some((Instant::now(), since));
        Ok(())
    }
}
