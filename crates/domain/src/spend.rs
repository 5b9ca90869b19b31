//! What a month came to, as a page shows it: drawn from lines of usage, never
//! from segments.

mod forecast;
mod query;
mod savings;
mod upkeep;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::agent::ProviderName;
use crate::id::{AgentId, UserId};
use crate::money::NanoDollars;
use crate::name::Name;
use crate::price::{Basis, Purchase};
use crate::size::Size;
use crate::time::{Day, Month, Timestamp};
use crate::usage::{Amount, Kind};

pub use forecast::Forecast;
pub use query::Query;
pub use savings::{Savings, T4G_SMALL, Used, savings};
pub use upkeep::{Installation, Upkeep};

/// Series that are drawn apart; what is left is one more.
pub const SERIES_MAX: usize = 6;
/// Agents and people that are named.
pub const TOP: usize = 10;
/// Whose money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    #[default]
    Own,
    Fleet,
}

/// What the days are stacked by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    #[default]
    Provider,
    /// How the machine was bought.
    Option,
    Size,
    Team,
}

impl By {
    pub const ALL: [Self; 4] = [Self::Provider, Self::Option, Self::Size, Self::Team];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Option => "option",
            Self::Size => "size",
            Self::Team => "team",
        }
    }
}

impl Scope {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Fleet => "fleet",
        }
    }
}

/// What a series is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slice {
    Provider(ProviderName, Basis),
    Option(Purchase, Basis),
    Size(Size),
    /// Nobody's: of people without a team.
    Team(Option<Name>),
    /// All that is too small to be drawn apart.
    Rest,
}

impl Slice {
    /// The slice that a kind of use belongs to, of someone in that team.
    pub fn of(by: By, kind: &Kind, team: Option<&Name>) -> Self {
        match by {
            By::Provider => Self::Provider(kind.provider, kind.basis),
            By::Option => Self::Option(kind.purchase, kind.basis),
            By::Size => Self::Size(kind.size),
            By::Team => Self::Team(team.cloned()),
        }
    }
}

/// One band of the stacked days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    pub of: Slice,
    pub total: Amount,
    /// What of its time has no price: it is in no sum.
    pub unpriced_ms: u64,
    /// Of each of the month's days, from its first.
    pub days: Vec<NanoDollars>,
    /// The same of the time that has no price.
    pub unpriced_days: Vec<u64>,
}

/// Who or what cost most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Top<Id> {
    pub id: Id,
    /// Nothing where it is not known any more.
    pub name: Option<Name>,
    pub amount: Amount,
    /// What of the time has no price.
    pub unpriced_ms: u64,
}

/// A month of somebody's money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub scope: Scope,
    pub by: By,
    pub month: Month,
    /// The last instant that counts.
    pub as_of: Timestamp,
    pub total: Amount,
    /// What of it nobody bills.
    pub estimate: NanoDollars,
    /// Time whose price is unknown: in no sum of money.
    pub unpriced_ms: u64,
    /// What each of the month's days cost, from its first.
    pub days: Vec<NanoDollars>,
    /// The same of the time that has no price.
    pub unpriced_days: Vec<u64>,
    /// Largest first; by team, of those who spent most.
    pub series: Vec<Series>,
    /// Of a month that is not over.
    pub forecast: Option<Forecast>,
    pub savings: Savings,
    pub agents: Vec<Top<AgentId>>,
    /// In the fleet's alone.
    pub people: Vec<Top<UserId>>,
    /// What the installation costs besides them all; in the fleet's alone, and
    /// in no other sum.
    pub installation: Vec<Upkeep>,
    /// The month's limit, where there is one.
    pub limit: Option<NanoDollars>,
}

/// A day's use of one kind, of someone in a team.
#[derive(Debug, Clone)]
pub struct DayUse {
    pub day: Day,
    pub kind: Kind,
    pub team: Option<Name>,
    pub amount: Amount,
}

impl Month {
    /// How many days it has.
    pub fn days(self) -> usize {
        usize::try_from(self.next().start().day().0 - self.start().day().0).unwrap_or(31)
    }

    /// The first instant after it, or now if that comes before.
    pub fn until(self, now: Timestamp) -> Timestamp {
        self.next().start().min(now)
    }
}

