//! All agents and all money of one moment, by owner: what the budgets of teams
//! and of the fleet are counted from, read once for however many there are.

use std::collections::{BTreeMap, BTreeSet};

use domain::budget::{Standing, Subject, reserve_of};
use domain::fleet::Summary;
use domain::id::{AgentId, UserId};
use domain::money::NanoDollars;
use domain::name::Name;
use domain::usage::Of;

use super::PAGE;
use crate::error::Result;
use crate::ledger::Ledger;
use crate::spend::Spend;
use crate::store::Shard;

/// What is awake and what was spent.
pub(super) struct Everybody {
    awake: Vec<(UserId, AgentId, NanoDollars)>,
    spent: BTreeMap<UserId, NanoDollars>,
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
                let page = ledger.store.fleet(shard, after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.id);
                awake.extend(page.iter().filter(|summary| summary.is_awake()).map(|summary| {
                    let Summary { size, provider, on_demand, .. } = *summary;
                    let running = summary.open.map(|(_, rate)| rate);
                    (summary.owner, summary.id, reserve_of(running, size, provider, on_demand, &rates))
                }));
            }
        }
        let mut spent: BTreeMap<UserId, NanoDollars> = BTreeMap::new();
        let spend = Spend::new(ledger.store.clone(), ledger.clock.clone());
        for (line, amount) in spend.owners_of_fleet(now.month()).await? {
            if let Of::Owner(owner) = line.of {
                *spent.entry(owner).or_default() += amount.cost;
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
        let spent = self.spent.iter().filter(|(owner, _)| self.holds(of, **owner));
        standing.spent = spent.map(|(_, spent)| *spent).sum();
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
