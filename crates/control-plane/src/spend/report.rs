//! A month as a page shows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::audit::Act;
use domain::budget::Subject;
use domain::id::UserId;
use domain::money::NanoDollars;
use domain::name::Name;
use domain::price::{Basis, Rates};
use domain::spend::{By, DayUse, Forecast, Query, Report, Scope, Series, Upkeep, savings, series};
use domain::time::Month;
use domain::usage::{Amount, Kind, Line, Of};

use super::{Lines, Spend, Whose};
use crate::error::Result;
use crate::identity::{Principal, Right};
use crate::store::usage::{Book, View};

impl Spend {
    /// A month of the caller's, or by right of a role everybody's; by the prices
    /// that hold now, where it compares with what else might have been.
    pub async fn report(&self, who: &Principal, query: &Query, rates: &Rates) -> Result<Report> {
        let Query { of: scope, by, .. } = *query;
        let month = query.month.unwrap_or_else(|| self.this_month());
        let whose = self.whose(who, scope).await?;
        let (now, days, users) = match whose {
            Whose::Owner(owner) => {
                let views = [View::Days, View::Agents];
                let (now, [days, agents]) = self.read(whose, month, views).await?;
                (now, days, Arc::new(self.users_of(owner, &agents).await?))
            }
            Whose::Fleet => {
                let (now, [days]) = self.read(whose, month, [View::Days]).await?;
                (now, days, self.users_of_fleet(month).await?)
            }
        };
        let uses = match (by, whose) {
            (By::Team, Whose::Fleet) => self.by_team(month, &users.owners).await?,
            _ => days.iter().filter_map(|line| day_use(line, None)).collect(),
        };
        // Whatever the bands leave out.
        let all: Vec<_> = days.iter().filter_map(|line| day_use(line, None)).collect();
        let all = Series::whole(month, &all);
        let kinds = kinds(&days);
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
            savings: savings(month, now, &kinds, &users.used, rates),
            agents: users.agents.clone(),
            people: users.people.clone(),
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
    async fn by_team(&self, month: Month, owners: &[UserId]) -> Result<Vec<DayUse>> {
        let mut uses = Vec::new();
        let asked: Vec<_> = owners.iter().map(|owner| (Book::Owner(*owner), View::Days)).collect();
        let (_, lines) = self.lines(Whose::Fleet, month, &asked).await?;
        for (owner, days) in owners.iter().zip(lines) {
            let team = self.store.user(*owner).await?.and_then(|user| user.team);
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
