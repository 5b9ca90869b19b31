//! The phases of a boot, as they really happen, with the instant of each.

use serde::{Deserialize, Serialize};

use crate::agent::ProviderName;
use crate::time::Timestamp;

/// A phase of a boot, in order. Each lasts until the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BootPhase {
    /// Asked for and recorded; the orchestrator has not taken it up yet.
    Queued,
    /// The provider makes the instance: sandbox, limits, network; or finds it a
    /// machine of its own.
    Placing,
    /// The machine is connected to its network.
    Networking,
    /// The machine fetches the image. From here on a provider bills it.
    Pulling,
    /// The container starts.
    Launching,
    /// The instance's process starts and proves who it is.
    Enrolling,
    /// The saved state is brought back.
    Hydrating,
    /// The terminal and the runtime start.
    Starting,
    /// It can be used.
    Ready,
}

impl BootPhase {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Placing,
        Self::Networking,
        Self::Pulling,
        Self::Launching,
        Self::Enrolling,
        Self::Hydrating,
        Self::Starting,
        Self::Ready,
    ];

    /// Those that a boot goes through there, in order.
    pub fn of(provider: ProviderName) -> &'static [Self] {
        const HERE: [BootPhase; 6] = [
            BootPhase::Queued,
            BootPhase::Placing,
            BootPhase::Enrolling,
            BootPhase::Hydrating,
            BootPhase::Starting,
            BootPhase::Ready,
        ];
        if provider.tells_boots() { &Self::ALL } else { &HERE }
    }
}

/// When a phase began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub phase: BootPhase,
    pub at: Timestamp,
}

/// The latest boot, as far as it came. Marks only ever go forwards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timeline(Vec<Mark>);

impl Timeline {
    /// A boot that was just asked for.
    pub fn asked(at: Timestamp) -> Self {
        Self(vec![Mark { phase: BootPhase::Queued, at }])
    }

    /// Records that `phase` began; says whether that is news. A phase before
    /// the one reached is never entered again, and an instant never lies
    /// before the one of the mark before it.
    pub fn reach(&mut self, phase: BootPhase, at: Timestamp) -> bool {
        match self.0.last() {
            Some(last) if phase <= last.phase => false,
            Some(last) => {
                let at = at.max(last.at);
                self.0.push(Mark { phase, at });
                true
            }
            None => {
                self.0.push(Mark { phase, at });
                true
            }
        }
    }

    /// Records a phase that was passed before it was told, between the marks on
    /// either side of it; says whether that is news.
    pub fn fill(&mut self, phase: BootPhase, at: Timestamp) -> bool {
        let index = self.0.partition_point(|mark| mark.phase < phase);
        let Some(next) = self.0.get(index).filter(|next| next.phase != phase) else { return false };
        let first = index.checked_sub(1).map_or(at, |before| self.0[before].at);
        let at = at.max(first).min(next.at);
        self.0.insert(index, Mark { phase, at });
        true
    }

    /// How long each phase took that another followed on, in order.
    pub fn spans(&self) -> impl Iterator<Item = (BootPhase, std::time::Duration)> {
        self.0.windows(2).map(|pair| (pair[0].phase, pair[1].at.since(pair[0].at)))
    }

    /// The marks so far, in order.
    pub fn marks(&self) -> &[Mark] {
        &self.0
    }

    /// The phase that is under way, or `Ready`.
    pub fn current(&self) -> Option<BootPhase> {
        self.0.last().map(|mark| mark.phase)
    }

    /// How long `phase` took, once the next has begun.
    pub fn took(&self, phase: BootPhase) -> Option<std::time::Duration> {
        let index = self.0.iter().position(|mark| mark.phase == phase)?;
        let next = self.0.get(index + 1)?;
        Some(next.at.since(self.0[index].at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_timeline_never_goes_backwards(
            steps in prop::collection::vec((0usize..9, any::<i64>(), any::<bool>()), 0..40),
        ) {
            let mut timeline = Timeline::default();
            for (phase, at, late) in steps {
                let (phase, at) = (BootPhase::ALL[phase], Timestamp(at));
                let last = timeline.current();
                if late { timeline.fill(phase, at); } else { timeline.reach(phase, at); }
                prop_assert!(!late || timeline.current() == last, "what is late ends no boot");
            }
            prop_assert!(timeline.marks().is_sorted_by(|a, b| a.phase < b.phase && a.at <= b.at));
        }
    }
}
