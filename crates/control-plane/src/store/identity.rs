//! Rows about who may do what. Secrets are kept as digests only.

use std::fmt;

use domain::id::{InstanceId, InvitationId, SessionId, TokenId, UserId};
use domain::name::Name;
use domain::role::Role;
use domain::session::How;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// SHA-256 of a secret that has 128 random bits or more, or of a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// The beginning of a digest, by which what it is of can be named: it leads
    /// back to no secret.
    pub(super) fn beginning(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&self.0[..10]);
        bytes
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(…)")
    }
}

/// A person who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    /// Unique.
    pub name: Name,
    pub role: Role,
    pub team: Option<Name>,
    pub created_at: Timestamp,
    /// Since when an administrator keeps them out, if that is so.
    pub closed_at: Option<Timestamp>,
}

impl User {
    /// Whether anything of theirs opens anything.
    pub fn is_let_in(&self) -> bool {
        self.closed_at.is_none()
    }
}

/// What of a person can be given another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserChange {
    Role(Role),
    Team(Option<Name>),
    /// Kept out since then, or let in.
    Closed(Option<Timestamp>),
}

/// A person in the list of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub user: User,
    /// When they last did something in the console, to some minutes; `None`: never.
    pub seen_at: Option<Timestamp>,
}

/// A password's Argon2id hash in the PHC form. `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// A one-time right to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInLink {
    pub token: Hash,
    pub user: UserId,
    pub expires_at: Timestamp,
}

/// The right to become a person who is not there yet, by a one-time link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub token: Hash,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub invited: Invited,
}

impl Invitation {
    pub fn id(&self) -> InvitationId {
        InvitationId::from_random(self.token.beginning())
    }
}

/// As whom somebody is invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    pub name: Name,
    pub role: Role,
    pub team: Option<Name>,
    /// Who invites them.
    pub by: Name,
}

/// What became of an invitation that somebody showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    Done,
    /// It is unknown, used, withdrawn or expired.
    Gone,
    /// Somebody took that name meanwhile.
    NameTaken,
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub token: Hash,
    pub user: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub how: How,
    /// As [`domain::session::browser`] has it.
    pub browser: String,
    /// When it was last used, to some minutes.
    pub seen_at: Timestamp,
}

impl Session {
    pub fn id(&self) -> SessionId {
        SessionId::from_random(self.token.beginning())
    }
}

/// A bearer token for the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    pub id: TokenId,
    pub token: Hash,
    pub owner: UserId,
    pub name: Name,
    pub created_at: Timestamp,
}

/// A one-time right of an instance to enrol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    pub nonce: Hash,
    pub instance: InstanceId,
    pub expires_at: Timestamp,
}
