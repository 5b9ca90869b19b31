//! The proposal's table, with other figures in it.

use std::time::Duration;

use super::{Item, Purchase, Rates};
use crate::agent::ProviderName;
use crate::money::{MONTH_HOURS, NanoDollars, Rate};
use crate::size::Size;
use crate::spend::T4G_SMALL;

/// Disk that a Fargate task has without paying for it, in GB.
pub const STORAGE_FREE_GB: u32 = 20;

/// A fleet that somebody thinks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub agents: u32,
    pub size: Size,
    pub purchase: Purchase,
    /// Hours that each is awake, of a day's 24.
    pub hours_a_day: u32,
    /// A public IPv4 address for each that is awake.
    pub addresses: bool,
    /// Disk of each, in GB.
    pub storage_gb: u32,
}

/// What it costs in a mean month of 730 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    pub machines: NanoDollars,
    pub addresses: NanoDollars,
    pub storage: NanoDollars,
    pub total: NanoDollars,
    /// A t4g.small for each, which is never asleep.
    pub t4g_small: NanoDollars,
}

impl Plan {
    /// The proposal's: a hundred of half a vCPU and 1 GB on Spot, always awake,
    /// without addresses.
    pub const PROPOSAL: Self = Self {
        agents: 100,
        size: Size::Small,
        purchase: Purchase::Spot,
        hours_a_day: 24,
        addresses: false,
        storage_gb: STORAGE_FREE_GB,
    };

    pub fn quote(&self, rates: &Rates) -> Quote {
        let awake = Duration::from_secs(u64::from(MONTH_HOURS) * 150 * u64::from(self.hours_a_day.min(24)));
        let all = |rate: Rate| rate.over(awake).times(self.agents);
        let item = |item, count: u32| {
            let price = rates.item(ProviderName::Fargate, item).unwrap_or_default();
            all(Rate(price.saturating_mul(count.into())))
        };
        let machine = match self.purchase {
            Purchase::Spot => rates.rate(self.size),
            bought => rates.launched(ProviderName::Fargate, self.size, bought).rate,
        };
        let machines = all(machine);
        let addresses = if self.addresses { item(Item::Ipv4Hour, 1) } else { NanoDollars::ZERO };
        let storage = item(Item::StorageGbHour, self.storage_gb.saturating_sub(STORAGE_FREE_GB));
        Quote {
            machines,
            addresses,
            storage,
            total: machines + addresses + storage,
            t4g_small: T4G_SMALL.hours(MONTH_HOURS).times(self.agents),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proposals_table_to_the_dollar_and_what_it_leaves_out() {
        let quote = |plan: Plan| plan.quote(&Rates::proposal());
        let whole = quote(Plan::PROPOSAL);
        assert_eq!(whole.total.to_decimal(2), "565.75");
        assert_eq!(whole.t4g_small.to_decimal(2), "1226.40");
        assert_eq!(quote(Plan { addresses: true, ..Plan::PROPOSAL }).total.to_decimal(2), "930.75");
        let hours = quote(Plan { hours_a_day: 8, ..Plan::PROPOSAL });
        assert_eq!(hours.total.to_decimal(2), "188.58");
        assert_eq!(quote(Plan { hours_a_day: 0, ..Plan::PROPOSAL }).total, NanoDollars::ZERO);
        assert_eq!(quote(Plan { storage_gb: 30, ..Plan::PROPOSAL }).storage.to_decimal(2), "81.03");
    }
}
