//! The dated book: lines that each hold for a span of days.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::agent::ProviderName;
use crate::time::Day;

use super::{Machine, Purchase, Rates};

/// Where the built-in book's prices are of, and estimates are by.
pub const REGION: &str = "us-east-1";

/// What a line prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A machine's virtual CPU, an hour.
    VcpuHour,
    /// A machine's memory, a GB (1,024 MiB) and hour.
    GbHour,
    /// A public IPv4 address, an hour.
    Ipv4Hour,
    /// Disk beyond what comes with a machine, a GB and hour.
    StorageGbHour,
    /// A NAT gateway, an hour.
    NatHour,
    /// What passes it, a GB.
    NatGb,
}

impl Item {
    /// The word in price books and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VcpuHour => "vcpu_hour",
            Self::GbHour => "gb_hour",
            Self::Ipv4Hour => "ipv4_hour",
            Self::StorageGbHour => "storage_gb_hour",
            Self::NatHour => "nat_hour",
            Self::NatGb => "nat_gb",
        }
    }

    fn is_machines(self) -> bool {
        matches!(self, Self::VcpuHour | Self::GbHour)
    }
}

/// How the machine of a line is bought, as a file has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purchasing {
    Spot,
    OnDemand,
}

/// The processor of a line's machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    #[default]
    X86,
    Arm,
}

/// Dollars of a line, as nano-dollars: `0.0125`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Usd(pub u64);

/// Text that is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUsd {
    #[error("a price is never negative")]
    Negative,
    #[error("a price is dollars with nine decimals at most, as in \"0.0125\"")]
    Malformed,
}

impl TryFrom<String> for Usd {
    type Error = InvalidUsd;

    fn try_from(text: String) -> Result<Self, InvalidUsd> {
        if text.starts_with('-') {
            return Err(InvalidUsd::Negative);
        }
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
        if whole.is_empty() || part.is_empty() || part.len() > 9 || !digits(whole) || !digits(part) {
            return Err(InvalidUsd::Malformed);
        }
        format!("{whole}{part:0<9}").parse().map(Self).map_err(|_| InvalidUsd::Malformed)
    }
}

/// One price, for a span of days.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceLine {
    pub provider: ProviderName,
    pub region: String,
    pub item: Item,
    /// Of machines, and of them alone.
    pub purchase: Option<Purchasing>,
    pub architecture: Option<Architecture>,
    /// The first day (UTC) that it holds.
    #[serde(deserialize_with = "day")]
    pub from: Day,
    /// The first day that it does not hold any more; `None`: it holds on.
    #[serde(default, deserialize_with = "some_day")]
    pub until: Option<Day>,
    pub usd: Usd,
}

fn day<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Day, D::Error> {
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

fn some_day<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Day>, D::Error> {
    day(from).map(Some)
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    #[error("it ends on {until}, and begins on {from}")]
    Backwards { from: Day, until: Day },
    #[error("from {from} on there are two prices of the same")]
    Overlap { from: Day },
    #[error("from {from} until {until} there is no price of the same")]
    Gap { from: Day, until: Day },
    #[error("a machine's line says how it is bought (purchase), and no other line does")]
    Purchase,
    #[error("a machine has a price for both vcpu_hour and gb_hour, over the same days")]
    Half,
}

type Key = (ProviderName, String, Option<Purchase>, Item);

/// Dated prices, checked as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceBook {
    version: String,
    lines: Vec<PriceLine>,
}

impl PriceLine {
    fn bought(&self) -> Option<Purchase> {
        Some(match (self.purchase?, self.architecture.unwrap_or_default()) {
            (Purchasing::Spot, Architecture::X86) => Purchase::Spot,
            (Purchasing::Spot, Architecture::Arm) => Purchase::SpotArm,
            (Purchasing::OnDemand, Architecture::X86) => Purchase::OnDemand,
            (Purchasing::OnDemand, Architecture::Arm) => Purchase::OnDemandArm,
        })
    }

    fn key(&self) -> Key {
        (self.provider, self.region.clone(), self.bought(), self.item)
    }

    fn holds(&self, region: &str, day: Day) -> bool {
        self.region == region && self.from <= day && self.until.is_none_or(|until| day < until)
    }
}

