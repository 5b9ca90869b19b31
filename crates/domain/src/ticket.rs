//! Tickets: short-lived, signed rights to one thing on one instance.
//!
//! Ed25519, so that an instance can check them with the public key alone and
//! never holds anything that could make one.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::id::{AgentId, Generation, InstanceId};
use crate::time::Timestamp;

/// How long a ticket for a terminal can be presented.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);

const VERSION: u8 = 1;
const CLAIMS: usize = 1 + 1 + 10 + 4 + 8 + 16;
const SIGNED: usize = CLAIMS + 64;

/// What a ticket opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One terminal connection of a person.
    Terminal,
    /// The same by the relay and for looking alone: nothing that is sent does
    /// anything, and no terminal is made.
    Look,
    /// One command of the control plane to the instance.
    Control,
    /// The instance's own requests to the control plane. Not single-use;
    /// it ends with the generation.
    Instance,
}

/// What a ticket says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    pub scope: Scope,
    /// The audience: this run of this agent and no other.
    pub instance: InstanceId,
    pub expires_at: Timestamp,
    /// By it a second use is known. Random, but for a terminal's: that begins
    /// with its [`Holder`].
    pub nonce: [u8; 16],
}

/// By whose right a terminal is opened: the beginning of a digest of their
/// session or token, which gives no right itself. An instance is told it when
/// that right ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Holder([u8; 8]);

impl Holder {
    pub const fn new(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// A nonce for a terminal of theirs, from eight random bytes.
    pub fn nonce(self, random: [u8; 8]) -> [u8; 16] {
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.0);
        nonce[8..].copy_from_slice(&random);
        nonce
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Holder(…)")
    }
}

/// A ticket as it travels. It is a secret: it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(String);

impl Ticket {
    /// The text to send: base64url, 139 characters.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(…)")
    }
}

/// Why a ticket is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the ticket is malformed")]
    Malformed,
    #[error("the ticket's signature is not ours")]
    Forged,
    #[error("the ticket is for another instance")]
    OtherInstance,
    #[error("the ticket is for something else")]
    OtherScope,
    #[error("the ticket has expired")]
    Expired,
    #[error("the ticket was used before")]
    Used,
    #[error("the right that the ticket was given by has ended")]
    Ended,
}

/// Makes tickets. Lives in the control plane only.
pub struct TicketSigner(SigningKey);

impl TicketSigner {
    /// From 32 secret random bytes.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// The key to check with, which instances get.
    pub fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// A secret for one purpose: always the same one, and known to nobody else.
    /// What is signed for it is no ticket: these begin with their version.
    pub fn secret_for(&self, purpose: &str) -> [u8; 64] {
        self.0.sign(format!("secret for {purpose}").as_bytes()).to_bytes()
    }

    /// Signs the claims.
    pub fn sign(&self, claims: &Claims) -> Ticket {
        let mut bytes = Vec::with_capacity(SIGNED);
        bytes.extend_from_slice(&encode(claims));
        let signature = self.0.sign(&bytes);
        bytes.extend_from_slice(&signature.to_bytes());
        Ticket(URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl fmt::Debug for TicketSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketSigner(…)")
    }
}

/// Checks tickets with the public key.
#[derive(Debug, Clone)]
pub struct TicketVerifier(VerifyingKey);

impl TicketVerifier {
    /// From the 32 bytes of [`TicketSigner::public_key`].
    pub fn new(public_key: &[u8; 32]) -> Result<Self, Refused> {
        VerifyingKey::from_bytes(public_key).map(Self).map_err(|_| Refused::Malformed)
    }

    /// Checks form, signature and expiry, in this order; the audience is the
    /// caller's to compare, by [`Claims::check`].
    pub fn claims(&self, text: &str, now: Timestamp) -> Result<Claims, Refused> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Refused::Malformed)?;
        let (claims, signature) = bytes.split_at_checked(CLAIMS).ok_or(Refused::Malformed)?;
        let signature: &[u8; 64] = signature.try_into().map_err(|_| Refused::Malformed)?;
        self.0.verify_strict(claims, &Signature::from_bytes(signature)).map_err(|_| Refused::Forged)?;
        let claims = decode(claims).ok_or(Refused::Malformed)?;
        if claims.expires_at <= now {
            return Err(Refused::Expired);
        }
        Ok(claims)
    }
}

