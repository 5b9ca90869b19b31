//! The fleet's list, held in memory while somebody looks at it: loaded from the
//! store at the first look, kept by every commit of this process, forgotten
//! when nobody has looked for a while. A query's first look is a walk over all;
//! from then on its answer is kept (`list`, `view`), and no look reads the store.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::agent::{Agent, Phase};
use domain::fleet::{Owner, Page, Place, Query, Summary};
use domain::id::{AgentId, UserId};
use domain::lifecycle::Policy;
use domain::name::Name;
use domain::price::Rates;
use domain::time::Timestamp;
use futures::future::try_join_all;

use crate::live::Writers;
use crate::store::{Result, Shard, Store, User};

use list::List;
use view::People;

mod list;
mod view;

/// How long the list is kept after the last look at it.
const KEPT: Duration = Duration::from_secs(600);
/// How old what other control planes committed may be, for each thousand agents
/// of the list, and at least and at most: reading it anew costs the same then,
/// whatever its length.
const LOOK: Duration = Duration::from_secs(2);
const LOOK_MAX: Duration = Duration::from_secs(30);
/// Agents, or people, read from the store at once.
const PAGE: u16 = 1000;

/// The list, if it is held.
pub struct Roster {
    writers: Writers,
    policy: Policy,
    held: Mutex<Held>,
    /// One load at a time, of the list and of the people.
    loading: tokio::sync::Mutex<()>,
    meeting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    list: Option<Loaded>,
    /// What was committed since a load began; `None`: deleted.
    meanwhile: Option<HashMap<AgentId, Option<Summary>>>,
    people: People,
    /// When these were read.
    people_at: Option<Instant>,
    /// Owners of agents of the list who are not known yet.
    unknown: HashSet<UserId>,
}

struct Loaded {
    list: List,
    at: Instant,
    looked: Instant,
}

