//! What a caller may ask. Every call takes who asks; another's agent is
//! answered like one that never was.

use std::sync::Arc;

use domain::agent::{Agent, IdleTimeout, Phase};
use domain::event::Event;
use domain::id::{AgentId, IdempotencyKey, InstanceId};
use domain::lifecycle::{self, NewAgent, Observation};
use domain::name::Name;
use domain::price::{Basis, Rates};
use domain::size::Size;
use domain::ticket::{Claims, Scope, TICKET_LIFE, Ticket, TicketSigner};
use domain::time::Timestamp;
use domain::view::AgentView;

use crate::audit::Audit;
use crate::drain::Drain;
use crate::error::{Error, Result};
use crate::guests::Guests;
use crate::identity::Principal;
use crate::instances::Instances;
use crate::ledger::{Ledger, settled};
use crate::live::Listener;
use crate::provider::{Connection, Provider};
use crate::random;
use crate::store::{Created, Hash, Idempotency};

/// Agents that one person may have.
pub const AGENTS_MAX: usize = 100;
/// Events that one answer holds.
pub const EVENTS_MAX: u16 = 500;
/// How long an idempotency key is remembered.
const KEY_LIFE: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// A new agent, as its owner wants it.
#[derive(Debug, Clone)]
pub struct Spawn {
    pub name: Name,
    pub size: Size,
    /// `None`: the fleet's.
    pub idle_timeout: Option<IdleTimeout>,
}

/// The right to open one terminal connection.
#[derive(Debug)]
pub struct Connect {
    pub instance: InstanceId,
    pub ticket: Ticket,
    pub expires_at: Timestamp,
    /// Where the instance can be reached without the relay, if it can.
    pub direct: Option<String>,
}

/// The fleet, as its users know it.
pub struct Fleet {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) instances: Arc<Instances>,
    pub(crate) signer: Arc<TicketSigner>,
    pub(crate) audit: Audit,
    pub(crate) guests: Arc<Guests>,
    pub(crate) drain: Drain,
}

impl Fleet {
    /// Makes an agent and has it woken. The same key gives the same agent.
    pub async fn spawn(
        &self,
        who: &Principal,
        request: Spawn,
        key: Option<IdempotencyKey>,
    ) -> Result<AgentView> {
        let asked = format!("{}\0{}\0{:?}", request.name, request.size, request.idle_timeout);
        let now = self.ledger.now();
        let idempotency = key.map(|key| Idempotency {
            key,
            request: Hash::of(asked.as_bytes()),
            expires_at: now.after(KEY_LIFE),
        });
        let new = NewAgent {
            id: AgentId::from_random(random::bytes()),
            owner: who.user,
            name: request.name,
            size: request.size,
            provider: self.provider.name(),
            idle_timeout: request.idle_timeout,
        };
        let transition = lifecycle::create(new, now);
        let store = &self.ledger.store;
        let made = self.ledger.create(&transition, idempotency.as_ref()).await;
        let created = match (made, &idempotency) {
            // A request that is only repeated gets what it got.
            (
                Err(refused @ (Error::TooMany { .. } | Error::OverBudget(_) | Error::Draining)),
                Some(idempotency),
            ) => store.created(who.user, idempotency, now).await?.ok_or(refused)?,
            (made, _) => made?,
        };
        match created {
            Created::New => {
                self.ledger.committed(&transition);
                Ok(self.view(&transition.agent))
            }
            Created::Before(id) => self.get(who, id).await,
            Created::KeyReused => Err(Error::KeyReused),
        }
    }

    /// The caller's agents, newest first.
    pub async fn list(&self, who: &Principal) -> Result<Vec<AgentView>> {
        let mut agents = self.ledger.agents_of(who.user).await?;
        agents.sort_by_key(|agent| (std::cmp::Reverse(agent.created_at), agent.id));
        Ok(agents.iter().map(|agent| self.view(agent)).collect())
    }

    pub async fn get(&self, who: &Principal, id: AgentId) -> Result<AgentView> {
        self.own(who, id).await.map(|agent| self.view(&agent))
    }

    /// Wakes it; one that is awake or waking stays so.
    pub async fn wake(&self, who: &Principal, id: AgentId) -> Result<AgentView> {
        self.own(who, id).await?;
        let outcome = self.ledger.wake(id).await;
        self.after(who, id, outcome).await
    }

    /// Puts it to sleep, saved first; one that sleeps or is about to stays so.
    pub async fn sleep(&self, who: &Principal, id: AgentId) -> Result<AgentView> {
        self.ask(who, id, Observation::SleepAsked).await
    }

    /// Takes an idle warning back.
    pub async fn keep_awake(&self, who: &Principal, id: AgentId) -> Result<AgentView> {
        let agent = self.own(who, id).await?;
        if agent.phase == Phase::Running
            && let Err(error) = self.instances.keep_awake(agent.instance_id(), self.ledger.now()).await
        {
            // The ledger decides; the instance would only have told its viewers.
            tracing::warn!(agent = %id, %error, "agent {id} was not told to stay awake");
        }
        self.ask(who, id, Observation::KeptAwake).await
    }