impl Claims {
    /// Whose a terminal's ticket is.
    pub fn holder(&self) -> Holder {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.nonce[..8]);
        Holder(bytes)
    }

    /// Whether the ticket is for this instance and this use.
    pub fn check(&self, instance: InstanceId, scope: Scope) -> Result<(), Refused> {
        if self.instance != instance {
            Err(Refused::OtherInstance)
        } else if self.scope != scope {
            Err(Refused::OtherScope)
        } else {
            Ok(())
        }
    }
}

fn encode(claims: &Claims) -> [u8; CLAIMS] {
    let mut bytes = [0; CLAIMS];
    bytes[0] = VERSION;
    bytes[1] = match claims.scope {
        Scope::Terminal => 1,
        Scope::Control => 2,
        Scope::Instance => 3,
        Scope::Look => 4,
    };
    bytes[2..12].copy_from_slice(claims.instance.agent.as_bytes());
    bytes[12..16].copy_from_slice(&claims.instance.generation.0.to_be_bytes());
    bytes[16..24].copy_from_slice(&claims.expires_at.0.to_be_bytes());
    bytes[24..].copy_from_slice(&claims.nonce);
    bytes
}

fn decode(bytes: &[u8]) -> Option<Claims> {
    if bytes.len() != CLAIMS || bytes[0] != VERSION {
        return None;
    }
    let scope = match bytes[1] {
        1 => Scope::Terminal,
        2 => Scope::Control,
        3 => Scope::Instance,
        4 => Scope::Look,
        _ => return None,
    };
    Some(Claims {
        scope,
        instance: InstanceId {
            agent: AgentId::from_random(bytes[2..12].try_into().ok()?),
            generation: Generation(u32::from_be_bytes(bytes[12..16].try_into().ok()?)),
        },
        expires_at: Timestamp(i64::from_be_bytes(bytes[16..24].try_into().ok()?)),
        nonce: bytes[24..].try_into().ok()?,
    })
}

/// The tickets that were used and could still be presented again. It holds
/// 65,536 at most; past that every ticket is refused rather than one forgotten.
#[derive(Debug)]
pub struct UsedTickets {
    used: BTreeSet<(Timestamp, [u8; 16])>,
    /// The latest time it was asked at. What expired before that is forgotten,
    /// and must stay refused under a clock that is set back.
    latest: Timestamp,
}

impl Default for UsedTickets {
    fn default() -> Self {
        Self { used: BTreeSet::new(), latest: Timestamp(i64::MIN) }
    }
}

impl UsedTickets {
    const MOST: usize = 65_536;

