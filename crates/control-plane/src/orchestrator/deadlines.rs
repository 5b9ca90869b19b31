//! What a due agent needs next, by its phase.

use std::time::Duration;

use domain::agent::{Agent, Failure, FailureReason, Phase, Save};
use domain::boot::BootPhase;
use domain::lifecycle::{Illegal, Observation, Seen};
use domain::protocol::IdleWarning;

use crate::error::{Error, Result};
use crate::instances::Unanswered;
use crate::ledger::settled;
use crate::provider::{Enrolment, Launch, LaunchSpec, Launched, ProviderError};
use crate::store::{self, Hash};

use super::Orchestrator;

impl Orchestrator {
    pub(super) async fn step(&self, agent: Agent) -> Result<()> {
        match agent.phase {
            Phase::Pending => self.launch(&agent).await,
            Phase::Provisioning | Phase::Booting => self.boot_due(&agent).await,
            Phase::Running => self.check_idle(&agent).await,
            Phase::Saving | Phase::Interrupted { .. } => match agent.instance.as_ref().map(|i| i.save) {
                Some(Save::Done) | None => self.put_away(&agent).await,
                Some(Save::Asked | Save::NotAsked) => self.ask_to_save(&agent).await,
            },
            Phase::Failed { .. } => self.stop(&agent).await,
            Phase::Deleting => self.remove(&agent).await,
            Phase::Asleep | Phase::Deleted => Ok(()),
        }
    }

