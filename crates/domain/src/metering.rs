//! Usage segments and what they sum up to. No part of it ticks: a cost is a
//! rate times the span since a known instant, wherever it is read.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::agent::ProviderName;
use crate::id::{AgentId, Generation, UserId};
use crate::money::NanoDollars;
use crate::price::{Basis, Price};
use crate::size::Size;
use crate::time::{Day, Month, Timestamp};

/// How a provider counts time. A running meter counts every millisecond; the
/// closed segment is settled by this rule (docs/decisions/0013).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Billing {
    /// The least that is billed.
    pub minimum: Duration,
    /// What is begun of it is billed whole.
    pub step: Duration,
}

impl Billing {
    /// Fargate bills from the start of the image's pull to the task's end, by
    /// the second, a minute at least (AWS Fargate pricing, read 2026-11). The
    /// simulated provider imitates it. Elsewhere time is counted as it passed.
    pub const fn of(provider: ProviderName) -> Self {
        match provider {
            ProviderName::Fargate | ProviderName::Simulated => {
                Self { minimum: Duration::from_secs(60), step: Duration::from_secs(1) }
            }
            ProviderName::Local | ProviderName::Firecracker | ProviderName::Fly => {
                Self { minimum: Duration::ZERO, step: Duration::from_millis(1) }
            }
        }
    }

    /// What is billed of a span that has ended.
    pub fn billed(self, span: Duration) -> Duration {
        let (ms, step) = (span.as_millis(), self.step.as_millis().max(1));
        let whole = ms.div_ceil(step).saturating_mul(step);
        Duration::from_millis(u64::try_from(whole).unwrap_or(u64::MAX)).max(self.minimum)
    }
}

/// One stretch of time of one instance at one price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    pub agent: AgentId,
    pub owner: UserId,
    pub generation: Generation,
    pub size: Size,
    #[serde(default = "ProviderName::unnamed")]
    pub provider: ProviderName,
    pub price: Price,
    pub started_at: Timestamp,
    /// `None` while the meter runs.
    pub ended_at: Option<Timestamp>,
}

impl Segment {
    /// What it costs up to `now`; once it has ended, what it is billed.
    pub fn cost(&self, now: Timestamp) -> NanoDollars {
        let span = self.end(now).since(self.started_at);
        self.price.rate.over(match self.ended_at {
            Some(_) => Billing::of(self.provider).billed(span),
            None => span,
        })
    }

    /// The part of [`Segment::cost`] that falls after `from`. Parts are
    /// differences of running totals, so that they add up to the whole exactly.
    pub fn cost_from(&self, from: Timestamp, now: Timestamp) -> NanoDollars {
        self.cost(now) - self.cost_before(from, now)
    }

    /// The part that falls before `at`. What is billed beyond the time that
    /// passed counts at the end.
    pub(crate) fn cost_before(&self, at: Timestamp, now: Timestamp) -> NanoDollars {
        if at <= self.started_at {
            NanoDollars::ZERO
        } else if at >= self.end(now) {
            self.cost(now)
        } else {
            self.price.rate.over(at.since(self.started_at))
        }
    }

    /// Time and money of it that are billed between two instants; what runs is
    /// counted up to the second one.
    pub fn billed(&self, from: Timestamp, to: Timestamp) -> (Duration, NanoDollars) {
        let time = self.billed_before(to, to).saturating_sub(self.billed_before(from, to));
        (time, self.cost_before(to, to) - self.cost_before(from, to))
    }

    fn billed_before(&self, at: Timestamp, now: Timestamp) -> Duration {
        let (end, billing) = (self.end(now), Billing::of(self.provider));
        match self.ended_at {
            Some(_) if at >= end => billing.billed(end.since(self.started_at)),
            _ => at.min(end).since(self.started_at),
        }
    }

    /// Where it ends, `now` while it runs; never before its start.
    pub(crate) fn end(&self, now: Timestamp) -> Timestamp {
        self.ended_at.unwrap_or(now).max(self.started_at)
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
    /// What of it had no price, and is in no sum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpriced: Option<Unpriced>,
}

/// Closed segments that had no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpriced {
    /// When the latest of them ended.
    pub until: Timestamp,
    /// It is the segment that closed last.
    pub last: bool,
}

impl Settled {
    /// Nothing yet, at `at`.
    pub fn nothing(at: Timestamp) -> Self {
        Self {
            total: NanoDollars::ZERO,
            last: NanoDollars::ZERO,
            month: (at.month(), NanoDollars::ZERO),
            day: (at.day(), NanoDollars::ZERO),
            unpriced: None,
        }
    }

