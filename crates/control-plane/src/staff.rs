//! What people with a role may ask about everybody's agents: what the control
//! plane does with them, never what is in a tenant's machine.

use domain::agent::Failure;
use domain::audit::Act;
use domain::event::{Event, What};
use domain::fleet::{Moment, Order, Page, Query};
use domain::id::AgentId;
use domain::lifecycle::Observation;
use domain::name::Name;
use domain::view::AgentView;

use crate::error::{Error, Result};
use crate::fleet::Fleet;
use crate::identity::{Principal, Right};
use crate::ledger::settled;

/// Agents that one order is for, at most.
pub const ORDERED_MAX: usize = 5_000;
/// Events of an agent's timeline, the latest.
const TIMELINE: u16 = 100;

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
        let moment = Moment { now, rates: &ledger.rates(now), policy: &ledger.policy };
        Ok(ledger.roster.page(&*ledger.store, query, &moment).await?)
    }

    /// All that a filter lets through, to be ordered about; the first
    /// [`ORDERED_MAX`] of them.
    pub async fn matching(&self, who: &Principal, query: &Query) -> Result<Vec<AgentId>> {
        self.audit.permit(who, Right::ManageFleet, || Act::SeeFleet).await?;
        let all = Query { offset: 0, limit: ORDERED_MAX as u16, ..query.clone() };
        let (now, ledger) = (self.ledger.now(), &self.ledger);
        let moment = Moment { now, rates: &ledger.rates(now), policy: &ledger.policy };
        Ok(ledger.roster.ids(&*ledger.store, &all, &moment).await?)
    }

    /// Somebody's agent, with what happened to it.
    pub async fn look_into(&self, who: &Principal, id: AgentId) -> Result<Sight> {
        self.audit.permit(who, Right::SeeFleet, || Act::LookIntoAgent { agent: id }).await?;
        let agent = self.ledger.agent(id).await?;
        if agent.phase == domain::agent::Phase::Deleted {
            return Err(Error::NotFound);
        }
        let store = &self.ledger.store;
        let after = agent.last_event.saturating_sub(TIMELINE.into());
        let (owner, events) = tokio::try_join!(store.user(agent.owner), store.events(id, after, TIMELINE))?;
        let now = self.ledger.now();
        let mut sight = Sight {
            owner: owner.ok_or(Error::NotFound)?.name,
            view: AgentView::of(&agent, &self.ledger.rates(now), &self.ledger.policy, now),
            events,
        };
        sight.without_tenants_words();
        Ok(sight)
    }

    /// Wakes somebody's agent, or puts it to sleep; one that is so stays so.
    pub async fn order(&self, who: &Principal, id: AgentId, order: Order) -> Result<()> {
        let act = match order {
            Order::Wake => Act::WakeAgent { agent: id },
            Order::Sleep => Act::PutAgentToSleep { agent: id },
        };
        self.audit.permit(who, Right::ManageFleet, || act.clone()).await?;
        let work = async {
            let outcome = match order {
                // Its owner's budget holds whoever wakes it.
                Order::Wake => self.ledger.wake(id).await,
                Order::Sleep => self.ledger.observe(id, Observation::SleepAsked).await,
            };
            settled(outcome).map(drop)
        };
        self.audit.told(who.actor(), act, work).await
    }
}

impl Sight {
    /// What programs in the machine said, and what they are, is their owner's.
    fn without_tenants_words(&mut self) {
        let silence = |failure: &mut Failure| failure.detail.clear();
        if let domain::agent::Phase::Failed { failure } = &mut self.view.phase {
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
