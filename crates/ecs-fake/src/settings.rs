//! What a test may change while the fake runs, by [`crate::Fake::change`] or by
//! `PATCH /_fake/settings`. Spans are in milliseconds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::quota::Quotas;
use crate::random::Random;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub delays: Delays,
    pub quotas: Quotas,
    pub deliveries: Deliveries,
    pub reads: Reads,
    /// Where there is no capacity. The first that applies answers.
    pub shortages: Vec<Shortage>,
    /// How the next tasks fail to start, one entry a task, in the order in which they get there.
    pub start_failures: Vec<StartFailure>,
    /// Stands for the task definition's `stopTimeout`: from SIGTERM to SIGKILL.
    pub stop_timeout_ms: Option<u64>,
    /// How long a stopped task is still described, and its `clientToken` known.
    pub retention_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            delays: Delays::default(),
            quotas: Quotas::aws(),
            deliveries: Deliveries::default(),
            reads: Reads::default(),
            shortages: Vec::new(),
            start_failures: Vec::new(),
            stop_timeout_ms: None,
            retention_ms: 3_600_000,
        }
    }
}

/// A time that is drawn anew for each task, evenly between two bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    pub least_ms: u64,
    pub most_ms: u64,
}

impl Span {
    pub const fn exactly(ms: u64) -> Self {
        Self { least_ms: ms, most_ms: ms }
    }

    pub(crate) fn draw(self, random: &mut Random) -> Duration {
        Duration::from_millis(random.between(self.least_ms, self.most_ms))
    }
}

/// How long a task stays in each part of its life. All 0 by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delays {
    /// PROVISIONING: its network interface is made; ends with `connectivityAt`.
    pub provisioning: Span,
    /// PENDING: it waits for its machine.
    pub pending: Span,
    /// ACTIVATING, first part: from `pullStartedAt` to `pullStoppedAt`.
    pub pull: Span,
    /// ACTIVATING, second part: the container is made; ends with `startedAt`.
    pub start: Span,
    /// DEACTIVATING, before SIGTERM; a task behind a load balancer takes longer.
    pub deactivating: Span,
    /// DEPROVISIONING: its network interface goes; ends with `stoppedAt`.
    pub deprovisioning: Span,
}

impl Delays {
    /// About what Fargate takes for an image of a few hundred MB: 16–50 s to
    /// RUNNING, as in AWS's and others' published events (created 17:57:34.4,
    /// connected 38.5, pulled from 52.1 to 55.1, started 58.1; another: 49.7, 53.8,
    /// 61.6 to 76.0, 96.5; stopped 25 s after its execution ended).
    pub const fn fargate() -> Self {
        const fn span(least_ms: u64, most_ms: u64) -> Span {
            Span { least_ms, most_ms }
        }
        Self {
            provisioning: span(3_000, 5_000),
            pending: span(8_000, 14_000),
            pull: span(3_000, 20_000),
            start: span(2_000, 11_000),
            deactivating: span(0, 1_000),
            deprovisioning: span(10_000, 30_000),
        }
    }
}

/// What becomes of events on their way, as chances from 0 to 1. Each event's
/// fate depends on the seed, its task and its version only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Deliveries {
    pub lost: f64,
    pub doubled: f64,
    /// Held back until the next event of its task was delivered. The last
    /// event of a task has no next and is not held.
    pub swapped: f64,
    pub late: f64,
    pub late_by: Span,
}

/// Eventual consistency: `DescribeTasks` and `ListTasks` may tell of the past.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reads {
    /// How old a read is, drawn for each: a later one may be older.
    pub lag: Span,
}

/// A lack of capacity. What is not named applies to all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shortage {
    /// `FARGATE` or `FARGATE_SPOT`.
    pub capacity_provider: Option<String>,
    pub subnet: Option<String>,
    /// `X86_64` or `ARM64`.
    pub architecture: Option<String>,
    /// How many tasks find room before it begins.
    pub room: u32,
    pub answer: ShortageAnswer,
}

/// How `RunTask` tells of a lack of capacity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortageAnswer {
    /// 200, and in `failures` the reason «Capacity is unavailable at this time. …».
    #[default]
    Failure,
    /// 200, and in `failures` the reason `RESOURCE:FARGATE`.
    Resource,
    /// 400, `ClientException` with the text.
    Exception,
    /// 400, `ClientException`: the account's vCPU quota is used up.
    VcpuQuota,
}

/// How a task fails between RunTask and RUNNING: `TaskFailedToStart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartFailure {
    /// The network interface does not come.
    Network,
    /// The image can't be pulled.
    Pull,
    /// A secret of the task definition can't be read.
    Secret,
}
