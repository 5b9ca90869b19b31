//! The ledger in DynamoDB: any number of control planes on one of them.
//!
//! Each transition is one `TransactWriteItems`, whole or not at all; the row's
//! version is its condition. What is searched by (an owner's agents, deadlines,
//! running meters) are items written in that same transaction, and not global
//! secondary indexes: these lag, and the trait promises that what was written
//! is read. Every read is strongly consistent, by key or by a range of one
//! partition: there is no scan.
//!
//! Every write can be repeated without harm, for its answer may get lost:
//! transactions carry a token, the others know their own work again. docs/aws.md
//! has the keys, and what each access costs.

mod accounts;
mod agents;
mod audit;
mod change;
mod check;
mod client;
mod deadlines;
mod drains;
mod error;
mod expiring;
mod invitations;
mod item;
mod key;
mod layout;
mod people;
mod read;
mod sessions;
mod setup;
mod tables;
#[cfg(test)]
mod tests;
mod transact;
mod usage;

use async_trait::async_trait;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::config::Builder;
use domain::agent::{Agent, ProviderName};
use domain::audit::Entry;
use domain::budget::{Account, Subject};
use domain::event::Event;
use domain::fleet::Summary;
use domain::id::{AgentId, EntryId, Generation, InstanceId, TokenId, UserId};
use domain::lifecycle::Transition;
use domain::look::Look;
use domain::metering::Segment;
use domain::name::Name;
use domain::time::{Month, Timestamp};
use domain::usage::{Amount, Line};

use super::usage::{Book, Fold, Unfolded, View};
use super::{
    Accepted, ApiToken, Created, Enrolment, Hash, Idempotency, Invitation, Listed, PasswordHash, Result,
    Session, Shard, SignInLink, Spawner, Store, Turn, User, UserChange,
};
use read::Db;

pub use check::{Fault, OpenError};
pub use layout::Lanes;
pub use setup::{SetupError, create_tables};
pub use tables::{InvalidTablePrefix, TablePrefix};

/// Where a ledger is.
#[derive(Debug, Clone)]
pub struct Config {
    pub tables: TablePrefix,
    /// For a ledger that is new; one that is there keeps its own.
    pub lanes: Lanes,
}

/// A ledger in DynamoDB.
pub struct Dynamo {
    db: Db,
    lanes: Lanes,
}

impl Dynamo {
    /// Opens the ledger in the account, region and endpoint that AWS's own
    /// variables, files and metadata services name.
    ///
    /// # Errors
    /// As [`Dynamo::open`].
    pub async fn connect(config: &Config) -> std::result::Result<Self, OpenError> {
        Self::open(&aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await, config).await
    }

    /// Opens the ledger whose tables are there ([`create_tables`], or the
    /// template of an installation, makes them).
    ///
    /// # Errors
    /// [`OpenError`] names all that is missing or otherwise than it must be.
    pub async fn open(sdk: &SdkConfig, config: &Config) -> std::result::Result<Self, OpenError> {
        Self::with(client::settings(sdk), config).await
    }

    async fn with(settings: Builder, config: &Config) -> std::result::Result<Self, OpenError> {
        let db = Db::new(aws_sdk_dynamodb::Client::from_conf(settings.build()), &config.tables);
        check::tables(&db).await?;
        let lanes = layout::settle(&db, config.lanes).await?;
        Ok(Self { db, lanes })
    }
}

#[async_trait]
impl Store for Dynamo {
    async fn create_in_turns(
        &self,
        transition: &Transition,
        idempotency: Option<&Idempotency>,
        turns: &[Turn],
    ) -> Result<Created> {
        agents::create(&self.db, self.lanes, transition, idempotency, turns).await
    }

    async fn spawner(&self, owner: UserId) -> Result<Spawner> {
        agents::spawner(&self.db, owner).await
    }

    async fn created(
        &self,
        owner: UserId,
        idempotency: &Idempotency,
        now: Timestamp,
    ) -> Result<Option<Created>> {
        expiring::created(&self.db, owner, idempotency, now).await
    }

    async fn commit_in_turns(&self, transition: &Transition, turns: &[Turn]) -> Result<()> {
        agents::commit(&self.db, self.lanes, transition, turns).await
    }

