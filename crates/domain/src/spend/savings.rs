//! What was saved, against other ways to have the same agents.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::agent::ProviderName;
use crate::money::{NanoDollars, Rate};
use crate::price::{Basis, Purchase, Rates};
use crate::size::Size;
use crate::time::{Month, Timestamp};
use crate::usage::{Amount, Kind};

/// An EC2 t4g.small on demand, us-east-1, by AWS's list of 2026-11-23: what
/// people would rent for an agent of their own.
pub const T4G_SMALL: Rate = Rate(16_800_000);

/// What was saved, against what else one might have done with the agents that
/// were used this month, while they were there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Savings {
    pub agents: u32,
    /// The same use on demand, less what it cost; nothing where none was bought on
    /// Spot, or the book does not say what that costs.
    pub spot: Option<NanoDollars>,
    /// All of them awake all the time, at Spot's price, if the book has it.
    pub always_on: Option<NanoDollars>,
    /// A t4g.small for each.
    pub t4g_small: NanoDollars,
}

/// An agent that was used in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    pub size: Size,
    pub awake_ms: u64,
    /// Since when it is there; of one that is no more only what it used counts.
    pub created_at: Option<Timestamp>,
}

impl Used {
    /// How long it would have been awake that month if it never slept.
    fn lived(&self, month: Month, now: Timestamp) -> Duration {
        let since = |at: Timestamp| month.until(now).since(at.max(month.start()));
        let there = self.created_at.map_or(Duration::ZERO, since);
        there.max(Duration::from_millis(self.awake_ms))
    }
}

/// What a month's kinds of use saved.
pub fn savings(
    month: Month,
    now: Timestamp,
    kinds: &[(Kind, Amount)],
    agents: &[Used],
    rates: &Rates,
) -> Savings {
    let over = |rate: Rate, ms: u64| rate.over(Duration::from_millis(ms));
    // What runs on this machine was not bought at all.
    let is_on_spot = |kind: &Kind| {
        matches!(kind.purchase, Purchase::Spot | Purchase::SpotArm) && kind.provider != ProviderName::Local
    };
    let bought_on_spot = kinds.iter().filter(|(kind, _)| is_on_spot(kind));
    let spot = bought_on_spot
        .map(|(kind, amount)| -> Option<NanoDollars> {
            let instead =
                if kind.purchase == Purchase::SpotArm { Purchase::OnDemandArm } else { Purchase::OnDemand };
            let rate = rates.machine(instead, kind.size).filter(|_| kind.basis != Basis::Unpriced)?;
            Some(over(rate, amount.awake_ms) - amount.cost)
        })
        .reduce(|sum, saved| Some(sum? + saved?));
    let always_on =
        |used: &Used| Some(rates.machine(Purchase::Spot, used.size)?.over(used.lived(month, now)));
    Savings {
        agents: u32::try_from(agents.len()).unwrap_or(u32::MAX),
        spot: spot.flatten(),
        always_on: agents.iter().map(always_on).sum(),
        t4g_small: agents.iter().map(|used| T4G_SMALL.over(used.lived(month, now))).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::PriceBook;
    use crate::time::Day;

    const NOVEMBER: Month = Month { year: 2026, month: 11 };

    fn on(provider: ProviderName) -> Kind {
        Kind { provider, purchase: Purchase::Spot, basis: Basis::of(provider), size: Size::Standard }
    }

    #[test]
    fn a_hundred_small_agents_always_on_are_the_proposals_sum() {
        let agents = [Used { size: Size::Small, awake_ms: 0, created_at: Some(Timestamp(0)) }; 100];
        // 730 hours are a mean month; November has 720.
        let saved = savings(NOVEMBER, NOVEMBER.next().start(), &[], &agents, &Rates::proposal());
        assert_eq!(saved.always_on, Some(Rates::proposal().rate(Size::Small).hours(720).times(100)));
        assert_eq!(saved.t4g_small.to_decimal(2), "1209.60");
        let kind = on(ProviderName::Fargate);
        let cost = Rates::proposal().rate(kind.size).hours(1);
        let saved = savings(
            NOVEMBER,
            NOVEMBER.start(),
            &[(kind, Amount { cost, awake_ms: 3_600_000 })],
            &[],
            &Rates::proposal(),
        );
        assert_eq!(saved.spot, Some(Rates::proposal().on_demand(kind.size).hours(1) - cost));
        assert_eq!(saved.always_on, Some(NanoDollars::ZERO));
    }

    #[test]
    fn nothing_is_saved_before_an_agent_was_made_nor_after_it_is_gone() {
        let (rates, now) = (Rates::proposal(), NOVEMBER.next().start());
        let made = |days_before: u64| Used {
            size: Size::Small,
            awake_ms: 3_600_000,
            created_at: Some(now.before(Duration::from_secs(days_before * 86_400))),
        };
        let saved = |agents: &[Used]| savings(NOVEMBER, now, &[], agents, &rates);
        let hours = |hours| (Some(rates.rate(Size::Small).hours(hours)), T4G_SMALL.hours(hours));
        let sums = |saved: Savings| (saved.always_on, saved.t4g_small);
        assert_eq!(sums(saved(&[made(5)])), hours(5 * 24));
        assert_eq!(sums(saved(&[made(500)])), hours(30 * 24));
        assert_eq!(sums(saved(&[Used { created_at: None, ..made(0) }])), hours(1));
    }

    #[test]
    fn what_runs_on_this_machine_was_not_bought_on_spot() {
        let kind = on(ProviderName::Local);
        let hour = Amount { cost: NanoDollars(1), awake_ms: 3_600_000 };
        let saved = savings(NOVEMBER, NOVEMBER.start(), &[(kind, hour)], &[], &Rates::proposal());
        assert_eq!(saved.spot, None);
    }

    #[test]
    fn spot_is_compared_with_the_same_processor_on_demand_and_with_nothing_unknown() {
        let rates = Rates::proposal();
        let kind = Kind { purchase: Purchase::SpotArm, ..on(ProviderName::Fargate) };
        let hour = Amount { cost: NanoDollars(1), awake_ms: 3_600_000 };
        let agents = [Used { size: kind.size, awake_ms: hour.awake_ms, created_at: None }];
        let saved = |rates: &Rates| savings(NOVEMBER, NOVEMBER.start(), &[(kind, hour)], &agents, rates);
        let arm = rates.machine(Purchase::OnDemandArm, kind.size).unwrap().hours(1);
        assert_eq!(saved(&rates).spot, Some(arm - NanoDollars(1)));
        let elsewhere = saved(&PriceBook::proposal().rates("eu-west-1", Day(20_000)));
        assert_eq!((elsewhere.spot, elsewhere.always_on), (None, None));
    }
}
