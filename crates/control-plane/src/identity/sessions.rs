//! Ways to a session, and sessions. Each way proves in its own words who
//! somebody is and then calls [`Identity::begin_session`]; nothing behind a
//! session knows which it was.

use std::net::IpAddr;
use std::time::Duration;

use domain::audit::{Act, Actor, Outcome};
use domain::id::{SessionId, UserId};
use domain::name::Name;
use domain::protocol::Secret;
use domain::session::{How, browser};

use super::{Identity, LINK_LIFE, Principal, Proof, Right, SESSION_LIFE};
use crate::error::{Error, Result};
use crate::random;
use crate::store::{Accepted, Hash, Session, SignInLink, User};

/// Sessions that one person may have; the least used makes room for another.
const SESSIONS_MAX: usize = 50;
/// How much later than the last note a session is seen before it is noted again.
const SEEN_EVERY: Duration = Duration::from_secs(5 * 60);

/// A session that was begun by a link.
#[derive(Debug)]
pub struct SignedIn {
    /// The session's secret.
    pub session: Secret,
    pub how: How,
}

/// Somebody's password, for themselves.
#[derive(Debug, Clone, Copy)]
pub struct OwnPassword {
    pub is_set: bool,
    /// Whether it must be said to get another.
    pub is_asked: bool,
}

impl Identity {
    /// Begins a session of somebody who proved who they are, in a browser that
    /// says of itself what `user_agent` says; its secret.
    pub async fn begin_session(&self, user: UserId, how: How, user_agent: &str) -> Result<Secret> {
        let now = self.now();
        let mut there = self.store.sessions_of(user, now).await?;
        there.sort_by_key(|session| std::cmp::Reverse(session.seen_at));
        for least_used in there.iter().skip(SESSIONS_MAX - 1) {
            self.store.end_session(least_used.token).await?;
        }
        let secret = random::secret();
        let session = Session {
            token: Hash::of(secret.expose().as_bytes()),
            user,
            created_at: now,
            expires_at: now.after(SESSION_LIFE),
            how,
            browser: browser(user_agent),
            seen_at: now,
        };
        self.store.put_session(&session).await?;
        self.store.see_session(&session, now).await?;
        Ok(secret)
    }

    /// The same for somebody else, by a command on the installation.
    pub async fn link_person(&self, user: &User) -> Result<Secret> {
        let act = Act::LinkPerson { person: user.id, name: user.name.clone() };
        self.audit.told(Actor::CommandLine, act, self.sign_in_link(user.id)).await
    }

    /// A one-time secret that signs `user` in within [`LINK_LIFE`], in the place
    /// of any that they have and did not use.
    pub async fn sign_in_link(&self, user: UserId) -> Result<Secret> {
        let secret = random::secret();
        let link = SignInLink {
            token: Hash::of(secret.expose().as_bytes()),
            user,
            expires_at: self.now().after(LINK_LIFE),
        };
        self.store.put_sign_in_link(&link).await?;
        Ok(secret)
    }

    /// Spends a link's or an invitation's secret for a session's;
    /// [`Error::Unauthenticated`] for one that is unknown, used or expired.
    pub async fn sign_in(&self, link: &str, user_agent: &str) -> Result<SignedIn> {
        let token = Hash::of(link.as_bytes());
        let (user, how) = match self.store.take_sign_in_link(token, self.now()).await? {
            Some(user) => (self.let_in(user).await?, How::Link),
            None => (self.accept_invitation(token).await?, How::Invitation),
        };
        Ok(SignedIn { session: self.begin_session(user, how, user_agent).await?, how })
    }

    async fn let_in(&self, user: UserId) -> Result<UserId> {
        let user = self.store.user(user).await?.filter(User::is_let_in).ok_or(Error::Unauthenticated)?;
        Ok(user.id)
    }

