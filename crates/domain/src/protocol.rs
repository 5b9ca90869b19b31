//! What the control plane and an instance say to each other, as JSON bodies
//! over HTTP. Both sides take these types, so they cannot drift apart.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::agent::{Busy, FailureReason};
use crate::boot::BootPhase;
use crate::id::{InstanceId, SnapshotId};
use crate::ticket::Holder;
use crate::time::Timestamp;

/// Paths on the control plane, for instances.
pub mod control {
    /// `POST` [`super::EnrolRequest`] → 200 [`super::EnrolReply`].
    pub const ENROL: &str = "/agent/v1/enrol";
    /// `POST` [`super::Report`] → 204; 409 when the generation is over.
    pub const REPORT: &str = "/agent/v1/report";
    /// `POST` [`super::SnapshotCommit`] → 204; 409 when the generation is over.
    pub const SNAPSHOTS: &str = "/agent/v1/snapshots";
    /// The instance's own repository: `GET` (lists a kind; reads an object,
    /// with `Range`), `PUT`, `DELETE` under `…/{kind}/{name}`.
    pub const REPOSITORY: &str = "/agent/v1/repository";
    /// `POST` → 200 [`super::BucketKeys`]: new keys of its own part of the
    /// bucket; 404 where there is none, 409 when the generation is over.
    pub const BUCKET_KEYS: &str = "/agent/v1/bucket-keys";
}

/// Paths on an instance, for the control plane and its viewers.
pub mod instance {
    /// `GET` → 200 when it serves.
    pub const HEALTH: &str = "/healthz";
    /// `GET` → 200 [`super::Activity`].
    pub const ACTIVITY: &str = "/activity";
    /// `POST` [`super::IdleWarning`] → 204: tells the viewers.
    pub const IDLE_WARNING: &str = "/idle-warning";
    /// `POST` → 204: counts as use now.
    pub const KEEP_AWAKE: &str = "/keep-awake";
    /// `POST` → 202: drain, save and commit, then wait to be stopped. Asking
    /// again while it saves changes nothing.
    pub const SAVE: &str = "/save";
    /// `POST` [`super::ShowOut`] → 204: those viewers go, and their tickets with them.
    pub const SHOW_OUT: &str = "/show-out";
    /// `GET`, a WebSocket; the first message carries the ticket.
    pub const TERMINAL: &str = "/terminal";
}

/// Environment that an instance starts with.
pub mod env {
    /// Which run it is: `<agent>:<generation>`.
    pub const INSTANCE: &str = "OPENCLAW_INSTANCE";
    /// Where the control plane is: `unix:<path>`, `http://<host>:<port>` or
    /// `https://<host>[:<port>]`.
    pub const CONTROL: &str = "OPENCLAW_CONTROL";
    /// The one-time enrolment nonce.
    pub const ENROLMENT: &str = "OPENCLAW_ENROLMENT";
    /// How many listening sockets are inherited, from descriptor 3 on: a Unix
    /// one for the control plane, then a loopback TCP one for direct viewers.
    pub const LISTEN_FDS: &str = "OPENCLAW_LISTEN_FDS";
    /// Instead of inherited sockets: the address and port to listen on.
    pub const LISTEN: &str = "OPENCLAW_LISTEN";
    /// Besides [`LISTEN`]: the address and port that browsers come to.
    pub const DIRECT: &str = "OPENCLAW_DIRECT";
    /// The folder that is saved and brought back.
    pub const HOME: &str = "OPENCLAW_HOME";
    /// The Landlock ABI that the kernel was found to have, and that the
    /// instance must therefore hold itself to, or end. Absent: it has none.
    pub const LANDLOCK: &str = "OPENCLAW_LANDLOCK";
    /// `<uid>:<gid>`, another user than the daemon's: the tenant's programs run
    /// as this one, own the home, and connect to no link-local address. The
    /// daemon is root or has CAP_SETUID, CAP_SETGID, CAP_KILL and
    /// CAP_SYS_PTRACE, and CAP_CHOWN where the home is not yet the tenant's.
    /// Absent: they run as the daemon's own user.
    pub const TENANT: &str = "OPENCLAW_TENANT";
    /// There: the daemon says what it does on standard output as well, as
    /// [`crate::journal::Line`]s in JSON, without a word of the tenant's.
    pub const JOURNAL: &str = "OPENCLAW_JOURNAL";
}

