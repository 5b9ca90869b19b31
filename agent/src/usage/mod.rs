//! Whether the agent is used. Input and a person's gestures are use; an open
//! page, what it acknowledges, and its size are not.

mod busy;
pub mod processes;

use std::sync::Mutex;
use std::time::Duration;

use domain::agent::Busy;
use domain::protocol::{Activity, IdleWarning};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::terminal::Terminals;
use busy::Watch;

/// Work that nobody looks after keeps an agent awake for so long after the last
/// use, and no longer: a program that never ends must not cost for ever.
pub const UNATTENDED: Duration = Duration::from_secs(4 * 3600);

/// Follows the agent's use.
pub struct Usage {
    last: Mutex<Instant>,
    /// When it will sleep unless it is used.
    sleeps_at: watch::Sender<Option<Instant>>,
    /// Told when a warning was answered by use.
    answered: tokio::sync::Notify,
    watch: Mutex<Watch>,
}

impl Default for Usage {
    fn default() -> Self {
        Self {
            last: Mutex::new(Instant::now()),
            sleeps_at: watch::Sender::default(),
            answered: tokio::sync::Notify::new(),
            watch: Mutex::default(),
        }
    }
}

impl Usage {
    /// Somebody used it now.
    pub fn used(&self) {
        *self.last.lock().expect("no holder panics") = Instant::now();
        if self.sleeps_at.send_if_modified(|at| at.take().is_some()) {
            self.answered.notify_one();
        }
    }

    /// Tells the viewers when it will sleep, or that it won't.
    pub fn warn(&self, warning: IdleWarning) {
        let at = Instant::now() + Duration::from_millis(warning.sleeps_in_ms.into());
        self.sleeps_at.send_replace((warning.sleeps_in_ms > 0).then_some(at));
    }

    /// Follows when it will sleep.
    pub fn sleeps_at(&self) -> watch::Receiver<Option<Instant>> {
        self.sleeps_at.subscribe()
    }

    /// Waits until a warning was answered by use.
    pub async fn answered(&self) {
        self.answered.notified().await;
    }

    /// How it is used now.
    pub fn activity(&self, terminals: &Terminals) -> Activity {
        let idle = self.last.lock().expect("no holder panics").elapsed();
        let all = terminals.all();
        let viewers: usize = all.iter().map(|terminal| terminal.viewers()).sum();
        let busy = if idle < UNATTENDED { self.look(terminals) } else { None };
        Activity {
            idle_for_ms: u64::try_from(idle.as_millis()).unwrap_or(u64::MAX),
            busy,
            terminals: u32::try_from(all.len()).unwrap_or(u32::MAX),
            viewers: u32::try_from(viewers).unwrap_or(u32::MAX),
        }
    }

    /// Looks at what works. To be called now and then, so that there is a past
    /// to compare with.
    pub fn look(&self, terminals: &Terminals) -> Option<Busy> {
        self.watch.lock().expect("no holder panics").look(&terminals.all(), Instant::now())
    }
}
