//! The fleet's list, held in memory while somebody looks at it: loaded from the
//! store at the first look, kept by every commit of this process, forgotten
//! when nobody has looked for a while. What filters and sorts costs microseconds
//! an agent here, and no read of the store.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::agent::{Agent, Phase};
use domain::fleet::{Health, Moment, Page, Query, Sort, Summary, Tally};
use domain::id::{AgentId, UserId};
use domain::name::Name;
use domain::time::Timestamp;
use futures::future::try_join_all;

use crate::live::Writers;
use crate::store::{Result, Shard, Store};

/// How long the list is kept after the last look at it.
const KEPT: Duration = Duration::from_secs(600);
/// How old what other control planes committed may be, for each thousand agents
/// of the list, and at least and at most: reading it anew costs the same then,
/// whatever its length.
const LOOK: Duration = Duration::from_secs(2);
const LOOK_MAX: Duration = Duration::from_secs(30);
/// How long the fleet's health is as it was where nothing was committed: it takes
/// a walk over all of the list, which all who look after a change share.
const HEALTH: Duration = Duration::from_secs(1);
/// Agents read from the store at once.
const PAGE: u16 = 1000;

/// The list, if it is held.
pub struct Roster {
    writers: Writers,
    held: Mutex<Held>,
    /// One load at a time.
    loading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    list: Option<List>,
    /// What was committed since a load began; `None`: deleted.
    meanwhile: Option<HashMap<AgentId, Option<Summary>>>,
    owners: HashMap<UserId, Name>,
    /// Owners of agents of the list whose names are not known yet.
    unnamed: HashSet<UserId>,
    /// Counts what was taken in.
    changes: u64,
    /// After so many changes, and when.
    health: Option<(u64, Timestamp, Health)>,
}

struct List {
    agents: HashMap<AgentId, Summary>,
    loaded: Instant,
    looked: Instant,
}

impl Roster {
    pub fn new(writers: Writers) -> Self {
        Self { writers, held: Mutex::default(), loading: tokio::sync::Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Each change of it is whole: one that panicked left it as it was.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what was committed here.
    pub fn took(&self, agent: &Agent) {
        let mut held = self.held();
        if held.list.as_ref().is_some_and(|list| list.looked.elapsed() > KEPT) {
            held.list = None;
        }
        if held.list.is_none() && held.meanwhile.is_none() {
            return;
        }
        let news = (agent.phase != Phase::Deleted).then(|| Summary::from(agent));
        if let Some(meanwhile) = &mut held.meanwhile {
            put(meanwhile.entry(agent.id).or_insert_with(|| news.clone()), &news);
        }
        if !held.owners.contains_key(&agent.owner) {
            held.unnamed.insert(agent.owner);
        }
        held.changes += 1;
        let Some(list) = &mut held.list else { return };
        match news {
            None => drop(list.agents.remove(&agent.id)),
            Some(news) => {
                let known = list.agents.entry(agent.id).or_insert_with(|| news.clone());
                if known.version < news.version {
                    *known = news;
                }
            }
        }
    }

    /// A window of the list at a moment.
    pub async fn page(&self, store: &dyn Store, query: &Query, moment: &Moment<'_>) -> Result<Page> {
        self.ready(store).await?;
        let mut held = self.held();
        let health = held.health(moment);
        let matching = held.matching(query, moment);
        let (offset, total) = (query.offset as usize, matching.len());
        let rows = held.window(matching, query, moment.now).into_iter();
        let rows =
            rows.filter_map(|summary| Some(summary.row(held.owners.get(&summary.owner)?.clone(), moment)));
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Page { health, total: count(total), offset: count(offset.min(total)), rows: rows.collect() })
    }

    /// The ids that the query's filter lets through, in its order, as many as
    /// its window holds.
    pub async fn ids(&self, store: &dyn Store, query: &Query, moment: &Moment<'_>) -> Result<Vec<AgentId>> {
        self.ready(store).await?;
        let held = self.held();
        Ok(held
            .window(held.matching(query, moment), query, moment.now)
            .iter()
            .map(|summary| summary.id)
            .collect())
    }

    /// Has the list, not too old, and its owners' names.
    async fn ready(&self, store: &dyn Store) -> Result<()> {
        if !self.held().look(self.writers) {
            let _alone = self.loading.lock().await;
            // Somebody else may have loaded it while this waited.
            if !self.held().look(self.writers) {
                self.load(store).await?;
            }
        }
        let unnamed: Vec<UserId> = self.held().unnamed.iter().copied().collect();
        if !unnamed.is_empty() {
            let named = try_join_all(unnamed.iter().map(|id| store.user(*id))).await?;
            let mut held = self.held();
            held.owners.extend(named.into_iter().flatten().map(|user| (user.id, user.name)));
            held.unnamed.retain(|id| !unnamed.contains(id));
        }
        Ok(())
    }

    async fn load(&self, store: &dyn Store) -> Result<()> {
        let begun = Instant::now();
        self.held().meanwhile = Some(HashMap::new());
        let loaded = try_join_all(Shard::all().map(|shard| shard_of(store, shard))).await;
        let mut held = self.held();
        let meanwhile = held.meanwhile.take().unwrap_or_default();
        let mut agents: HashMap<_, _> = loaded?.into_iter().flatten().map(|one| (one.id, one)).collect();
        for (id, news) in meanwhile {
            match news {
                None => drop(agents.remove(&id)),
                Some(news) if agents.get(&id).is_some_and(|known| known.version >= news.version) => {}
                Some(news) => drop(agents.insert(id, news)),
            }
        }
        let owners: HashSet<UserId> = agents.values().map(|one| one.owner).collect();
        held.unnamed = owners.into_iter().filter(|owner| !held.owners.contains_key(owner)).collect();
        held.list = Some(List { agents, loaded: begun, looked: begun });
        held.changes += 1;
        Ok(())
    }
}

/// Of two words about an agent the newer stays; deleted is the last one.
fn put(known: &mut Option<Summary>, news: &Option<Summary>) {
    match (&*known, news) {
        (Some(old), Some(new)) if old.version >= new.version => {}
        (None, _) => {}
        _ => known.clone_from(news),
    }
}

async fn shard_of(store: &dyn Store, shard: Shard) -> Result<Vec<Summary>> {
    let mut agents: Vec<Summary> = Vec::new();
    loop {
        let page = store.fleet(shard, agents.last().map(|one| one.id), PAGE).await?;
        let more = page.len() == usize::from(PAGE);
        agents.extend(page);
        if !more {
            return Ok(agents);
        }
    }
}

impl Held {
    /// Whether there is a list that is fresh enough; notes that it is looked at.
    fn look(&mut self, writers: Writers) -> bool {
        let Some(list) = &mut self.list else { return false };
        list.looked = Instant::now();
        writers == Writers::One || list.loaded.elapsed() < good_for(list.agents.len())
    }