impl Roster {
    pub fn new(writers: Writers, policy: Policy) -> Self {
        let (held, loading, meeting) = Default::default();
        Self { writers, policy, held, loading, meeting }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Each change of it is whole: one that panicked left it as it was.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what was committed here.
    pub fn took(&self, agent: &Agent) {
        let mut held = self.held();
        if held.list.as_ref().is_some_and(|loaded| loaded.looked.elapsed() > KEPT) {
            held.list = None;
        }
        if held.list.is_none() && held.meanwhile.is_none() {
            return;
        }
        let news = (agent.phase != Phase::Deleted).then(|| Summary::from(agent));
        if let Some(meanwhile) = &mut held.meanwhile {
            put(meanwhile.entry(agent.id).or_insert_with(|| news.clone()), &news);
        }
        if !held.people.contains_key(&agent.owner) {
            held.unknown.insert(agent.owner);
        }
        let Held { list: Some(Loaded { list, .. }), people, .. } = &mut *held else { return };
        match news {
            None => list.remove(agent.id, people),
            Some(news) => list.put(news, people),
        }
    }

    /// A window of the list at a moment.
    pub async fn page(
        &self,
        store: &dyn Store,
        query: &Query,
        place: Place,
        now: Timestamp,
        rates: &Rates,
    ) -> Result<Page> {
        self.with(store, now, |list, people| list.page(query, people, place, now, rates)).await
    }

    /// The ids that the query's filter lets through, in its order, as many as
    /// its window holds.
    pub async fn ids(&self, store: &dyn Store, query: &Query, now: Timestamp) -> Result<Vec<AgentId>> {
        self.with(store, now, |list, people| list.ids(query, people, now)).await
    }

    /// How many agents a person has.
    pub async fn owned_by(&self, store: &dyn Store, owner: &Name, now: Timestamp) -> Result<u32> {
        self.with(store, now, |list, people| {
            let owner = people.iter().find(|(_, known)| known.name == *owner);
            owner.map_or(0, |(id, _)| list.owned_by(*id))
        })
        .await
    }

    /// Since when these agents are there, of those that still are.
    pub async fn created(
        &self,
        store: &dyn Store,
        ids: impl Iterator<Item = AgentId>,
        now: Timestamp,
    ) -> Result<HashMap<AgentId, Timestamp>> {
        let created = |list: &List| ids.filter_map(|id| Some((id, list.created_at(id)?))).collect();
        self.with(store, now, |list, _| created(list)).await
    }

    /// Reads the list, loaded, not too old, and with its owners.
    async fn with<T>(
        &self,
        store: &dyn Store,
        now: Timestamp,
        read: impl FnOnce(&mut List, &People) -> T,
    ) -> Result<T> {
        loop {
            self.ready(store, now).await?;
            let mut held = self.held();
            // Only one that nobody looked at for a long time was forgotten since.
            if let Held { list: Some(Loaded { list, .. }), people, .. } = &mut *held {
                return Ok(read(list, people));
            }
        }
    }

    async fn ready(&self, store: &dyn Store, now: Timestamp) -> Result<()> {
        self.refresh(store, now).await?;
        self.meet(store).await?;
        let unknown: Vec<UserId> = self.held().unknown.iter().copied().collect();
        if !unknown.is_empty() {
            let met = try_join_all(unknown.iter().map(|id| store.user(*id))).await?;
            let mut held = self.held();
            held.meet(met.into_iter().flatten());
            held.unknown.retain(|id| !unknown.contains(id));
        }
        Ok(())
    }

    /// Has the list, and one that is not too old.
    async fn refresh(&self, store: &dyn Store, now: Timestamp) -> Result<()> {
        let is_fresh = || self.held().list.as_mut().map(|loaded| loaded.is_fresh(self.writers));
        let before = is_fresh();
        if before == Some(true) {
            return Ok(());
        }
        let Some(_alone) = turn(&self.loading, before.is_some()).await else { return Ok(()) };
        // Somebody else may have loaded it while this waited.
        if is_fresh() == Some(true) {
            return Ok(());
        }
        self.load(store, now).await
    }

    /// Has the owners, and in the teams that they were in lately.
    async fn meet(&self, store: &dyn Store) -> Result<()> {
        let read_at = self.held().people_at;
        if read_at.is_some_and(|at| at.elapsed() < people_good_for(self.writers)) {
            return Ok(());
        }
        let Some(_alone) = turn(&self.meeting, read_at.is_some()).await else { return Ok(()) };
        if self.held().people_at != read_at {
            return Ok(());
        }
        let begun = Instant::now();
        let people = everybody(store).await?;
        let mut held = self.held();
        held.meet(people);
        held.people_at = Some(begun);
        Ok(())
    }

    async fn load(&self, store: &dyn Store, now: Timestamp) -> Result<()> {
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
        let list = List::of(agents.into_values(), self.policy, now);
        held.unknown = list.owners().filter(|owner| !held.people.contains_key(owner)).collect();
        held.list = Some(Loaded { list, at: begun, looked: begun });
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

async fn everybody(store: &dyn Store) -> Result<Vec<User>> {
    let mut people: Vec<User> = Vec::new();
    loop {
        let page = store.people(people.last().map(|user| &user.name), PAGE).await?;
        let more = page.len() == usize::from(PAGE);
        people.extend(page.into_iter().map(|listed| listed.user));
        if !more {
            return Ok(people);
        }
    }
}

/// The turn to read something anew. Whoever has it as it was reads on with that
/// rather than wait for somebody else who reads it.
async fn turn(of: &tokio::sync::Mutex<()>, has_it: bool) -> Option<tokio::sync::MutexGuard<'_, ()>> {
    if has_it { of.try_lock().ok() } else { Some(of.lock().await) }
}

impl Loaded {
    /// Whether it is fresh enough; notes that it is looked at.
    fn is_fresh(&mut self, writers: Writers) -> bool {
        self.looked = Instant::now();
        writers == Writers::One || self.at.elapsed() < good_for(self.list.len())
    }
}

impl Held {
    fn meet(&mut self, people: impl IntoIterator<Item = User>) {
        let mut changed = false;
        for User { id, name, team, .. } in people {
            let owner = Owner { name, team };
            changed |= self.people.get(&id) != Some(&owner);
            self.people.insert(id, owner);
            self.unknown.remove(&id);
        }
        if changed && let Some(loaded) = &mut self.list {
            loaded.list.people_changed();
        }
    }
}

/// How long people's teams are as they were read: not for long where the ledger is
/// this machine's, longer where each read of a person is paid for.
fn people_good_for(writers: Writers) -> Duration {
    if writers == Writers::One { LOOK } else { LOOK_MAX }
}

/// How long a list of so many agents is fresh where others write too.
fn good_for(agents: usize) -> Duration {
    let thousands = u32::try_from(agents / 1000).unwrap_or(u32::MAX).max(1);
    LOOK.saturating_mul(thousands).min(LOOK_MAX)
}

#[cfg(test)]
mod tests;
