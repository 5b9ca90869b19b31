//! Who asks. A session in a browser and a bearer token lead to the same
//! [`Principal`]; secrets are random, and kept as digests only.

mod rights;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use domain::audit::{Act, Actor, Outcome};
use domain::id::{TokenId, UserId};
use domain::name::Name;
use domain::protocol::Secret;
use domain::role::Role;
use domain::time::Timestamp;

use crate::audit::Audit;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::random;
use crate::store::{ApiToken, Hash, Session, SignInLink, Store, User};

pub use rights::Right;

/// How long a printed link may lie about.
pub const LINK_LIFE: Duration = Duration::from_secs(24 * 3600);
/// How long a browser stays signed in.
pub const SESSION_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often a connection that lasts proves its right again.
pub const RECHECK: Duration = Duration::from_secs(60);
/// The same for one that a role opened, and not a session alone.
pub const RECHECK_RIGHT: Duration = Duration::from_millis(900);
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
}

impl Principal {
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
    /// Rights that were taken back here.
    taken_back: watch::Sender<u64>,
}

impl Identity {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let audit = Audit::new(Arc::clone(&store), Arc::clone(&clock));
        Self { store, clock, audit, taken_back: watch::Sender::new(0) }
    }

    /// Resolves when `proof`, a session's or token's question asked again, is
    /// answered by [`Error::Unauthenticated`]: at once when it was taken back
    /// here, within [`RECHECK`] when it expired or was taken back elsewhere.
    pub async fn until_refused<T, F>(&self, proof: impl Fn() -> F)
    where
        F: Future<Output = Result<T>>,
    {
        self.until(RECHECK, || async { matches!(proof().await, Err(Error::Unauthenticated)) }).await;
    }

    /// The same, also when whoever it proves has no longer that right; elsewhere
    /// and by a command taken back, within [`RECHECK_RIGHT`].
    pub async fn until_without<F>(&self, right: Right, proof: impl Fn() -> F)
    where
        F: Future<Output = Result<Principal>>,
    {
        self.until(RECHECK_RIGHT, || async {
            match proof().await {
                Ok(who) => !right.is_of(who.role),
                Err(error) => matches!(error, Error::Unauthenticated),
            }
        })
        .await;
    }

    async fn until<F: Future<Output = bool>>(&self, every: Duration, refused: impl Fn() -> F) {
        let mut taken_back = self.taken_back.subscribe();
        while !refused().await {
            // Either way it is asked again.
            let _ = tokio::time::timeout(every, taken_back.changed()).await;
        }
    }

    /// The person of that name, added with a role when there is none.
    pub async fn ensure_user(&self, name: &Name, role: Role) -> Result<User> {
        if let Some(user) = self.store.user_named(name.as_str()).await? {
            return Ok(user);
        }
        let user = User {
            id: UserId::from_random(random::bytes()),
            name: name.clone(),
            role,
            created_at: self.clock.now(),
        };
        let act = Act::AddPerson { person: user.id, name: name.clone(), role };
        let added = async { Ok(self.store.add_user(&user).await?) };
        if self.audit.told(Actor::CommandLine, act, added).await? {
            return Ok(user);
        }
        // Somebody else added the same name meanwhile.
        self.store.user_named(name.as_str()).await?.ok_or(Error::Contended)
    }

    /// Gives a person another role, by a command on the installation.
    pub async fn set_role(&self, name: &Name, role: Role) -> Result<User> {
        let user = self.store.user_named(name.as_str()).await?.ok_or(Error::NoSuchPerson)?;
        self.change_role(Actor::CommandLine, user, role).await
    }

    /// Gives a person another role, by right of one's own.
    pub async fn give_role(&self, who: &Principal, name: &Name, role: Role) -> Result<User> {
        let user = self.store.user_named(name.as_str()).await?;
        let change =
            |user: &User| Act::ChangeRole { person: user.id, name: name.clone(), from: user.role, to: role };
        // Whether there is such a person is told to nobody who may not ask.
        let act = || user.as_ref().map_or(Act::SeePeople, change);
        self.audit.permit(who, Right::ManagePeople, act).await?;
        self.change_role(who.actor(), user.ok_or(Error::NoSuchPerson)?, role).await
    }

    async fn change_role(&self, actor: Actor, user: User, role: Role) -> Result<User> {
        let User { id: person, name, role: from, .. } = user.clone();
        if from == role {
            return Ok(user);
        }
        let act = Act::ChangeRole { person, name, from, to: role };
        let told = self.audit.entry(actor, act, Outcome::Allowed);
        if !self.store.set_role(user.id, role, &told).await? {
            return Err(Error::NoSuchPerson);
        }
        self.taken_back.send_modify(|count| *count += 1);
        Ok(User { role, ..user })
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

    /// A one-time secret that signs `user` in within [`LINK_LIFE`].
    pub async fn sign_in_link(&self, user: UserId) -> Result<Secret> {
        let secret = random::secret();
        let link = SignInLink {
            token: Hash::of(secret.expose().as_bytes()),
            user,
            expires_at: self.clock.now().after(LINK_LIFE),
        };
        self.store.put_sign_in_link(&link).await?;
        Ok(secret)
    }

    /// Spends a link's secret for a session's; [`Error::Unauthenticated`] for
    /// one that is unknown, used or expired.
    pub async fn sign_in(&self, link: &str) -> Result<Secret> {
        let now = self.clock.now();
        let user = self.store.take_sign_in_link(Hash::of(link.as_bytes()), now).await?;
        let user = user.ok_or(Error::Unauthenticated)?;
        let secret = random::secret();
        let session = Session {
            token: Hash::of(secret.expose().as_bytes()),
            user,
            created_at: now,
            expires_at: now.after(SESSION_LIFE),
        };
        self.store.put_session(&session).await?;
        Ok(secret)
    }

    /// Whose session that is.
    pub async fn session(&self, secret: &str) -> Result<Principal> {
        let session = self.store.session(Hash::of(secret.as_bytes()), self.clock.now()).await?;
        self.principal(session.ok_or(Error::Unauthenticated)?.user).await
    }

    /// Ends a session; one that is not there has ended already.
    pub async fn sign_out(&self, secret: &str) -> Result<()> {
        self.store.end_session(Hash::of(secret.as_bytes())).await?;
        self.taken_back.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Whose bearer token that is.
    pub async fn bearer(&self, secret: &str) -> Result<Principal> {
        if !secret.starts_with(TOKEN_PREFIX) {
            return Err(Error::Unauthenticated);
        }
        let token = self.store.token(Hash::of(secret.as_bytes())).await?;
        self.principal(token.ok_or(Error::Unauthenticated)?.owner).await
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
        self.taken_back.send_modify(|count| *count += 1);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn principal(&self, id: UserId) -> Result<Principal> {
        let user = self.store.user(id).await?.ok_or(Error::Unauthenticated)?;
        Ok(Principal { user: user.id, name: user.name, role: user.role })
    }
}
