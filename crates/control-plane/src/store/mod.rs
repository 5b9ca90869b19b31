//! The ledger of record, in the domain's verbs.
//!
//! Nothing here needs a scan, a join or a transaction over more than 100
//! items: a table of key and range, with sparse indexes, can implement it as
//! well as SQLite. `conformance` is the suite that every implementation runs.

#[cfg(test)]
pub(crate) mod conformance;
#[cfg(feature = "aws")]
pub mod dynamodb;
mod identity;
pub mod sqlite;
pub mod usage;

use async_trait::async_trait;
use domain::agent::{Agent, ProviderName};
use domain::audit::Entry;
use domain::budget::{Account, Subject};
use domain::event::Event;
use domain::fleet::Summary;
use domain::id::{AgentId, EntryId, Generation, IdempotencyKey, InstanceId, TokenId, UserId};
use domain::lifecycle::Transition;
use domain::look::Look;
use domain::metering::Segment;
use domain::name::Name;
use domain::time::{Month, Timestamp};
use domain::usage::{Amount, Line};

use usage::{Book, Fold, Unfolded, View};

pub use identity::{
    Accepted, ApiToken, Enrolment, Hash, Invitation, Invited, Listed, PasswordHash, Session, SignInLink,
    User, UserChange,
};

/// What can go wrong in a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else committed first: read again and decide anew.
    #[error("the agent was changed meanwhile")]
    Conflict,
    /// No room on the disk. Nothing of the write was kept.
    #[error("the ledger's disk is full")]
    Full,
    /// It did not answer in time, or has too much to do: the same may succeed a
    /// moment later. Whether a write was done is not known.
    #[error("the ledger is not available: {0}")]
    Unavailable(String),
    /// The operator's to mend; the text names the cause.
    #[error("the ledger failed: {0}")]
    Failed(String),
}

/// `Result` of a store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A request's key with a digest of what was asked by it.
#[derive(Debug, Clone)]
pub struct Idempotency {
    pub key: IdempotencyKey,
    /// The same key with another request is a caller's mistake.
    pub request: Hash,
    /// From then on it is as if it had never been used.
    pub expires_at: Timestamp,
}

/// A right that is used up with what is done by it. Whoever decided on its
/// version passes, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// To wake an agent that counts against a budget: the account as it becomes.
    Wake(Account),
    /// To make one more agent beside those that its owner has.
    Spawn(Spawner),
}

/// Somebody for whom agents are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spawner {
    pub owner: UserId,
    /// Those that there are.
    pub agents: usize,
    /// Another whenever there may be more of them.
    pub version: u64,
}

/// What became of a creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    New,
    /// The key was used before, for this agent.
    Before(AgentId),
    /// The key was used before, for another request.
    KeyReused,
}

/// One of the parts that the deadlines are split into, so that no partition
/// is hot and replicas can share them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard(pub u8);

impl Shard {
    /// How many there are.
    pub const COUNT: u8 = 16;

    /// The one an agent belongs to.
    pub fn of(agent: AgentId) -> Self {
        Self(agent.as_bytes()[0] % Self::COUNT)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }
}

