//! The log of what is done by right of a role, and of what is tried without.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::audit::{Act, Actor, Entry, Outcome};
use domain::id::{EntryId, UserId};
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

/// Of refusals of the same act to the same person one is told in so long.
const REFUSED_EVERY: Duration = Duration::from_secs(60);
/// Refusals that are remembered at most.
const REMEMBERED: usize = 10_000;

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
    refused: Arc<Mutex<Refused>>,
}

impl Audit {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, refused: Arc::default() }
    }

    /// Whether somebody has a right; that it was refused is told, though not so
    /// often that who asks again and again could fill the log.
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
        let now = self.clock.now();
        let untold = self.refused.lock().expect("no holder panics").count(who.user, act.as_str(), now);
        let Some(untold) = untold else { return Err(Error::Forbidden) };
        tracing::warn!(user = %who.user, role = %who.role, ?act, "{} has no right to that", who.user);
        let told = Entry { untold, ..self.entry(who.actor(), act, Outcome::Refused) };
        self.store.tell(&told).await?;
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
        let id = EntryId::from_random(random::bytes());
        Entry { at: self.clock.now(), id, actor, act, outcome, untold: 0 }
    }

    /// The latest entries of a month that a filter lets through, newest first,
    /// [`SHOWN`] at most, and whether it has more.
    pub async fn month(&self, filter: &Filter) -> Result<(Month, Vec<Entry>, bool)> {
        let now = self.clock.now().month();
        let month = filter.month.unwrap_or(now).clamp(FIRST, now);
        let (mut before, mut latest) = (None, Vec::new());
        while latest.len() <= SHOWN {
            let page = self.store.told_last(month, before, PAGE).await?;
            let Some(first) = page.last() else { break };
            before = Some((first.at, first.id));
            latest.extend(page.into_iter().filter(|entry| filter.lets_through(entry)));
        }
        let more = latest.len() > SHOWN;
        latest.truncate(SHOWN);
        Ok((month, latest, more))
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

/// The refusals of late.
#[derive(Default)]
struct Refused(HashMap<(UserId, &'static str), Late>);

/// When the last was told, and how many came since.
struct Late {
    told: Timestamp,
    untold: u32,
}

impl Refused {
    /// Counts one; if it is to be told, how many were not since the last.
    fn count(&mut self, who: UserId, act: &'static str, now: Timestamp) -> Option<u32> {
        // Of a clock that was set back nothing is known.
        let is_late = |late: &Late| late.told <= now && late.told.after(REFUSED_EVERY) > now;
        if let Some(late) = self.0.get_mut(&(who, act)) {
            if is_late(late) {
                late.untold = late.untold.saturating_add(1);
                return None;
            }
            late.told = now;
            return Some(std::mem::take(&mut late.untold));
        }
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, late| is_late(late));
        }
        // So many people at once are told each time.
        if self.0.len() < REMEMBERED {
            self.0.insert((who, act), Late { told: now, untold: 0 });
        }
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_act_refused_again_and_again_one_is_told_a_minute_and_the_rest_counted() {
        let (ana, eva) = (UserId::from_random([1; 10]), UserId::from_random([2; 10]));
        let at = |secs| Timestamp(1_790_000_000_000).after(Duration::from_secs(secs));
        let mut refused = Refused::default();
        assert_eq!(refused.count(ana, "see_fleet", at(0)), Some(0));
        for n in 0..100 {
            assert_eq!(refused.count(ana, "see_fleet", at(n / 2)), None);
        }
        assert_eq!(refused.count(ana, "see_people", at(1)), Some(0));
        assert_eq!(refused.count(eva, "see_fleet", at(1)), Some(0));
        assert_eq!(refused.count(ana, "see_fleet", at(60)), Some(100));
        assert_eq!(refused.count(ana, "see_fleet", at(121)), Some(0));
        // A clock that is set back silences nothing.
        assert_eq!(refused.count(ana, "see_fleet", at(5)), Some(0));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut refused = Refused::default();
        let start = Timestamp(1_790_000_000_000);
        for n in 0..u32::try_from(REMEMBERED).unwrap() + 100 {
            let mut bytes = [0; 10];
            bytes[..4].copy_from_slice(&n.to_le_bytes());
            assert_eq!(refused.count(UserId::from_random(bytes), "see_fleet", start), Some(0));
        }
        assert_eq!(refused.0.len(), REMEMBERED);
        refused.count(UserId::from_random([9; 10]), "see_fleet", start.after(REFUSED_EVERY));
        assert_eq!(refused.0.len(), 1);
    }
}
