//! Budgets: what a person, a team or everybody together may spend in a month,
//! how many agents may be awake at once, and of which sizes.

mod notice;
mod subject;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::agent::{Agent, ProviderName};
use crate::money::{NanoDollars, Rate};
use crate::name::Name;
use crate::price::{Basis, Rates};
use crate::size::Size;
use crate::time::Timestamp;

pub use notice::{Delivery, NOTICES, Notice, TRIES, Told};
pub use subject::{InvalidSubject, Subject};

/// What an agent may spend before its budget is looked at again, its last save
/// included: so much is put aside for each that is awake.
pub const RESERVE: Duration = Duration::from_secs(600);
/// How old a pool's standing may be and still be decided by: what is spent
/// meanwhile is well within what is put aside.
pub const POOL_FRESH: Duration = Duration::from_secs(120);

/// Limits; each may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// In a UTC month.
    #[serde(default)]
    pub month: Option<NanoDollars>,
    /// Agents awake at once, those that boot or are being saved included.
    #[serde(default)]
    pub awake: Option<u32>,
    /// Sizes that may be started.
    #[serde(default)]
    pub sizes: Option<Vec<Size>>,
}

/// A budget in the ledger, with what was told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub of: Subject,
    /// Counts changes and admissions; a write that names an older one is refused.
    #[serde(skip)]
    pub version: u64,
    pub budget: Budget,
    /// Newest last.
    pub notices: Vec<Notice>,
    /// The budget was set, and nobody has looked since how it stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlooked: bool,
    /// Of a team and of the fleet, whose agents are too many to be counted at
    /// every wake: how they stood at the last look, and what was admitted since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<Pool>,
}

/// A budget as it is listed, with how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub of: Subject,
    /// The person's or team's.
    pub name: Option<Name>,
    pub budget: Budget,
    pub notices: Vec<Notice>,
    /// Nothing where too many are listed.
    pub standing: Option<Standing>,
}

/// How many agents of many owners stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// When they were looked at.
    pub at: Timestamp,
    pub standing: Standing,
}

/// Where agents stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// This month so far.
    pub spent: NanoDollars,
    pub awake: u32,
    /// Put aside for those that are awake.
    pub reserved: NanoDollars,
    /// Part of what was done has no price, and is not in what was spent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpriced: bool,
}

/// Why an agent may not be woken, and by whose budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {limit}", .of.whose())]
pub struct OverBudget {
    pub of: Subject,
    pub limit: Limit,
}

/// A limit that was reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    #[error(
        "this month's budget of ${} is used up, or set aside for agents that are awake; \
         an administrator can raise it",
        .month.to_decimal(2)
    )]
    Spent { month: NanoDollars },
    #[error(
        "no more than {most} may be awake at once: put an agent to sleep, or ask an administrator for more"
    )]
    Awake { most: u32 },
    #[error("agents of size {size} are not allowed; an administrator can allow them")]
    Size { size: Size },
}

/// What is put aside for an agent that is awake: the dearest that it may run
/// as, until the budget is looked at again.
pub fn reserve(agent: &Agent, rates: &Rates) -> NanoDollars {
    let running = agent.instance.as_ref().map(|instance| instance.price.rate);
    reserve_of(running, agent.size, agent.provider, agent.on_demand, rates)
}

/// The same of one that is known in short.
pub fn reserve_of(
    running: Option<Rate>,
    size: Size,
    provider: ProviderName,
    on_demand: bool,
    rates: &Rates,
) -> NanoDollars {
    let expected = || rates.expected(size, provider).rate;
    let dearest = || if on_demand { rates.on_demand(size).max(expected()) } else { expected() };
    running.unwrap_or_else(dearest).over(RESERVE)
}

impl Standing {
    /// Counts an agent that exists.
    pub fn count(&mut self, agent: &Agent, rates: &Rates, now: Timestamp) {
        let month = now.month();
        let open = agent.open_segment();
        self.spent += agent.settled.in_month(month)
            + open.as_ref().map_or(NanoDollars::ZERO, |segment| segment.cost_from(month.start(), now));
        self.unpriced |= open.is_some_and(|segment| segment.price.basis == Basis::Unpriced)
            || agent.settled.is_unpriced_since(month.start());
        if agent.is_awake() {
            self.awake += 1;
            self.reserved += reserve(agent, rates);
        }
    }
}

