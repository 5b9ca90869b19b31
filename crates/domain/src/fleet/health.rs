//! How the whole fleet is: how many are how, how boots go, what wants a look.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BOOT_PHASES, Group, Moment, State, Summary};
use crate::lifecycle::Policy;
use crate::time::Timestamp;

/// What lies further back is no news.
const RECENT: Duration = Duration::from_secs(24 * 3600);
/// Between a deadline and what the orchestrator then does.
const SLACK: Duration = Duration::from_secs(20);

/// What makes an agent want a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trouble {
    /// It is in a state that passes, and has been for too long.
    Stuck,
    /// Its provider took an instance of it back in the last 24 hours.
    Interrupted,
    /// A save of it failed in the last 24 hours.
    Unsaved,
}

impl Trouble {
    pub const ALL: [Self; 3] = [Self::Stuck, Self::Interrupted, Self::Unsaved];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Interrupted => "interrupted",
            Self::Unsaved => "unsaved",
        }
    }
}

impl State {
    /// How long it may last; nothing of one that stays. The lifecycle's own
    /// rules end a boot sooner, so one that is past it is nobody's any more.
    pub fn patience(self, policy: &Policy) -> Option<Duration> {
        match self {
            // Waiting for a turn at the provider counts; a notice is 120 s.
            Self::Pending | Self::Provisioning | Self::Booting | Self::Interrupted => {
                Some(policy.boot_limit + SLACK)
            }
            // A large state is long on its way, and so is its removal.
            Self::Saving | Self::Deleting => Some(2 * policy.boot_limit),
            Self::Running | Self::Asleep | Self::Failed => None,
        }
    }
}

impl Summary {
    /// Whether something of it wants a look.
    pub fn has(&self, trouble: Trouble, moment: &Moment<'_>) -> bool {
        let recent = |at: Option<_>| at.is_some_and(|at| moment.now.since(at) < RECENT);
        match trouble {
            Trouble::Stuck => {
                let lasted = moment.now.since(self.since);
                self.state.patience(moment.policy).is_some_and(|patience| lasted > patience)
            }
            Trouble::Interrupted => recent(self.mishaps.interrupted),
            Trouble::Unsaved => recent(self.mishaps.save_failed),
        }
    }

    /// The first instant from then on at which it is otherwise though nothing
    /// happens: it counts as stuck, or what befell it is no news any more.
    pub fn turns(&self, moment: &Moment<'_>) -> Option<Timestamp> {
        // It is stuck when its patience is past, not when it is just over.
        let over = |patience| self.since.after(patience).after(Duration::from_millis(1));
        let stuck = self.state.patience(moment.policy).map(over);
        let news = [self.mishaps.interrupted, self.mishaps.save_failed, self.booted.map(|boot| boot.0)];
        let old = news.into_iter().flatten().map(|at| at.after(RECENT));
        stuck.into_iter().chain(old).filter(|at| *at > moment.now).min()
    }

    /// Its latest boot, in all and by phase, if that is news.
    fn boot(&self, moment: &Moment<'_>) -> Option<(u32, [Option<u32>; BOOT_PHASES])> {
        let (at, took) = self.booted?;
        (moment.now.since(at) < RECENT).then_some((took, self.phases))
    }
}

/// The middle and the slow end of some spans, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spans {
    pub p50: u32,
    pub p95: u32,
}

/// Values in order, so that one more or less of them is found by halves.
#[derive(Debug, Default, PartialEq, Eq)]
struct Values(Vec<u32>);

impl Values {
    fn add(&mut self, value: u32) {
        self.0.insert(self.0.partition_point(|known| *known < value), value);
    }

    fn take(&mut self, value: u32) {
        if let Ok(place) = self.0.binary_search(&value) {
            self.0.remove(place);
        }
    }

    /// Of none there is neither.
    fn spans(&self) -> Option<Spans> {
        Some(Spans { p50: self.percentile(50)?, p95: self.percentile(95)? })
    }

    /// The least value that so many in a hundred do not exceed.
    fn percentile(&self, of: usize) -> Option<u32> {
        let index = (self.0.len() * of).div_ceil(100).checked_sub(1)?;
        self.0.get(index).copied()
    }
}

/// The health of the whole fleet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    pub agents: u32,
    pub awake: u32,
    pub booting: u32,
    pub asleep: u32,
    pub failed: u32,
    pub deleting: u32,
    pub stuck: u32,
    pub interrupted: u32,
    pub unsaved: u32,
    /// From the wish to `Ready`: each agent's latest boot, if it came to its
    /// end in the last 24 hours.
    pub boot: Option<Spans>,
    /// The same boots phase by phase, of those who go through it.
    pub phases: [Option<Spans>; BOOT_PHASES],
}

