//! Who and what a month's money went to. Of the fleet that is a line for each that
//! used anything, whatever is shown of it: read for all who look, and kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::id::{AgentId, UserId};
use domain::spend::{TOP, Top, Used};
use domain::time::{Month, Timestamp};
use domain::usage::{Amount, Of};
use tokio::sync::Mutex;

use super::{Lines, Spend, Whose};
use crate::error::Result;
use crate::store::agents_of;
use crate::store::usage::View;

/// People whose days are read, to stack them by team; all else is left out of
/// the bands, and in the total.
const PEOPLE_MAX: usize = 300;
/// How old they may be, for each thousand lines and at most: reading them anew
/// costs the same then, whatever the fleet.
const AGE: Duration = Duration::from_secs(2);
const AGE_MAX: Duration = Duration::from_secs(60);

/// Those of a month.
pub(super) struct Users {
    /// The dearest.
    pub agents: Vec<Top<AgentId>>,
    pub people: Vec<Top<UserId>>,
    /// The dearest first.
    pub owners: Vec<UserId>,
    /// Every agent.
    pub used: Vec<Used>,
}

/// Everybody's, as they were read last.
#[derive(Default)]
pub(super) struct OfFleet(Mutex<Option<Kept>>);

struct Kept {
    month: Month,
    read: Instant,
    good_for: Duration,
    users: Arc<Users>,
}

impl Spend {
    /// An owner's.
    pub(super) async fn users_of(&self, owner: UserId, agents: &Lines) -> Result<Users> {
        let there = agents_of(&*self.store, owner).await?;
        let created = there.into_iter().map(|agent| (agent.id, agent.created_at)).collect();
        self.users(agents, &Lines::new(), &created).await
    }

    /// Everybody's; in a large fleet a little older than what else is told.
    pub(super) async fn users_of_fleet(&self, month: Month) -> Result<Arc<Users>> {
        let OfFleet(kept) = &self.users;
        // Held while they are read: whoever comes meanwhile waits for these.
        let mut kept = kept.lock().await;
        let is_good = |kept: &&Kept| kept.month == month && kept.read.elapsed() < kept.good_for;
        if let Some(kept) = kept.as_ref().filter(is_good) {
            return Ok(Arc::clone(&kept.users));
        }
        let read = Instant::now();
        let (now, [agents, owners]) = self.read(Whose::Fleet, month, [View::Agents, View::Owners]).await?;
        let created = match &self.list {
            Some(ledger) => {
                let ids = agents.keys().filter_map(|line| agent(line.of));
                ledger.roster.created(&*self.store, ids, now).await?
            }
            None => HashMap::new(),
        };
        let users = Arc::new(self.users(&agents, &owners, &created).await?);
        let thousands = u32::try_from((agents.len() + owners.len()) / 1000).unwrap_or(u32::MAX);
        let good_for = AGE.saturating_mul(thousands).min(AGE_MAX);
        *kept = Some(Kept { month, read, good_for, users: Arc::clone(&users) });
        Ok(users)
    }

    async fn users(
        &self,
        agents: &Lines,
        owners: &Lines,
        created: &HashMap<AgentId, Timestamp>,
    ) -> Result<Users> {
        let mut used: BTreeMap<AgentId, Used> = BTreeMap::new();
        for (line, amount) in agents {
            if let Some(id) = agent(line.of) {
                let created_at = created.get(&id).copied();
                let entry = used.entry(id).or_insert(Used { size: line.kind.size, awake_ms: 0, created_at });
                // The size that it had last stands for all of it.
                entry.size = line.kind.size;
                entry.awake_ms += amount.awake_ms;
            }
        }
        let owners = largest(owners, PEOPLE_MAX, owner);
        let mut users = Users {
            agents: Vec::new(),
            people: Vec::new(),
            owners: owners.iter().map(|(id, ..)| *id).collect(),
            used: used.into_values().collect(),
        };
        for (id, amount, unpriced_ms) in largest(agents, TOP, agent) {
            let name = self.store.agent(id).await?.map(|agent| agent.name);
            users.agents.push(Top { id, name, amount, unpriced_ms });
        }
        for (id, amount, unpriced_ms) in owners.into_iter().take(TOP) {
            let name = self.store.user(id).await?.map(|user| user.name);
            users.people.push(Top { id, name, amount, unpriced_ms });
        }
        Ok(users)
    }
}

fn agent(of: Of) -> Option<AgentId> {
    if let Of::Agent(agent) = of { Some(agent) } else { None }
}

fn owner(of: Of) -> Option<UserId> {
    if let Of::Owner(owner) = of { Some(owner) } else { None }
}

/// Those that cost most, the dearest first, each with the time that has no price.
fn largest<Id: Ord + Copy>(
    lines: &Lines,
    most: usize,
    id: impl Fn(Of) -> Option<Id>,
) -> Vec<(Id, Amount, u64)> {
    let mut sums: BTreeMap<Id, (Amount, u64)> = BTreeMap::new();
    for (line, amount) in lines {
        if let Some(id) = id(line.of) {
            let (sum, unpriced_ms) = sums.entry(id).or_default();
            *sum += *amount;
            *unpriced_ms += line.kind.unpriced_ms(*amount);
        }
    }
    let mut all: Vec<_> =
        sums.into_iter().map(|(id, (amount, unpriced_ms))| (id, amount, unpriced_ms)).collect();
    all.sort_by_key(|(id, amount, _)| (std::cmp::Reverse(amount.cost), *id));
    all.truncate(most);
    all
}
