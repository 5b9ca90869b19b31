//! An agent as the API shows it.

use domain::boot::BootPhase;
use domain::money::NanoDollars;
use domain::view::AgentView;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A new agent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpawnRequest {
    /// 1–60 characters, none of them a control or invisible one.
    #[schema(min_length = 1, max_length = 60, example = "Mi agente")]
    pub name: String,
    /// `nano`, `small`, `standard`, `large` or `huge`; `standard` unless told.
    #[serde(default)]
    pub size: Option<String>,
    /// Seconds without use after which it sleeps; the fleet's unless told.
    #[serde(default)]
    #[schema(minimum = 10, maximum = 86400)]
    pub idle_timeout: Option<u32>,
}

/// What may be changed. What is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequest {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 60)]
    pub name: Option<String>,
    /// Seconds.
    #[serde(default)]
    #[schema(minimum = 10, maximum = 86400)]
    pub idle_timeout: Option<u32>,
    /// Whether you pay for a machine on demand where Spot has no room.
    #[serde(default)]
    pub on_demand: Option<bool>,
}

/// An agent.
#[derive(Debug, Serialize, ToSchema)]
pub struct Agent {
    /// 16 letters and digits.
    pub id: String,
    pub name: String,
    pub size: String,
    /// `pending`, `provisioning`, `booting`, `running`, `saving`, `asleep`,
    /// `interrupted`, `failed` or `deleting`.
    pub phase: String,
    /// Why it failed, if it did.
    pub failure: Option<AgentFailure>,
    /// Counts its runs.
    pub generation: u32,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub last_use: String,
    /// When it will sleep unless it is used, once that is decided. RFC 3339, UTC.
    pub sleeps_at: Option<String>,
    /// Seconds.
    pub idle_timeout: u32,
    /// Whether you pay for a machine on demand where Spot has no room.
    pub on_demand: bool,
    /// What it wakes with: the latest save that was committed.
    pub snapshot: Option<Saved>,
    /// Why the last try to save it failed, until one succeeds.
    pub save_failure: Option<String>,
    /// What was lost last: what changed then ended unsaved with an instance.
    pub loss: Option<Lost>,
    /// The layers that shut it in while it runs, as they were reached.
    pub isolation: Option<String>,
    /// The phases of the latest boot with their instants.
    pub boot: Vec<BootMark>,
    pub cost: Cost,
    /// While it runs, where its terminal is; a connection takes a ticket.
    pub websocket_url: Option<String>,
    pub links: Links,
}

/// Why an agent failed.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentFailure {
    pub reason: String,
    pub detail: String,
    /// Whether waking it may help.
    pub retryable: bool,
}

/// A committed save.
#[derive(Debug, Serialize, ToSchema)]
pub struct Saved {
    /// RFC 3339, UTC.
    pub at: String,
    pub files: u64,
    /// What waking brings back, in bytes.
    pub bytes: u64,
    /// What it added to the repository, in bytes.
    pub added_bytes: u64,
}

/// A time whose changes were lost.
#[derive(Debug, Serialize, ToSchema)]
pub struct Lost {
    /// RFC 3339, UTC.
    pub since: String,
    /// RFC 3339, UTC.
    pub until: String,
    /// At the most, if the instance could still say it.
    pub bytes: Option<u64>,
}

/// When a phase of a boot began.
#[derive(Debug, Serialize, ToSchema)]
pub struct BootMark {
    pub phase: String,
    /// RFC 3339, UTC.
    pub at: String,
}

/// What it costs, in whole nano-dollars (10⁻⁹ US dollars).
#[derive(Debug, Serialize, ToSchema)]
pub struct Cost {
    /// `billed`; `estimate`: on this machine nobody bills, and it is what the
    /// size would cost on Fargate Spot; or `unpriced`: a provider bills it, and
    /// no line of the price book says how much, so that no sum is known.
    pub basis: String,
    pub running: bool,
    /// Nothing where it is unpriced, as all that follows.
    pub per_hour: Option<u64>,
    pub session: Option<i64>,
    /// Since midnight, UTC.
    pub today: Option<i64>,
    /// Since the first of the month, UTC.
    pub month: Option<i64>,
    pub total: Option<i64>,
}

/// Where to go from here.
#[derive(Debug, Serialize, ToSchema)]
pub struct Links {
    #[serde(rename = "self")]
    pub itself: String,
    pub events: String,
    pub tickets: String,
    pub wake: String,
    pub sleep: String,
}

/// The right to open one terminal connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketReply {
    /// To be sent in the connection's first message, never in a URL.
    pub ticket: String,
    /// RFC 3339, UTC.
    pub expires_at: String,
    pub websocket_url: String,
}

/// A unit-like enum's word.
pub fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(Value::Object(fields)) => {
            fields.get("phase").and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        _ => String::new(),
    }
}

/// The WebSocket's address, on the origin that the caller used.
pub fn websocket_url(origin: &str, id: impl std::fmt::Display) -> String {
    let origin = origin.replacen("http", "ws", 1);
    format!("{origin}/api/v1/agents/{id}/terminal")
}

impl Agent {
    pub fn of(view: &AgentView, origin: &str) -> Self {
        let here = format!("/api/v1/agents/{}", view.id);
        let is_priced = view.meter.is_priced();
        let sum = |sum: Option<NanoDollars>| sum.map(|sum| sum.0);
        let running = view.boot.current() == Some(BootPhase::Ready) && word(&view.phase) == "running";
        Self {
            id: view.id.to_string(),
            name: view.name.to_string(),
            size: view.size.to_string(),
            phase: word(&view.phase),
            failure: view.failure().map(|failure| AgentFailure {
                reason: word(failure.reason),
                detail: failure.detail.clone(),
                retryable: failure.retryable,
            }),
            generation: view.generation.0,
            created_at: view.created_at.to_string(),
            last_use: view.last_use.to_string(),
            sleeps_at: view.sleeps_at.map(|at| at.to_string()),
            idle_timeout: view.idle_timeout,
            on_demand: view.on_demand,
            snapshot: view.snapshot.as_ref().map(|snapshot| Saved {
                at: snapshot.at.to_string(),
                files: snapshot.files,
                bytes: snapshot.bytes,
                added_bytes: snapshot.added_bytes,
            }),
            save_failure: view.save_failure.as_ref().map(|failure| failure.message.clone()),
            loss: view.loss.as_ref().map(|loss| Lost {
                since: loss.since.to_string(),
                until: loss.until.to_string(),
                bytes: loss.bytes,
            }),
            isolation: view.tier.as_ref().map(ToString::to_string),
            boot: view
                .boot
                .marks()
                .iter()
                .map(|mark| BootMark { phase: word(mark.phase), at: mark.at.to_string() })
                .collect(),
            cost: Cost {
                basis: word(view.meter.basis),
                running: view.meter.running,
                per_hour: is_priced.then_some(view.meter.rate.0),
                session: sum(view.meter.session),
                today: sum(view.meter.today),
                month: sum(view.meter.month),
                total: sum(view.meter.total),
            },
            websocket_url: running.then(|| websocket_url(origin, view.id)),
            links: Links {
                events: format!("{here}/events"),
                tickets: format!("{here}/tickets"),
                wake: format!("{here}/wake"),
                sleep: format!("{here}/sleep"),
                itself: here,
            },
        }
    }
}