    /// Adds a closed segment. Only its part inside the month and day of its
    /// end counts for these.
    #[must_use]
    pub fn with(self, segment: &Segment) -> Self {
        let end = segment.ended_at.unwrap_or(segment.started_at).max(segment.started_at);
        // A clock set back must not move the books into the past.
        let day = end.day().max(self.day.0);
        let month = end.month().max(self.month.0);
        Self {
            total: self.total + segment.cost(end),
            last: segment.cost(end),
            month: (month, self.in_month(month) + segment.cost_from(month.start(), end)),
            day: (day, self.in_day(day) + segment.cost_from(day.start(), end)),
            unpriced: match (segment.price.basis, self.unpriced) {
                (Basis::Unpriced, before) if segment.billed_before(end, end) > Duration::ZERO => {
                    let until = before.map_or(end, |before| before.until.max(end));
                    Some(Unpriced { until, last: true })
                }
                (_, before) => before.map(|before| Unpriced { last: false, ..before }),
            },
        }
    }

    /// Whether something that ended after `from` had no price.
    pub fn is_unpriced_since(&self, from: Timestamp) -> bool {
        self.unpriced.is_some_and(|unpriced| unpriced.until > from)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Rate;
    use crate::price::Rates;
    use proptest::prelude::*;

    fn segment(started: i64, ended: Option<i64>) -> Segment {
        Segment {
            agent: AgentId::from_random([1; 10]),
            owner: UserId::from_random([2; 10]),
            generation: Generation(1),
            size: Size::Small,
            provider: ProviderName::Local,
            price: Rates::proposal().estimate(Size::Small),
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
    fn fargate_bills_whole_seconds_and_a_minute_at_least() {
        let billed = |ms: u64| {
            let end = 1000 + i64::try_from(ms).unwrap();
            let segment = Segment { provider: ProviderName::Fargate, ..segment(1000, Some(end)) };
            let seconds = Rate(7_750_000).over(Duration::from_secs(ms.div_ceil(1000).max(60)));
            assert_eq!(segment.cost(Timestamp(0)), seconds, "{ms} ms");
            assert_eq!(segment.cost_from(Timestamp(0), Timestamp(0)), seconds);
            // While it runs the meter counts what passed.
            let running = Segment { ended_at: None, ..segment };
            assert_eq!(running.cost(Timestamp(end)), Rate(7_750_000).over(Duration::from_millis(ms)));
        };
        [0, 1, 59_999, 60_000, 60_001, 61_000, 3_600_000, 3_600_500].into_iter().for_each(billed);
    }

    #[test]
    fn parts_of_what_is_billed_add_up_and_the_rest_of_a_minute_is_in_the_last() {
        let segment = Segment { provider: ProviderName::Fargate, ..segment(1000, Some(5500)) };
        let part = |from, to| segment.billed(Timestamp(from), Timestamp(to));
        assert_eq!(part(0, 1000), (Duration::ZERO, NanoDollars::ZERO));
        assert_eq!(part(0, 3000).0, Duration::from_secs(2));
        assert_eq!(part(3000, 9000).0, Duration::from_secs(58));
        assert_eq!(part(0, 3000).1 + part(3000, 9000).1, segment.cost(Timestamp(0)));
        let running = Segment { ended_at: None, ..segment };
        assert_eq!(running.billed(Timestamp(0), Timestamp(4000)).0, Duration::from_secs(3));
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

    #[test]
    fn what_had_no_price_is_in_no_sum_of_its_day_month_or_agent() {
        let midnight = Timestamp(1_709_251_200_000); // 2024-03-01
        let priced = |from: i64, to: i64| segment(midnight.0 + from, Some(midnight.0 + to));
        let mut unpriced = priced(-7_200_000, -3_600_000);
        unpriced.price.basis = Basis::Unpriced;
        let settled = Settled::nothing(Timestamp(0)).with(&priced(-9_000_000, -8_000_000)).with(&unpriced);
        assert_eq!(settled.unpriced, Some(Unpriced { until: Timestamp(midnight.0 - 3_600_000), last: true }));
        let settled = settled.with(&priced(1000, 2000));
        assert!(settled.unpriced.is_some_and(|unpriced| !unpriced.last));
        assert!(settled.is_unpriced_since(midnight.before(Duration::from_secs(3601))));
        assert!(!settled.is_unpriced_since(midnight));
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
