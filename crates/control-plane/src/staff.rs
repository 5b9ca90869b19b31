//! What people with a role may ask about everybody's agents: what the control
//! plane does with them, never what is in a tenant's machine.

use domain::agent::{Agent, Failure, Phase};
use domain::audit::Act;
use domain::event::{Event, What};
use domain::fleet::{Drain, Order, Page, Query, State};
use domain::id::AgentId;
use domain::journal::{Daemon, Journal};
use domain::lifecycle::Observation;
use domain::name::Name;
use domain::view::AgentView;

use crate::error::{Error, Result};
use crate::fleet::Fleet;
use crate::identity::{Principal, Right};
use crate::ledger::settled;
use crate::logbook::LOGBOOK;

/// Agents that one order is for, at most.
pub const ORDERED_MAX: u16 = 20_000;
/// Events of an agent's timeline, the latest.
const TIMELINE: u16 = 100;

/// Lines of a journal, the latest.
const JOURNAL: usize = 200;

/// Somebody's agent, for staff.
#[derive(Debug)]
pub struct Sight {
    pub owner: Name,
    pub view: AgentView,
    /// In order, up to the latest.
    pub events: Vec<Event>,
}

impl Fleet {
    /// A window of everybody's agents.
    pub async fn overview(&self, who: &Principal, query: &Query) -> Result<Page> {
        self.audit.permit(who, Right::SeeFleet, || Act::SeeFleet).await?;
        let (now, ledger) = (self.ledger.now(), &self.ledger);
        let place = self.drain.place(&*ledger.store).await?;
        Ok(ledger.roster.page(&*ledger.store, query, place, now, &ledger.rates(now)).await?)
    }

    /// All that a filter lets through, to be ordered about; the first
    /// [`ORDERED_MAX`] of them.
    pub async fn matching(&self, who: &Principal, query: &Query) -> Result<Vec<AgentId>> {
        self.audit.permit(who, Right::ManageFleet, || Act::SeeFleet).await?;
        let all = Query { offset: 0, limit: ORDERED_MAX, ..query.clone() };
        Ok(self.ledger.roster.ids(&*self.ledger.store, &all, self.ledger.now()).await?)
    }

    /// Somebody's agent, with what happened to it: the latest of it, or what came
    /// before event number `before`.
    pub async fn look_into(&self, who: &Principal, id: AgentId, before: Option<u64>) -> Result<Sight> {
        self.audit.permit(who, Right::SeeFleet, || Act::LookIntoAgent { agent: id }).await?;
        let agent = self.ledger.agent(id).await?;
        if agent.phase == Phase::Deleted {
            return Err(Error::NotFound);
        }
        let store = &self.ledger.store;
        let last = before.map_or(agent.last_event, |before| before.saturating_sub(1)).min(agent.last_event);
        let after = last.saturating_sub(TIMELINE.into());
        let limit = u16::try_from(last - after).unwrap_or(TIMELINE);
        let (owner, events) = tokio::try_join!(store.user(agent.owner), store.events(id, after, limit))?;
        let now = self.ledger.now();
        let mut sight = Sight {
            owner: owner.ok_or(Error::NotFound)?.name,
            view: AgentView::of(&agent, &self.ledger.rates(now), &self.ledger.policy, now),
            events,
        };
        sight.without_tenants_words();
        Ok(sight)
    }

    /// What the daemon in an agent's latest run and this control plane said of it.
    pub async fn journal(&self, who: &Principal, id: AgentId) -> Result<Journal> {
        self.audit.permit(who, Right::SeeFleet, || Act::LookIntoAgent { agent: id }).await?;
        let agent = self.ledger.agent(id).await?;
        if agent.phase == Phase::Deleted {
            return Err(Error::NotFound);
        }
        let mut lines = LOGBOOK.of(id);
        let elsewhere = match self.provider.journal(&agent.instance_id()).await? {
            Daemon::Here(said) => {
                lines.extend(said);
                None
            }
            Daemon::Elsewhere(stream) => Some(stream),
            Daemon::Nowhere => None,
        };
        lines.sort_by_key(|line| line.at);
        let lines = lines.split_off(lines.len().saturating_sub(JOURNAL));
        Ok(Journal { lines, elsewhere })
    }

    /// How many agents a person has.
    pub async fn agents_owned_by(&self, who: &Principal, owner: &Name) -> Result<u32> {
        self.audit.permit(who, Right::SeeFleet, || Act::SeeFleet).await?;
        Ok(self.ledger.roster.owned_by(&*self.ledger.store, owner, self.ledger.now()).await?)
    }

    /// Wakes somebody's agent, or puts it to sleep; one that is so stays so.
    /// Says whether the opposite order would take that back.
    pub async fn order(&self, who: &Principal, id: AgentId, order: Order) -> Result<bool> {
        let act = match order {
            Order::Wake => Act::WakeAgent { agent: id },
            Order::Sleep => Act::PutAgentToSleep { agent: id },
            Order::Stop => Act::StopAgent { agent: id },
        };
        self.audit.permit(who, Right::ManageFleet, || act.clone()).await?;
        let work = async {
            let before = self.ledger.agent(id).await?;
            let outcome = match order {
                // Its owner's budget holds whoever wakes it.
                Order::Wake => self.ledger.wake(id).await,
                Order::Sleep => {
                    self.is_free(&before).await?;
                    self.ledger.observe(id, Observation::SleepAsked).await
                }
                Order::Stop => self.ledger.observe(id, Observation::SleepAsked).await,
            };
            // One that had failed would not be as it was by the opposite.
            let is_changed = settled(outcome)?.is_some();
            Ok(is_changed && State::from(&before.phase) != State::Failed)
        };
        self.audit.told(who.actor(), act, work).await
    }

    /// Whether nothing works in it. One that can't be asked is saved as well as
    /// it can be when it sleeps.
    async fn is_free(&self, agent: &Agent) -> Result<()> {
        if agent.phase != Phase::Running {
            return Ok(());
        }
        match self.instances.activity(agent.instance_id(), self.ledger.now()).await {
            Ok(activity) if activity.busy.is_some() => Err(Error::AtWork),
            _ => Ok(()),
        }
    }

    /// Has nothing new launched at the provider until that is taken back. What runs there
    /// runs on until it is ordered to sleep.
    pub async fn drain(&self, who: &Principal, wish: Drain) -> Result<()> {
        let provider = self.provider.name();
        let (act, since) = match wish {
            Drain::Begin => (Act::DrainProvider { provider }, Some(self.ledger.now())),
            Drain::End => (Act::UndrainProvider { provider }, None),
        };
        self.audit.permit(who, Right::ManageFleet, || act.clone()).await?;
        let work = async { Ok(self.drain.set(&*self.ledger.store, since).await?) };
        self.audit.told(who.actor(), act, work).await
    }
}

impl Sight {
    /// What programs in the machine said, and what they are, is their owner's.
    fn without_tenants_words(&mut self) {
        let silence = |failure: &mut Failure| failure.detail.clear();
        if let Phase::Failed { failure } = &mut self.view.phase {
            silence(failure);
        }
        if let Some(busy) = &mut self.view.busy {
            busy.reason.clear();
        }
        if let Some(failure) = &mut self.view.save_failure {
            failure.message.clear();
        }
        for event in &mut self.events {
            match &mut event.what {
                What::Failed { failure } => silence(failure),
                What::SaveFailed { message } => message.clear(),
                _ => {}
            }
        }
    }
}
