//! A month that never was, written as it would have been: each step goes
//! through the lifecycle's rules and is committed to the ledger like any other.

use std::sync::Arc;
use std::time::Duration;

use domain::agent::{Agent, Phase, Snapshot};
use domain::boot::{BootPhase, Mark};
use domain::id::InstanceId;
use domain::lifecycle::{self, NewAgent, Observation, Policy, Seen};
use domain::price::{Purchase, Rates};
use domain::protocol::to_hex;
use domain::tier::Tier;
use domain::time::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::provider::simulated::Model;
use crate::provider::simulated::random::of_agent;
use crate::store::Store;

/// How far back it goes.
pub(super) const SPAN: Duration = Duration::from_secs(30 * 24 * 3600);
/// Between a save's end and the instance's.
const STOPPING: Duration = Duration::from_secs(2);
/// Between Spot's notice and the end of the save that follows on it.
const SAVING: Duration = Duration::from_secs(5);
/// No run begins later than this before the end: it would be half booted.
const LAST_START: Duration = Duration::from_secs(120);

/// What the month is written with.
pub(super) struct History {
    pub store: Arc<dyn Store>,
    pub model: Model,
    pub policy: Policy,
    pub rates: Rates,
    /// When it ends.
    pub until: Timestamp,
}

impl History {
    /// Writes one agent's month.
    pub async fn write(&self, new: NewAgent) -> Result<()> {
        let mut random = of_agent(self.model.seed, new.id, &[30]);
        let age = SPAN.mul_f64(0.5 + 0.5 * random.fraction());
        let Some(first) = self.model.next_session(new.id, self.until.before(age)) else { return Ok(()) };
        let made = first.from.min(self.until.before(Duration::from_secs(24 * 3600)));
        let transition = lifecycle::create(new, made);
        self.store.create(&transition, None).await?;
        let mut past = Past { history: self, agent: transition.agent };
        let mut at = past.run(made).await?;
        loop {
            let Some(next) = self.model.next_session(past.agent.id, at) else { return Ok(()) };
            if past.agent.phase != Phase::Asleep || next.from > self.until.before(LAST_START) {
                return Ok(());
            }
            past.saw(Observation::WakeAsked, next.from).await?;
            at = past.run(next.from).await?;
        }
    }
}

/// One agent on its way through the month.
struct Past<'a> {
    history: &'a History,
    agent: Agent,
}

impl Past<'_> {
    /// From the wish to be awake to sleep, or to the month's end. Says when.
    async fn run(&mut self, asked: Timestamp) -> Result<Timestamp> {
        let mut asked = asked;
        loop {
            let ready = self.boot(asked).await?;
            let asleep = self.unused_from(ready).after(self.timeout());
            let taken = ready.after(self.history.model.spot_after(self.agent.instance_id()));
            if taken > asleep.min(self.history.until.before(LAST_START)) {
                return self.fall_asleep(asleep).await;
            }
            let until = taken.after(Duration::from_secs(120));
            self.see(Seen::InterruptionNotice { until }, taken).await?;
            let saved = taken.after(SAVING);
            self.save(saved).await?;
            self.see(Seen::Stopped { at: Some(saved) }, saved).await?;
            asked = saved;
        }
    }

    async fn boot(&mut self, asked: Timestamp) -> Result<Timestamp> {
        let instance = self.agent.instance_id();
        let boot = self.history.model.boot(instance);
        let placed = |phase, at| Seen::Placed { marks: vec![Mark { phase, at }] };
        let mut at = asked.after(Duration::from_millis(20));
        self.see(Seen::Launching, at).await?;
        at = at.after(boot.placing);
        self.see(placed(BootPhase::Networking, at), at).await?;
        at = at.after(boot.networking);
        let price = self.history.rates.launched(self.agent.provider, self.agent.size, Purchase::Spot);
        self.see(Seen::Launched { started_at: at, tier: Tier::own_machine(), price }, at).await?;
        at = at.after(boot.pulling);
        self.see(placed(BootPhase::Launching, at), at).await?;
        at = at.after(boot.launching);
        self.see(placed(BootPhase::Enrolling, at), at).await?;
        at = at.after(boot.enrolling);
        self.see(Seen::Enrolled, at).await?;
        at = at.after(boot.hydrating);
        self.see(Seen::BootReached { phase: BootPhase::Starting }, at).await?;
        at = at.after(boot.starting);
        self.see(Seen::Ready, at).await?;
        Ok(at)
    }

    /// When it was used last, if nobody uses it again within its idle timeout.
    fn unused_from(&self, ready: Timestamp) -> Timestamp {
        let mut used = ready;
        loop {
            // In use, used a while ago, or not at all since it is ready.
            let look = used.after(self.timeout());
            let unused = self.history.model.unused_for(self.agent.id, look);
            let last = unused.map_or(used, |unused| look.before(unused));
            if last <= used {
                return used;
            }
            used = last;
        }
    }

    fn timeout(&self) -> Duration {
        self.history.policy.idle_timeout.duration()
    }

    /// Warned, saved, stopped; as far as that comes before the month's end.
    async fn fall_asleep(&mut self, asleep: Timestamp) -> Result<Timestamp> {
        let end = asleep.after(SAVING + STOPPING);
        let timeout = self.history.policy.idle_timeout;
        let unused = |at: Timestamp| Seen::IdleChecked {
            idle_for: at.since(asleep.before(timeout.duration())),
            busy: None,
        };
        if end > self.history.until {
            // Still awake: what comes next is the orchestrator's.
            return Ok(end);
        }
        for at in [asleep.before(timeout.warning()), asleep] {
            self.see(unused(at), at).await?;
        }
        let saved = asleep.after(SAVING);
        self.save(saved).await?;
        let end = saved.after(STOPPING);
        self.see(Seen::Stopped { at: Some(end) }, end).await?;
        Ok(end)
    }

    async fn save(&mut self, at: Timestamp) -> Result<()> {
        let instance = self.agent.instance_id();
        let saved = self.history.model.saved(instance);
        let id = to_hex(&Sha256::digest(format!("{instance} {at}")).into());
        let snapshot = Snapshot {
            id: id.parse().map_err(|_| Error::NotFound)?,
            generation: instance.generation,
            at,
            files: saved.files,
            bytes: saved.bytes,
            added_bytes: saved.added_bytes,
        };
        self.see(Seen::SnapshotCommitted { snapshot }, at).await
    }

    async fn see(&mut self, seen: Seen, at: Timestamp) -> Result<()> {
        let InstanceId { generation, .. } = self.agent.instance_id();
        self.saw(Observation::Of(generation, seen), at).await
    }

    async fn saw(&mut self, observation: Observation, at: Timestamp) -> Result<()> {
        let transition = lifecycle::apply(&self.agent, observation, at, &self.history.policy)?;
        self.history.store.commit(&transition).await?;
        self.agent = transition.agent;
        Ok(())
    }
}
