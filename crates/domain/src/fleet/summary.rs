//! An agent in short: some 300 bytes, whatever it has been through.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BOOT_PHASES, Moment, Owner, State, Trouble};
use crate::agent::{Agent, Mishaps, ProviderName};
use crate::boot::BootPhase;
use crate::id::{AgentId, Generation, UserId};
use crate::money::{NanoDollars, Rate};
use crate::name::Name;
use crate::price::{Basis, Rates};
use crate::size::Size;
use crate::tier::{Level, Tier};
use crate::time::{Month, Timestamp};

/// What a fleet's list keeps of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub id: AgentId,
    pub owner: UserId,
    pub name: Name,
    pub size: Size,
    pub provider: ProviderName,
    pub state: State,
    pub since: Timestamp,
    pub generation: Generation,
    /// Of two summaries the one with the higher is newer.
    pub version: u64,
    /// When it was ready last, and how long that took, in milliseconds.
    pub booted: Option<(Timestamp, u32)>,
    /// How long its phases took that it went through, in milliseconds and in
    /// [`BootPhase::ALL`]'s order.
    #[serde(default)]
    pub phases: [Option<u32>; BOOT_PHASES],
    /// How well its latest run is shut in, or was.
    #[serde(default)]
    pub tier: Option<Tier>,
    pub last_use: Timestamp,
    /// Since when its meter runs, and at what price.
    pub open: Option<(Timestamp, Rate)>,
    /// Of that price; of one that was listed before it was kept, the book's.
    #[serde(default)]
    pub basis: Option<Basis>,
    /// Its owner pays for a machine on demand where Spot has no room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_demand: bool,
    #[serde(default, skip_serializing_if = "Mishaps::is_none")]
    pub mishaps: Mishaps,
    /// What was settled in the latest month that anything was settled in.
    pub settled: (Month, NanoDollars),
    /// Part of that had no price, and is not in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpriced: bool,
    /// Of one that was listed before it was kept, unknown.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
}

impl From<&Agent> for Summary {
    fn from(agent: &Agent) -> Self {
        let marks = agent.boot.marks();
        let ready = marks.last().filter(|mark| mark.phase == BootPhase::Ready);
        let booted = marks.first().zip(ready).map(|(asked, ready)| (ready.at, ms(ready.at.since(asked.at))));
        let mut phases = [None; BOOT_PHASES];
        for (phase, took) in agent.boot.spans().filter(|_| booted.is_some()) {
            phases[phase as usize] = Some(ms(took));
        }
        Self {
            id: agent.id,
            owner: agent.owner,
            name: agent.name.clone(),
            size: agent.size,
            provider: agent.provider,
            state: State::from(&agent.phase),
            since: agent.phase_since,
            generation: agent.generation,
            version: agent.version,
            booted,
            phases,
            // An instance that was there before this was kept says its own.
            tier: agent
                .instance
                .as_ref()
                .map(|instance| instance.tier.clone())
                .or_else(|| agent.tier.clone()),
            last_use: agent.last_use,
            open: agent.instance.as_ref().map(|instance| (instance.started_at, instance.price.rate)),
            basis: agent.instance.as_ref().map(|instance| instance.price.basis),
            on_demand: agent.on_demand,
            mishaps: agent.mishaps,
            settled: agent.settled.month,
            unpriced: agent.settled.is_unpriced_since(agent.settled.month.0.start()),
            created_at: Some(agent.created_at),
        }
    }
}

fn ms(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}

impl Summary {
    /// How far the isolation of its latest run goes.
    pub fn level(&self) -> Option<Level> {
        self.tier.as_ref().map(Tier::level)
    }

    /// What an hour of it costs now.
    pub fn rate(&self) -> Rate {
        self.open.map_or(Rate::ZERO, |(_, rate)| rate)
    }

    /// Whether part of what it did since the first of the month, UTC, has no price.
    pub fn is_unpriced(&self, now: Timestamp) -> bool {
        let runs_unpriced = self.open.is_some() && self.basis == Some(Basis::Unpriced);
        runs_unpriced || (self.unpriced && self.settled.0 == now.month())
    }

    /// What it has cost since the first of the month, UTC, of all that has a price.
    pub fn month(&self, now: Timestamp) -> NanoDollars {
        let month = now.month();
        let settled = if self.settled.0 == month { self.settled.1 } else { NanoDollars::ZERO };
        let running = self.open.map_or(NanoDollars::ZERO, |(started, rate)| {
            // Differences of running totals, as the meter has them.
            rate.over(now.since(started)) - rate.over(month.start().since(started))
        });
        settled + running
    }

    /// As it is shown at a moment.
    pub fn row(&self, owner: &Owner, moment: &Moment<'_>, rates: &Rates) -> Row {
        let now = moment.now;
        let expected = || rates.expected(self.size, self.provider).basis;
        Row {
            id: self.id,
            name: self.name.clone(),
            owner: owner.name.clone(),
            team: owner.team.clone(),
            size: self.size,
            provider: self.provider,
            tier: self.level(),
            state: self.state,
            generation: self.generation,
            version: self.version,
            boot: self.booted.map(|(_, took)| took),
            last_use: self.last_use,
            stuck_since: self.has(Trouble::Stuck, moment).then_some(self.since),
            basis: self.basis.unwrap_or_else(expected),
            rate: self.rate(),
            month: (!self.is_unpriced(now)).then(|| self.month(now)),
            as_of: now,
        }
    }
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub id: AgentId,
    pub name: Name,
    /// The owner's name.
    pub owner: Name,
    /// The owner's.
    pub team: Option<Name>,
    pub size: Size,
    pub provider: ProviderName,
    /// Of its latest run, if there was one.
    pub tier: Option<Level>,
    pub state: State,
    pub generation: Generation,
    pub version: u64,
    /// Of the latest boot that came to its end, in milliseconds.
    pub boot: Option<u32>,
    pub last_use: Timestamp,
    /// Since when it is in its state, if that is for too long.
    pub stuck_since: Option<Timestamp>,
    /// Of what it costs, or would cost if it were awake.
    pub basis: Basis,
    /// What an hour of it costs now.
    pub rate: Rate,
    /// What it has cost since the first of the month, UTC, at `as_of`; from
    /// then on a reader counts by the rate. Nothing where part of it has no price.
    pub month: Option<NanoDollars>,
    pub as_of: Timestamp,
}