/// The days' bands, largest first, with what is too small as one.
pub fn series(month: Month, by: By, uses: &[DayUse]) -> Vec<Series> {
    let mut slices: BTreeMap<Slice, Series> = BTreeMap::new();
    for used in uses {
        let of = Slice::of(by, &used.kind, used.team.as_ref());
        let entry = slices.entry(of.clone());
        let series = entry.or_insert_with(|| Series { of, ..Series::rest(month) });
        series.add(month, used);
    }
    let mut all: Vec<Series> = slices.into_values().collect();
    all.sort_by(|a, b| b.total.cost.cmp(&a.total.cost).then_with(|| a.of.cmp(&b.of)));
    if all.len() > SERIES_MAX {
        let mut rest = Series::rest(month);
        for small in all.drain(SERIES_MAX - 1..) {
            rest.total += small.total;
            rest.unpriced_ms += small.unpriced_ms;
            rest.days.iter_mut().zip(small.days).for_each(|(sum, day)| *sum += day);
            rest.unpriced_days.iter_mut().zip(small.unpriced_days).for_each(|(sum, day)| *sum += day);
        }
        all.push(rest);
    }
    all
}

impl Series {
    /// All of it as one.
    pub fn whole(month: Month, uses: &[DayUse]) -> Self {
        let mut whole = Self::rest(month);
        uses.iter().for_each(|used| whole.add(month, used));
        whole
    }

    fn rest(month: Month) -> Self {
        let (days, unpriced_days) = (vec![NanoDollars::ZERO; month.days()], vec![0; month.days()]);
        Self { of: Slice::Rest, total: Amount::default(), unpriced_ms: 0, days, unpriced_days }
    }

    fn add(&mut self, month: Month, used: &DayUse) {
        let unpriced_ms = used.kind.unpriced_ms(used.amount);
        self.total += used.amount;
        self.unpriced_ms += unpriced_ms;
        let index = usize::try_from(used.day.0 - month.start().day().0).ok();
        if let Some(index) = index.filter(|index| *index < self.days.len()) {
            self.days[index] += used.amount.cost;
            self.unpriced_days[index] += unpriced_ms;
        }
    }
}

impl Report {
    /// What an hour awake cost in the mean, of the hours that have a price.
    pub fn per_awake_hour(&self) -> Option<NanoDollars> {
        let priced = self.total.awake_ms.saturating_sub(self.unpriced_ms);
        let nanos = i128::from(self.total.cost.0) * 3_600_000;
        let hour = nanos.checked_div(i128::from(priced))?;
        i64::try_from(hour).ok().map(NanoDollars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOVEMBER: Month = Month { year: 2026, month: 11 };

    fn used(day: i64, provider: ProviderName, cents: i64) -> DayUse {
        let kind =
            Kind { provider, purchase: Purchase::Spot, basis: Basis::of(provider), size: Size::Standard };
        let amount = Amount { cost: NanoDollars(cents * 10_000_000), awake_ms: 3_600_000 };
        DayUse { day: Day(NOVEMBER.start().day().0 + day), kind, team: None, amount }
    }

    #[test]
    fn bands_are_by_what_was_asked_and_add_up() {
        let uses = [
            used(0, ProviderName::Local, 5),
            used(0, ProviderName::Fargate, 7),
            used(29, ProviderName::Local, 1),
        ];
        let bands = series(NOVEMBER, By::Provider, &uses);
        assert_eq!(bands.len(), 2);
        assert_eq!(bands[0].of, Slice::Provider(ProviderName::Fargate, Basis::Billed));
        assert_eq!(bands[1].days[29], NanoDollars(10_000_000));
        assert_eq!(bands[1].total.cost, NanoDollars(60_000_000));
        assert_eq!(series(NOVEMBER, By::Size, &uses).len(), 1);
    }

    #[test]
    fn what_is_too_small_is_one_band() {
        let uses: Vec<DayUse> = ('a'..='j')
            .zip(1..)
            .map(|(name, cents)| DayUse {
                team: Some(name.to_string().parse().unwrap()),
                ..used(cents, ProviderName::Local, cents)
            })
            .collect();
        let bands = series(NOVEMBER, By::Team, &uses);
        assert_eq!(bands.len(), SERIES_MAX);
        assert_eq!(bands[SERIES_MAX - 1].of, Slice::Rest);
        let sum: NanoDollars = bands.iter().map(|band| band.total.cost).sum();
        assert_eq!(sum, NanoDollars(550_000_000));
        assert_eq!(bands.iter().flat_map(|band| band.days.clone()).sum::<NanoDollars>(), sum);
    }

    #[test]
    fn time_without_a_price_is_told_in_its_band_and_on_its_day() {
        let paid = used(0, ProviderName::Fargate, 5);
        let unknown = DayUse {
            kind: Kind { basis: Basis::Unpriced, ..paid.kind },
            amount: Amount { cost: NanoDollars::ZERO, awake_ms: 7 },
            ..used(1, ProviderName::Fargate, 0)
        };
        let bands = series(NOVEMBER, By::Size, &[paid, unknown]);
        assert_eq!((bands.len(), bands[0].unpriced_ms), (1, 7));
        assert_eq!((bands[0].unpriced_days[0], bands[0].unpriced_days[1]), (0, 7));
        assert_eq!(bands[0].days[1], NanoDollars::ZERO);
    }
}