impl PriceBook {
    /// A book of these lines, if all of them are right.
    ///
    /// # Errors
    /// The number of the first line that is not, from 0, and why.
    pub fn new(version: String, lines: Vec<PriceLine>) -> Result<Self, (usize, LineFault)> {
        let mut series: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
        for (number, line) in lines.iter().enumerate() {
            let described = line.purchase.is_some() || line.architecture.is_some();
            if described != line.item.is_machines() || line.item.is_machines() != line.purchase.is_some() {
                return Err((number, LineFault::Purchase));
            }
            if let Some(until) = line.until.filter(|until| *until <= line.from) {
                return Err((number, LineFault::Backwards { from: line.from, until }));
            }
            series.entry(line.key()).or_default().push(number);
        }
        for numbers in series.values_mut() {
            numbers.sort_by_key(|number| lines[*number].from);
            for pair in numbers.windows(2) {
                let (before, line) = (&lines[pair[0]], &lines[pair[1]]);
                match before.until {
                    Some(until) if until < line.from => {
                        return Err((pair[1], LineFault::Gap { from: until, until: line.from }));
                    }
                    Some(until) if until == line.from => {}
                    _ => return Err((pair[1], LineFault::Overlap { from: line.from })),
                }
            }
        }
        // Half a machine's price would pass for the whole.
        let span = |numbers: &Vec<usize>| {
            (numbers.first().map(|n| lines[*n].from), numbers.last().and_then(|n| lines[*n].until))
        };
        for (key, numbers) in &series {
            let other = match key.3 {
                Item::VcpuHour => Item::GbHour,
                Item::GbHour => Item::VcpuHour,
                _ => continue,
            };
            let other = series.get(&(key.0, key.1.clone(), key.2, other));
            if other.is_none_or(|other| span(other) != span(numbers)) {
                return Err((numbers[0], LineFault::Half));
            }
        }
        Ok(Self { version, lines })
    }

    /// The owner's proposal of 2026-01-31: Fargate Spot, us-east-1, Linux on
    /// x86; $0.0125 a vCPU-hour, $0.0015 a GB-hour. On demand and what else is
    /// billed by AWS's list of 2026-11-23. AWS publishes no price of Spot with
    /// ARM apart: it counts as Spot.
    pub fn proposal() -> Self {
        use Architecture::{Arm, X86};
        use Purchasing::{OnDemand, Spot};
        let line = |item, bought: Option<(Purchasing, Architecture)>, nanos| PriceLine {
            provider: ProviderName::Fargate,
            region: REGION.to_owned(),
            item,
            purchase: bought.map(|(purchase, _)| purchase),
            architecture: bought.map(|(_, architecture)| architecture),
            from: Day(0),
            until: None,
            usd: Usd(nanos),
        };
        let machine = |purchase, architecture, vcpu, gb| {
            let bought = Some((purchase, architecture));
            [line(Item::VcpuHour, bought, vcpu), line(Item::GbHour, bought, gb)]
        };
        let mut lines = [
            machine(Spot, X86, 12_500_000, 1_500_000),
            machine(Spot, Arm, 12_500_000, 1_500_000),
            machine(OnDemand, X86, 40_480_000, 4_445_000),
            machine(OnDemand, Arm, 32_380_000, 3_560_000),
        ]
        .concat();
        lines.extend([
            line(Item::Ipv4Hour, None, 5_000_000),
            line(Item::StorageGbHour, None, 111_000),
            line(Item::NatHour, None, 45_000_000),
            line(Item::NatGb, None, 45_000_000),
        ]);
        Self { version: "fargate-spot-us-east-1-2026-01-31".to_owned(), lines }
    }

    /// What holds in a region on a day.
    pub fn rates(&self, region: &str, day: Day) -> Rates {
        let holding = || self.lines.iter().filter(move |line| line.holds(region, day));
        let memory = |cpu: &PriceLine| {
            holding().find(|line| {
                line.item == Item::GbHour && line.provider == cpu.provider && line.bought() == cpu.bought()
            })
        };
        let machines = holding().filter(|line| line.item == Item::VcpuHour).filter_map(|cpu| {
            Some(Machine {
                provider: cpu.provider,
                purchase: cpu.bought()?,
                vcpu_hour: cpu.usd.0,
                gb_hour: memory(cpu)?.usd.0,
            })
        });
        let extras = holding().filter(|line| !line.item.is_machines());
        Rates {
            version: self.version.clone(),
            machines: machines.collect(),
            extras: extras.map(|line| (line.provider, line.item, line.usd.0)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_book_passes_its_own_check() {
        let PriceBook { version, lines } = PriceBook::proposal();
        assert!(PriceBook::new(version, lines).is_ok());
    }

    #[test]
    fn a_price_reads_to_the_nano_dollar() {
        let usd = |text: &str| Usd::try_from(text.to_owned()).map(|usd| usd.0);
        assert_eq!(usd("0.0125"), Ok(12_500_000));
        assert_eq!(usd("3"), Ok(3_000_000_000));
        assert_eq!(usd("0.000000001"), Ok(1));
        assert_eq!(usd("-0.1"), Err(InvalidUsd::Negative));
        for text in ["", ".", "1.", ".1", "0.0000000001", "1e3", "$1", "99999999999999"] {
            assert_eq!(usd(text), Err(InvalidUsd::Malformed), "{text}");
        }
    }
}
