//! Rollups: what closed segments came to, by hour, day and month, so that a
//! dashboard reads lines and never all segments.
//!
//! A segment is folded into them day by day. Each part is a difference of the
//! segment's running totals, so that all parts add up to what it was billed,
//! to the nano-dollar.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::agent::ProviderName;
use crate::id::{AgentId, UserId};
use crate::metering::Segment;
use crate::money::NanoDollars;
use crate::price::{Basis, Purchase};
use crate::size::Size;
use crate::time::{Day, Hour, Timestamp};

/// Money and the time it was for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    pub cost: NanoDollars,
    /// Milliseconds that instances ran.
    pub awake_ms: u64,
}

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { cost: self.cost + other.cost, awake_ms: self.awake_ms.saturating_add(other.awake_ms) }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

/// What was bought. Amounts of different kinds are never one line: what nobody
/// bills, or what has no price, is told apart wherever it is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind {
    pub provider: ProviderName,
    pub purchase: Purchase,
    pub basis: Basis,
    pub size: Size,
}

/// A line of a month's rollup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    pub of: Of,
    pub kind: Kind,
}

/// What a line sums up. In an owner's rollup hours and days are each agent's;
/// in the fleet's they are everybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Of {
    Hour(Hour, Option<AgentId>),
    Day(Day, Option<AgentId>),
    /// An agent's month.
    Agent(AgentId),
    /// An owner's month.
    Owner(UserId),
}

/// Text that is no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a line of usage")]
pub struct InvalidLine;

impl fmt::Display for Kind {
    /// `fargate#spot#billed#small`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, purchase, basis, size } = self;
        write!(f, "{}#{}#{}#{size}", provider.as_str(), purchase.as_str(), basis.as_str())
    }
}

impl FromStr for Kind {
    type Err = InvalidLine;

    fn from_str(text: &str) -> Result<Self, InvalidLine> {
        let words: Vec<&str> = text.split('#').collect();
        let [provider, purchase, basis, size] = words[..] else { return Err(InvalidLine) };
        let provider = ProviderName::ALL.into_iter().find(|known| known.as_str() == provider);
        let purchase = Purchase::ALL.into_iter().find(|known| known.as_str() == purchase);
        let basis = Basis::ALL.into_iter().find(|known| known.as_str() == basis);
        Ok(Self {
            provider: provider.ok_or(InvalidLine)?,
            purchase: purchase.ok_or(InvalidLine)?,
            basis: basis.ok_or(InvalidLine)?,
            size: size.parse().map_err(|_| InvalidLine)?,
        })
    }
}

impl fmt::Display for Line {
    /// `day#2026-11-25#<agent or nothing>#fargate#spot#billed#small`: texts sort
    /// by what they are of, then by time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let agent = |agent: Option<AgentId>| agent.map_or_else(String::new, |agent| agent.to_string());
        match self.of {
            Of::Hour(hour, of) => write!(f, "hour#{hour}#{}", agent(of))?,
            Of::Day(day, of) => write!(f, "day#{day}#{}", agent(of))?,
            Of::Agent(agent) => write!(f, "agent#{agent}")?,
            Of::Owner(owner) => write!(f, "owner#{owner}")?,
        }
        write!(f, "#{}", self.kind)
    }
}

impl FromStr for Line {
    type Err = InvalidLine;

    fn from_str(text: &str) -> Result<Self, InvalidLine> {
        fn word<T: FromStr>(text: &str) -> Result<(T, &str), InvalidLine> {
            let (word, rest) = text.split_once('#').ok_or(InvalidLine)?;
            Ok((word.parse().map_err(|_| InvalidLine)?, rest))
        }
        fn agent(text: &str) -> Result<(Option<AgentId>, &str), InvalidLine> {
            match text.strip_prefix('#') {
                Some(rest) => Ok((None, rest)),
                None => word(text).map(|(agent, rest)| (Some(agent), rest)),
            }
        }
        let (kind, rest) = text.split_once('#').ok_or(InvalidLine)?;
        let (of, rest) = match kind {
            "hour" => {
                let (hour, rest) = word(rest)?;
                let (of, rest) = agent(rest)?;
                (Of::Hour(hour, of), rest)
            }
            "day" => {
                let (day, rest) = word(rest)?;
                let (of, rest) = agent(rest)?;
                (Of::Day(day, of), rest)
            }
            "agent" => word(rest).map(|(agent, rest)| (Of::Agent(agent), rest))?,
            "owner" => word(rest).map(|(owner, rest)| (Of::Owner(owner), rest))?,
            _ => return Err(InvalidLine),
        };
        Ok(Self { of, kind: rest.parse()? })
    }
}

impl Kind {
    /// How much of a use of this kind has no price: all of it, or nothing.
    pub fn unpriced_ms(&self, amount: Amount) -> u64 {
        if self.basis == Basis::Unpriced { amount.awake_ms } else { 0 }
    }
}

impl Segment {
    pub fn kind(&self) -> Kind {
        Kind {
            provider: self.provider,
            purchase: self.price.purchase,
            basis: self.price.basis,
            size: self.size,
        }
    }

