//! How simulated machines behave. The same seed gives each run the same boot,
//! the same size and the same moment at which Spot takes it back.
//!
//! What is known is kept: a cold start on Fargate takes 30 to 57 s to a prompt
//! (docs/demo.md names the sources). How that splits into phases, how often Spot
//! takes a machine back and how large a state is are made up, to look plausible
//! on a stage; no source stands behind them.

use std::time::Duration;

use domain::id::InstanceId;

use super::random::{Random, of_agent};

/// The spans of a boot in milliseconds, least and most. Together 30 to 57 s.
const PLACING: (u64, u64) = (1_000, 2_000);
const NETWORKING: (u64, u64) = (7_000, 12_000);
const PULLING: (u64, u64) = (17_700, 34_000);
const LAUNCHING: (u64, u64) = (3_000, 6_000);
const ENROLLING: (u64, u64) = (200, 600);
const HYDRATING: (u64, u64) = (700, 1_500);
const STARTING: (u64, u64) = (400, 900);
/// A save with its commit.
const SAVING: (u64, u64) = (300, 1_500);
/// Hours between two of Spot's interruptions of one agent, in the mean.
const SPOT_HOURS: f64 = 60.0;

/// How long each phase of one boot takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Boot {
    pub placing: Duration,
    pub networking: Duration,
    pub pulling: Duration,
    pub launching: Duration,
    pub enrolling: Duration,
    pub hydrating: Duration,
    pub starting: Duration,
}

/// What a save is said to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Saved {
    pub files: u64,
    pub bytes: u64,
    pub added_bytes: u64,
}

/// One seed's machines.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    pub(crate) seed: u64,
}

impl Model {
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    pub(crate) fn boot(self, instance: InstanceId) -> Boot {
        let mut random = self.random(instance, 1);
        // The sum of two draws: the middle is likelier than the ends.
        let mut draw = |(least, most): (u64, u64)| {
            Duration::from_millis((random.between(least, most) + random.between(least, most)) / 2)
        };
        Boot {
            placing: draw(PLACING),
            networking: draw(NETWORKING),
            pulling: draw(PULLING),
            launching: draw(LAUNCHING),
            enrolling: draw(ENROLLING),
            hydrating: draw(HYDRATING),
            starting: draw(STARTING),
        }
    }

    /// From when it can be used until Spot gives notice.
    pub(crate) fn spot_after(self, instance: InstanceId) -> Duration {
        // Without memory: exponential.
        let hours = -SPOT_HOURS * (1.0 - self.random(instance, 2).fraction()).ln();
        Duration::from_secs_f64(hours * 3600.0)
    }

    pub(crate) fn saving(self, instance: InstanceId) -> Duration {
        let mut random = self.random(instance, 3);
        Duration::from_millis(random.between(SAVING.0, SAVING.1))
    }

    /// A state that grows with each run, and of which each changes a little.
    pub(crate) fn saved(self, instance: InstanceId) -> Saved {
        let runs = u64::from(instance.generation.0);
        let mut agent = of_agent(self.seed, instance.agent, &[4]);
        let bytes = agent.between(3_000_000, 60_000_000) + runs * agent.between(20_000, 400_000);
        let mut run = self.random(instance, 5);
        Saved {
            files: bytes / agent.between(20_000, 60_000),
            bytes,
            added_bytes: run.between(8_000, 900_000),
        }
    }

    fn random(self, instance: InstanceId, what: u64) -> Random {
        of_agent(self.seed, instance.agent, &[u64::from(instance.generation.0), what])
    }
}

#[cfg(test)]
mod tests {
    use domain::id::{AgentId, Generation};

    use super::*;

    fn runs() -> impl Iterator<Item = InstanceId> {
        (0..=255)
            .map(|agent| InstanceId { agent: AgentId::from_random([agent; 10]), generation: Generation(3) })
    }

    #[test]
    fn a_boot_takes_what_a_cold_start_on_fargate_takes() {
        let whole = |boot: Boot| {
            boot.placing
                + boot.networking
                + boot.pulling
                + boot.launching
                + boot.enrolling
                + boot.hydrating
                + boot.starting
        };
        let mut spans: Vec<_> = runs().map(|run| whole(Model::new(7).boot(run))).collect();
        spans.sort();
        assert!(spans[0] >= Duration::from_secs(30) && spans[255] <= Duration::from_secs(57), "{spans:?}");
        assert!(spans[0] < Duration::from_secs(38) && spans[255] > Duration::from_secs(48), "{spans:?}");
    }

    #[test]
    fn a_seed_replays_and_another_is_another() {
        for run in runs() {
            let (model, other) = (Model::new(7), Model::new(8));
            assert_eq!(model.boot(run), Model::new(7).boot(run));
            assert_eq!(model.saved(run), Model::new(7).saved(run));
            assert_ne!(model.boot(run), other.boot(run));
        }
    }
}
