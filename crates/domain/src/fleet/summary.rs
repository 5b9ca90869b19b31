//! An agent in short: some 300 bytes, whatever it has been through.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BOOT_PHASES, Group, Moment, Owner, State, Trouble};
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
        }
    }
}

fn ms(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}

impl Summary {
    /// Whether it counts as awake: something of it costs money, or soon will.
    pub fn is_awake(&self) -> bool {
        self.open.is_some() || matches!(self.state.group(), Group::Awake | Group::Booting)
    }

    /// How far the isolation of its latest run goes.
    pub fn level(&self) -> Option<Level> {
        self.tier.as_ref().map(Tier::level)
    }

    /// What an hour of it costs now.
    pub fn rate(&self) -> Rate {
        self.open.map_or(Rate::ZERO, |(_, rate)| rate)
    }

    /// What it has cost since the first of the month, UTC.
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
            month: self.month(now),
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
    /// Of what it costs, or would cost if it were awake; where it is
    /// [`Basis::Unpriced`] the sums are not known.
    pub basis: Basis,
    /// What an hour of it costs now.
    pub rate: Rate,
    /// What it has cost since the first of the month, UTC, at `as_of`; from
    /// then on a reader counts by the rate.
    pub month: NanoDollars,
    pub as_of: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::{self, NewAgent};
    use crate::view::Meter;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_month_costs_what_the_agents_meter_says(started in 0i64..1 << 42, ran in 0i64..1 << 34, settled: u32) {
            let new = NewAgent {
                id: AgentId::from_random([1; 10]),
                owner: UserId::from_random([2; 10]),
                name: "x".parse().unwrap(),
                size: Size::Small,
                provider: ProviderName::Local,
                idle_timeout: None,
            };
            let (started, now) = (Timestamp(started), Timestamp(started + ran));
            let book = Rates::proposal();
            let mut agent = lifecycle::create(new, started).agent;
            agent.settled.month = (now.month(), NanoDollars(settled.into()));
            agent.instance = Some(crate::agent::Instance {
                started_at: started,
                tier: crate::tier::Tier {
                    machine: false, namespaces: true, landlock: None, seccomp: true,
                    limits: crate::tier::Limits::Cgroup2,
                },
                price: book.estimate(Size::Small),
                save: crate::agent::Save::NotAsked,
                silent_since: None,
                unsaved: None,
            });
            prop_assert_eq!(Summary::from(&agent).month(now), Meter::of(&agent, &book, now).month);
        }
    }
}