/// What tells a row from the agent's others: all else of it a reader counts on by
/// itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    version: u64,
    stuck_since: Option<Timestamp>,
    team: Option<Name>,
    /// Sums begin anew with each.
    month: Month,
}

impl Row {
    /// By which a reader sees whether it has that row.
    pub fn told(&self) -> Told {
        let Self { version, stuck_since, ref team, as_of, .. } = *self;
        Told { version, stuck_since, team: team.clone(), month: as_of.month() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::{self, NewAgent};
    use crate::metering::Segment;
    use crate::time::Day;
    use crate::view::Meter;
    use proptest::prelude::*;

    /// One that runs since then, whose month had come to so much before.
    fn running(started: Timestamp, settled: (Month, u32), book: &Rates) -> Agent {
        let new = NewAgent {
            id: AgentId::from_random([1; 10]),
            owner: UserId::from_random([2; 10]),
            name: "x".parse().unwrap(),
            size: Size::Small,
            provider: ProviderName::Local,
            idle_timeout: None,
        };
        let mut agent = lifecycle::create(new, started).agent;
        agent.settled.month = (settled.0, NanoDollars(settled.1.into()));
        agent.instance = Some(crate::agent::Instance {
            started_at: started,
            tier: Tier {
                machine: false,
                namespaces: true,
                landlock: None,
                seccomp: true,
                limits: crate::tier::Limits::Cgroup2,
            },
            price: book.estimate(Size::Small),
            save: crate::agent::Save::NotAsked,
            silent_since: None,
            unsaved: None,
        });
        agent
    }

    proptest! {
        #[test]
        fn a_month_costs_what_the_agents_meter_says(started in 0i64..1 << 42, ran in 0i64..1 << 34, settled: u32) {
            let (started, now) = (Timestamp(started), Timestamp(started + ran));
            let book = Rates::proposal();
            let agent = running(started, (now.month(), settled), &book);
            prop_assert_eq!(Some(Summary::from(&agent).month(now)), Meter::of(&agent, &book, now).month);
        }

        #[test]
        fn a_reader_who_counts_on_reads_what_the_meter_says(
            started in 0i64..1 << 42,
            ran in 0i64..1 << 34,
            elapsed in 0u64..1 << 33,
            asleep: bool,
        ) {
            let (now, elapsed) = (Timestamp(started + ran), Duration::from_millis(elapsed));
            let book = Rates::proposal();
            let mut agent = running(Timestamp(started), (now.month(), 7), &book);
            agent.settled.day = (now.day(), NanoDollars(5));
            agent.instance = agent.instance.filter(|_| !asleep);
            let read = Meter::of(&agent, &book, now).after(elapsed);
            let says = Meter::of(&agent, &book, now.after(elapsed));
            prop_assert_eq!(read.as_of, says.as_of);
            let sums = |meter: Meter| [meter.session, meter.today, meter.month, meter.total].map(|sum| sum.unwrap().0);
            for (read, says) in sums(read).into_iter().zip(sums(says)) {
                // Each span that is counted by itself is rounded by itself.
                prop_assert!((read - says).abs() <= 2, "{read} {says}");
            }
        }
    }

    #[test]
    fn what_has_no_price_is_unknown_as_long_as_it_is_in_the_sum() {
        let (book, none) =
            (Rates::proposal(), crate::price::PriceBook::proposal().rates("eu-west-1", Day(0)));
        let started = "2026-10-31".parse::<Day>().unwrap().start();
        let hours = |hours: u64| started.after(Duration::from_secs(hours * 3600));
        let mut agent = running(started, (started.month(), 7), &none);
        let known = |agent: &Agent, book: &Rates, at| {
            let meter = Meter::of(agent, book, at);
            let row = Summary::from(agent).is_unpriced(at);
            assert_eq!(row, meter.month.is_none());
            [meter.session, meter.today, meter.month, meter.total].map(|sum| sum.is_some())
        };
        assert_eq!(known(&agent, &none, hours(1)), [false; 4]);
        // A book that prices it comes too late for what was.
        assert_eq!(known(&agent, &book, hours(1)), [false; 4]);
        let segment = Segment { ended_at: Some(hours(1)), ..agent.open_segment().unwrap() };
        agent.settled = agent.settled.with(&segment);
        agent.instance = None;
        assert_eq!(known(&agent, &book, hours(2)), [false; 4]);
        // The next day is the first of another month.
        assert_eq!(known(&agent, &book, hours(25)), [false, true, true, false]);
        // And what was known stays so when its price is no longer.
        let ran = Segment { started_at: hours(25), price: book.estimate(Size::Small), ..segment };
        agent.settled = agent.settled.with(&Segment { ended_at: Some(hours(26)), ..ran });
        assert_eq!(known(&agent, &none, hours(27)), [true, true, true, false]);
    }
}
