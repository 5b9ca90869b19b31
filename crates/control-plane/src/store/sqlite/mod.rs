//! The ledger in one SQLite file: what a person can open, back up and look
//! into with the tools they know.
//!
//! Commits are on the disk when they are acknowledged (WAL, `synchronous =
//! FULL`). One thread writes; reads run beside it. Other processes may write
//! to the file too; each of their transactions is as whole as ours.

mod accounts;
mod agents;
mod audit;
mod drains;
mod invitations;
mod people;
mod readers;
mod row;
mod schema;
mod sessions;
mod sql;
#[cfg(test)]
mod tests;
mod usage;
mod writer;

use std::path::Path;

use async_trait::async_trait;
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
use agents::Change;
use readers::Readers;
use schema::BUSY_TIMEOUT;
use writer::Writer;

pub use schema::OpenError;

/// A ledger in a file. Dropping it waits for the writes that were handed in.
pub struct Sqlite {
    // In this order they are dropped: the last connection to close is the one
    // that writes, and it folds the log into the file.
    readers: Readers,
    writer: Writer,
}

impl Sqlite {
    /// Opens the file, made when it is absent (mode 0600, in a folder that is
    /// there), and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`] when the file can't be opened, is no ledger, or was
    /// written by a newer version of this program.
    pub fn open(path: &Path) -> std::result::Result<Self, OpenError> {
        let db = schema::open(path)?;
        let readers = Readers::open(path)?;
        Ok(Self { readers, writer: Writer::start(db)? })
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn create_in_turns(
        &self,
        transition: &Transition,
        idempotency: Option<&Idempotency>,
        turns: &[Turn],
    ) -> Result<Created> {
        let (change, idempotency, turns) = (Change::of(transition)?, idempotency.cloned(), turns.to_vec());
        self.writer.write(move |db| change.create(db, idempotency.as_ref(), &turns)).await
    }

    async fn spawner(&self, owner: UserId) -> Result<Spawner> {
        self.readers.read(move |db| agents::spawner(db, owner)).await
    }

    async fn created(
        &self,
        owner: UserId,
        idempotency: &Idempotency,
        now: Timestamp,
    ) -> Result<Option<Created>> {
        let idempotency = idempotency.clone();
        self.readers.read(move |db| agents::created(db, owner, &idempotency, now)).await
    }

    async fn commit_in_turns(&self, transition: &Transition, turns: &[Turn]) -> Result<()> {
        let (change, turns) = (Change::of(transition)?, turns.to_vec());
        self.writer.write(move |db| change.commit(db, &turns)).await
    }

    async fn agent(&self, id: AgentId) -> Result<Option<Agent>> {
        self.readers.read(move |db| agents::agent(db, id)).await
    }

    async fn agents_of(&self, owner: UserId, after: Option<AgentId>, limit: u16) -> Result<Vec<Agent>> {
        self.readers.read(move |db| agents::agents_of(db, owner, after, limit)).await
    }

    async fn events(&self, agent: AgentId, after: u64, limit: u16) -> Result<Vec<Event>> {
        self.readers.read(move |db| agents::events(db, agent, after, limit)).await
    }

    async fn segments(&self, agent: AgentId, before: Option<Generation>, limit: u16) -> Result<Vec<Segment>> {
        self.readers.read(move |db| agents::segments(db, agent, before, limit)).await
    }

    async fn claim_due(
        &self,
        shard: Shard,
        now: Timestamp,
        claimed_until: Timestamp,
        limit: u16,
    ) -> Result<Vec<Agent>> {
        // Mostly nothing is due: that takes no transaction.
        if self.next_due(shard).await?.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        self.writer.write(move |db| agents::claim_due(db, shard, now, claimed_until, limit)).await
    }

    async fn next_due(&self, shard: Shard) -> Result<Option<Timestamp>> {
        self.readers.read(move |db| agents::next_due(db, shard)).await
    }

    async fn awake(&self, shard: Shard, after: Option<AgentId>, limit: u16) -> Result<Vec<Agent>> {
        self.readers.read(move |db| agents::awake(db, shard, after, limit)).await
    }

    async fn fleet(&self, shard: Shard, after: Option<AgentId>, limit: u16) -> Result<Vec<Summary>> {
        self.readers.read(move |db| agents::fleet(db, shard, after, limit)).await
    }

    async fn drained(&self, provider: ProviderName) -> Result<Option<Timestamp>> {
        self.readers.read(move |db| drains::since(db, provider)).await
    }

    async fn set_drained(&self, provider: ProviderName, since: Option<Timestamp>) -> Result<()> {
        self.writer.write(move |db| drains::set(db, provider, since)).await
    }

    async fn account(&self, of: &Subject) -> Result<Option<Account>> {
        let of = of.clone();
        self.readers.read(move |db| accounts::account(db, &of)).await
    }

    async fn accounts(&self, after: Option<&Subject>, limit: u16) -> Result<Vec<Account>> {
        let after = after.cloned();
        self.readers.read(move |db| accounts::all(db, after.as_ref(), limit)).await
    }

    async fn put_account(&self, account: &Account) -> Result<()> {
        let account = account.clone();
        self.writer.write(move |db| accounts::put(db, &account)).await
    }

    async fn unfolded(&self, shard: Shard, limit: u16) -> Result<Vec<Unfolded>> {
        self.readers.read(move |db| usage::unfolded(db, shard, limit)).await
    }

    async fn fold(&self, fold: &Fold) -> Result<bool> {
        let adding = usage::Adding::of(fold)?;
        self.writer.write(move |db| adding.run(db)).await
    }

    async fn usage(
        &self,
        book: Book,
        month: Month,
        view: View,
        after: Option<Line>,
        limit: u16,
    ) -> Result<Vec<(Line, Amount)>> {
        self.readers.read(move |db| usage::usage(db, book, month, view, after.as_ref(), limit)).await
    }

    async fn segments_in(
        &self,
        month: Month,
        shard: Shard,
        after: Option<InstanceId>,
        limit: u16,
    ) -> Result<Vec<Segment>> {
        self.readers.read(move |db| usage::segments_in(db, month, shard, after, limit)).await
    }

    async fn put_enrolment(&self, enrolment: &Enrolment) -> Result<()> {
        let enrolment = enrolment.clone();
        self.writer.write(move |db| people::put_enrolment(db, &enrolment)).await
    }

    async fn spend_enrolment(
        &self,
        nonce: Hash,
        binding: Hash,
        now: Timestamp,
    ) -> Result<Option<InstanceId>> {
        self.writer.write(move |db| people::spend_enrolment(db, nonce, binding, now)).await
    }

    async fn add_user(&self, user: &User) -> Result<bool> {
        let user = user.clone();
        self.writer.write(move |db| people::add_user(db, &user)).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>> {
        self.readers.read(move |db| people::user(db, id)).await
    }

    async fn user_named(&self, name: &str) -> Result<Option<User>> {
        let name = name.to_owned();
        self.readers.read(move |db| people::user_named(db, &name)).await
    }

    async fn people(&self, after: Option<&Name>, limit: u16) -> Result<Vec<Listed>> {
        let after = after.cloned();
        self.readers.read(move |db| people::people(db, after.as_ref(), limit)).await
    }

    async fn change_user(&self, user: UserId, change: &UserChange, told: &Entry) -> Result<bool> {
        let (change, told) = (change.clone(), told.clone());
        self.writer.write(move |db| people::change_user(db, user, &change, &told)).await
    }

    async fn password(&self, user: UserId) -> Result<Option<PasswordHash>> {
        self.readers.read(move |db| people::password(db, user)).await
    }

    async fn put_password(&self, user: UserId, hash: &PasswordHash) -> Result<()> {
        let hash = hash.clone();
        self.writer.write(move |db| people::put_password(db, user, &hash)).await
    }

    async fn put_invitation(&self, invitation: &Invitation, told: &Entry) -> Result<()> {
        let (invitation, told) = (invitation.clone(), told.clone());
        self.writer.write(move |db| invitations::put(db, &invitation, &told)).await
    }

    async fn invitations(&self, now: Timestamp) -> Result<Vec<Invitation>> {
        self.readers.read(move |db| invitations::open_at(db, now)).await
    }

    async fn invitation(&self, token: Hash, now: Timestamp) -> Result<Option<Invitation>> {
        self.readers.read(move |db| invitations::invitation(db, token, now)).await
    }

    async fn withdraw_invitation(&self, token: Hash, told: &Entry) -> Result<bool> {
        let told = told.clone();
        self.writer.write(move |db| invitations::withdraw(db, token, &told)).await
    }

    async fn accept_invitation(
        &self,
        token: Hash,
        now: Timestamp,
        user: &User,
        told: &Entry,
    ) -> Result<Accepted> {
        let (user, told) = (user.clone(), told.clone());
        self.writer.write(move |db| invitations::accept(db, token, now, &user, &told)).await
    }

    async fn put_sign_in_link(&self, link: &SignInLink) -> Result<()> {
        let link = link.clone();
        self.writer.write(move |db| people::put_sign_in_link(db, &link)).await
    }

    async fn void_sign_in_links(&self, owner: UserId) -> Result<()> {
        self.writer.write(move |db| people::void_sign_in_links(db, owner)).await
    }

    async fn take_sign_in_link(&self, token: Hash, now: Timestamp) -> Result<Option<UserId>> {
        self.writer.write(move |db| people::take_sign_in_link(db, token, now)).await
    }

    async fn put_session(&self, session: &Session) -> Result<()> {
        let session = session.clone();
        self.writer.write(move |db| sessions::put(db, &session)).await
    }

    async fn session(&self, token: Hash, now: Timestamp) -> Result<Option<Session>> {
        self.readers.read(move |db| sessions::session(db, token, now)).await
    }

    async fn sessions_of(&self, owner: UserId, now: Timestamp) -> Result<Vec<Session>> {
        self.readers.read(move |db| sessions::of(db, owner, now)).await
    }

    async fn see_session(&self, session: &Session, at: Timestamp) -> Result<()> {
        let session = session.clone();
        self.writer.write(move |db| sessions::see(db, &session, at)).await
    }

    async fn end_session(&self, token: Hash) -> Result<bool> {
        self.writer.write(move |db| sessions::end(db, token)).await
    }

    async fn put_token(&self, token: &ApiToken) -> Result<()> {
        let token = token.clone();
        self.writer.write(move |db| people::put_token(db, &token)).await
    }

    async fn token(&self, hash: Hash) -> Result<Option<ApiToken>> {
        self.readers.read(move |db| people::token(db, hash)).await
    }

    async fn tokens_of(&self, owner: UserId) -> Result<Vec<ApiToken>> {
        self.readers.read(move |db| people::tokens_of(db, owner)).await
    }

    async fn revoke_token(&self, owner: UserId, id: TokenId) -> Result<bool> {
        self.writer.write(move |db| people::revoke_token(db, owner, id)).await
    }

    async fn taken_back(&self) -> Result<u64> {
        self.readers.read(sessions::taken_back).await
    }

    async fn look(&self, agent: AgentId) -> Result<Option<Look>> {
        self.readers.read(move |db| invitations::look(db, agent)).await
    }

    async fn put_look(&self, look: &Look, told: &Entry) -> Result<()> {
        let (look, told) = (look.clone(), told.clone());
        self.writer.write(move |db| invitations::put_look(db, &look, &told)).await
    }

    async fn tell(&self, entry: &Entry) -> Result<()> {
        let entry = entry.clone();
        self.writer.write(move |db| audit::tell(db, &entry)).await
    }

    async fn told(
        &self,
        month: Month,
        after: Option<(Timestamp, EntryId)>,
        limit: u16,
    ) -> Result<Vec<Entry>> {
        self.readers.read(move |db| audit::told(db, month, after, limit)).await
    }

    async fn told_last(
        &self,
        month: Month,
        before: Option<(Timestamp, EntryId)>,
        limit: u16,
    ) -> Result<Vec<Entry>> {
        self.readers.read(move |db| audit::told_last(db, month, before, limit)).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<()> {
        self.writer.write(move |db| people::sweep(db, now)).await
    }

    async fn ready(&self) -> Result<()> {
        self.readers.read(|db| Ok(sql::READY.one(db, [], |_| Ok(())).map(drop)?)).await
    }
}
