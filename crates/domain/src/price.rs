//! What a size costs an hour. The book is dated and versioned: a usage segment
//! keeps the price it was opened with.

use serde::{Deserialize, Serialize};

use crate::money::Rate;
use crate::size::Size;

/// Who gets the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// A provider bills it.
    Billed,
    /// Nobody does: it is what the size would cost on Fargate Spot. Instances
    /// on this machine cost $0.
    Estimate,
}

/// The price of one stretch of use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    pub rate: Rate,
    pub basis: Basis,
    /// The version of the book it was read from.
    pub book: String,
}

/// Rates of one provider, region and purchase option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceBook {
    pub version: String,
    /// Nano-dollars per vCPU and hour.
    pub vcpu_hour: u64,
    /// Nano-dollars per GB (1,024 MiB) and hour.
    pub gb_hour: u64,
}

impl PriceBook {
    /// The owner's proposal of 2026-01-31: Fargate Spot, us-east-1, Linux on
    /// x86; $0.0125 a vCPU-hour, $0.0015 a GB-hour. Compute only: no IPv4
    /// address, storage or traffic.
    pub fn proposal() -> Self {
        Self {
            version: "fargate-spot-us-east-1-2026-01-31".to_owned(),
            vcpu_hour: 12_500_000,
            gb_hour: 1_500_000,
        }
    }

    /// The hourly rate of a size, to the nano-dollar.
    pub fn rate(&self, size: Size) -> Rate {
        let cpu = self.vcpu_hour.saturating_mul(u64::from(size.cpu_millis())) / 1000;
        let memory = self.gb_hour.saturating_mul(u64::from(size.memory_mib())) / 1024;
        Rate(cpu.saturating_add(memory))
    }

    /// The price that a size has on this machine: nothing is billed, so the
    /// book's rate as an estimate.
    pub fn estimate(&self, size: Size) -> Price {
        Price { rate: self.rate(size), basis: Basis::Estimate, book: self.version.clone() }
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
    fn the_default_size_costs_what_the_facts_say() {
        assert_eq!(PriceBook::proposal().rate(Size::default()), Rate(9_250_000));
    }
}
