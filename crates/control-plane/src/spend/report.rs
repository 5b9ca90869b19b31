//! A month as a page shows it.

use std::collections::BTreeMap;

use domain::audit::Act;
use domain::budget::Subject;
use domain::id::{AgentId, UserId};
use domain::money::NanoDollars;
use domain::name::Name;
use domain::price::{Basis, Rates};
use domain::spend::{By, DayUse, Forecast, Query, Report, Scope, Series, TOP, Top, Upkeep, savings, series};
use domain::time::Month;
use domain::usage::{Amount, Kind, Line, Of};

use super::{Lines, Spend, Whose};
use crate::error::Result;
use crate::identity::{Principal, Right};
use crate::store::usage::{Book, View};

/// People whose days are read, to stack them by team; all else is left out of
/// the bands, and in the total.
const PEOPLE_MAX: usize = 300;

impl Spend {
    /// A month of the caller's, or by right of a role everybody's; by the prices
    /// that hold now, where it compares with what else might have been.
    pub async fn report(&self, who: &Principal, query: &Query, rates: &Rates) -> Result<Report> {
        let Query { of: scope, by, .. } = *query;
        let month = query.month.unwrap_or_else(|| self.this_month());
        let whose = self.whose(who, scope).await?;
        let views = [View::Days, View::Agents, View::Owners];
        let (now, [days, agents, owners]) = self.read(whose, month, views).await?;
        let uses = match (by, whose) {
            (By::Team, Whose::Fleet) => self.by_team(month, &owners).await?,
            _ => days.iter().filter_map(|line| day_use(line, None)).collect(),
        };
        // Whatever the bands leave out.
        let all: Vec<_> = days.iter().filter_map(|line| day_use(line, None)).collect();
        let all = Series::whole(month, &all);
        let kinds = kinds(&days);
        let sizes: BTreeMap<_, _> = agents
            .keys()
            .filter_map(|line| match line.of {
                Of::Agent(agent) => Some((agent, line.kind.size)),
                _ => None,
            })
            .collect();
        let estimated = kinds.iter().filter(|(kind, _)| kind.basis == Basis::Estimate);
        Ok(Report {
            scope,
            by,
            month,
            as_of: month.until(now),
            total: days.values().copied().sum(),
            estimate: estimated.map(|(_, amount)| amount.cost).sum(),
            unpriced_ms: kinds.iter().map(|(kind, amount)| kind.unpriced_ms(*amount)).sum(),
            forecast: Forecast::of(month, &all.days, now),
            days: all.days,
            unpriced_days: all.unpriced_days,
            series: series(month, by, &uses),
            savings: savings(month, now, &kinds, &sizes, rates),
            agents: self.top_agents(&agents).await?,
            people: self.top_people(&owners).await?,
            installation: match scope {
                Scope::Own => Vec::new(),
                Scope::Fleet => Upkeep::sums(self.upkeep(month, !days.is_empty())),
            },
            limit: self.limit(whose).await?,
        })
    }

    /// Whose lines a scope is, if who asks may see them.
    pub(super) async fn whose(&self, who: &Principal, scope: Scope) -> Result<Whose> {
        if scope == Scope::Own {
            return Ok(Whose::Owner(who.user));
        }
        self.audit.permit(who, Right::SeeFleet, || Act::SeeSpend).await?;
        Ok(Whose::Fleet)
    }

    /// Everybody's days with the team that each is in now: the fleet's books don't
    /// know people by the day, so theirs are read, of those who spent most.
    async fn by_team(&self, month: Month, owners: &Lines) -> Result<Vec<DayUse>> {
        let of = |of| if let Of::Owner(owner) = of { Some(owner) } else { None };
        let mut uses = Vec::new();
        let owners = largest(owners, PEOPLE_MAX, of).into_iter().map(|(owner, ..)| owner);
        let asked: Vec<_> = owners.map(|owner| (owner, (Book::Owner(owner), View::Days))).collect();
        let (owners, asked): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
        let (_, lines) = self.lines(Whose::Fleet, month, &asked).await?;
        for (owner, days) in owners.into_iter().zip(lines) {
            let team = self.store.user(owner).await?.and_then(|user| user.team);
            uses.extend(days.iter().filter_map(|line| day_use(line, team.as_ref())));
        }
        Ok(uses)
    }

    async fn limit(&self, whose: Whose) -> Result<Option<NanoDollars>> {
        let of = match whose {
            Whose::Owner(owner) => Subject::Person(owner),
            Whose::Fleet => Subject::Fleet,
        };
        Ok(self.store.account(&of).await?.and_then(|account| account.budget.month))
    }

    async fn top_agents(&self, lines: &Lines) -> Result<Vec<Top<AgentId>>> {
        let mut all = Vec::new();
        let of = |of| if let Of::Agent(agent) = of { Some(agent) } else { None };
        for (id, amount, unpriced_ms) in largest(lines, TOP, of) {
            let name = self.store.agent(id).await?.map(|agent| agent.name);
            all.push(Top { id, name, amount, unpriced_ms });
        }
        Ok(all)
    }

    async fn top_people(&self, lines: &Lines) -> Result<Vec<Top<UserId>>> {
        let mut all = Vec::new();
        let of = |of| if let Of::Owner(owner) = of { Some(owner) } else { None };
        for (id, amount, unpriced_ms) in largest(lines, TOP, of) {
            let name = self.store.user(id).await?.map(|user| user.name);
            all.push(Top { id, name, amount, unpriced_ms });
        }
        Ok(all)
    }
}

fn day_use((line, amount): (&Line, &Amount), team: Option<&Name>) -> Option<DayUse> {
    let Of::Day(day, _) = line.of else { return None };
    Some(DayUse { day, kind: line.kind, team: team.cloned(), amount: *amount })
}

/// What each kind of use came to.
fn kinds(days: &Lines) -> Vec<(Kind, Amount)> {
    let mut kinds: BTreeMap<Kind, Amount> = BTreeMap::new();
    for (line, amount) in days {
        *kinds.entry(line.kind).or_default() += *amount;
    }
    kinds.into_iter().collect()
}

/// Those that cost most, the dearest first.
///
/// With each the time that has no price.
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
