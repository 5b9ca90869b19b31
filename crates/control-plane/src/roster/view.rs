//! One list that somebody looks at: the ids that a filter lets through, in
//! order, kept by each change by a search by halves.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::fleet::{Counted, Moment, Owned, Owner, Query, Sort, Summary};
use domain::id::{AgentId, UserId};
use domain::lifecycle::Policy;
use domain::time::Timestamp;

/// For each so many agents of a list by cost, which are in another order a moment
/// later though nothing happened, it is put in order anew so seldom.
const REORDERED: Duration = Duration::from_millis(500);
const REORDERED_PER: usize = 10_000;

/// An agent as it is held.
pub(super) struct Known {
    pub summary: Summary,
    /// As of when it was counted and let through.
    pub at: Timestamp,
}

impl Known {
    pub fn moment<'a>(&self, policy: &'a Policy) -> Moment<'a> {
        Moment { now: self.at, policy }
    }

    pub fn counted<'a>(&'a self, policy: &'a Policy) -> Counted<'a> {
        (&self.summary, self.moment(policy))
    }
}

pub(super) type Agents = HashMap<AgentId, Known>;
pub(super) type People = HashMap<UserId, Owner>;

/// All agents and their owners, by whom an order is decided.
#[derive(Clone, Copy)]
pub(super) struct All<'a> {
    pub agents: &'a Agents,
    pub people: &'a People,
    pub policy: &'a Policy,
}

pub(super) struct View {
    /// Without a window.
    query: Query,
    /// The query's text as it is looked for.
    text: String,
    ids: Vec<AgentId>,
    /// As of when it is in order.
    at: Timestamp,
    pub asked: Instant,
}

impl View {
    /// What a query asks for, whatever its window.
    pub fn key(query: &Query) -> Query {
        Query { offset: 0, limit: 0, ..query.clone() }
    }

    /// Made by a walk over all.
    pub fn of(key: Query, all: All<'_>, now: Timestamp) -> Self {
        let text = key.text.trim().to_lowercase();
        let mut view = Self { query: key, text, ids: Vec::new(), at: now, asked: Instant::now() };
        let through = all.agents.values().filter(|known| view.lets_through(known, all));
        view.ids = through.map(|known| known.summary.id).collect();
        view.sort(all);
        view
    }

    pub fn is_of(&self, key: &Query) -> bool {
        self.query == *key
    }

    pub fn is_by_owner(&self) -> bool {
        self.query.is_by_owner()
    }

    pub fn is_by_time(&self) -> bool {
        self.query.trouble.is_some()
    }

    pub fn ids(&self) -> &[AgentId] {
        &self.ids
    }

    /// Takes an agent out, which must still be among all as it was put in.
    pub fn leave(&mut self, known: &Known, all: All<'_>) {
        if self.lets_through(known, all)
            && let Ok(place) = self.place(&known.summary, all)
        {
            self.ids.remove(place);
        }
    }

    /// Puts an agent in its place, if it is let through.
    pub fn enter(&mut self, known: &Known, all: All<'_>) {
        if self.lets_through(known, all)
            && let Err(place) = self.place(&known.summary, all)
        {
            self.ids.insert(place, known.summary.id);
        }
    }

    /// Puts what time alone moves where it belongs by now, if that is due.
    pub fn pass(&mut self, all: All<'_>, now: Timestamp) {
        let parts = u32::try_from(self.ids.len().div_ceil(REORDERED_PER)).unwrap_or(u32::MAX).max(1);
        if self.query.sort == Sort::Cost && now.since(self.at) >= REORDERED.saturating_mul(parts) {
            self.at = now;
            self.sort(all);
        }
    }

    fn sort(&mut self, all: All<'_>) {
        // What was in order before nearly is: a stable sort then is one pass.
        let mut known: Vec<&Summary> =
            self.ids.iter().filter_map(|id| all.agents.get(id)).map(|known| &known.summary).collect();
        known.sort_by(|a, b| self.order(a, b, all));
        self.ids = known.into_iter().map(|one| one.id).collect();
    }

    fn lets_through(&self, known: &Known, all: All<'_>) -> bool {
        let owned = self.owned(&known.summary, all.people);
        self.query.lets_through(owned, &self.text, &known.moment(all.policy))
    }

    /// Looked up only where it decides.
    fn owned<'a>(&self, one: &'a Summary, people: &'a People) -> Owned<'a> {
        (one, if self.is_by_owner() { people.get(&one.owner) } else { None })
    }

    fn order(&self, a: &Summary, b: &Summary, all: All<'_>) -> Ordering {
        self.query.order(self.owned(a, all.people), self.owned(b, all.people), self.at)
    }

    /// Where it is, or belongs.
    fn place(&self, one: &Summary, all: All<'_>) -> Result<usize, usize> {
        self.ids.binary_search_by(|id| {
            // Whatever is in a view is among all.
            let known = all.agents.get(id).map(|known| self.order(&known.summary, one, all));
            known.unwrap_or(Ordering::Less)
        })
    }
}

#[cfg(test)]
impl View {
    pub fn at(&self) -> Timestamp {
        self.at
    }
}
