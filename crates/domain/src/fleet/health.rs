//! How the whole fleet is: how many are how, how boots go, what wants a look.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BOOT_PHASES, Group, Moment, State, Summary};
use crate::lifecycle::Policy;

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
}

/// The middle and the slow end of some spans, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spans {
    pub p50: u32,
    pub p95: u32,
}

impl Spans {
    /// Of none there is neither.
    pub fn of(values: &mut [u32]) -> Option<Self> {
        Some(Self { p50: percentile(values, 50)?, p95: percentile(values, 95)? })
    }
}

/// The least value that so many in a hundred do not exceed.
fn percentile(values: &mut [u32], of: usize) -> Option<u32> {
    let index = (values.len() * of).div_ceil(100).checked_sub(1)?;
    Some(*values.select_nth_unstable(index).1)
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

/// Health in the making.
#[derive(Debug, Default)]
pub struct Tally {
    health: Health,
    boots: Vec<u32>,
    phases: [Vec<u32>; BOOT_PHASES],
}

impl Tally {
    /// Counts an agent.
    pub fn count(&mut self, one: &Summary, moment: &Moment<'_>) {
        let health = &mut self.health;
        health.agents += 1;
        *match one.state.group() {
            Group::Awake => &mut health.awake,
            Group::Booting => &mut health.booting,
            Group::Asleep => &mut health.asleep,
            Group::Failed => &mut health.failed,
            Group::Deleting => &mut health.deleting,
        } += 1;
        health.stuck += u32::from(one.has(Trouble::Stuck, moment));
        health.interrupted += u32::from(one.has(Trouble::Interrupted, moment));
        health.unsaved += u32::from(one.has(Trouble::Unsaved, moment));
        let Some((at, took)) = one.booted else { return };
        if moment.now.since(at) < RECENT {
            self.boots.push(took);
            for (spans, took) in self.phases.iter_mut().zip(one.phases) {
                spans.extend(took);
            }
        }
    }

    /// What it came to.
    pub fn health(mut self) -> Health {
        Health {
            boot: Spans::of(&mut self.boots),
            phases: self.phases.each_mut().map(|spans| Spans::of(spans)),
            ..self.health
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        assert_eq!(Spans::of(&mut []), None);
        assert_eq!(Spans::of(&mut [7]), Some(Spans { p50: 7, p95: 7 }));
        let mut values: Vec<u32> = (1..=100).rev().collect();
        assert_eq!(Spans::of(&mut values), Some(Spans { p50: 50, p95: 95 }));
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
