//! What the fake knows, under one lock: clusters, task definitions, tasks with
//! their pasts, tokens, quotas, faults, and the count of what was asked.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;

use crate::address::Addresses;
use crate::api::Operation;
use crate::calls::{Calls, Launch};
use crate::definition::Definition;
use crate::fault::Faults;
use crate::quota::Buckets;
use crate::random::Random;
use crate::settings::Settings;
use crate::shape::{Epoch, Status, StopCode, Tag, Task};

pub(crate) struct State {
    pub settings: Settings,
    pub clusters: BTreeMap<String, Cluster>,
    /// By family and revision.
    pub definitions: BTreeMap<String, BTreeMap<u64, Definition>>,
    /// By id.
    pub tasks: HashMap<String, Record>,
    /// By cluster and token.
    pub tokens: HashMap<(String, String), Token>,
    pub buckets: Buckets,
    pub faults: Faults,
    pub calls: Calls,
    pub launches: Vec<Launch>,
    pub addresses: Addresses,
    /// For requests' ids.
    pub random: Random,
    /// For reads' lag.
    pub reads: Random,
    /// How many tasks were ever launched.
    pub launched: u64,
}

pub(crate) struct Cluster {
    pub arn: String,
    pub capacity_providers: Vec<String>,
    pub default_strategy: Value,
    pub tags: Vec<Tag>,
}

/// A `clientToken` that was used.
pub(crate) struct Token {
    /// All other parameters.
    pub request: Value,
    /// What was answered.
    pub answer: Value,
    pub tasks: Vec<String>,
    pub at: Instant,
}

/// The most that a `clientToken` is known; it is forgotten with its tasks if that is sooner.
const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);

/// A task and its past.
pub(crate) struct Record {
    /// Counts launches, from 1.
    pub ordinal: u64,
    pub cluster: String,
    pub family: String,
    pub task: Arc<Task>,
    /// Every version, and since when it is told.
    pub past: Vec<(Instant, Arc<Task>)>,
    /// Set once: by whom and how it is stopped.
    pub stop: watch::Sender<Option<Stop>>,
    pub run: Run,
    /// The process group, while one runs.
    pub group: Option<rustix::process::Pid>,
    /// Why the container ended, where its exit code does not say it.
    pub container_reason: Option<String>,
    pub ended: Option<Instant>,
}

/// What is run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub command: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub task_role: Option<String>,
    /// From the task definition.
    pub stop_timeout: Duration,
    /// Names the task's endpoint for credentials; not guessable from its id.
    pub credentials: String,
}

/// A task is told to end.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    pub code: StopCode,
    pub reason: String,
    pub notice: Notice,
}

/// What of an interruption reaches anyone before SIGKILL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The event, then SIGTERM, then `stopTimeout` of time.
    #[default]
    Full,
    /// The event and the time, no SIGTERM.
    EventOnly,
    /// SIGTERM and the time; the event is lost.
    SignalOnly,
    /// SIGKILL at once.
    None,
}

/// The name of a task's container at its metadata endpoint, in Fargate's form:
/// the task's id and a number.
pub(crate) fn runtime_id(id: &str, ordinal: u64) -> String {
    format!("{id}-{ordinal:010}")
}

impl Record {
    /// The task as it was `lag` ago; none if it was not there then.
    pub fn seen(&self, lag: Duration) -> Option<&Arc<Task>> {
        let now = Instant::now();
        let then = |(at, _): &&(Instant, Arc<Task>)| now.duration_since(*at) >= lag;
        self.past.iter().rev().find(then).map(|(_, task)| task)
    }

    /// The task of now, to be changed; its past stays as it was.
    pub fn task(&mut self) -> &mut Task {
        Arc::make_mut(&mut self.task)
    }

    /// From here on reads tell of the task as it is now.
    pub fn remember(&mut self) {
        self.past.push((Instant::now(), Arc::clone(&self.task)));
    }

    pub fn is_stopped(&self) -> bool {
        self.task.last_status == Status::Stopped
    }

    /// Marks the task as one that is to end. The first to say so is heard.
    pub fn tell_to_stop(&mut self, stop: Stop) -> Told {
        let told = self.stop.send_if_modified(|known| {
            let first = known.is_none();
            known.get_or_insert_with(|| stop.clone());
            first
        });
        if !told {
            return Told::Before;
        }
        let task = self.task();
        task.desired_status = Status::Stopped;
        task.stop_code = Some(stop.code);
        task.stopped_reason = Some(stop.reason);
        task.stopping_at = Some(Epoch::now());
        Told::Now
    }
}

/// Whether a task was already told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Now,
    Before,
}

impl State {
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            settings,
            clusters: BTreeMap::new(),
            definitions: BTreeMap::new(),
            tasks: HashMap::new(),
            tokens: HashMap::new(),
            buckets: Buckets::default(),
            faults: Faults::default(),
            calls: Calls::default(),
            launches: Vec::new(),
            addresses: Addresses::default(),
            random: Random::new(seed, &[1]),
            reads: Random::new(seed, &[2]),
            launched: 0,
        }
    }

    /// Buckets of other sizes or rates begin full.
    pub fn set(&mut self, settings: Settings) {
        if settings.quotas != self.settings.quotas {
            self.buckets = Buckets::default();
        }
        self.settings = settings;
    }

    /// How old the next read is.
    pub fn lag(&mut self, operation: Operation) -> Duration {
        match operation {
            Operation::DescribeTasks | Operation::ListTasks => self.settings.reads.lag.draw(&mut self.reads),
            _ => Duration::ZERO,
        }
    }

    /// Forgets what stopped long ago, and the tokens that go with it.
    pub fn forget(&mut self) {
        let retention = Duration::from_millis(self.settings.retention_ms);
        self.tasks.retain(|_, record| record.ended.is_none_or(|ended| ended.elapsed() < retention));
        self.tokens.retain(|_, token| {
            token.at.elapsed() < TOKEN_LIFE && token.tasks.iter().any(|id| self.tasks.contains_key(id))
        });
    }

    /// In the order of their launches.
    pub fn in_order(&self) -> Vec<&Record> {
        let mut records: Vec<_> = self.tasks.values().collect();
        records.sort_by_key(|record| record.ordinal);
        records
    }
}