/// The ledger.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    // ── Agents ──────────────────────────────────────────────────────────────

    /// Commits a new agent with its first events, unless its owner used the
    /// key before and it has not expired when the agent is made.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is an agent of that id.
    async fn create(&self, transition: &Transition, idempotency: Option<&Idempotency>) -> Result<Created> {
        self.create_in_turns(transition, idempotency, &[]).await
    }

    /// The same, if these turns are the caller's too.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] also when somebody else had one of them.
    async fn create_in_turns(
        &self,
        transition: &Transition,
        idempotency: Option<&Idempotency>,
        turns: &[Turn],
    ) -> Result<Created>;

    /// How many agents an owner has, to make one more on that condition.
    async fn spawner(&self, owner: UserId) -> Result<Spawner>;

    /// What the owner's key came to earlier, if it was used and has not expired
    /// at `now`: never [`Created::New`].
    async fn created(
        &self,
        owner: UserId,
        idempotency: &Idempotency,
        now: Timestamp,
    ) -> Result<Option<Created>>;

    /// Commits the agent's next row, its events and its segment's change, all
    /// or nothing, if the ledger still has `from_version`. Ends any claim.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it has another, or no such agent.
    async fn commit(&self, transition: &Transition) -> Result<()> {
        self.commit_in_turns(transition, &[]).await
    }

    /// The same, if these turns are the caller's too.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] also when somebody else had one of them.
    async fn commit_in_turns(&self, transition: &Transition, turns: &[Turn]) -> Result<()>;

    /// The agent's row, deleted ones included.
    async fn agent(&self, id: AgentId) -> Result<Option<Agent>>;

    /// The owner's agents that are not deleted, by id, after `after`.
    async fn agents_of(&self, owner: UserId, after: Option<AgentId>, limit: u16) -> Result<Vec<Agent>>;

    /// The agent's events after number `after`, in order.
    async fn events(&self, agent: AgentId, after: u64, limit: u16) -> Result<Vec<Event>>;

    /// The agent's segments, newest first, of the generations before `before`
    /// (`None`: from the latest one on). There is one a generation at most.
    async fn segments(&self, agent: AgentId, before: Option<Generation>, limit: u16) -> Result<Vec<Segment>>;

    // ── Deadlines ───────────────────────────────────────────────────────────

    /// Agents of the shard that are due at `now`, earliest first. Until
    /// `claimed_until` (later than `now`) nobody else gets them, unless they
    /// are committed before; a claim whose holder died runs out.
    async fn claim_due(
        &self,
        shard: Shard,
        now: Timestamp,
        claimed_until: Timestamp,
        limit: u16,
    ) -> Result<Vec<Agent>>;

    /// The earliest deadline of the shard (the end of a claim counts as one).
    async fn next_due(&self, shard: Shard) -> Result<Option<Timestamp>>;

    /// Agents of the shard that are awake, by id, after `after`: all whose meter
    /// runs are among them.
    async fn awake(&self, shard: Shard, after: Option<AgentId>, limit: u16) -> Result<Vec<Agent>>;

    // ── The fleet's list ────────────────────────────────────────────────────

    /// The shard's agents that are not deleted, in short, by id, after `after`.
    /// Their last use may be older than the row's; all else is as the row has it.
    async fn fleet(&self, shard: Shard, after: Option<AgentId>, limit: u16) -> Result<Vec<Summary>>;

    // ── Providers ───────────────────────────────────────────────────────────

    /// Since when nothing new is launched at a provider, if that is so.
    async fn drained(&self, provider: ProviderName) -> Result<Option<Timestamp>>;

    /// Says since when, or that it is over.
    async fn set_drained(&self, provider: ProviderName, since: Option<Timestamp>) -> Result<()>;

    // ── Budgets ─────────────────────────────────────────────────────────────

    /// A subject's account, if it has a budget.
    async fn account(&self, of: &Subject) -> Result<Option<Account>>;

    /// All accounts, by their subjects' texts, after `after`.
    async fn accounts(&self, after: Option<&Subject>, limit: u16) -> Result<Vec<Account>>;

    /// Writes an account in the place of the one of its version (0: of none);
    /// it then has the next.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the ledger has another version.
    async fn put_account(&self, account: &Account) -> Result<()>;

    // ── Usage ───────────────────────────────────────────────────────────────

    /// Closed segments of the shard that are not wholly in the rollups, by
    /// agent and generation.
    async fn unfolded(&self, shard: Shard, limit: u16) -> Result<Vec<Unfolded>>;

    /// Adds one day's part of a closed segment to the rollups and remembers
    /// that, all or nothing; `false` when the ledger has come further already,
    /// so that nothing is added twice.
    async fn fold(&self, fold: &Fold) -> Result<bool>;

    /// A book's lines of a month, in their texts' order, after `after`.
    async fn usage(
        &self,
        book: Book,
        month: Month,
        view: View,
        after: Option<Line>,
        limit: u16,
    ) -> Result<Vec<(Line, Amount)>>;

    /// The shard's segments that were folded into a month, wholly or in part,
    /// by agent and generation, after `after`.
    async fn segments_in(
        &self,
        month: Month,
        shard: Shard,
        after: Option<InstanceId>,
        limit: u16,
    ) -> Result<Vec<Segment>>;

    // ── Enrolment ───────────────────────────────────────────────────────────

    /// Remembers a nonce that was given to an instance at launch. One that is
    /// known stays as it is, spent or not.
    async fn put_enrolment(&self, enrolment: &Enrolment) -> Result<()>;

    /// Spends a nonce: the instance it was for, if it is known, not expired,
    /// and unspent or spent with this very binding.
    async fn spend_enrolment(&self, nonce: Hash, binding: Hash, now: Timestamp)
    -> Result<Option<InstanceId>>;

    // ── People ──────────────────────────────────────────────────────────────

    /// Adds a person; `false` when somebody has that very name.
    async fn add_user(&self, user: &User) -> Result<bool>;

    async fn user(&self, id: UserId) -> Result<Option<User>>;

    async fn user_named(&self, name: &str) -> Result<Option<User>>;

    /// Everybody by name, after `after`.
    async fn people(&self, after: Option<&Name>, limit: u16) -> Result<Vec<Listed>>;

    /// Changes a person and tells it in the log, both or neither; `false` when
    /// there is no such person.
    async fn change_user(&self, user: UserId, change: &UserChange, told: &Entry) -> Result<bool>;

    async fn password(&self, user: UserId) -> Result<Option<PasswordHash>>;

    /// Gives a person a password, in the place of the one they had.
    async fn put_password(&self, user: UserId, hash: &PasswordHash) -> Result<()>;

    async fn put_invitation(&self, invitation: &Invitation, told: &Entry) -> Result<()>;

    /// Those that are open at `now`, newest first: each inviter has a bounded number.
    async fn invitations(&self, now: Timestamp) -> Result<Vec<Invitation>>;

    /// An invitation, if it is open at `now`.
    async fn invitation(&self, token: Hash, now: Timestamp) -> Result<Option<Invitation>>;

    /// Takes an invitation back and tells it, both or neither; `false` when it
    /// is not there.
    async fn withdraw_invitation(&self, token: Hash, told: &Entry) -> Result<bool>;

    /// Spends an invitation, adds the person and tells it, all or nothing.
    async fn accept_invitation(
        &self,
        token: Hash,
        now: Timestamp,
        user: &User,
        told: &Entry,
    ) -> Result<Accepted>;

    /// Puts a link in the place of those that its person has and did not use.
    async fn put_sign_in_link(&self, link: &SignInLink) -> Result<()>;

    /// Has a person's links that were not used work no more.
    async fn void_sign_in_links(&self, owner: UserId) -> Result<()>;

    /// Spends a link: whose it was, if it is known, unspent and not expired.
    async fn take_sign_in_link(&self, token: Hash, now: Timestamp) -> Result<Option<UserId>>;

    async fn put_session(&self, session: &Session) -> Result<()>;

    /// The session, if it is there and not expired at `now`.
    async fn session(&self, token: Hash, now: Timestamp) -> Result<Option<Session>>;

    /// Its owner's sessions that have not expired at `now`, newest first; 200 at most.
    async fn sessions_of(&self, owner: UserId, now: Timestamp) -> Result<Vec<Session>>;

    /// Notes that a session, if it is still there, and its owner were seen at `at`.
    async fn see_session(&self, session: &Session, at: Timestamp) -> Result<()>;

    /// Ends a session; `false` when it is not there.
    async fn end_session(&self, token: Hash) -> Result<bool>;

    async fn put_token(&self, token: &ApiToken) -> Result<()>;

    async fn token(&self, hash: Hash) -> Result<Option<ApiToken>>;

    /// The owner's tokens, newest first; 100 at most.
    async fn tokens_of(&self, owner: UserId) -> Result<Vec<ApiToken>>;

    /// Takes a token back; `false` when the owner has none of that id.
    async fn revoke_token(&self, owner: UserId, id: TokenId) -> Result<bool>;

    /// A number that changes whenever a session, a token, a role, a look or their
    /// access is taken from anybody: whoever has something open by one asks again then.
    async fn taken_back(&self) -> Result<u64>;

    // ── Looks into terminals ────────────────────────────────────────────────

    /// The agent's latest, whatever became of it.
    async fn look(&self, agent: AgentId) -> Result<Option<Look>>;

    /// Writes a look in the place of the one of its version (0: of none) and
    /// tells it, both or neither; it then has the next.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the ledger has another version.
    async fn put_look(&self, look: &Look, told: &Entry) -> Result<()>;

    // ── The audit log ───────────────────────────────────────────────────────

    /// Adds an entry. None is ever changed or removed.
    async fn tell(&self, entry: &Entry) -> Result<()>;

    /// A month's entries after that one, by instant and id.
    async fn told(&self, month: Month, after: Option<(Timestamp, EntryId)>, limit: u16)
    -> Result<Vec<Entry>>;

    /// A month's entries before that one, from the end, latest first.
    async fn told_last(
        &self,
        month: Month,
        before: Option<(Timestamp, EntryId)>,
        limit: u16,
    ) -> Result<Vec<Entry>>;

    // ── Upkeep ──────────────────────────────────────────────────────────────

    /// Frees the room of what has expired at `now` (nonces, links, sessions,
    /// keys). Nobody could use it any more before that either.
    async fn sweep(&self, now: Timestamp) -> Result<()>;

    /// Whether the ledger answers. Reads only, so that asking costs nothing.
    async fn ready(&self) -> Result<()>;
}

/// Of one owner, read at once.
const OF_ONE: u16 = 500;

/// All of an owner's agents that are there.
pub async fn agents_of(store: &dyn Store, owner: UserId) -> Result<Vec<Agent>> {
    let mut agents: Vec<Agent> = Vec::new();
    loop {
        let page = store.agents_of(owner, agents.last().map(|agent| agent.id), OF_ONE).await?;
        let ended = page.len() < usize::from(OF_ONE);
        agents.extend(page);
        if ended {
            return Ok(agents);
        }
    }
}
