//! All agents in short, with what is kept of them by each change: the health of
//! all, and every list that somebody looks at. A change costs two searches by
//! halves a list; nothing is walked for it.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use domain::fleet::{Moment, Page, Place, Query, Summary, Tally};
use domain::id::{AgentId, UserId};
use domain::lifecycle::Policy;
use domain::price::Rates;
use domain::time::Timestamp;

use super::view::{Agents, All, Known, People, View};

/// A list that nobody asked for in so long is not kept on.
const UNASKED: Duration = Duration::from_secs(60);
/// Lists that are kept at once: ten bytes an agent each. The one that was
/// asked for longest ago makes room.
const VIEWS: usize = 32;
/// If time alone changed more than so many since the last look, all is counted
/// anew rather than one by one.
const ANEW: usize = 256;

pub(super) struct List {
    policy: Policy,
    agents: Agents,
    /// When each that time alone will change is changed next.
    turns: BTreeSet<(Timestamp, AgentId)>,
    tally: Tally,
    owned: HashMap<UserId, u32>,
    views: Vec<View>,
    /// Until when time has passed here. It does not go back.
    now: Timestamp,
}

impl List {
    pub fn of(agents: impl IntoIterator<Item = Summary>, policy: Policy, now: Timestamp) -> Self {
        let agents: Agents =
            agents.into_iter().map(|summary| (summary.id, Known { summary, at: now })).collect();
        let mut owned = HashMap::new();
        for known in agents.values() {
            *owned.entry(known.summary.owner).or_default() += 1;
        }
        let (turns, tally) = Default::default();
        let mut list = Self { policy, agents, turns, tally, owned, views: Vec::new(), now };
        list.count_anew();
        list
    }

    pub fn len(&self) -> usize {
        self.agents.len()
    }

    pub fn owners(&self) -> impl Iterator<Item = UserId> {
        self.owned.keys().copied()
    }

    /// Since when an agent is there, if it is and that is known.
    pub fn created_at(&self, id: AgentId) -> Option<Timestamp> {
        self.agents.get(&id)?.summary.created_at
    }

    pub fn owned_by(&self, owner: UserId) -> u32 {
        self.owned.get(&owner).copied().unwrap_or_default()
    }

    /// Takes in an agent as it became, unless something newer is known of it.
    pub fn put(&mut self, news: Summary, people: &People) {
        if self.agents.get(&news.id).is_none_or(|known| known.summary.version < news.version) {
            self.change(news.id, Some(news), people);
        }
    }

    pub fn remove(&mut self, id: AgentId, people: &People) {
        self.change(id, None, people);
    }

    /// The owners are others than before, or in another team.
    pub fn people_changed(&mut self) {
        self.views.retain(|view| !view.is_by_owner());
    }

    /// A window of the list, as of `now`.
    pub fn page(
        &mut self,
        query: &Query,
        people: &People,
        place: Place,
        now: Timestamp,
        rates: &Rates,
    ) -> Page {
        self.pass(now, people);
        let (offset, total, window) = self.window(query, people);
        let rows = window.iter().filter_map(|id| {
            let known = self.agents.get(id)?;
            let moment = Moment { now: self.now, policy: &self.policy };
            Some(known.summary.row(people.get(&known.summary.owner)?, &moment, rates))
        });
        Page { health: self.tally.health(), place, total, offset, rows: rows.collect() }
    }

    /// The ids of a window.
    pub fn ids(&mut self, query: &Query, people: &People, now: Timestamp) -> Vec<AgentId> {
        self.pass(now, people);
        self.window(query, people).2
    }

    /// Its place, how many there are in all, and the ids.
    fn window(&mut self, query: &Query, people: &People) -> (u32, u32, Vec<AgentId>) {
        let ids = self.view(query, people).ids();
        let start = (query.offset as usize).min(ids.len());
        let end = start.saturating_add(query.limit.into()).min(ids.len());
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        (count(start), count(ids.len()), ids[start..end].to_vec())
    }

    /// The list that a query asks for, made if it is not kept.
    fn view(&mut self, query: &Query, people: &People) -> &View {
        let key = View::key(query);
        let all = All { agents: &self.agents, people, policy: &self.policy };
        let place = self.views.iter().position(|view| view.is_of(&key)).unwrap_or_else(|| {
            if self.views.len() >= VIEWS
                && let Some(oldest) = (0..self.views.len()).min_by_key(|place| self.views[*place].asked)
            {
                self.views.swap_remove(oldest);
            }
            self.views.push(View::of(key, all, self.now));
            self.views.len() - 1
        });
        let view = &mut self.views[place];
        view.asked = Instant::now();
        view.pass(all, self.now);
        view
    }

    /// Lets time pass: what it alone changes is counted anew.
    fn pass(&mut self, now: Timestamp, people: &People) {
        self.now = self.now.max(now);
        let due = self.turns.iter().take_while(|(at, _)| *at <= self.now);
        let due: Vec<AgentId> = due.map(|(_, id)| *id).take(ANEW + 1).collect();
        if due.len() > ANEW {
            self.count_anew();
            return;
        }
        for id in due {
            let same = self.agents.get(&id).map(|known| known.summary.clone());
            self.change(id, same, people);
        }
    }

    fn count_anew(&mut self) {
        let (now, policy) = (self.now, &self.policy);
        self.turns.clear();
        for (id, known) in &mut self.agents {
            known.at = now;
            self.turns.extend(known.summary.turns(&known.moment(policy)).map(|at| (at, *id)));
        }
        let moment = Moment { now, policy };
        self.tally = Tally::of(self.agents.values().map(|known| &known.summary), &moment);
        self.views.retain(|view| !view.is_by_time());
    }

    /// An agent becomes another, appears or goes.
    fn change(&mut self, id: AgentId, news: Option<Summary>, people: &People) {
        let policy = self.policy;
        self.views.retain(|view| view.asked.elapsed() < UNASKED);
        if let Some(was) = self.agents.get(&id) {
            let all = All { agents: &self.agents, people, policy: &policy };
            self.views.iter_mut().for_each(|view| view.leave(was, all));
        }
        let was = self.agents.remove(&id);
        let is = news.map(|summary| Known { summary, at: self.now });
        self.tally.change(
            was.as_ref().map(|known| known.counted(&policy)),
            is.as_ref().map(|known| known.counted(&policy)),
        );
        if let Some(was) = was {
            if let Some(at) = was.summary.turns(&was.moment(&policy)) {
                self.turns.remove(&(at, id));
            }
            if let Some(owned) = self.owned.get_mut(&was.summary.owner) {
                *owned -= 1;
            }
        }
        if let Some(is) = is {
            self.turns.extend(is.summary.turns(&is.moment(&policy)).map(|at| (at, id)));
            *self.owned.entry(is.summary.owner).or_default() += 1;
            self.agents.insert(id, is);
            let all = All { agents: &self.agents, people, policy: &policy };
            if let Some(is) = self.agents.get(&id) {
                self.views.iter_mut().for_each(|view| view.enter(is, all));
            }
        }
    }
}

#[cfg(test)]
mod tests;
