//! Rows about who may do what. Secrets are kept as digests only.

use std::fmt;

use domain::id::{InstanceId, TokenId, UserId};
use domain::name::Name;
use domain::role::Role;
use domain::time::Timestamp;
use sha2::{Digest as _, Sha256};

/// SHA-256 of a secret that has 128 random bits or more, or of a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
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
    pub created_at: Timestamp,
}

/// A one-time right to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInLink {
    pub token: Hash,
    pub user: UserId,
    pub expires_at: Timestamp,
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub token: Hash,
    pub user: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
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
