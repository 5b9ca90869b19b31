//! What an installation costs besides its agents, whoever is awake: an estimate
//! by the price book and the time that passed (docs/decisions/0018).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::agent::ProviderName;
use crate::money::{NanoDollars, Rate};
use crate::price::{Item, Rates};
use crate::time::{Day, Month, Timestamp};

/// What of an installation is there all the time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Installation {
    /// NAT gateways, by which agents reach the internet. Each has a public IPv4
    /// address; the agents have none.
    pub nat_gateways: u32,
}

/// One thing that it has, for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upkeep {
    pub item: Item,
    /// Milliseconds of all of them together.
    pub ms: u64,
    /// Nothing where the book has no price of it.
    pub cost: Option<NanoDollars>,
}

impl Installation {
    /// What each day of a month comes to until an instant, by the prices of
    /// that day.
    pub fn days(self, month: Month, until: Timestamp, rates: impl Fn(Day) -> Rates) -> Vec<(Day, Upkeep)> {
        let count = self.nat_gateways;
        let (first, last) = (month.start().day(), Day(month.next().start().day().0 - 1).min(until.day()));
        let days = (first.0..=last.0).map(Day).filter(|day| count > 0 && day.start() < until);
        days.flat_map(|day| {
            let passed = day.next().start().min(until).since(day.start());
            let rates = rates(day);
            [Item::NatHour, Item::Ipv4Hour].map(|item| {
                let price = rates.item(ProviderName::Fargate, item);
                let cost = price.map(|price| Rate(price).over(passed).times(count));
                (day, Upkeep { item, ms: ms(passed).saturating_mul(count.into()), cost })
            })
        })
        .collect()
    }
}

impl Upkeep {
    /// A line for each thing, of days.
    pub fn sums(days: impl IntoIterator<Item = (Day, Self)>) -> Vec<Self> {
        let mut sums: BTreeMap<Item, Self> = BTreeMap::new();
        for (_, day) in days {
            sums.entry(day.item)
                .and_modify(|sum| {
                    sum.ms += day.ms;
                    // A day without a price leaves the month without a sum.
                    sum.cost = sum.cost.zip(day.cost).map(|(sum, day)| sum + day);
                })
                .or_insert(day);
        }
        sums.into_values().collect()
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::{PriceBook, REGION};

    const FEBRUARY: Month = Month { year: 2028, month: 2 };

    fn proposal(_: Day) -> Rates {
        Rates::proposal()
    }

    #[test]
    fn a_month_of_gateways_and_their_addresses() {
        let whole = |gateways| {
            let installation = Installation { nat_gateways: gateways };
            Upkeep::sums(installation.days(FEBRUARY, FEBRUARY.next().start(), proposal))
        };
        assert_eq!(whole(0), []);
        let [address, gateway] = whole(2)[..] else { panic!("{:?}", whole(2)) };
        // A leap year's February has 696 hours.
        assert_eq!((gateway.item, gateway.ms), (Item::NatHour, 2 * 696 * 3_600_000));
        assert_eq!(gateway.cost.unwrap().to_decimal(2), "62.64");
        assert_eq!((address.item, address.cost.unwrap().to_decimal(2)), (Item::Ipv4Hour, "6.96".to_owned()));
    }

    #[test]
    fn a_month_that_is_not_over_counts_until_now_and_one_that_is_to_come_not_at_all() {
        let installation = Installation { nat_gateways: 1 };
        let until = FEBRUARY.start().after(Duration::from_secs(36 * 3600));
        let days = installation.days(FEBRUARY, until, proposal);
        assert_eq!(days.iter().map(|(_, part)| part.ms / 3_600_000).collect::<Vec<_>>(), [24, 24, 12, 12]);
        let sum: NanoDollars = days.iter().map(|(_, part)| part.cost.unwrap()).sum();
        let month = Upkeep::sums(days);
        assert_eq!(month.iter().map(|part| part.cost.unwrap()).sum::<NanoDollars>(), sum);
        assert_eq!(installation.days(FEBRUARY.next(), until, proposal), []);
        assert_eq!(installation.days(FEBRUARY, FEBRUARY.start(), proposal), []);
    }

    #[test]
    fn what_has_no_price_has_no_sum() {
        let none = |day: Day| PriceBook::proposal().rates("eu-west-1", day);
        assert_ne!(REGION, "eu-west-1");
        let days = Installation { nat_gateways: 1 }.days(FEBRUARY, FEBRUARY.next().start(), none);
        let month = Upkeep::sums(days);
        assert!(month.len() == 2 && month.iter().all(|part| part.cost.is_none()));
    }
}
