//! Task state changes, in EventBridge's shape, and what becomes of them on
//! their way: at least once and in no order is all that EventBridge promises.

mod deliver;
mod envelope;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;

use crate::config::Config;
use crate::random::Random;
use crate::settings::Deliveries;
use crate::shape::{Status, Task};

/// What happened, whether or not anyone was told.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    pub task_arn: String,
    /// `detail.version`: counts the task's changes.
    pub version: u64,
    /// As EventBridge delivers it.
    pub body: Value,
}

/// How many events went which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Delivered {
    pub published: u64,
    /// Taken by the target; doubled ones count twice.
    pub delivered: u64,
    /// Lost because a test asked for it.
    pub lost: u64,
    /// Given up: the target did not take them.
    pub refused: u64,
    /// On their way, or held back.
    pub waiting: u64,
}

#[derive(Default)]
struct Tally {
    sent: AtomicU64,
    delivered: AtomicU64,
    lost: AtomicU64,
    refused: AtomicU64,
}

/// Lanes to the target; all events of a task take the same, in order.
const LANES: u64 = 8;

pub(crate) struct Bus {
    config: Config,
    published: Mutex<Vec<Event>>,
    /// By the task's ordinal.
    held: Mutex<HashMap<u64, Vec<Arc<str>>>>,
    lanes: Vec<UnboundedSender<Arc<str>>>,
    tally: Arc<Tally>,
    runtime: Handle,
}

impl Bus {
    /// Within a runtime: the lanes run in it, until the bus is dropped.
    pub fn open(config: &Config) -> Self {
        let tally = Arc::new(Tally::default());
        let lanes = deliver::lanes(&config.events, LANES, &tally);
        let (published, held) = (Mutex::default(), Mutex::default());
        Self { config: config.clone(), published, held, lanes, tally, runtime: Handle::current() }
    }

    /// Tells of a task's newest version.
    pub fn publish(&self, ordinal: u64, task: &Task, deliveries: &Deliveries) {
        let mut random = Random::new(self.config.seed, &[3, ordinal, task.version]);
        let body = envelope::of(task, &self.config, &crate::random::uuid(&mut random));
        let text: Arc<str> = body.to_string().into();
        lock(&self.published).push(Event { task_arn: task.task_arn.clone(), version: task.version, body });
        let fate = Fate::draw(deliveries, &mut random, task.last_status);
        if fate.lost {
            self.tally.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.tally.sent.fetch_add(fate.copies, Ordering::Relaxed);
        if fate.swapped {
            lock(&self.held).entry(ordinal).or_default().extend((0..fate.copies).map(|_| Arc::clone(&text)));
            return;
        }
        for _ in 0..fate.copies {
            self.send(ordinal, Arc::clone(&text), fate.late);
        }
        for held in lock(&self.held).remove(&ordinal).unwrap_or_default() {
            self.send(ordinal, held, std::time::Duration::ZERO);
        }
    }

    fn send(&self, ordinal: u64, text: Arc<str>, after: std::time::Duration) {
        let Some(lane) = usize::try_from(ordinal % LANES).ok().and_then(|lane| self.lanes.get(lane)) else {
            return;
        };
        if after.is_zero() {
            // A lane ends with the bus only.
            let _ = lane.send(text);
            return;
        }
        let lane = lane.clone();
        self.runtime.spawn(async move {
            tokio::time::sleep(after).await;
            let _ = lane.send(text);
        });
    }

    pub fn published(&self) -> Vec<Event> {
        lock(&self.published).clone()
    }

    pub fn delivered(&self) -> Delivered {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (delivered, refused) = (count(&self.tally.delivered), count(&self.tally.refused));
        Delivered {
            published: lock(&self.published).len() as u64,
            delivered,
            refused,
            lost: count(&self.tally.lost),
            waiting: if self.lanes.is_empty() { 0 } else { count(&self.tally.sent) - delivered - refused },
        }
    }
}

struct Fate {
    lost: bool,
    copies: u64,
    swapped: bool,
    late: std::time::Duration,
}

impl Fate {
    /// Always as many draws: what is asked of one fate does not change another.
    fn draw(deliveries: &Deliveries, random: &mut Random, status: Status) -> Self {
        let lost = random.chance(deliveries.lost);
        let doubled = random.chance(deliveries.doubled);
        let swapped = random.chance(deliveries.swapped);
        let late = random.chance(deliveries.late);
        let by = deliveries.late_by.draw(random);
        Self {
            lost,
            copies: if doubled { 2 } else { 1 },
            swapped: swapped && status != Status::Stopped,
            late: if late { by } else { std::time::Duration::ZERO },
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
