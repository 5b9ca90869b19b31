//! Keys. Each agent's repository has one of its own, derived from a secret that
//! only the control plane has.

use std::fmt;

use rustic_core::Credentials;
use rustic_core::repofile::MasterKey;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, ZeroizeOnDrop};

/// The secret that all repositories' keys come from. 32 random bytes.
#[derive(ZeroizeOnDrop)]
pub struct MasterSecret([u8; 32]);

/// The key of one repository.
#[derive(Clone, ZeroizeOnDrop)]
pub struct RepositoryKey([u8; 32]);

impl MasterSecret {
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// The key of the repository of that name.
    pub fn derive(&self, name: &str) -> RepositoryKey {
        RepositoryKey(hmac(&self.0, &[b"openclaw-cloud repository v1\0", name.as_bytes()]))
    }
}

impl RepositoryKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// In the form that restic's format wants: 32 bytes for AES-256, 16 + 16
    /// for Poly1305. Given so, no password has to be stretched at each start.
    pub(crate) fn credentials(&self) -> Credentials {
        let mut key = MasterKey::new();
        key.encrypt = hmac(&self.0, &[b"encrypt"]).to_vec();
        let mut mac = hmac(&self.0, &[b"mac"]);
        key.mac.k = mac[..16].to_vec();
        key.mac.r = mac[16..].to_vec();
        mac.zeroize();
        Credentials::Masterkey(key)
    }
}

/// HMAC-SHA-256 (RFC 2104) with a key of 32 bytes.
fn hmac(key: &[u8; 32], message: &[&[u8]]) -> [u8; 32] {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        for (mixed, key) in block.iter_mut().zip(key) {
            *mixed ^= key;
        }
        block
    };
    let mut inner = Sha256::new_with_prefix(pad(0x36));
    for part in message {
        inner.update(part);
    }
    Sha256::new_with_prefix(pad(0x5c)).chain_update(inner.finalize()).finalize().into()
}

impl fmt::Debug for MasterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterSecret(…)")
    }
}

impl fmt::Debug for RepositoryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RepositoryKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_is_the_one_of_rfc_4231() {
        // Test case 1, its key of 20 bytes padded with zeros, which is the same key.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let mac = hmac(&key, &[b"Hi ", b"There"]);
        assert_eq!(mac[..8], [0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53]);
    }

    #[test]
    fn each_name_has_a_key_of_its_own() {
        let master = MasterSecret::new([7; 32]);
        assert_eq!(master.derive("a").as_bytes(), master.derive("a").as_bytes());
        assert_ne!(master.derive("a").as_bytes(), master.derive("b").as_bytes());
        assert_eq!(format!("{:?}", master.derive("a")), "RepositoryKey(…)");
    }
}
