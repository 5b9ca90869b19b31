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

/// What it costs in a mean month of 730 hours; nothing where the book has no
/// price of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    pub machines: Option<NanoDollars>,
    pub addresses: Option<NanoDollars>,
    pub storage: Option<NanoDollars>,
    pub total: Option<NanoDollars>,
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
        // Nothing of it costs nothing, whatever its price.
        let item = |item, count: u32| match count {
            0 => Some(NanoDollars::ZERO),
            _ => rates
                .item(ProviderName::Fargate, item)
                .map(|price| all(Rate(price.saturating_mul(count.into())))),
        };
        let machines = rates.machine(self.purchase, self.size).map(all);
        let addresses = item(Item::Ipv4Hour, self.addresses.into());
        let storage = item(Item::StorageGbHour, self.storage_gb.saturating_sub(STORAGE_FREE_GB));
        Quote {
            machines,
            addresses,
            storage,
            total: [machines, addresses, storage].into_iter().sum(),
            t4g_small: T4G_SMALL.hours(MONTH_HOURS).times(self.agents),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::PriceBook;
    use crate::time::Day;

    #[test]
    fn the_proposals_table_to_the_dollar_and_what_it_leaves_out() {
        let quote = |plan: Plan| plan.quote(&Rates::proposal());
        let usd = |sum: Option<NanoDollars>| sum.unwrap().to_decimal(2);
        let whole = quote(Plan::PROPOSAL);
        assert_eq!(usd(whole.total), "565.75");
        assert_eq!(whole.t4g_small.to_decimal(2), "1226.40");
        assert_eq!(usd(quote(Plan { addresses: true, ..Plan::PROPOSAL }).total), "930.75");
        let hours = quote(Plan { hours_a_day: 8, ..Plan::PROPOSAL });
        assert_eq!(usd(hours.total), "188.58");
        assert_eq!(quote(Plan { hours_a_day: 0, ..Plan::PROPOSAL }).total, Some(NanoDollars::ZERO));
        assert_eq!(usd(quote(Plan { storage_gb: 30, ..Plan::PROPOSAL }).storage), "81.03");
    }

    #[test]
    fn what_the_book_has_no_price_of_is_unknown() {
        let elsewhere = PriceBook::proposal().rates("eu-west-1", Day(20_000));
        let quote = Plan { addresses: true, ..Plan::PROPOSAL }.quote(&elsewhere);
        assert_eq!((quote.machines, quote.addresses, quote.total), (None, None, None));
        assert_eq!(quote.storage, Some(NanoDollars::ZERO));
    }
}