    async fn launch(&self, agent: &Agent) -> Result<()> {
        // It was asked for before the drain, or goes on from a machine that was
        // taken back: what it has is saved, so it sleeps.
        if self.ledger.store.drained(agent.provider).await?.is_some() {
            return settled(self.ledger.observe(agent.id, Observation::SleepAsked).await).map(drop);
        }
        match self.ledger.saw(agent.instance_id(), Seen::Launching).await {
            Ok(agent) => self.call_provider(&agent).await,
            // Called off, or another replica was quicker.
            Err(Error::Illegal(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Safe to repeat: the provider gives the same instance for the same run.
    async fn call_provider(&self, agent: &Agent) -> Result<()> {
        let instance = agent.instance_id();
        let nonce = self.instances.nonce(instance);
        let enrolment = store::Enrolment {
            nonce: Hash::of(nonce.as_bytes()),
            instance,
            expires_at: self.ledger.now().after(self.ledger.policy.boot_limit),
        };
        self.ledger.store.put_enrolment(&enrolment).await?;
        let spec = LaunchSpec {
            instance,
            owner: agent.owner,
            now: self.ledger.now(),
            size: agent.size,
            on_demand: agent.on_demand,
            enrolment: Enrolment::new(nonce),
            direct: self.launches.direct,
            floor: self.launches.floor,
        };
        match self.provider.launch(&spec).await {
            Ok(Launch::Started(Launched { tier, at, .. })) => {
                let price = self.ledger.rates(at).expected(agent.size, agent.provider);
                self.metered_from(instance, Seen::Launched { started_at: at, tier, price }).await.map(drop)
            }
            Ok(Launch::Placed(told)) => {
                self.catch_up(agent.clone(), instance, told.iter().map(|(at, kind)| (*at, kind))).await
            }
            // The ledger is as it was: the next look calls again.
            Err(error @ ProviderError::Busy(_)) => Err(error.into()),
            Err(error) => {
                let failed = Seen::LaunchFailed { failure: refused(&error) };
                match settled(self.ledger.saw(instance, failed).await) {
                    Err(Error::Illegal(_)) => Ok(()),
                    outcome => outcome.map(drop),
                }
            }
        }
    }

    async fn boot_due(&self, agent: &Agent) -> Result<()> {
        match self.ledger.saw(agent.instance_id(), Seen::BootOverdue).await {
            Ok(_) => Ok(()),
            Err(Error::Illegal(Illegal::TooEarly)) if agent.instance.is_none() => {
                self.boot_unmetered(agent).await
            }
            Err(Error::Illegal(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// In time still, and nothing of it was told for a while.
    async fn boot_unmetered(&self, agent: &Agent) -> Result<()> {
        let instance = agent.instance_id();
        if is_placed(agent) {
            if let Some(seen) = self.provider.seek(&[instance]).await?.first() {
                return self.judge(seen).await;
            }
            self.provider.turn(agent.owner).await;
        }
        // Whoever was to launch it died before telling the outcome.
        self.call_provider(agent).await
    }

    async fn check_idle(&self, agent: &Agent) -> Result<()> {
        let instance = agent.instance_id();
        let seen = match self.instances.activity(instance, self.ledger.now()).await {
            Ok(activity) => Seen::IdleChecked {
                idle_for: Duration::from_millis(activity.idle_for_ms),
                busy: activity.busy,
            },
            Err(error) => return self.unanswered(agent, &error).await,
        };
        let Some(after) = settled(self.ledger.saw(instance, seen).await)? else { return Ok(()) };
        if after.sleeps_at != agent.sleeps_at && after.phase == Phase::Running {
            let now = self.ledger.now();
            let left =
                after.sleeps_at.map_or(Duration::ZERO, |at| at.since(now).max(Duration::from_millis(1)));
            let warning = IdleWarning { sleeps_in_ms: u32::try_from(left.as_millis()).unwrap_or(u32::MAX) };
            if let Err(error) = self.instances.warn(instance, warning, now).await {
                // The console warns by its own feed as well.
                tracing::warn!(%instance, %error, "{instance} was not told of its warning");
            }
        }
        Ok(())
    }

    async fn ask_to_save(&self, agent: &Agent) -> Result<()> {
        match self.instances.save(agent.instance_id(), self.ledger.now()).await {
            // The commit comes from the instance; the claim running out asks again.
            Ok(()) => match settled(self.ledger.saw(agent.instance_id(), Seen::Answered).await) {
                Err(Error::Illegal(_)) => Ok(()),
                outcome => outcome.map(drop),
            },
            Err(error) => self.unanswered(agent, &error).await,
        }
    }

    async fn unanswered(&self, agent: &Agent, error: &Unanswered) -> Result<()> {
        let instance = agent.instance_id();
        tracing::warn!(%instance, %error, "{instance} did not answer");
        match settled(self.ledger.saw(instance, Seen::Unanswered).await) {
            Err(Error::Illegal(_)) => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    /// Its state is saved: the instance stops, and its home goes.
    async fn put_away(&self, agent: &Agent) -> Result<()> {
        self.stop(agent).await?;
        self.provider.forget(&agent.instance_id()).await?;
        Ok(())
    }

    async fn remove(&self, agent: &Agent) -> Result<()> {
        if agent.instance.is_some() {
            self.stop(agent).await?;
        } else {
            self.provider.stop(&agent.instance_id()).await?;
        }
        for instance in self.provider.traces(agent.id).await? {
            self.provider.forget(&instance).await?;
        }
        self.repositories.purge(agent.id).await?;
        settled(self.ledger.observe(agent.id, Observation::Purged).await)?;
        Ok(())
    }
}

/// Whether its next step calls for a launch.
pub(super) fn launches(agent: &Agent) -> bool {
    match agent.phase {
        Phase::Pending => true,
        Phase::Provisioning => agent.instance.is_none() && !is_placed(agent),
        _ => false,
    }
}

/// Whether the provider said that it took the run on.
fn is_placed(agent: &Agent) -> bool {
    agent.boot.current() > Some(BootPhase::Placing)
}

fn refused(error: &ProviderError) -> Failure {
    let reason = match error {
        ProviderError::BelowFloor { .. } => FailureReason::TierUnavailable,
        ProviderError::Ended(_) => FailureReason::Crashed,
        ProviderError::NoRoom { .. } => FailureReason::NoRoom,
        _ => FailureReason::LaunchRefused,
    };
    Failure::new(reason, &error.to_string())
}
