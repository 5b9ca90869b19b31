//! The log of what is done by right of a role, and of what is tried without.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::audit::{Act, Actor, Entry, Outcome};
use domain::id::EntryId;
use domain::name::Name;
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

/// Entries that a page shows.
pub const SHOWN: usize = 200;

/// What of the log is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// This one unless told.
    pub month: Option<Month>,
    /// The name of whoever did it, or of whom it was done to.
    pub person: Option<String>,
    /// An act's word.
    pub act: Option<String>,
}

impl Filter {
    pub fn lets_through(&self, entry: &Entry) -> bool {
        let by = match &entry.actor {
            Actor::Person { name, .. } => Some(name.as_str()),
            Actor::CommandLine => None,
        };
        let to = entry.act.person().map(Name::as_str);
        let person = self.person.as_deref();
        (person.is_none() || person == by || person == to)
            && self.act.as_deref().is_none_or(|act| act == entry.act.as_str())
    }
}

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

    /// The latest entries of a month that a filter lets through, newest first,
    /// [`SHOWN`] at most, and whether it has more.
    pub async fn month(&self, filter: &Filter) -> Result<(Month, Vec<Entry>, bool)> {
        let now = self.clock.now().month();
        let month = filter.month.unwrap_or(now).clamp(FIRST, now);
        let (mut after, mut latest, mut more) = (None, VecDeque::new(), false);
        loop {
            let page = self.store.told(month, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.at, last.id));
            for entry in page.into_iter().filter(|entry| filter.lets_through(entry)) {
                latest.push_back(entry);
                if latest.len() > SHOWN {
                    latest.pop_front();
                    more = true;
                }
            }
        }
        Ok((month, latest.into_iter().rev().collect(), more))
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