    async fn agent(&self, id: AgentId) -> Result<Option<Agent>> {
        agents::agent(&self.db, id).await
    }

    async fn agents_of(&self, owner: UserId, after: Option<AgentId>, limit: u16) -> Result<Vec<Agent>> {
        agents::agents_of(&self.db, owner, after, limit).await
    }

    async fn events(&self, agent: AgentId, after: u64, limit: u16) -> Result<Vec<Event>> {
        agents::events(&self.db, agent, after, limit).await
    }

    async fn segments(&self, agent: AgentId, before: Option<Generation>, limit: u16) -> Result<Vec<Segment>> {
        agents::segments(&self.db, agent, before, limit).await
    }

    async fn claim_due(
        &self,
        shard: Shard,
        now: Timestamp,
        claimed_until: Timestamp,
        limit: u16,
    ) -> Result<Vec<Agent>> {
        deadlines::claim_due(&self.db, self.lanes, shard, now, claimed_until, limit).await
    }

    async fn next_due(&self, shard: Shard) -> Result<Option<Timestamp>> {
        deadlines::next_due(&self.db, self.lanes, shard).await
    }

    async fn awake(&self, shard: Shard, after: Option<AgentId>, limit: u16) -> Result<Vec<Agent>> {
        agents::awake(&self.db, shard, after, limit).await
    }

    async fn fleet(&self, shard: Shard, after: Option<AgentId>, limit: u16) -> Result<Vec<Summary>> {
        agents::fleet(&self.db, shard, after, limit).await
    }

    async fn drained(&self, provider: ProviderName) -> Result<Option<Timestamp>> {
        drains::since(&self.db, provider).await
    }

    async fn set_drained(&self, provider: ProviderName, since: Option<Timestamp>) -> Result<()> {
        drains::set(&self.db, provider, since).await
    }

    async fn account(&self, of: &Subject) -> Result<Option<Account>> {
        accounts::account(&self.db, of).await
    }

    async fn accounts(&self, after: Option<&Subject>, limit: u16) -> Result<Vec<Account>> {
        accounts::all(&self.db, after, limit).await
    }

    async fn put_account(&self, account: &Account) -> Result<()> {
        accounts::put(&self.db, account).await
    }

    async fn unfolded(&self, shard: Shard, limit: u16) -> Result<Vec<Unfolded>> {
        usage::unfolded(&self.db, shard, limit).await
    }

    async fn fold(&self, fold: &Fold) -> Result<bool> {
        usage::fold(&self.db, fold).await
    }

    async fn usage(
        &self,
        book: Book,
        month: Month,
        view: View,
        after: Option<Line>,
        limit: u16,
    ) -> Result<Vec<(Line, Amount)>> {
        usage::usage(&self.db, book, month, view, after.as_ref(), limit).await
    }

    async fn segments_in(
        &self,
        month: Month,
        shard: Shard,
        after: Option<InstanceId>,
        limit: u16,
    ) -> Result<Vec<Segment>> {
        usage::segments_in(&self.db, month, shard, after, limit).await
    }

    async fn put_enrolment(&self, enrolment: &Enrolment) -> Result<()> {
        expiring::put_enrolment(&self.db, enrolment).await
    }

    async fn spend_enrolment(
        &self,
        nonce: Hash,
        binding: Hash,
        now: Timestamp,
    ) -> Result<Option<InstanceId>> {
        expiring::spend_enrolment(&self.db, nonce, binding, now).await
    }