    /// Deletes it with all of its data.
    pub async fn delete(&self, who: &Principal, id: AgentId) -> Result<AgentView> {
        self.ask(who, id, Observation::DeleteAsked).await
    }

    pub async fn rename(&self, who: &Principal, id: AgentId, name: Name) -> Result<AgentView> {
        self.own(who, id).await?;
        let change = self.ledger.change(id, |agent, at, _| lifecycle::rename(agent, name.clone(), at));
        self.after(who, id, change.await).await
    }

    /// Gives it an idle timeout of its own, or the fleet's.
    pub async fn set_idle_timeout(
        &self,
        who: &Principal,
        id: AgentId,
        timeout: Option<IdleTimeout>,
    ) -> Result<AgentView> {
        self.own(who, id).await?;
        let change =
            self.ledger.change(id, |agent, at, _| lifecycle::set_idle_timeout(agent, timeout, at)).await;
        self.after(who, id, change).await
    }

    /// Says whether its owner pays for a machine on demand where Spot has no room.
    pub async fn allow_on_demand(&self, who: &Principal, id: AgentId, allowed: bool) -> Result<AgentView> {
        self.own(who, id).await?;
        let change =
            self.ledger.change(id, |agent, at, _| lifecycle::allow_on_demand(agent, allowed, at)).await;
        self.after(who, id, change).await
    }

    /// A ticket for one terminal connection. Connecting never wakes.
    pub async fn connect(&self, who: &Principal, id: AgentId) -> Result<Connect> {
        let agent = self.own(who, id).await?;
        if agent.phase != Phase::Running {
            return Err(Error::NotRunning);
        }
        let instance = agent.instance_id();
        let expires_at = self.ledger.now().after(TICKET_LIFE);
        let nonce = match who.proof {
            Some(proof) => proof.holder().nonce(random::bytes()),
            None => random::bytes(),
        };
        let claims = Claims { scope: Scope::Terminal, instance, expires_at, nonce };
        let direct = self.provider.direct(&instance).await;
        if let (Some(_), Some(proof)) = (&direct, who.proof) {
            self.guests.expect(proof, instance);
        }
        Ok(Connect { instance, ticket: self.signer.sign(&claims), expires_at, direct })
    }

    /// A stream to the agent's instance, for the relay.
    pub async fn dial(&self, who: &Principal, id: AgentId) -> Result<Connection> {
        let agent = self.own(who, id).await?;
        if agent.instance.is_none() {
            return Err(Error::NotRunning);
        }
        Ok(self.provider.dial(&agent.instance_id()).await?)
    }

    /// What happened to it after event number `after`, in order.
    pub async fn events(&self, who: &Principal, id: AgentId, after: u64) -> Result<Vec<Event>> {
        self.own(who, id).await?;
        Ok(self.ledger.store.events(id, after, EVENTS_MAX).await?)
    }

    /// Tells when something changed.
    pub fn listen(&self) -> Listener {
        self.ledger.hub.listen()
    }

    /// Whether there are machines on demand for those who pay for them.
    pub fn offers_on_demand(&self) -> bool {
        self.provider.offers_on_demand()
    }

    /// Where terminals may be besides the console, as a page's policy names it.
    pub fn direct_source(&self) -> Option<String> {
        self.provider.direct_source()
    }

    /// Whether a provider bills what runs here.
    pub fn basis(&self) -> Basis {
        Basis::of(self.provider.name())
    }

    /// What holds now.
    pub fn prices(&self) -> Rates {
        self.ledger.rates(self.ledger.now())
    }

    /// The fleet's idle timeout, for agents that have none of their own.
    pub fn idle_timeout(&self) -> IdleTimeout {
        self.ledger.policy.idle_timeout
    }

    /// Whether the ledger answers.
    pub async fn ready(&self) -> Result<()> {
        Ok(self.ledger.store.ready().await?)
    }

    async fn ask(&self, who: &Principal, id: AgentId, observation: Observation) -> Result<AgentView> {
        self.own(who, id).await?;
        let outcome = self.ledger.observe(id, observation).await;
        self.after(who, id, outcome).await
    }

    async fn after(&self, who: &Principal, id: AgentId, outcome: Result<Agent>) -> Result<AgentView> {
        match settled(outcome)? {
            Some(agent) => Ok(self.view(&agent)),
            None => self.get(who, id).await,
        }
    }

    pub(crate) async fn own(&self, who: &Principal, id: AgentId) -> Result<Agent> {
        let agent = self.ledger.agent(id).await?;
        if agent.owner == who.user && agent.phase != Phase::Deleted {
            Ok(agent)
        } else {
            Err(Error::NotFound)
        }
    }

    fn view(&self, agent: &Agent) -> AgentView {
        let now = self.ledger.now();
        AgentView::of(agent, &self.ledger.rates(now), &self.ledger.policy, now)
    }
}
