//! Looking into somebody's terminal: asked for by right of a role, shown by its
//! owner's consent alone, and all of it in the log. Who looks comes through the
//! relay, where they can be cut off, and nothing that they send does anything.

use domain::agent::{Agent, Phase, ProviderName};
use std::time::Duration;

use domain::audit::{Act, Outcome};
use domain::id::AgentId;
use domain::look::{Look, Seen, State, Step};
use domain::name::Name;
use domain::ticket::{Claims, Scope, TICKET_LIFE};
use domain::time::Timestamp;

use crate::error::{Error, Result};
use crate::fleet::{Connect, Fleet};
use crate::identity::{Principal, Right};
use crate::provider::Connection;
use crate::random;

impl Fleet {
    /// Asks an agent's owner to be let look into its terminal.
    ///
    /// # Errors
    /// [`Error::Contended`] while another's request or look is under way.
    pub async fn ask_to_look(&self, who: &Principal, id: AgentId) -> Result<Look> {
        let act = Act::AskToLook { agent: id };
        self.audit.permit(who, Right::LookIntoTerminals, || act.clone()).await?;
        let agent = self.ledger.agent(id).await?;
        // One's own needs no asking.
        if agent.phase == Phase::Deleted || agent.owner == who.user {
            return Err(Error::NotFound);
        }
        // What is only played has no terminal.
        if agent.phase != Phase::Running || agent.provider == ProviderName::Simulated {
            return Err(Error::NotRunning);
        }
        let before = self.ledger.store.look(id).await?;
        if let Some(mine) = before.as_ref().filter(|look| look.by == who.user && self.is_under_way(look)) {
            return Ok(mine.clone());
        }
        let look = Look::ask(before.as_ref(), id, who.user, who.name.clone(), self.ledger.now());
        let look = look.ok_or(Error::Contended)?;
        self.put_look(who, &look, act).await?;
        Ok(look)
    }

    /// The caller's own request or look, if it is under way.
    pub async fn look_of(&self, who: &Principal, id: AgentId) -> Result<Option<Look>> {
        if !who.has(Right::LookIntoTerminals) {
            return Ok(None);
        }
        let look = self.ledger.store.look(id).await?;
        Ok(look.filter(|look| look.by == who.user && self.is_under_way(look)))
    }

    /// Who asks to look, or looks, into the caller's agent.
    pub async fn look_at_mine(&self, who: &Principal, id: AgentId) -> Result<Option<Look>> {
        self.own(who, id).await?;
        Ok(self.ledger.store.look(id).await?.filter(|look| self.is_under_way(look)))
    }

    /// All that are asked for or open into the caller's agents, each with its agent's name.
    pub async fn looks_at_all_mine(&self, who: &Principal) -> Result<Vec<(Name, Look)>> {
        let mut looks = Vec::new();
        for agent in self.ledger.agents_of(who.user).await? {
            // Nothing else can be looked into.
            if agent.phase == Phase::Running
                && agent.provider != ProviderName::Simulated
                && let Some(look) = self.ledger.store.look(agent.id).await?
                && self.is_under_way(&look)
            {
                looks.push((agent.name, look));
            }
        }
        Ok(looks)
    }

    /// The owner lets somebody look, declines, or cuts them off.
    ///
    /// # Errors
    /// [`Error::NotFound`] when nobody asks or looks any more, [`Error::Contended`]
    /// when it is another than the owner saw.
    pub async fn answer_look(&self, who: &Principal, id: AgentId, seen: Seen, step: Step) -> Result<()> {
        self.own(who, id).await?;
        let look = self.ledger.store.look(id).await?.filter(|look| self.is_under_way(look));
        let look = look.ok_or(Error::NotFound)?;
        if look.seen() != seen {
            return Err(Error::Contended);
        }
        self.step(who, &look, step).await
    }

    /// Whoever asked or looks ends it.
    pub async fn end_look(&self, who: &Principal, id: AgentId) -> Result<()> {
        let look = self.look_of(who, id).await?.ok_or(Error::NotFound)?;
        self.step(who, &look, Step::End).await
    }

    /// On the very look that was read: its version says so.
    async fn step(&self, who: &Principal, look: &Look, step: Step) -> Result<()> {
        let next = look.after(step, self.ledger.now()).ok_or(Error::NotFound)?;
        let (id, by) = (look.agent, look.by);
        let act = match step {
            Step::Accept => Act::LetLook { agent: id, by },
            Step::Decline => Act::DeclineLook { agent: id, by },
            Step::End => Act::EndLook { agent: id, by },
        };
        self.put_look(who, &next, act).await
    }

    async fn put_look(&self, who: &Principal, look: &Look, act: Act) -> Result<()> {
        let told = self.audit.entry(who.actor(), act, Outcome::Allowed);
        let put = self.ledger.store.put_look(look, &told).await;
        // Both sides' pages look again, and what is open by it is asked of; also
        // where it failed, for it may have been done.
        self.guests.identity.took_back();
        Ok(put?)
    }

    fn is_under_way(&self, look: &Look) -> bool {
        look.state_at(self.ledger.now()) != State::Over
    }

    /// The agent, if whoever asks is let look into it now.
    async fn shown(&self, who: &Principal, id: AgentId) -> Result<(Agent, Timestamp)> {
        let look = self.look_of(who, id).await?.ok_or(Error::NotFound)?;
        if !look.shows(who.user, self.ledger.now()) {
            return Err(Error::NotFound);
        }
        let agent = self.ledger.agent(id).await?;
        if agent.phase == Phase::Running { Ok((agent, look.until)) } else { Err(Error::NotRunning) }
    }

    /// Whether whoever asks may look no longer.
    pub async fn is_hidden_from(&self, who: &Principal, id: AgentId) -> bool {
        matches!(self.shown(who, id).await, Err(Error::NotFound | Error::NotRunning))
    }

    /// A ticket to look into a terminal once, through the relay.
    pub async fn connect_to_look(&self, who: &Principal, id: AgentId) -> Result<Connect> {
        let instance = self.shown(who, id).await?.0.instance_id();
        let expires_at = self.ledger.now().after(TICKET_LIFE);
        let claims = Claims { scope: Scope::Look, instance, expires_at, nonce: random::bytes() };
        Ok(Connect { instance, ticket: self.signer.sign(&claims), expires_at, direct: None })
    }

    /// A stream to the instance, for the relay, and how long it may last at most.
    pub async fn dial_to_look(&self, who: &Principal, id: AgentId) -> Result<(Connection, Duration)> {
        let (agent, until) = self.shown(who, id).await?;
        let left = until.since(self.ledger.now());
        Ok((self.provider.dial(&agent.instance_id()).await?, left))
    }

    /// How long a look is left as it is, if nobody changes it.
    pub fn left_of(&self, look: &Look) -> Duration {
        look.until.since(self.ledger.now())
    }
}