    /// Marks a ticket as used.
    ///
    /// # Errors
    /// [`Refused::Used`] when it was before, or when there is no room to know;
    /// [`Refused::Expired`] when it had expired the last time it was asked.
    pub fn spend(&mut self, claims: &Claims, now: Timestamp) -> Result<(), Refused> {
        self.latest = self.latest.max(now);
        if claims.expires_at <= self.latest {
            return Err(Refused::Expired);
        }
        self.used = self.used.split_off(&(self.latest, [0; 16]));
        if self.used.len() >= Self::MOST {
            return Err(Refused::Used);
        }
        if self.used.insert((claims.expires_at, claims.nonce)) { Ok(()) } else { Err(Refused::Used) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn instance(generation: u32) -> InstanceId {
        InstanceId { agent: AgentId::from_random([7; 10]), generation: Generation(generation) }
    }

    fn claims() -> Claims {
        Claims {
            scope: Scope::Terminal,
            instance: instance(3),
            expires_at: NOW.after(TICKET_LIFE),
            nonce: [9; 16],
        }
    }

    fn pair() -> (TicketSigner, TicketVerifier) {
        let signer = TicketSigner::new(&[5; 32]);
        let verifier = TicketVerifier::new(&signer.public_key()).unwrap();
        (signer, verifier)
    }

    #[test]
    fn a_ticket_says_what_was_signed_until_it_expires() {
        let (signer, verifier) = pair();
        let ticket = signer.sign(&claims());
        assert_eq!(ticket.expose().len(), 139);
        assert_eq!(verifier.claims(ticket.expose(), NOW), Ok(claims()));
        assert_eq!(verifier.claims(ticket.expose(), NOW.after(TICKET_LIFE)), Err(Refused::Expired));
    }

    #[test]
    fn another_instance_generation_or_use_is_refused() {
        assert_eq!(claims().check(instance(3), Scope::Terminal), Ok(()));
        assert_eq!(claims().check(instance(4), Scope::Terminal), Err(Refused::OtherInstance));
        assert_eq!(claims().check(instance(3), Scope::Control), Err(Refused::OtherScope));
    }

    #[test]
    fn another_key_forges_nothing() {
        let (_, verifier) = pair();
        let ticket = TicketSigner::new(&[6; 32]).sign(&claims());
        assert_eq!(verifier.claims(ticket.expose(), NOW), Err(Refused::Forged));
    }

    #[test]
    fn a_ticket_is_spent_once_and_forgotten_when_it_could_not_be_used_anyway() {
        let mut used = UsedTickets::default();
        assert_eq!(used.spend(&claims(), NOW), Ok(()));
        assert_eq!(used.spend(&claims(), NOW), Err(Refused::Used));
        let later = Claims { nonce: [1; 16], expires_at: NOW.after(TICKET_LIFE * 3), ..claims() };
        assert_eq!(used.spend(&later, NOW.after(TICKET_LIFE * 2)), Ok(()));
        assert_eq!(used.used.len(), 1);
    }

    #[test]
    fn a_terminals_ticket_says_whose_it_is() {
        let (signer, verifier) = pair();
        let ana = Holder::new([3; 8]);
        let ticket = signer.sign(&Claims { nonce: ana.nonce([4; 8]), ..claims() });
        assert_eq!(verifier.claims(ticket.expose(), NOW).unwrap().holder(), ana);
    }

    #[test]
    fn debug_shows_no_ticket() {
        let (signer, _) = pair();
        let ticket = signer.sign(&claims());
        assert!(!format!("{ticket:?}").contains(&ticket.expose()[..8]));
    }

    proptest! {
        #[test]
        fn no_ticket_is_spent_twice_whatever_the_clock_does(tries in prop::collection::vec((0u8..4, -40_000i64..40_000), 0..60)) {
            let (mut used, mut spent) = (UsedTickets::default(), BTreeSet::new());
            for (which, ms) in tries {
                let expires_at = Timestamp(NOW.0 + 10_000 * i64::from(which));
                let claims = Claims { nonce: [which; 16], expires_at, ..claims() };
                if used.spend(&claims, Timestamp(NOW.0 + ms)).is_ok() { prop_assert!(spent.insert(which)); }
            }
        }

        #[test]
        fn any_bytes_of_ours_are_a_ticket_in_its_one_spelling_or_refused(claims: [u8; CLAIMS]) {
            // Signed by us, and yet it must have the form.
            let (signer, verifier) = pair();
            let signature = signer.0.sign(&claims).to_bytes();
            let text = URL_SAFE_NO_PAD.encode([&claims[..], &signature].concat());
            if let Ok(said) = verifier.claims(&text, Timestamp(i64::MIN)) { prop_assert_eq!(encode(&said), claims); }
        }

        #[test]
        fn any_bytes_as_a_ticket_are_refused(bytes: Vec<u8>) {
            prop_assert!(pair().1.claims(&URL_SAFE_NO_PAD.encode(bytes), NOW).is_err());
        }

        #[test]
        fn no_text_panics_and_none_is_taken(text in ".{0,300}") {
            prop_assert!(pair().1.claims(&text, NOW).is_err());
        }

        #[test]
        fn one_changed_bit_is_refused(index in 0usize..SIGNED, bit in 0u8..8) {
            let (signer, verifier) = pair();
            let mut bytes = URL_SAFE_NO_PAD.decode(signer.sign(&claims()).expose()).unwrap();
            bytes[index] ^= 1 << bit;
            prop_assert!(verifier.claims(&URL_SAFE_NO_PAD.encode(bytes), NOW).is_err());
        }
    }
}
