//! Ids. Random, 80 bits, written as 16 letters and digits: short enough for a
//! Unix socket's path, long enough that none is ever met twice. They are names,
//! never secrets: knowing one gives no right.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Crockford's base 32: no letter that reads like a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const BYTES: usize = 10;
const TEXT: usize = 16;

/// A text that is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct InvalidId;

fn encode(bytes: &[u8; BYTES]) -> [u8; TEXT] {
    let mut text = [0; TEXT];
    let value = bytes.iter().fold(0u128, |value, byte| value << 8 | u128::from(*byte));
    for (index, letter) in text.iter_mut().enumerate() {
        let shift = 5 * (TEXT - 1 - index);
        *letter = ALPHABET[(value >> shift & 31) as usize];
    }
    text
}

fn decode(text: &str) -> Result<[u8; BYTES], InvalidId> {
    if text.len() != TEXT {
        return Err(InvalidId);
    }
    let mut value = 0u128;
    for letter in text.bytes() {
        let digit = ALPHABET.iter().position(|known| *known == letter).ok_or(InvalidId)?;
        value = value << 5 | digit as u128;
    }
    let mut bytes = [0; BYTES];
    bytes.copy_from_slice(&value.to_be_bytes()[16 - BYTES..]);
    Ok(bytes)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; BYTES]);

        impl $name {
            /// From ten random bytes.
            pub const fn from_random(bytes: [u8; BYTES]) -> Self {
                Self(bytes)
            }

            /// The bytes behind the text.
            pub const fn as_bytes(&self) -> &[u8; BYTES] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let text = encode(&self.0);
                f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                decode(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    };
}

id!(
    /// An agent: what a user owns.
    AgentId
);
id!(
    /// A person who may sign in.
    UserId
);
id!(
    /// An API token, by which it can be listed and revoked.
    TokenId
);
id!(
    /// An entry of the audit log.
    EntryId
);
id!(
    /// A browser that is signed in.
    SessionId
);
id!(
    /// Somebody's invitation.
    InvitationId
);

/// Which run of an agent: 1, 2, 3… At most one generation may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u32);

impl Generation {
    /// The one before the first run.
    pub const NONE: Self = Self(0);

    /// The next run's.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One run of an agent, written `<agent>:<generation>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceId {
    pub agent: AgentId,
    pub generation: Generation,
}

impl InstanceId {
    /// The name as one part of a file's path: `<agent>-<generation>`.
    pub fn file_name(&self) -> String {
        format!("{}-{}", self.agent, self.generation)
    }

    /// Reads what [`InstanceId::file_name`] wrote.
    pub fn from_file_name(name: &str) -> Result<Self, InvalidId> {
        Self::split(name, '-')
    }

    fn split(text: &str, by: char) -> Result<Self, InvalidId> {
        let (agent, generation) = text.split_once(by).ok_or(InvalidId)?;
        let number: u32 = generation.parse().map_err(|_| InvalidId)?;
        // One spelling only: no sign, no leading zero.
        if number == 0 || number.to_string() != generation {
            return Err(InvalidId);
        }
        Ok(Self { agent: agent.parse()?, generation: Generation(number) })
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.agent, self.generation)
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for InstanceId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::split(text, ':')
    }
}

impl TryFrom<String> for InstanceId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<InstanceId> for String {
    fn from(id: InstanceId) -> String {
        id.to_string()
    }
}

/// A snapshot in the repository: 64 hexadecimal digits, restic's own id.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotId(String);

impl SnapshotId {
    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SnapshotId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(hex) { Ok(Self(text.to_owned())) } else { Err(InvalidId) }
    }
}

impl TryFrom<String> for SnapshotId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<SnapshotId> for String {
    fn from(id: SnapshotId) -> String {
        id.0
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0[..8])
    }
}

/// A caller's own name for a request, scoped to the caller: the same key gives
/// the same agent. 1–128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// `None` for a text that is no key.
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_read_back_as_written(bytes: [u8; 10], generation in 1u32..) {
            let agent = AgentId::from_random(bytes);
            prop_assert_eq!(agent.to_string().parse::<AgentId>(), Ok(agent));
            let instance = InstanceId { agent, generation: Generation(generation) };
            prop_assert_eq!(instance.to_string().parse::<InstanceId>(), Ok(instance));
            prop_assert_eq!(InstanceId::from_file_name(&instance.file_name()), Ok(instance));
        }

        #[test]
        fn any_text_is_an_id_in_its_one_spelling_or_refused(text in ".*") {
            if let Ok(id) = text.parse::<AgentId>() { prop_assert_eq!(id.to_string(), text.clone()); }
            if let Ok(id) = text.parse::<InstanceId>() { prop_assert_eq!(id.to_string(), text.clone()); }
            if let Ok(id) = text.parse::<SnapshotId>() { prop_assert_eq!(id.to_string(), text); }
        }
    }

    #[test]
    fn generation_zero_and_other_spellings_are_refused() {
        for text in
            ["0123456789abcdef:0", "0123456789abcdef:+1", "0123456789abcdef:01", "0123456789abcdef", ":1"]
        {
            assert_eq!(text.parse::<InstanceId>(), Err(InvalidId), "{text}");
        }
    }
}