    /// Makes whoever shows an invitation the person that it is for, as long as
    /// who invited them may still do that.
    async fn accept_invitation(&self, token: Hash) -> Result<UserId> {
        let now = self.now();
        let invitation = self.store.invitation(token, now).await?.ok_or(Error::Unauthenticated)?;
        let invited = invitation.invited;
        let inviter = self.store.user_named(invited.by.as_str()).await?;
        if !inviter.is_some_and(|user| user.is_let_in() && Right::ManagePeople.is_of(user.role)) {
            return Err(Error::Unauthenticated);
        }
        let id = UserId::from_random(random::bytes());
        let user = User {
            id,
            name: invited.name,
            role: invited.role,
            team: invited.team,
            created_at: now,
            closed_at: None,
        };
        let act = Act::AddPerson { person: id, name: user.name.clone(), role: user.role };
        let actor = Actor::Person { user: id, name: user.name.clone() };
        let told = self.audit.entry(actor, act, Outcome::Allowed);
        match self.store.accept_invitation(token, now, &user, &told).await? {
            Accepted::Done => Ok(id),
            Accepted::Gone => Err(Error::Unauthenticated),
            Accepted::NameTaken => Err(Error::NameTaken),
        }
    }

    /// A name and its password for a session's secret. What there is not takes
    /// as long to refuse as what is wrong.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], or [`Error::SlowDown`] before it is looked at.
    pub async fn sign_in_with_password(
        &self,
        name: &str,
        password: &Secret,
        from: Option<IpAddr>,
        user_agent: &str,
    ) -> Result<Secret> {
        // What can't be a name is nobody's, and no store need be asked for it.
        let Ok(name) = name.parse::<Name>() else { return Err(Error::WrongPassword) };
        let name = name.as_str();
        self.attempts.begin(name, from, self.now())?;
        let user = self.store.user_named(name).await?;
        // Asked for nobody too: that is a read that somebody else costs.
        let id = user.as_ref().map_or(UserId::from_random([0; 10]), |user| user.id);
        let hash = self.store.password(id).await?;
        if !self.passwords.matches(password, hash.clone()).await?
            || !user.is_some_and(|user| user.is_let_in())
        {
            return Err(Error::WrongPassword);
        }
        self.attempts.succeeded(name, from, self.now());
        let session = self.begin_session(id, How::Password, user_agent).await?;
        // It takes a while to look at a password: one that was given meanwhile ended the
        // sessions that were there, and this was not.
        if self.store.password(id).await? != hash {
            self.sign_out(session.expose()).await?;
            return Err(Error::WrongPassword);
        }
        Ok(session)
    }

    /// Whether the caller has a password, and whether they must say it to get
    /// another.
    pub async fn own_password(&self, who: &Principal) -> Result<OwnPassword> {
        let session = self.own_session(who).await?;
        let is_set = self.store.password(who.user).await?.is_some();
        Ok(OwnPassword { is_set, is_asked: is_set && !self.came_by_link(&session) })
    }

    async fn own_session(&self, who: &Principal) -> Result<Session> {
        let session = match who.proof {
            Some(Proof::Session(token)) => self.store.session(token, self.now()).await?,
            _ => None,
        };
        session.ok_or(Error::Unauthenticated)
    }

    /// Not long ago: as long as the link itself could have been used.
    fn came_by_link(&self, session: &Session) -> bool {
        session.how != How::Password && session.created_at.after(LINK_LIFE) > self.now()
    }

    /// Gives the caller a password, and ends their other sessions and their
    /// links. Their API tokens stay. Who came by a link need not say the one they
    /// had: it is how a forgotten one is mended.
    ///
    /// # Errors
    /// [`Error::WrongPassword`] when `current` is not the one they had,
    /// [`Error::Invalid`] for a new one that is too short or too long.
    pub async fn set_password(&self, who: &Principal, current: &Secret, new: &Secret) -> Result<()> {
        let session = self.own_session(who).await?;
        let had = self.store.password(who.user).await?;
        if had.is_some() && !self.came_by_link(&session) {
            let (name, now) = (who.name.as_str(), self.now());
            self.attempts.begin(name, None, now)?;
            if !self.passwords.matches(current, had).await? {
                return Err(Error::WrongPassword);
            }
            self.attempts.succeeded(name, None, now);
        }
        let hash = self.passwords.hash(new).await?;
        self.store.put_password(who.user, &hash).await?;
        self.store.void_sign_in_links(who.user).await?;
        self.end_all(who.user, Some(session.id())).await
    }

