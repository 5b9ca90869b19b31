//! Who asks. A session in a browser and a bearer token lead to the same
//! [`Principal`]; secrets are random, and kept as digests only.

mod access;
mod attempts;
mod passwords;
mod people;
mod rights;
mod sessions;
mod taken_back;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use domain::audit::{Act, Actor, Entry};
use domain::id::{TokenId, UserId};
use domain::name::Name;
use domain::protocol::Secret;
use domain::role::Role;
use domain::ticket::Holder;
use domain::time::{Month, Timestamp};

use crate::audit::{Audit, Filter};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::random;
use crate::store::{Hash, Store, User};

use attempts::Attempts;
use passwords::Passwords;

pub use crate::store::{ApiToken, Invitation, Session};
pub use passwords::{MAX_BYTES as PASSWORD_MAX_BYTES, MIN_CHARS as PASSWORD_MIN_CHARS};
pub use people::PEOPLE_MAX;
pub use rights::Right;
pub use sessions::{OwnPassword, SignedIn};
pub use taken_back::{APART, Changes, LOOK, RECHECK};

/// How long a printed link may lie about.
pub const LINK_LIFE: Duration = Duration::from_secs(24 * 3600);
/// How long a browser stays signed in.
pub const SESSION_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long an invitation can be accepted.
pub const INVITATION_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Open invitations that one person may have made.
pub const INVITATIONS_MAX: usize = 50;
/// Tokens one person may have.
pub const TOKENS_MAX: usize = 50;
/// What tokens start with, so that a leaked one is known for what it is.
const TOKEN_PREFIX: &str = "ocl_";

/// Somebody whose right to ask was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub user: UserId,
    pub name: Name,
    pub role: Role,
    pub team: Option<Name>,
    /// What they proved it by; none where the program itself speaks for them.
    pub proof: Option<Proof>,
}

/// What a request proves who it is of by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    Session(Hash),
    Token(Hash),
}

impl Proof {
    /// What an instance knows whoever comes by it as.
    pub(crate) fn holder(self) -> Holder {
        let (Self::Session(hash) | Self::Token(hash)) = self;
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.0[..8]);
        Holder::new(bytes)
    }
}

impl Principal {
    pub fn of(user: User, proof: Option<Proof>) -> Self {
        Self { user: user.id, name: user.name, role: user.role, team: user.team, proof }
    }

    pub fn has(&self, right: Right) -> bool {
        right.is_of(self.role)
    }

    pub(crate) fn actor(&self) -> Actor {
        Actor::Person { user: self.user, name: self.name.clone() }
    }
}

/// Signs people in and out.
pub struct Identity {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    audit: Audit,
    passwords: Passwords,
    attempts: Attempts,
    /// Rights that were taken back, here or elsewhere.
    taken_back: watch::Sender<u64>,
}

impl Identity {
    /// Where it tells what people did.
    pub fn log(&self) -> &Audit {
        &self.audit
    }

    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let audit = Audit::new(Arc::clone(&store), Arc::clone(&clock));
        Self {
            store,
            clock,
            audit,
            passwords: Passwords::default(),
            attempts: Attempts::default(),
            taken_back: watch::Sender::new(0),
        }
    }

    /// The log, for whoever may run commands on the installation.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// The log, by right of a role.
    pub async fn read_audit(&self, who: &Principal) -> Result<&Audit> {
        self.audit.permit(who, Right::ReadAudit, || Act::ReadAudit).await?;
        Ok(&self.audit)
    }

    /// Whose bearer token that is.
    pub async fn bearer(&self, secret: &str) -> Result<Principal> {
        if !secret.starts_with(TOKEN_PREFIX) {
            return Err(Error::Unauthenticated);
        }
        let token = self.store.token(Hash::of(secret.as_bytes())).await?.ok_or(Error::Unauthenticated)?;
        self.principal(token.owner, Proof::Token(token.token)).await
    }

    /// The caller's tokens, newest first.
    pub async fn tokens(&self, who: &Principal) -> Result<Vec<ApiToken>> {
        Ok(self.store.tokens_of(who.user).await?)
    }

    /// A new token; its secret is shown this once.
    pub async fn create_token(&self, who: &Principal, name: Name) -> Result<(ApiToken, Secret)> {
        if self.store.tokens_of(who.user).await?.len() >= TOKENS_MAX {
            return Err(Error::TooMany { what: "tokens", most: TOKENS_MAX });
        }
        let secret = Secret::new(format!("{TOKEN_PREFIX}{}", random::secret().expose()));
        let token = ApiToken {
            id: TokenId::from_random(random::bytes()),
            token: Hash::of(secret.expose().as_bytes()),
            owner: who.user,
            name,
            created_at: self.now(),
        };
        self.store.put_token(&token).await?;
        Ok((token, secret))
    }

    /// Takes one of the caller's tokens back.
    pub async fn revoke_token(&self, who: &Principal, id: TokenId) -> Result<()> {
        if !self.store.revoke_token(who.user, id).await? {
            return Err(Error::NotFound);
        }
        self.took_back();
        Ok(())
    }

    /// A month of the log, by right of a role.
    pub async fn audit_month(&self, who: &Principal, filter: &Filter) -> Result<(Month, Vec<Entry>, bool)> {
        self.read_audit(who).await?.month(filter).await
    }

    /// The names of those who had asked for the looks that entries tell of.
    pub async fn lookers(&self, entries: &[Entry]) -> Result<BTreeMap<UserId, Name>> {
        let mut names = BTreeMap::new();
        let lookers: BTreeSet<_> = entries.iter().filter_map(|entry| entry.act.looker()).collect();
        for looker in lookers {
            if let Some(user) = self.store.user(looker).await? {
                names.insert(looker, user.name);
            }
        }
        Ok(names)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whose proof that is now; [`Error::Unauthenticated`] when it is no longer one.
    pub(crate) async fn proves(&self, proof: Proof) -> Result<Principal> {
        let user = match proof {
            Proof::Session(token) => self.store.session(token, self.now()).await?.map(|session| session.user),
            Proof::Token(token) => self.store.token(token).await?.map(|token| token.owner),
        };
        self.principal(user.ok_or(Error::Unauthenticated)?, proof).await
    }

    async fn principal(&self, id: UserId, proof: Proof) -> Result<Principal> {
        let user = self.store.user(id).await?.filter(User::is_let_in).ok_or(Error::Unauthenticated)?;
        Ok(Principal::of(user, Some(proof)))
    }
}
