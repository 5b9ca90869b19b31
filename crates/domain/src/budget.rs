//! Budgets: what a person may spend in a month, how many agents may be awake at
//! once, and of which sizes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::agent::{Agent, Phase};
use crate::id::UserId;
use crate::money::NanoDollars;
use crate::price::Rates;
use crate::size::Size;
use crate::time::{Month, Timestamp};

/// What an agent may spend before its budget is looked at again, its last save
/// included: so much is put aside for each that is awake.
pub const RESERVE: Duration = Duration::from_secs(600);

/// A person's limits; each may be absent.
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

/// A person's budget in the ledger, with what they were told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub owner: UserId,
    /// Counts changes and admissions; a write that names an older one is refused.
    #[serde(skip)]
    pub version: u64,
    pub budget: Budget,
    /// Newest last.
    pub notices: Vec<Notice>,
}

/// That so much of a month's budget is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub month: Month,
    pub percent: u8,
    pub at: Timestamp,
}

/// At which parts of a budget its owner is told, in percent.
pub const NOTICES: [u8; 3] = [50, 80, 100];
/// Notices that are kept.
const NOTICES_MAX: usize = 36;

/// Where an owner's agents stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// This month so far.
    pub spent: NanoDollars,
    pub awake: u32,
    /// Put aside for those that are awake.
    pub reserved: NanoDollars,
}

/// Why an agent may not be woken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverBudget {
    #[error(
        "this month's budget of ${} is used up, or set aside for agents that are awake; \
         an administrator can raise it",
        .limit.to_decimal(2)
    )]
    Spent { limit: NanoDollars },
    #[error("{most} agents may be awake at once: put one to sleep, or ask an administrator for more")]
    Awake { most: u32 },
    #[error("agents of size {size} are not allowed to you; an administrator can allow them")]
    Size { size: Size },
}

/// Whether it counts as awake: something of it costs money, or soon will.
pub fn is_awake(agent: &Agent) -> bool {
    agent.instance.is_some()
        || !matches!(agent.phase, Phase::Asleep | Phase::Failed { .. } | Phase::Deleting | Phase::Deleted)
}

/// What is put aside for an agent that is awake: the dearest that it may run
/// as, until the budget is looked at again.
pub fn reserve(agent: &Agent, rates: &Rates) -> NanoDollars {
    let running = agent.instance.as_ref().map(|instance| instance.price.rate);
    let expected = || rates.expected(agent.size, agent.provider).rate;
    let dearest = if agent.on_demand { rates.on_demand(agent.size).max(expected()) } else { expected() };
    running.unwrap_or(dearest).over(RESERVE)
}

impl Standing {
    /// Counts an agent that exists.
    pub fn count(&mut self, agent: &Agent, rates: &Rates, now: Timestamp) {
        let month = now.month();
        let open = agent.open_segment();
        self.spent += agent.settled.in_month(month)
            + open.map_or(NanoDollars::ZERO, |segment| segment.cost_from(month.start(), now));
        if is_awake(agent) {
            self.awake += 1;
            self.reserved += reserve(agent, rates);
        }
    }
}

impl Budget {
    /// Whether an agent may be woken beside what stands.
    ///
    /// # Errors
    /// What forbids it.
    pub fn admits(&self, standing: &Standing, size: Size, reserve: NanoDollars) -> Result<(), OverBudget> {
        if self.sizes.as_ref().is_some_and(|sizes| !sizes.contains(&size)) {
            return Err(OverBudget::Size { size });
        }
        if let Some(most) = self.awake.filter(|most| standing.awake >= *most) {
            return Err(OverBudget::Awake { most });
        }
        let needed = standing.spent + standing.reserved + reserve;
        match self.month {
            Some(limit) if needed > limit => Err(OverBudget::Spent { limit }),
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
    pub fn new(owner: UserId) -> Self {
        Self { owner, version: 0, budget: Budget::default(), notices: Vec::new() }
    }

    /// The account with the notices that are due; `None` when none is.
    pub fn noticed(&self, spent: NanoDollars, now: Timestamp) -> Option<Self> {
        let (used, month) = (self.budget.used(spent)?, now.month());
        let told = |percent: u8| {
            self.notices.iter().any(|notice| notice.month == month && notice.percent >= percent)
        };
        let due = NOTICES.into_iter().filter(|percent| used >= u64::from(*percent) && !told(*percent));
        let due: Vec<Notice> = due.map(|percent| Notice { month, percent, at: now }).collect();
        if due.is_empty() {
            return None;
        }
        let mut account = self.clone();
        account.notices.extend(due);
        account.notices.drain(..account.notices.len().saturating_sub(NOTICES_MAX));
        Some(account)
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
        let standing = Standing { spent: dollars(60), awake: 1, reserved: dollars(30) };
        assert_eq!(budget.admits(&standing, Size::Small, dollars(10)), Ok(()));
        let spent = OverBudget::Spent { limit: dollars(100) };
        assert_eq!(budget.admits(&standing, Size::Small, dollars(11)), Err(spent));
        assert_eq!(
            budget.admits(&standing, Size::Huge, dollars(1)),
            Err(OverBudget::Size { size: Size::Huge })
        );
        let full = Standing { awake: 2, ..standing };
        assert_eq!(budget.admits(&full, Size::Small, dollars(1)), Err(OverBudget::Awake { most: 2 }));
        assert_eq!(Budget::default().admits(&full, Size::Huge, dollars(9999)), Ok(()));
    }

    #[test]
    fn each_part_of_a_budget_is_told_once_a_month() {
        let budget = Budget { month: Some(dollars(100)), ..Budget::default() };
        let account = Account { budget, ..Account::new(UserId::from_random([1; 10])) };
        let now = Timestamp(1_790_000_000_000);
        assert_eq!(account.noticed(dollars(49), now), None);
        let half = account.noticed(dollars(50), now).unwrap();
        assert_eq!(half.noticed(dollars(79), now), None);
        let all = half.noticed(dollars(250), now).unwrap();
        assert_eq!(all.notices.iter().map(|notice| notice.percent).collect::<Vec<_>>(), [50, 80, 100]);
        assert_eq!(all.noticed(dollars(300), now), None);
        let next = Timestamp(now.month().next().start().0);
        assert_eq!(all.noticed(dollars(0), next), None);
        assert_eq!(all.noticed(dollars(51), next).unwrap().notices.len(), 4);
    }
}
