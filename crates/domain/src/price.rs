//! What a size costs an hour. The book is dated and versioned: a usage segment
//! keeps the price it was opened with.

use serde::{Deserialize, Serialize};

use crate::agent::ProviderName;
use crate::money::Rate;
use crate::size::Size;

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
    OnDemand,
    /// On demand, with an ARM processor.
    OnDemandArm,
}

impl Purchase {
    // A ledger's row stays below the kilobyte that a write costs.
    fn is_spot(&self) -> bool {
        *self == Self::Spot
    }

    pub const ALL: [Self; 3] = [Self::Spot, Self::OnDemand, Self::OnDemandArm];

    /// The word in the API and the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::OnDemand => "on_demand",
            Self::OnDemandArm => "on_demand_arm",
        }
    }
}

/// Rates of one provider, region and purchase option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceBook {
    pub version: String,
    /// Nano-dollars per vCPU and hour.
    pub vcpu_hour: u64,
    /// Nano-dollars per GB (1,024 MiB) and hour.
    pub gb_hour: u64,
    /// On demand: per vCPU and hour, per GB and hour; then the same for ARM.
    pub on_demand: [(u64, u64); 2],
}

impl PriceBook {
    /// The owner's proposal of 2026-01-31: Fargate Spot, us-east-1, Linux on
    /// x86; $0.0125 a vCPU-hour, $0.0015 a GB-hour. Compute only: no IPv4
    /// address, storage or traffic. On demand by AWS's list of 2026-11-23. AWS
    /// publishes no price of Spot with ARM apart: it counts as Spot.
    pub fn proposal() -> Self {
        Self {
            version: "fargate-spot-us-east-1-2026-01-31".to_owned(),
            vcpu_hour: 12_500_000,
            gb_hour: 1_500_000,
            on_demand: [(40_480_000, 4_445_000), (32_380_000, 3_560_000)],
        }
    }

    /// The hourly rate of a size, to the nano-dollar.
    pub fn rate(&self, size: Size) -> Rate {
        self.rate_as(size, Purchase::Spot)
    }

    fn rate_as(&self, size: Size, purchase: Purchase) -> Rate {
        let (vcpu_hour, gb_hour) = match purchase {
            Purchase::Spot => (self.vcpu_hour, self.gb_hour),
            Purchase::OnDemand => self.on_demand[0],
            Purchase::OnDemandArm => self.on_demand[1],
        };
        let cpu = vcpu_hour.saturating_mul(u64::from(size.cpu_millis())) / 1000;
        let memory = gb_hour.saturating_mul(u64::from(size.memory_mib())) / 1024;
        Rate(cpu.saturating_add(memory))
    }

    /// The price of a size that a provider bills.
    pub fn billed(&self, size: Size, purchase: Purchase) -> Price {
        Price {
            rate: self.rate_as(size, purchase),
            basis: Basis::Billed,
            purchase,
            book: self.version.clone(),
        }
    }

    /// The hourly rate where Spot has no room.
    pub fn on_demand(&self, size: Size) -> Rate {
        self.rate_as(size, Purchase::OnDemand)
    }

    /// What an agent will cost when it wakes there.
    pub fn expected(&self, size: Size, provider: ProviderName) -> Price {
        match Basis::of(provider) {
            Basis::Estimate => self.estimate(size),
            Basis::Billed | Basis::Unpriced => self.billed(size, Purchase::Spot),
        }
    }

    /// The price that a size has on this machine: nothing is billed, so the
    /// book's rate as an estimate.
    pub fn estimate(&self, size: Size) -> Price {
        Price { basis: Basis::Estimate, ..self.billed(size, Purchase::Spot) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::MONTH_HOURS;

    #[test]
    fn the_proposals_sums_come_out_to_the_cent() {
        let rate = PriceBook::proposal().rate(Size::Small);
        assert_eq!(rate, Rate(7_750_000));
        assert_eq!(rate.hours(1).to_decimal(5), "0.00775");
        assert_eq!(rate.hours(MONTH_HOURS).to_decimal(2), "5.66");
        assert_eq!(rate.hours(MONTH_HOURS).times(100).to_decimal(0), "566");
    }

    #[test]
    fn on_demand_costs_what_aws_lists() {
        let price = |purchase| PriceBook::proposal().billed(Size::Large, purchase).rate;
        assert_eq!(price(Purchase::OnDemand), Rate(40_480_000 + 4 * 4_445_000));
        assert_eq!(price(Purchase::OnDemandArm), Rate(32_380_000 + 4 * 3_560_000));
    }

    #[test]
    fn the_default_size_costs_what_the_facts_say() {
        assert_eq!(PriceBook::proposal().rate(Size::default()), Rate(9_250_000));
    }
}