impl Health {
    pub fn of(&self, group: Group) -> u32 {
        match group {
            Group::Awake => self.awake,
            Group::Booting => self.booting,
            Group::Asleep => self.asleep,
            Group::Failed => self.failed,
            Group::Deleting => self.deleting,
        }
    }

    pub fn with(&self, trouble: Trouble) -> u32 {
        match trouble {
            Trouble::Stuck => self.stuck,
            Trouble::Interrupted => self.interrupted,
            Trouble::Unsaved => self.unsaved,
        }
    }
}

/// The health of a fleet, kept while its agents change.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: Health,
    boots: Values,
    phases: [Values; BOOT_PHASES],
}

/// An agent at the moment that it is, or was, counted at.
pub type Counted<'a> = (&'a Summary, Moment<'a>);

impl Tally {
    /// Counts all of them.
    pub fn of<'a>(all: impl IntoIterator<Item = &'a Summary>, moment: &Moment<'_>) -> Self {
        let mut tally = Self::default();
        for one in all {
            tally.count(one, moment, |count| *count += 1);
            if let Some((took, phases)) = one.boot(moment) {
                tally.boots.0.push(took);
                for (values, took) in tally.phases.iter_mut().zip(phases) {
                    values.0.extend(took);
                }
            }
        }
        for values in tally.phases.iter_mut().chain([&mut tally.boots]) {
            values.0.sort_unstable();
        }
        tally
    }

    /// Counts an agent as it is in the place of what it was counted as.
    pub fn change(&mut self, was: Option<Counted<'_>>, is: Option<Counted<'_>>) {
        if let Some((one, moment)) = &was {
            self.count(one, moment, |count| *count -= 1);
        }
        if let Some((one, moment)) = &is {
            self.count(one, moment, |count| *count += 1);
        }
        let boot = |(one, moment): Counted<'_>| one.boot(&moment);
        let (was, is) = (was.and_then(boot), is.and_then(boot));
        // Most changes are none of it.
        if was != is {
            self.boots(was, Values::take);
            self.boots(is, Values::add);
        }
    }

    fn boots(&mut self, boot: Option<(u32, [Option<u32>; BOOT_PHASES])>, put: fn(&mut Values, u32)) {
        let Some((took, phases)) = boot else { return };
        put(&mut self.boots, took);
        for (values, took) in self.phases.iter_mut().zip(phases) {
            if let Some(took) = took {
                put(values, took);
            }
        }
    }

    fn count(&mut self, one: &Summary, moment: &Moment<'_>, by: fn(&mut u32)) {
        let counts = &mut self.counts;
        by(&mut counts.agents);
        by(match one.state.group() {
            Group::Awake => &mut counts.awake,
            Group::Booting => &mut counts.booting,
            Group::Asleep => &mut counts.asleep,
            Group::Failed => &mut counts.failed,
            Group::Deleting => &mut counts.deleting,
        });
        let troubles = [
            (Trouble::Stuck, &mut counts.stuck),
            (Trouble::Interrupted, &mut counts.interrupted),
            (Trouble::Unsaved, &mut counts.unsaved),
        ];
        for (trouble, count) in troubles {
            if one.has(trouble, moment) {
                by(count);
            }
        }
    }

    /// What it comes to.
    pub fn health(&self) -> Health {
        Health { boot: self.boots.spans(), phases: self.phases.each_ref().map(Values::spans), ..self.counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let mut values = Values::default();
        assert_eq!(values.spans(), None);
        values.add(7);
        assert_eq!(values.spans(), Some(Spans { p50: 7, p95: 7 }));
        (1..=100).rev().for_each(|value| values.add(value));
        values.take(7);
        assert_eq!(values.spans(), Some(Spans { p50: 50, p95: 95 }));
    }

    #[test]
    fn what_passes_has_patience_and_what_stays_has_none() {
        let policy = Policy::default();
        let patience = |state: State| state.patience(&policy).map(|patience| patience.as_secs());
        assert_eq!([State::Running, State::Asleep, State::Failed].map(patience), [None; 3]);
        // The lifecycle ends a boot before it counts as stuck.
        assert!(patience(State::Booting).unwrap() > policy.boot_limit.as_secs());
        assert!(patience(State::Saving) > patience(State::Pending));
    }
}
