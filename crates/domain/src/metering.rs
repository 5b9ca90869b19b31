//! Usage segments and what they sum up to. No part of it ticks: a cost is a
//! rate times the span since a known instant, wherever it is read.

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, Generation, UserId};
use crate::money::NanoDollars;
use crate::price::Price;
use crate::size::Size;
use crate::time::{Day, Month, Timestamp};

/// One stretch of time of one instance at one price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    pub agent: AgentId,
    pub owner: UserId,
    pub generation: Generation,
    pub size: Size,
    pub price: Price,
    pub started_at: Timestamp,
    /// `None` while the meter runs.
    pub ended_at: Option<Timestamp>,
}

impl Segment {
    /// What it costs up to `now`, or up to its end when it has one.
    pub fn cost(&self, now: Timestamp) -> NanoDollars {
        self.cost_from(self.started_at, now)
    }

    /// The part of [`Segment::cost`] that falls after `from`. Parts are
    /// differences of running totals, so that they add up to the whole exactly.
    pub fn cost_from(&self, from: Timestamp, now: Timestamp) -> NanoDollars {
        let end = self.ended_at.unwrap_or(now).max(self.started_at);
        let from = from.clamp(self.started_at, end);
        self.total_at(end) - self.total_at(from)
    }

    fn total_at(&self, at: Timestamp) -> NanoDollars {
        self.price.rate.over(at.since(self.started_at))
    }
}

/// What an agent's closed segments came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    pub total: NanoDollars,
    /// The segment that closed last.
    pub last: NanoDollars,
    pub month: (Month, NanoDollars),
    pub day: (Day, NanoDollars),
}

impl Settled {
    /// Nothing yet, at `at`.
    pub fn nothing(at: Timestamp) -> Self {
        Self {
            total: NanoDollars::ZERO,
            last: NanoDollars::ZERO,
            month: (at.month(), NanoDollars::ZERO),
            day: (at.day(), NanoDollars::ZERO),
        }
    }

    /// Adds a closed segment. Only its part inside the month and day of its
    /// end counts for these.
    #[must_use]
    pub fn with(self, segment: &Segment) -> Self {
        let end = segment.ended_at.unwrap_or(segment.started_at).max(segment.started_at);
        // A clock set back must not move the books into the past.
        let day = end.day().max(self.day.0);
        let month = end.month_max(self.month.0);
        Self {
            total: self.total + segment.cost(end),
            last: segment.cost(end),
            month: (month, self.in_month(month) + segment.cost_from(month.start(), end)),
            day: (day, self.in_day(day) + segment.cost_from(day.start(), end)),
        }
    }

    /// What was settled in `month`, as far as it is the last one recorded.
    pub fn in_month(&self, month: Month) -> NanoDollars {
        if self.month.0 == month { self.month.1 } else { NanoDollars::ZERO }
    }

    /// What was settled on `day`, as far as it is the last one recorded.
    pub fn in_day(&self, day: Day) -> NanoDollars {
        if self.day.0 == day { self.day.1 } else { NanoDollars::ZERO }
    }
}

impl Timestamp {
    fn month_max(self, other: Month) -> Month {
        let month = self.month();
        if (month.year, month.month) < (other.year, other.month) { other } else { month }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::PriceBook;
    use proptest::prelude::*;

    fn segment(started: i64, ended: Option<i64>) -> Segment {
        Segment {
            agent: AgentId::from_random([1; 10]),
            owner: UserId::from_random([2; 10]),
            generation: Generation(1),
            size: Size::Small,
            price: PriceBook::proposal().estimate(Size::Small),
            started_at: Timestamp(started),
            ended_at: ended.map(Timestamp),
        }
    }

    #[test]
    fn an_hour_costs_the_rate() {
        assert_eq!(segment(0, Some(3_600_000)).cost(Timestamp(0)), NanoDollars(7_750_000));
        assert_eq!(segment(0, None).cost(Timestamp(3_600_000)), NanoDollars(7_750_000));
    }

    #[test]
    fn a_clock_set_back_costs_nothing_and_is_never_negative() {
        assert_eq!(segment(5_000, Some(1_000)).cost(Timestamp(0)), NanoDollars::ZERO);
        assert_eq!(segment(5_000, None).cost(Timestamp(1_000)), NanoDollars::ZERO);
    }

    #[test]
    fn midnight_splits_a_segment_without_losing_a_nano_dollar() {
        let midnight = Timestamp(1_709_251_200_000); // 2024-03-01
        let whole = segment(midnight.0 - 1_234_567, Some(midnight.0 + 7_654_321));
        let settled = Settled::nothing(Timestamp(0)).with(&whole);
        let before = whole.cost(Timestamp(0)) - whole.cost_from(midnight, Timestamp(0));
        assert_eq!(settled.in_day(midnight.day()) + before, settled.total);
        assert_eq!(settled.in_month(midnight.month()) + before, settled.total);
    }

    proptest! {
        #[test]
        fn the_total_is_the_sum_of_the_segments(spans in prop::collection::vec((0i64..1 << 40, 0i64..1 << 32), 0..20)) {
            let mut settled = Settled::nothing(Timestamp(0));
            let mut sum = NanoDollars::ZERO;
            for (start, length) in spans {
                let segment = segment(start, Some(start + length));
                settled = settled.with(&segment);
                sum += segment.cost(Timestamp(0));
                prop_assert!(settled.day.1 <= settled.month.1 && settled.month.1 <= settled.total);
            }
            prop_assert_eq!(settled.total, sum);
        }
    }
}
