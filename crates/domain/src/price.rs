//! What a size costs an hour. The book is dated and versioned: a usage segment
//! keeps the price it was opened with.

mod book;
mod quote;

use serde::{Deserialize, Serialize};

use crate::agent::ProviderName;
use crate::money::Rate;
use crate::size::Size;
use crate::time::Day;

pub use book::{Architecture, InvalidUsd, Item, LineFault, PriceBook, PriceLine, Purchasing, REGION, Usd};
pub use quote::{Plan, Quote, STORAGE_FREE_GB};

/// Who gets the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// A provider bills it.
    Billed,
    /// Nobody does: it is what the size would cost on Fargate Spot. Instances
    /// on this machine cost $0.
    Estimate,
    /// A provider bills it, and no line of the price book says how much: the
    /// rate is unknown, and never to be shown as $0.
    Unpriced,
}

impl Basis {
    pub const ALL: [Self; 3] = [Self::Billed, Self::Estimate, Self::Unpriced];

    /// The word in the API and the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Billed => "billed",
            Self::Estimate => "estimate",
            Self::Unpriced => "unpriced",
        }
    }

    /// Of what a provider runs.
    pub const fn of(provider: ProviderName) -> Self {
        match provider {
            ProviderName::Local | ProviderName::Simulated => Self::Estimate,
            ProviderName::Fargate | ProviderName::Firecracker | ProviderName::Fly => Self::Billed,
        }
    }
}

/// The price of one stretch of use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Zero where the basis is [`Basis::Unpriced`], and there it means nothing.
    pub rate: Rate,
    pub basis: Basis,
    /// How the machine was bought; of an estimate, how it would be.
    #[serde(default, skip_serializing_if = "Purchase::is_spot")]
    pub purchase: Purchase,
    /// The version of the book it was read from.
    pub book: String,
}

/// How a machine is bought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purchase {
    /// Cheap, and taken back at two minutes' notice.
    #[default]
    Spot,
    /// The same, with an ARM processor.
    SpotArm,
    OnDemand,
    /// On demand, with an ARM processor.
    OnDemandArm,
}

impl Purchase {
    // A ledger's row stays below the kilobyte that a write costs.
    fn is_spot(&self) -> bool {
        *self == Self::Spot
    }

    pub const ALL: [Self; 4] = [Self::Spot, Self::SpotArm, Self::OnDemand, Self::OnDemandArm];

    /// The word in the API and the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::SpotArm => "spot_arm",
            Self::OnDemand => "on_demand",
            Self::OnDemandArm => "on_demand_arm",
        }
    }
}

/// What holds at one instant in one region: a page of the book, small enough
/// for a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// The book's.
    pub version: String,
    machines: Vec<Machine>,
    extras: Vec<(ProviderName, Item, u64)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Machine {
    provider: ProviderName,
    purchase: Purchase,
    vcpu_hour: u64,
    gb_hour: u64,
}

impl Rates {
    /// Those of the book that is built in.
    pub fn proposal() -> Self {
        PriceBook::proposal().rates(REGION, Day(0))
    }

    /// Whether any line holds at all.
    pub fn is_empty(&self) -> bool {
        self.machines.is_empty()
    }

    fn of(&self, provider: ProviderName, purchase: Purchase, size: Size) -> Option<Rate> {
        let fits = |machine: &&Machine| machine.provider == provider && machine.purchase == purchase;
        let machine = self.machines.iter().find(fits)?;
        let cpu = machine.vcpu_hour.saturating_mul(u64::from(size.cpu_millis())) / 1000;
        let memory = machine.gb_hour.saturating_mul(u64::from(size.memory_mib())) / 1024;
        Some(Rate(cpu.saturating_add(memory)))
    }

    /// Nano-dollars of what is billed apart from machines, where a line says it.
    pub fn item(&self, provider: ProviderName, item: Item) -> Option<u64> {
        self.extras.iter().find(|(of, known, _)| *of == provider && *known == item).map(|(.., price)| *price)
    }

