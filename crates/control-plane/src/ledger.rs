//! The ledger with what belongs around it: every change goes through
//! [`Ledger::observe`], which reads, applies the rules, commits, and tells.

use std::sync::Arc;

use domain::agent::{Agent, ProviderName};
use domain::id::{AgentId, InstanceId, UserId};
use domain::lifecycle::{self, Illegal, Observation, Policy, Seen, Transition};
use domain::price::Rates;
use domain::time::Timestamp;

use crate::budgets;
use crate::clock::Clock;
use crate::due::Due;
use crate::error::{Error, Result};
use crate::fleet::AGENTS_MAX;
use crate::live::{Change, Hub, Writers};
use crate::prices::Prices;
use crate::roster::Roster;
use crate::store::{Created, Idempotency, Store, StoreError, Turn, agents_of};

/// How often a change is decided anew when others commit in between.
const TRIES: u32 = 16;
/// How often somebody queues at an owner's turnstile: of a hundred wakes at once
/// the last one finds it taken so often.
const TURNS: u32 = 128;

/// Queues of those who make agents, an owner's in one of them.
#[derive(Default)]
pub(crate) struct Spawning([tokio::sync::Mutex<()>; 16]);

impl Spawning {
    fn of(&self, owner: UserId) -> &tokio::sync::Mutex<()> {
        &self.0[usize::from(owner.as_bytes()[0]) % self.0.len()]
    }
}

pub(crate) struct Ledger {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub policy: Policy,
    pub prices: Prices,
    pub hub: Hub,
    pub roster: Roster,
    pub due: Due,
    pub spawning: Spawning,
}

impl Ledger {
    /// With nobody waiting, looking or listening yet.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        policy: Policy,
        prices: Prices,
        writers: Writers,
    ) -> Self {
        let (hub, roster) = (Hub::new(writers), Roster::new(writers, policy));
        Self { store, clock, policy, prices, hub, roster, due: Due::new(), spawning: Spawning::default() }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The prices that hold at an instant.
    pub fn rates(&self, at: Timestamp) -> Rates {
        self.prices.at(at)
    }

    /// The agent, deleted or not.
    pub async fn agent(&self, id: AgentId) -> Result<Agent> {
        self.store.agent(id).await?.ok_or(Error::NotFound)
    }

    /// Applies an observation to the agent as it is when it commits.
    pub async fn observe(&self, id: AgentId, observation: Observation) -> Result<Agent> {
        self.change(id, |agent, at, policy| lifecycle::apply(agent, observation.clone(), at, policy)).await
    }

    /// An observation about one run.
    pub async fn saw(&self, instance: InstanceId, seen: Seen) -> Result<Agent> {
        self.observe(instance.agent, Observation::Of(instance.generation, seen)).await
    }

    /// Decides a transition on the latest row and commits it.
    pub async fn change(
        &self,
        id: AgentId,
        decide: impl Fn(&Agent, Timestamp, &Policy) -> std::result::Result<Transition, Illegal>,
    ) -> Result<Agent> {
        for _ in 0..TRIES {
            let agent = self.agent(id).await?;
            let transition = decide(&agent, self.now(), &self.policy)?;
            match self.store.commit(&transition).await {
                Ok(()) => {
                    self.committed(&transition);
                    return Ok(transition.agent);
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contended)
    }

    /// Wakes an agent, if the budgets that it counts against allow and its provider takes it.
    pub async fn wake(&self, id: AgentId) -> Result<Agent> {
        for _ in 0..TURNS {
            let agent = self.agent(id).await?;
            let transition = lifecycle::apply(&agent, Observation::WakeAsked, self.now(), &self.policy)?;
            self.takes(agent.provider).await?;
            let turns = budgets::turns(self, &agent).await?;
            match self.store.commit_in_turns(&transition, &turns).await {
                Ok(()) => {
                    self.committed(&transition);
                    return Ok(transition.agent);
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contended)
    }

    /// Commits a new agent, if its owner may have one more, the budgets that it
    /// counts against allow and its provider takes it.
    pub async fn create(&self, transition: &Transition, key: Option<&Idempotency>) -> Result<Created> {
        let agent = &transition.agent;
        self.takes(agent.provider).await?;
        // Those of one control plane queue here; between several the store decides.
        let _queued = self.spawning.of(agent.owner).lock().await;
        for _ in 0..TURNS {
            let spawner = self.store.spawner(agent.owner).await?;
            if spawner.agents >= AGENTS_MAX {
                return Err(Error::TooMany { what: "agents", most: AGENTS_MAX });
            }
            let mut turns = budgets::turns(self, agent).await?;
            turns.push(Turn::Spawn(spawner));
            match self.store.create_in_turns(transition, key, &turns).await {
                Err(StoreError::Conflict) => {}
                outcome => return Ok(outcome?),
            }
        }
        Err(Error::Contended)
    }

    /// All of an owner's agents.
    pub async fn agents_of(&self, owner: UserId) -> Result<Vec<Agent>> {
        Ok(agents_of(&*self.store, owner).await?)
    }

    /// Whether something new may be launched at a provider.
    ///
    /// # Errors
    /// [`Error::Draining`] where it may not.
    async fn takes(&self, provider: ProviderName) -> Result<()> {
        match self.store.drained(provider).await? {
            None => Ok(()),
            Some(_) => Err(Error::Draining),
        }
    }

    /// Tells of a transition that is in the store.
    pub fn committed(&self, transition: &Transition) {
        let agent = &transition.agent;
        for event in &transition.events {
            // Its word alone: what a program said at its end is its owner's.
            tracing::info!(agent = %agent.id, generation = %event.generation, seq = event.seq, event = event.what.as_str(), "agent {}", agent.id);
        }
        self.roster.took(agent);
        self.hub.tell(Change { agent: agent.id, owner: agent.owner });
        self.due.of(agent);
    }
}

/// Repeating what is so already is no error.
pub(crate) fn settled(outcome: Result<Agent>) -> Result<Option<Agent>> {
    match outcome {
        Ok(agent) => Ok(Some(agent)),
        Err(Error::Illegal(Illegal::Already)) => Ok(None),
        Err(error) => Err(error),
    }
}