    /// Whose session that is.
    pub async fn session(&self, secret: &str) -> Result<Principal> {
        let (token, now) = (Hash::of(secret.as_bytes()), self.now());
        let session = self.store.session(token, now).await?.ok_or(Error::Unauthenticated)?;
        let who = self.principal(session.user, Proof::Session(token)).await?;
        if session.seen_at.after(SEEN_EVERY) <= now
            && let Err(error) = self.store.see_session(&session, now).await
        {
            // Nobody is kept out for that.
            tracing::warn!(%error, "when a session was seen was not noted");
        }
        Ok(who)
    }

    /// Ends a session; one that is not there has ended already.
    pub async fn sign_out(&self, secret: &str) -> Result<()> {
        // A stranger may call this as often as they like: it is news only if something ended.
        if self.store.end_session(Hash::of(secret.as_bytes())).await? {
            self.took_back();
        }
        Ok(())
    }

    /// The caller's sessions, newest first.
    pub async fn sessions(&self, who: &Principal) -> Result<Vec<Session>> {
        Ok(self.store.sessions_of(who.user, self.now()).await?)
    }

    /// Ends one of the caller's sessions.
    pub async fn end_session(&self, who: &Principal, id: SessionId) -> Result<()> {
        let sessions = self.store.sessions_of(who.user, self.now()).await?;
        let session = sessions.into_iter().find(|session| session.id() == id).ok_or(Error::NotFound)?;
        self.store.end_session(session.token).await?;
        self.took_back();
        Ok(())
    }

    /// Ends the caller's sessions but the one they ask by, and their links. Their
    /// API tokens stay.
    pub async fn end_other_sessions(&self, who: &Principal) -> Result<()> {
        let sessions = self.store.sessions_of(who.user, self.now()).await?;
        let mine = sessions.iter().find(|session| who.proof == Some(Proof::Session(session.token)));
        self.store.void_sign_in_links(who.user).await?;
        self.end_all(who.user, mine.map(Session::id)).await
    }

    /// Ends whatever a person is signed in by and could be but for their password:
    /// sessions, links and API tokens; by a command on the installation.
    pub async fn sign_out_everywhere(&self, name: &Name) -> Result<()> {
        let user = self.store.user_named(name.as_str()).await?.ok_or(Error::NoSuchPerson)?;
        self.end_sessions(Actor::CommandLine, user).await
    }

    /// The same, by right of one's role.
    pub async fn end_sessions_of(&self, who: &Principal, name: &Name) -> Result<()> {
        let user = self.store.user_named(name.as_str()).await?;
        let end = |user: &User| Act::EndSessions { person: user.id, name: name.clone() };
        let act = || user.as_ref().map_or(Act::SeePeople, end);
        self.audit.permit(who, Right::ManagePeople, act).await?;
        self.end_sessions(who.actor(), user.ok_or(Error::NoSuchPerson)?).await
    }

    async fn end_sessions(&self, actor: Actor, user: User) -> Result<()> {
        let act = Act::EndSessions { person: user.id, name: user.name };
        let end = async {
            self.store.void_sign_in_links(user.id).await?;
            for token in self.store.tokens_of(user.id).await? {
                self.store.revoke_token(user.id, token.id).await?;
            }
            self.end_all(user.id, None).await
        };
        self.audit.told(actor, act, end).await
    }

    /// Ends all sessions of somebody but one.
    async fn end_all(&self, user: UserId, but: Option<SessionId>) -> Result<()> {
        loop {
            let mut sessions = self.store.sessions_of(user, self.now()).await?;
            sessions.retain(|session| Some(session.id()) != but);
            if sessions.is_empty() {
                break;
            }
            for session in sessions {
                self.store.end_session(session.token).await?;
            }
        }
        self.took_back();
        Ok(())
    }
}