impl Budget {
    /// Whether it limits nothing: it was taken back.
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an agent may be woken beside what stands.
    ///
    /// # Errors
    /// What forbids it.
    pub fn admits(&self, standing: &Standing, size: Size, reserve: NanoDollars) -> Result<(), Limit> {
        if self.sizes.as_ref().is_some_and(|sizes| !sizes.contains(&size)) {
            return Err(Limit::Size { size });
        }
        if let Some(most) = self.awake.filter(|most| standing.awake >= *most) {
            return Err(Limit::Awake { most });
        }
        let needed = standing.spent + standing.reserved + reserve;
        match self.month {
            Some(month) if needed > month => Err(Limit::Spent { month }),
            _ => Ok(()),
        }
    }

    /// Whole percent of the month's budget that are used; nothing without one.
    pub fn used(&self, spent: NanoDollars) -> Option<u64> {
        let limit = self.month?;
        let (spent, limit) = (u128::try_from(spent.0).ok()?, u128::try_from(limit.0).ok()?);
        Some(u64::try_from((spent * 100).checked_div(limit).unwrap_or(100)).unwrap_or(u64::MAX))
    }
}

impl Account {
    /// Somebody's that has no budget yet.
    pub fn new(of: Subject) -> Self {
        Self { of, version: 0, budget: Budget::default(), notices: Vec::new(), unlooked: false, pool: None }
    }

    /// The account after an agent was admitted beside what stands.
    ///
    /// # Errors
    /// What forbids it.
    pub fn admit(&self, standing: &Standing, size: Size, reserve: NanoDollars) -> Result<Self, OverBudget> {
        let over = |limit| OverBudget { of: self.of.clone(), limit };
        self.budget.admits(standing, size, reserve).map_err(over)?;
        let mut account = self.clone();
        if let Some(Pool { standing, .. }) = &mut account.pool {
            standing.awake += 1;
            standing.reserved += reserve;
        }
        Ok(account)
    }

    /// How its pool stands, if that was looked at lately.
    pub fn pooled(&self, now: Timestamp) -> Option<Standing> {
        self.pool.filter(|pool| now.since(pool.at) <= POOL_FRESH).map(|pool| pool.standing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(cents: i64) -> NanoDollars {
        NanoDollars(cents * 10_000_000)
    }

    #[test]
    fn what_is_put_aside_counts_before_it_is_spent() {
        let budget = Budget { month: Some(dollars(100)), awake: Some(2), sizes: Some(vec![Size::Small]) };
        let standing = Standing { spent: dollars(60), awake: 1, reserved: dollars(30), unpriced: false };
        assert_eq!(budget.admits(&standing, Size::Small, dollars(10)), Ok(()));
        let spent = Limit::Spent { month: dollars(100) };
        assert_eq!(budget.admits(&standing, Size::Small, dollars(11)), Err(spent));
        assert_eq!(budget.admits(&standing, Size::Huge, dollars(1)), Err(Limit::Size { size: Size::Huge }));
        let full = Standing { awake: 2, ..standing };
        assert_eq!(budget.admits(&full, Size::Small, dollars(1)), Err(Limit::Awake { most: 2 }));
        assert_eq!(Budget::default().admits(&full, Size::Huge, dollars(9999)), Ok(()));
    }

    #[test]
    fn a_pool_remembers_whom_it_admitted_until_it_is_looked_at() {
        let (now, later) = (Timestamp(1_790_000_000_000), Timestamp(1_790_000_121_000));
        let budget = Budget { awake: Some(2), ..Budget::default() };
        let pool = Some(Pool { at: now, standing: Standing::default() });
        let mut account = Account { budget, pool, ..Account::new(Subject::Fleet) };
        for _ in 0..2 {
            account = account.admit(&account.pooled(now).unwrap(), Size::Nano, dollars(1)).unwrap();
        }
        let standing = account.pooled(now).unwrap();
        assert_eq!((standing.awake, standing.reserved), (2, dollars(2)));
        let refused = account.admit(&standing, Size::Nano, dollars(1)).unwrap_err();
        assert_eq!(refused, OverBudget { of: Subject::Fleet, limit: Limit::Awake { most: 2 } });
        assert!(refused.to_string().starts_with("the fleet: no more than 2"), "{refused}");
        assert_eq!(account.pooled(later), None);
    }

    #[test]
    fn on_demand_is_put_aside_for_who_may_run_so() {
        let (rates, size) = (Rates::proposal(), Size::Small);
        let aside = |running, on_demand| reserve_of(running, size, ProviderName::Fargate, on_demand, &rates);
        assert_eq!(aside(None, false), rates.rate(size).over(RESERVE));
        assert_eq!(aside(None, true), rates.on_demand(size).over(RESERVE));
        assert_eq!(aside(Some(Rate(1)), true), Rate(1).over(RESERVE));
    }
}