    /// The days that it has a part in, up to `now`; the last one is always one
    /// that is billed.
    pub fn days(&self, now: Timestamp) -> std::ops::RangeInclusive<Day> {
        self.started_at.day()..=self.last_instant(now).day()
    }

    /// Its part of each hour of a day, without hours of nothing.
    pub fn hours(&self, day: Day, now: Timestamp) -> Vec<(Hour, Amount)> {
        let first = self.started_at.max(day.start()).hour();
        let last = self.last_instant(now).min(Timestamp(day.next().start().0 - 1)).hour();
        let part = |hour: Hour| (hour, self.before(hour.next().start(), now), self.before(hour.start(), now));
        let amounts = (first.0..=last.0).map(Hour).map(part).map(|(hour, to, from)| {
            (hour, Amount { cost: to.cost - from.cost, awake_ms: to.awake_ms - from.awake_ms })
        });
        amounts.filter(|(_, amount)| *amount != Amount::default()).collect()
    }

    /// All of it, up to `now`.
    pub fn amount(&self, now: Timestamp) -> Amount {
        Amount { cost: self.cost(now), awake_ms: ms(self.started_at, self.end(now)) }
    }

    fn before(&self, at: Timestamp, now: Timestamp) -> Amount {
        let awake_ms = ms(self.started_at, at.min(self.end(now)));
        Amount { cost: self.cost_before(at, now), awake_ms }
    }

    /// An end at a full hour belongs to the hour before it.
    fn last_instant(&self, now: Timestamp) -> Timestamp {
        Timestamp(self.end(now).0 - 1).max(self.started_at)
    }
}

fn ms(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.since(from).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Generation;
    use crate::price::Rates;
    use proptest::prelude::*;

    fn segment(provider: ProviderName, started: i64, ended: Option<i64>) -> Segment {
        Segment {
            agent: AgentId::from_random([1; 10]),
            owner: UserId::from_random([2; 10]),
            generation: Generation(1),
            size: Size::Small,
            provider,
            price: Rates::proposal().launched(ProviderName::Fargate, Size::Small, Purchase::Spot),
            started_at: Timestamp(started),
            ended_at: ended.map(Timestamp),
        }
    }

    fn parts(segment: &Segment, now: Timestamp) -> Vec<(Hour, Amount)> {
        let days = segment.days(now);
        (days.start().0..=days.end().0).flat_map(|day| segment.hours(Day(day), now)).collect()
    }

    #[test]
    fn a_minute_that_is_billed_for_no_time_at_all_counts_where_it_began() {
        let none = segment(ProviderName::Fargate, 7_200_000, Some(7_200_000));
        let parts = parts(&none, Timestamp(0));
        assert_eq!(parts, [(Hour(2), Amount { cost: none.cost(Timestamp(0)), awake_ms: 0 })]);
        assert_ne!(parts[0].1.cost, NanoDollars::ZERO);
    }

    #[test]
    fn an_end_at_midnight_belongs_to_the_day_before() {
        let leap_day = "2024-02-29".parse::<Day>().unwrap();
        let end = leap_day.next().start();
        let whole = segment(ProviderName::Fargate, leap_day.start().0, Some(end.0));
        assert_eq!(whole.days(end), leap_day..=leap_day);
        assert_eq!(parts(&whole, end).len(), 24);
    }

    proptest! {
        #[test]
        fn the_parts_of_a_segment_add_up_to_its_bill(
            fargate: bool,
            start in -4_000_000_000i64..2_000_000_000_000,
            length in prop_oneof![Just(0), -5_000i64..120_000, 0i64..3_000_000_000],
            open: bool,
        ) {
            let provider = if fargate { ProviderName::Fargate } else { ProviderName::Local };
            let end = start + length;
            let segment = segment(provider, start, (!open).then_some(end));
            let now = Timestamp(end);
            let parts = parts(&segment, now);
            prop_assert_eq!(parts.iter().map(|(_, amount)| *amount).sum::<Amount>(), segment.amount(now));
            prop_assert!(parts.iter().all(|(_, amount)| amount.cost >= NanoDollars::ZERO));
            prop_assert!(parts.iter().all(|(_, amount)| amount.awake_ms <= 3_600_000));
            prop_assert!(parts.is_sorted_by(|a, b| a.0 < b.0));
        }

        #[test]
        fn a_line_reads_back_as_it_is_written(day in -20_000i64..40_000, which in 0usize..6, kinds in 0usize..300) {
            let (agent, owner) = (AgentId::from_random([3; 10]), UserId::from_random([4; 10]));
            let of = [
                Of::Hour(Hour(day * 24 + 5), Some(agent)),
                Of::Hour(Hour(day * 24), None),
                Of::Day(Day(day), Some(agent)),
                Of::Day(Day(day), None),
                Of::Agent(agent),
                Of::Owner(owner),
            ][which];
            let kind = Kind {
                provider: ProviderName::ALL[kinds % 5],
                purchase: Purchase::ALL[kinds / 5 % 4],
                basis: Basis::ALL[kinds / 20 % 3],
                size: Size::ALL[kinds / 60],
            };
            let line = Line { of, kind };
            prop_assert_eq!(line.to_string().parse(), Ok(line));
        }
    }
}