    fn agents(&self) -> impl Iterator<Item = &Summary> {
        self.list.iter().flat_map(|list| list.agents.values())
    }

    fn owner(&self, summary: &Summary) -> &str {
        self.owners.get(&summary.owner).map_or("", Name::as_str)
    }

    fn matching(&self, query: &Query, moment: &Moment<'_>) -> Vec<&Summary> {
        let text = query.text.trim().to_lowercase();
        self.agents().filter(|one| query.lets_through(one, self.owner(one), &text, moment)).collect()
    }

    /// The rows of the window in order. Only these are sorted: a window's cost
    /// grows with the fleet by a comparison or two an agent.
    fn window<'a>(&'a self, mut all: Vec<&'a Summary>, query: &Query, now: Timestamp) -> Vec<&'a Summary> {
        let start = (query.offset as usize).min(all.len());
        let end = start.saturating_add(query.limit.into()).min(all.len());
        let order = |a: &&Summary, b: &&Summary| {
            // Looked up only where it decides.
            let name = |one: &Summary| if query.sort == Sort::Owner { self.owner(one) } else { "" };
            query.order((a, name(a)), (b, name(b)), now)
        };
        if end < all.len() {
            all.select_nth_unstable_by(end, order);
            all.truncate(end);
        }
        if start > 0 && start < all.len() {
            all.select_nth_unstable_by(start, order);
        }
        let mut window = all.split_off(start);
        window.sort_unstable_by(order);
        window
    }

    fn health(&mut self, moment: &Moment<'_>) -> Health {
        if let Some((changes, at, health)) = self.health
            && changes == self.changes
            && moment.now.since(at) < HEALTH
        {
            return health;
        }
        let mut tally = Tally::default();
        for one in self.agents() {
            tally.count(one, moment);
        }
        let health = tally.health();
        self.health = Some((self.changes, moment.now, health));
        health
    }
}

/// How long a list of so many agents is fresh where others write too.
fn good_for(agents: usize) -> Duration {
    let thousands = u32::try_from(agents / 1000).unwrap_or(u32::MAX).max(1);
    LOOK.saturating_mul(thousands).min(LOOK_MAX)
}

#[cfg(test)]
mod tests;