    /// The hourly rate of a size on Fargate, bought so; nothing where no line says it.
    pub fn machine(&self, purchase: Purchase, size: Size) -> Option<Rate> {
        self.of(ProviderName::Fargate, purchase, size)
    }

    /// The hourly rate of a size on Fargate Spot, to the nano-dollar: what all
    /// estimates are by.
    pub fn rate(&self, size: Size) -> Rate {
        self.machine(Purchase::Spot, size).unwrap_or_default()
    }

    /// The hourly rate where Spot has no room.
    pub fn on_demand(&self, size: Size) -> Rate {
        self.machine(Purchase::OnDemand, size).unwrap_or_default()
    }

    /// The price of a size that runs at a provider, bought so. Where nothing is
    /// billed it is an estimate, by what the same costs on Fargate.
    pub fn launched(&self, provider: ProviderName, size: Size, purchase: Purchase) -> Price {
        let basis = Basis::of(provider);
        let seller = if basis == Basis::Estimate { ProviderName::Fargate } else { provider };
        let rate = self.of(seller, purchase, size);
        let basis = if rate.is_some() { basis } else { Basis::Unpriced };
        Price { rate: rate.unwrap_or_default(), basis, purchase, book: self.version.clone() }
    }

    /// The price that a size has on this machine.
    pub fn estimate(&self, size: Size) -> Price {
        self.launched(ProviderName::Local, size, Purchase::Spot)
    }

    /// What an agent will cost when it wakes there.
    pub fn expected(&self, size: Size, provider: ProviderName) -> Price {
        self.launched(provider, size, Purchase::Spot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::MONTH_HOURS;

    #[test]
    fn the_proposals_sums_come_out_to_the_cent() {
        let rate = Rates::proposal().rate(Size::Small);
        assert_eq!(rate, Rate(7_750_000));
        assert_eq!(rate.hours(1).to_decimal(5), "0.00775");
        assert_eq!(rate.hours(MONTH_HOURS).to_decimal(2), "5.66");
        assert_eq!(rate.hours(MONTH_HOURS).times(100).to_decimal(0), "566");
        // With an IPv4 address each, which the proposal leaves out.
        let address = Rate(Rates::proposal().item(ProviderName::Fargate, Item::Ipv4Hour).unwrap());
        assert_eq!((rate.hours(MONTH_HOURS) + address.hours(MONTH_HOURS)).times(100).to_decimal(0), "931");
    }

    #[test]
    fn on_demand_costs_what_aws_lists() {
        let price = |purchase| Rates::proposal().launched(ProviderName::Fargate, Size::Large, purchase).rate;
        assert_eq!(price(Purchase::OnDemand), Rate(40_480_000 + 4 * 4_445_000));
        assert_eq!(price(Purchase::OnDemandArm), Rate(32_380_000 + 4 * 3_560_000));
    }

    #[test]
    fn the_default_size_costs_what_the_facts_say() {
        assert_eq!(Rates::proposal().rate(Size::default()), Rate(9_250_000));
    }

    #[test]
    fn what_no_line_prices_is_unknown() {
        let rates = PriceBook::proposal().rates("eu-west-1", Day(20_000));
        assert_eq!(rates.launched(ProviderName::Fargate, Size::Small, Purchase::Spot).basis, Basis::Unpriced);
        assert_eq!(rates.expected(Size::Small, ProviderName::Local).basis, Basis::Unpriced);
        let fly = Rates::proposal().launched(ProviderName::Fly, Size::Small, Purchase::OnDemand);
        assert_eq!(fly.basis, Basis::Unpriced);
        // What only stands in Fargate's place is an estimate at its price.
        let played = Rates::proposal().launched(ProviderName::Simulated, Size::Large, Purchase::OnDemand);
        assert_eq!((played.basis, played.rate), (Basis::Estimate, Rates::proposal().on_demand(Size::Large)));
    }
}