    async fn add_user(&self, user: &User) -> Result<bool> {
        people::add_user(&self.db, user).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>> {
        people::user(&self.db, id).await
    }

    async fn user_named(&self, name: &str) -> Result<Option<User>> {
        people::user_named(&self.db, name).await
    }

    async fn people(&self, after: Option<&Name>, limit: u16) -> Result<Vec<Listed>> {
        people::people(&self.db, after, limit).await
    }

    async fn change_user(&self, user: UserId, change: &UserChange, told: &Entry) -> Result<bool> {
        people::change_user(&self.db, user, change, told).await
    }

    async fn password(&self, user: UserId) -> Result<Option<PasswordHash>> {
        people::password(&self.db, user).await
    }

    async fn put_password(&self, user: UserId, hash: &PasswordHash) -> Result<()> {
        people::put_password(&self.db, user, hash).await
    }

    async fn put_invitation(&self, invitation: &Invitation, told: &Entry) -> Result<()> {
        invitations::put(&self.db, invitation, told).await
    }

    async fn invitations(&self, now: Timestamp) -> Result<Vec<Invitation>> {
        invitations::open_at(&self.db, now).await
    }

    async fn invitation(&self, token: Hash, now: Timestamp) -> Result<Option<Invitation>> {
        invitations::invitation(&self.db, token, now).await
    }

    async fn withdraw_invitation(&self, token: Hash, told: &Entry) -> Result<bool> {
        invitations::withdraw(&self.db, token, told).await
    }

    async fn accept_invitation(
        &self,
        token: Hash,
        now: Timestamp,
        user: &User,
        told: &Entry,
    ) -> Result<Accepted> {
        invitations::accept(&self.db, token, now, user, told).await
    }

    async fn put_sign_in_link(&self, link: &SignInLink) -> Result<()> {
        expiring::put_sign_in_link(&self.db, link).await
    }

    async fn void_sign_in_links(&self, owner: UserId) -> Result<()> {
        expiring::void_sign_in_links(&self.db, owner).await
    }

    async fn take_sign_in_link(&self, token: Hash, now: Timestamp) -> Result<Option<UserId>> {
        expiring::take_sign_in_link(&self.db, token, now).await
    }

    async fn put_session(&self, session: &Session) -> Result<()> {
        sessions::put(&self.db, session).await
    }

    async fn session(&self, token: Hash, now: Timestamp) -> Result<Option<Session>> {
        sessions::session(&self.db, token, now).await
    }

    async fn sessions_of(&self, owner: UserId, now: Timestamp) -> Result<Vec<Session>> {
        sessions::of(&self.db, owner, now).await
    }

    async fn see_session(&self, session: &Session, at: Timestamp) -> Result<()> {
        sessions::see(&self.db, session, at).await
    }

    async fn end_session(&self, token: Hash) -> Result<bool> {
        sessions::end(&self.db, token).await
    }

    async fn put_token(&self, token: &ApiToken) -> Result<()> {
        people::put_token(&self.db, token).await
    }

    async fn token(&self, hash: Hash) -> Result<Option<ApiToken>> {
        people::token(&self.db, hash).await
    }

    async fn tokens_of(&self, owner: UserId) -> Result<Vec<ApiToken>> {
        people::tokens_of(&self.db, owner).await
    }

    async fn revoke_token(&self, owner: UserId, id: TokenId) -> Result<bool> {
        people::revoke_token(&self.db, owner, id).await
    }

    async fn taken_back(&self) -> Result<u64> {
        sessions::taken_back(&self.db).await
    }

    async fn look(&self, agent: AgentId) -> Result<Option<Look>> {
        invitations::look(&self.db, agent).await
    }

    async fn put_look(&self, look: &Look, told: &Entry) -> Result<()> {
        invitations::put_look(&self.db, look, told).await
    }

    async fn tell(&self, entry: &Entry) -> Result<()> {
        audit::tell(&self.db, entry).await
    }

    async fn told(
        &self,
        month: Month,
        after: Option<(Timestamp, EntryId)>,
        limit: u16,
    ) -> Result<Vec<Entry>> {
        audit::told(&self.db, month, after, limit).await
    }

    async fn told_last(
        &self,
        month: Month,
        before: Option<(Timestamp, EntryId)>,
        limit: u16,
    ) -> Result<Vec<Entry>> {
        audit::told_last(&self.db, month, before, limit).await
    }

    /// Nothing to do: DynamoDB itself removes what has expired, for no charge,
    /// and nothing here counts on when (`expires_at` is always compared).
    async fn sweep(&self, _now: Timestamp) -> Result<()> {
        Ok(())
    }

    async fn ready(&self) -> Result<()> {
        layout::read(&self.db).await.map(drop)
    }
}