/// A secret in a body: its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// An instance proves who it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    pub instance: InstanceId,
    /// The nonce that the provider was given at launch.
    pub nonce: Secret,
    /// Random, made by the instance: the same enrolment may be repeated with
    /// the same binding when the answer was lost, and with no other.
    pub binding: Secret,
}

/// What an enrolled instance gets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrolReply {
    /// Bearer token for its own requests; ends with the generation.
    pub token: Secret,
    /// Ed25519 public key for tickets, 64 hexadecimal digits.
    pub ticket_key: String,
    /// Key of its own repository, 64 hexadecimal digits.
    pub repository_key: Secret,
    /// Where the objects of its repository are.
    pub objects: Objects,
    /// What to bring back; `None` on the first boot.
    pub snapshot: Option<SnapshotId>,
    /// Seconds between saves while it runs, each only if something changed; 0:
    /// it saves when asked only.
    pub save_every: u32,
    /// `Origin`s that viewers may come from.
    pub origins: Vec<String>,
    /// By which browsers' connections are encrypted, where that is not done
    /// before the instance.
    #[serde(default)]
    pub certificate: Option<Certificate>,
}

/// A certificate with its key, both as PEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The server's own first.
    pub chain: String,
    pub key: Secret,
}

/// Where the objects of an instance's repository are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Objects {
    /// At [`control::REPOSITORY`].
    ControlPlane,
    /// In a bucket, by keys from [`control::BUCKET_KEYS`].
    Bucket(Bucket),
}

/// An instance's part of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    pub name: String,
    /// Of all its keys; ends with `/`.
    pub prefix: String,
    pub region: String,
    /// Another endpoint than the region's own.
    pub endpoint: Option<String>,
}

/// Keys that reach an instance's part of a bucket and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketKeys {
    pub id: String,
    pub secret: Secret,
    pub session: Secret,
    pub expires_at: Timestamp,
}

/// What an instance tells unasked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// It entered a phase of its boot.
    Boot { phase: BootPhase },
    /// It can be used.
    Ready,
    /// It cannot boot and will end.
    BootFailed { reason: FailureReason, detail: String },
    /// It was used after a warning that it would sleep.
    InUse,
    /// It is saving, and so many bytes are not saved yet. Told where that takes
    /// so long that it may not be finished in time.
    Unsaved { bytes: u64 },
    /// It could not save; it stays up.
    SaveFailed { message: String },
}

/// A snapshot whose data is in the repository, to be committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotCommit {
    pub id: SnapshotId,
    pub files: u64,
    pub bytes: u64,
    pub added_bytes: u64,
    /// What the instance does now.
    pub then: Then,
}

/// What follows on a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// It was saved in between.
    GoesOn,
    /// Nothing runs any more: the state is whole, and the instance ends.
    Ends,
}

/// How an instance is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Milliseconds since the last input or gesture. A span, not an instant:
    /// the two clocks need not agree.
    pub idle_for_ms: u64,
    /// Why it works on though nobody types.
    pub busy: Option<Busy>,
    pub terminals: u32,
    pub viewers: u32,
}

/// Tells viewers when the agent will sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdleWarning {
    /// Milliseconds from now; 0 takes the warning back.
    pub sleeps_in_ms: u32,
}

/// Whose right to be here has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowOut {
    pub holder: Holder,
}

/// 32 bytes as 64 hexadecimal digits.
pub fn to_hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads what [`to_hex`] wrote, in that spelling only.
pub fn from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}
