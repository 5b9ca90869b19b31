//! Passwords, as Argon2id hashes. Hashing is dear by design: two at once, on
//! threads of their own, and no more wait than can be served.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::Error as Refused;
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use domain::protocol::Secret;
use tokio::sync::Semaphore;

use crate::error::{Error, Result};
use crate::random;
use crate::store::{PasswordHash, StoreError};

/// Characters that a password has at least. Nothing else is asked of it: what
/// makes a password good is its length.
pub const MIN_CHARS: usize = 10;
/// Bytes that it has at most.
pub const MAX_BYTES: usize = 256;

/// Hashes that are made at once.
const AT_ONCE: usize = 2;
/// Those that wait for their turn, at most: some two seconds of work.
const WAITING: usize = 64;

/// As OWASP advises (Password Storage Cheat Sheet, read 2026-11): 19 MiB, two
/// passes, one lane.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("the numbers are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Nobody's: to be as slow where there is no password as where there is one.
static NOBODYS: LazyLock<PasswordHash> =
    LazyLock::new(|| hash(&random::bytes::<32>()).expect("32 bytes can be hashed"));

/// Makes hashes, and compares passwords with them.
#[derive(Debug)]
pub struct Passwords {
    room: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(WAITING)), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Passwords {
    /// # Errors
    /// [`Error::Invalid`] for one that is too short or too long.
    pub async fn hash(&self, password: &Secret) -> Result<PasswordHash> {
        let problem = if password.expose().chars().count() < MIN_CHARS {
            Some(format!("it must have {MIN_CHARS} characters at least"))
        } else if password.expose().len() > MAX_BYTES {
            Some(format!("it must have {MAX_BYTES} bytes at most"))
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(Error::Invalid { field: "password", problem });
        }
        let password = password.clone();
        self.in_turn(move || hash(password.expose().as_bytes())).await?.map_err(failed)
    }

    /// Whether it is the password that was hashed; never, without a hash, and
    /// that takes as long.
    pub async fn matches(&self, password: &Secret, hash: Option<PasswordHash>) -> Result<bool> {
        let password = password.clone();
        self.in_turn(move || {
            let there = hash.is_some();
            let hash = hash.as_ref().unwrap_or(&NOBODYS);
            let password = password.expose().as_bytes();
            // None is so long: what is does not cost more than one that is not.
            let password = &password[..password.len().min(MAX_BYTES + 1)];
            let hash = Phc::new(&hash.0).map_err(failed)?;
            match argon2().verify_password(password, &hash) {
                Ok(()) => Ok(there),
                Err(Refused::PasswordInvalid) => Ok(false),
                Err(error) => Err(failed(error)),
            }
        })
        .await?
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _room = self.room.try_acquire().map_err(|_| Error::SlowDown { secs: 2 })?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(failed)?;
        let work = move || {
            // Whoever asked may have gone: the turn is the work's.
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(failed)
    }
}

fn hash(password: &[u8]) -> std::result::Result<PasswordHash, Refused> {
    let salt: [u8; 16] = random::bytes();
    Ok(PasswordHash(argon2().hash_password_with_salt(password, &salt)?.to_string()))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Store(StoreError::Failed(format!("a password was not hashed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_and_no_other() {
        let passwords = Passwords::default();
        let hash = passwords.hash(&secret("correcto, caballo")).await.unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert_ne!(passwords.hash(&secret("correcto, caballo")).await.unwrap(), hash, "salted");
        assert!(passwords.matches(&secret("correcto, caballo"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.matches(&secret("correcto, caballa"), Some(hash)).await.unwrap());
        assert!(!passwords.matches(&secret("correcto, caballo"), None).await.unwrap());
    }

    #[tokio::test]
    async fn only_its_length_is_looked_at() {
        let passwords = Passwords::default();
        for bad in ["", "nueve....", &"x".repeat(257)] {
            let refused = passwords.hash(&secret(bad)).await;
            assert!(matches!(refused, Err(Error::Invalid { field: "password", .. })), "{bad}");
        }
        passwords.hash(&secret("ññññññññññ")).await.unwrap();
        passwords.hash(&secret(&"x".repeat(256))).await.unwrap();
    }
}
