//! What a presenter may have happen.

use domain::agent::Phase;
use domain::budget::{Budget, Subject};
use domain::id::{AgentId, InstanceId};
use domain::view::AgentView;

use super::{Demo, Show, Speed, people};
use crate::budgets;
use crate::error::{Error, Result};
use crate::fleet::Spawn;
use crate::identity::Principal;
use crate::provider::simulated::random::Random;

/// Agents that a burst makes.
const BURST: usize = 100;

/// Something to happen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cue {
    /// One that sleeps wakes; one of the presenter's own, if any sleeps.
    WakeOne,
    /// Spot takes one back; one of the presenter's own, if any is awake.
    Interrupt,
    /// All that are awake are put to sleep.
    SleepAll,
    /// A hundred new ones are asked for at once; whoever may have no more has none.
    Burst,
    /// The presenter's budget is used up.
    SpendBudget,
    Speed(Speed),
    /// Begins anew.
    Reset,
}

/// What came of a cue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// How many agents it was about.
    pub agents: usize,
    /// The one that it was about, where that is the presenter's own.
    pub agent: Option<AgentId>,
}

impl Demo {
    /// Has it happen.
    ///
    /// # Errors
    /// [`Error::NotFound`] for anybody but the presenter.
    pub async fn cue(&self, who: &Principal, cue: Cue) -> Result<Done> {
        if !self.is_presenter(who) {
            return Err(Error::NotFound);
        }
        let show = self.show();
        match cue {
            Cue::WakeOne => self.wake_one(&show).await,
            Cue::Interrupt => self.interrupt_one(&show).await,
            Cue::SleepAll => self.sleep_all(&show).await,
            Cue::Burst => self.burst(&show).await,
            Cue::SpendBudget => self.spend_budget(who, &show).await,
            Cue::Speed(speed) => {
                show.set_speed(speed);
                Ok(Done { agents: 0, agent: None })
            }
            Cue::Reset => {
                self.reset().await?;
                Ok(Done { agents: people::AGENTS, agent: None })
            }
        }
    }

    async fn wake_one(&self, show: &Show) -> Result<Done> {
        let rests = |view: &AgentView| matches!(view.phase, Phase::Asleep | Phase::Failed { .. });
        let Some((owner, view)) = self.first(show, rests).await? else { return Ok(self.done(Vec::new())) };
        show.fleet.wake(&owner, view.id).await?;
        Ok(self.done(vec![(owner, view.id)]))
    }

    async fn interrupt_one(&self, show: &Show) -> Result<Done> {
        let awake = |view: &AgentView| view.phase == Phase::Running;
        let Some((owner, view)) = self.first(show, awake).await? else { return Ok(self.done(Vec::new())) };
        let instance = InstanceId { agent: view.id, generation: view.generation };
        let taken = show.provider.interrupt(&instance).then_some((owner, view.id));
        Ok(self.done(taken.into_iter().collect()))
    }

    async fn sleep_all(&self, show: &Show) -> Result<Done> {
        let mut slept = Vec::new();
        for (owner, view) in show.all(self.owners()).await? {
            if view.phase == Phase::Running || view.is_waking() {
                show.fleet.sleep(&owner, view.id).await?;
                slept.push((owner, view.id));
            }
        }
        Ok(self.done(slept))
    }

    async fn burst(&self, show: &Show) -> Result<Done> {
        let mut random = Random::new(self.config.seed, &[22]);
        let mut made = Vec::new();
        for (index, owner) in self.owners().iter().cycle().take(BURST).enumerate() {
            let name = format!("ráfaga-{:03}", index + 1);
            let name = name.parse().expect("it is short and visible");
            let spawn = Spawn { name, size: people::size(&mut random), idle_timeout: None };
            match show.fleet.spawn(owner, spawn, None).await {
                Ok(view) => made.push((owner.clone(), view.id)),
                // One burst too many, or their budget is used up: the others' come.
                Err(Error::TooMany { .. } | Error::OverBudget(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.done(made))
    }

    /// The presenter's budget becomes what they have spent already. What follows
    /// is the house's own doing, and done at once: it is told, their agents are
    /// saved and sleep, and wakes are refused until the budget is raised.
    async fn spend_budget(&self, who: &Principal, show: &Show) -> Result<Done> {
        let awake = |view: &AgentView| view.phase == Phase::Running || view.is_waking();
        let own: Vec<AgentView> = show.fleet.list(who).await?;
        let spent = own.iter().filter_map(|view| view.meter.month).sum();
        let budget = Budget { month: Some(spent), ..Budget::default() };
        let ledger = &show.fleet.ledger;
        budgets::set(&*ledger.store, &Subject::Person(who.user), budget).await?;
        budgets::enforce(ledger, &[who.user].into(), false).await?;
        let slept = own.into_iter().filter(awake).map(|view| (who.clone(), view.id));
        Ok(self.done(slept.collect()))
    }

    /// The first such agent, the presenter's before all others'.
    async fn first(
        &self,
        show: &Show,
        such: impl Fn(&AgentView) -> bool,
    ) -> Result<Option<(Principal, AgentView)>> {
        Ok(show.all(self.owners()).await?.into_iter().find(|(_, view)| such(view)))
    }

    fn done(&self, agents: Vec<(Principal, AgentId)>) -> Done {
        let own = agents.iter().find(|(owner, _)| self.is_presenter(owner));
        Done { agents: agents.len(), agent: own.map(|(_, id)| *id) }
    }
}
