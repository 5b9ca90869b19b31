//! The log of what is done by right of a role, and of what is tried without.

use std::sync::Arc;

use domain::audit::{Act, Actor, Entry, Outcome};
use domain::id::EntryId;
use domain::time::{Month, Timestamp};
use futures::{Stream, TryStreamExt as _};

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::identity::{Principal, Right};
use crate::random;
use crate::store::Store;

/// No entry is older: there was no log before.
pub const FIRST: Month = Month { year: 2026, month: 11 };
/// Entries that are read at once.
const PAGE: u16 = 500;

/// The log.
#[derive(Clone)]
pub struct Audit {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl Audit {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Whether somebody has a right; that it was refused is told.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the right.
    pub(crate) async fn permit(
        &self,
        who: &Principal,
        right: Right,
        act: impl FnOnce() -> Act,
    ) -> Result<()> {
        if right.is_of(who.role) {
            return Ok(());
        }
        let act = act();
        tracing::warn!(user = %who.user, role = %who.role, ?act, "{} has no right to that", who.user);
        self.tell(who.actor(), act, Outcome::Refused).await?;
        Err(Error::Forbidden)
    }

    /// Does something that must be in the log: told first, and again if it fails.
    pub(crate) async fn told<T>(
        &self,
        actor: Actor,
        act: Act,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.tell(actor.clone(), act.clone(), Outcome::Allowed).await?;
        let outcome = work.await;
        if outcome.is_err() {
            self.tell(actor, act, Outcome::Failed).await?;
        }
        outcome
    }

    async fn tell(&self, actor: Actor, act: Act, outcome: Outcome) -> Result<()> {
        Ok(self.store.tell(&self.entry(actor, act, outcome)).await?)
    }

    /// An entry of this moment.
    pub(crate) fn entry(&self, actor: Actor, act: Act, outcome: Outcome) -> Entry {
        Entry { at: self.clock.now(), id: EntryId::from_random(random::bytes()), actor, act, outcome }
    }

    /// All entries from a month on, in order, read as they are taken.
    pub fn since(&self, month: Month) -> impl Stream<Item = Result<Entry>> + use<> {
        let (store, last) = (Arc::clone(&self.store), self.clock.now().month());
        let at = (month.max(FIRST), None::<(Timestamp, EntryId)>);
        let pages = futures::stream::try_unfold(at, move |(month, after)| {
            let store = Arc::clone(&store);
            async move {
                if month > last {
                    return Ok(None);
                }
                let page = store.told(month, after, PAGE).await?;
                let next = match page.last() {
                    Some(entry) => (month, Some((entry.at, entry.id))),
                    None => (month.next(), None),
                };
                let entries = futures::stream::iter(page.into_iter().map(Ok));
                Ok::<_, Error>(Some((entries, next)))
            }
        });
        pages.try_flatten()
    }
}
