//! All agents and all money of one moment, by owner: what the budgets of teams
//! and of the fleet are counted from, read once for however many there are.

use std::collections::{BTreeMap, BTreeSet};

use domain::budget::{Standing, Subject, reserve};
use domain::id::{AgentId, UserId};
use domain::money::NanoDollars;
use domain::name::Name;
use domain::usage::Of;

use super::PAGE;
use crate::error::Result;
use crate::ledger::Ledger;
use crate::spend::Spend;
use crate::store::Shard;

/// What an owner's month came to.
#[derive(Default)]
struct Spent {
    cost: NanoDollars,
    /// Part of it has no price.
    unpriced: bool,
}

/// What is awake and what was spent.
pub(super) struct Everybody {
    awake: Vec<(UserId, AgentId, NanoDollars)>,
    spent: BTreeMap<UserId, Spent>,
    /// Whoever is in one, if a team was asked for.
    teams: BTreeMap<UserId, Name>,
}

impl Everybody {
    /// Reads what these subjects are counted from.
    ///
    /// # Errors
    /// [`crate::Error::Contended`] when the books changed again and again
    /// meanwhile: no sum is better than a wrong one.
    pub async fn read(ledger: &Ledger, of: &[&Subject]) -> Result<Self> {
        let now = ledger.now();
        let rates = ledger.rates(now);
        let mut awake = Vec::new();
        for shard in Shard::all() {
            let mut after = None;
            loop {
                let page = ledger.store.awake(shard, after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.id);
                awake.extend(page.iter().map(|agent| (agent.owner, agent.id, reserve(agent, &rates))));
            }
        }
        let mut spent: BTreeMap<UserId, Spent> = BTreeMap::new();
        let spend = Spend::new(ledger.store.clone(), ledger.clock.clone());
        for (line, amount) in spend.owners_of_fleet(now.month()).await? {
            if let Of::Owner(owner) = line.of {
                let sum = spent.entry(owner).or_default();
                sum.cost += amount.cost;
                sum.unpriced |= line.kind.unpriced_ms(amount) > 0;
            }
        }
        let has_team = of.iter().any(|of| matches!(of, Subject::Team(_)));
        let teams = if has_team { teams(ledger).await? } else { BTreeMap::new() };
        Ok(Self { awake, spent, teams })
    }

    /// How a subject's agents stand together.
    pub fn standing(&self, of: &Subject) -> Standing {
        let mut standing = Standing::default();
        for (_, _, reserve) in self.awake.iter().filter(|(owner, ..)| self.holds(of, *owner)) {
            standing.awake += 1;
            standing.reserved += *reserve;
        }
        for (_, spent) in self.spent.iter().filter(|(owner, _)| self.holds(of, **owner)) {
            standing.spent += spent.cost;
            standing.unpriced |= spent.unpriced;
        }
        standing
    }

    /// A subject's agents that are awake.
    pub fn awake(&self, of: &Subject) -> BTreeSet<AgentId> {
        let of_it = self.awake.iter().filter(|(owner, ..)| self.holds(of, *owner));
        of_it.map(|(_, agent, _)| *agent).collect()
    }

    fn holds(&self, of: &Subject, owner: UserId) -> bool {
        match of {
            Subject::Fleet => true,
            Subject::Person(person) => *person == owner,
            Subject::Team(team) => self.teams.get(&owner) == Some(team),
        }
    }
}

async fn teams(ledger: &Ledger) -> Result<BTreeMap<UserId, Name>> {
    let mut teams = BTreeMap::new();
    let mut after: Option<Name> = None;
    loop {
        let page = ledger.store.people(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(teams) };
        after = Some(last.user.name.clone());
        teams.extend(page.into_iter().filter_map(|listed| Some((listed.user.id, listed.user.team?))));
    }
}
