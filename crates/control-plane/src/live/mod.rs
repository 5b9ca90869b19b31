//! The feed behind loader, meter and cards: says that something changed, never
//! what. Whoever listens reads the ledger, so a missed word costs nothing.

use std::time::Duration;

use domain::id::{AgentId, UserId};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Past this many unread changes a listener reads everything anew.
const BACKLOG: usize = 1024;

/// An agent changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub agent: AgentId,
    pub owner: UserId,
}

/// Who else writes to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// This process alone.
    One,
    /// Other control planes as well: what they change is looked for.
    Many,
}

/// How often a listener looks for what others changed. A read by key each, and
/// only while somebody looks on.
const LOOK: Duration = Duration::from_secs(2);

/// Tells listeners of changes.
#[derive(Debug, Clone)]
pub struct Hub {
    tell: broadcast::Sender<Change>,
    writers: Writers,
    over: CancellationToken,
}

impl Hub {
    pub fn new(writers: Writers) -> Self {
        Self { tell: broadcast::channel(BACKLOG).0, writers, over: CancellationToken::new() }
    }

    /// The control plane ends, whoever may hold it still.
    pub fn close(&self) {
        self.over.cancel();
    }

    pub fn tell(&self, change: Change) {
        // Nobody listens: nobody to tell.
        let _ = self.tell.send(change);
    }

    pub fn listen(&self) -> Listener {
        Listener { changes: self.tell.subscribe(), writers: self.writers, over: self.over.clone() }
    }
}

/// One listener's place in the feed.
#[derive(Debug)]
pub struct Listener {
    changes: broadcast::Receiver<Change>,
    writers: Writers,
    over: CancellationToken,
}

/// What a listener hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    Changed(Change),
    /// Changes were missed, or may have been: anything may have changed.
    Missed,
}

impl Listener {
    /// Leaves unheard what was told by now, for one who reads everything anew.
    pub fn skip(&mut self) {
        while !matches!(
            self.changes.try_recv(),
            Err(broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed)
        ) {}
    }

    /// The next change; `None` when the control plane ends.
    pub async fn next(&mut self) -> Option<Heard> {
        let over = self.over.clone();
        over.run_until_cancelled(self.heard()).await?
    }

    async fn heard(&mut self) -> Option<Heard> {
        let heard = match self.writers {
            Writers::One => self.changes.recv().await,
            Writers::Many => match tokio::time::timeout(LOOK, self.changes.recv()).await {
                Ok(heard) => heard,
                Err(_) => return Some(Heard::Missed),
            },
        };
        match heard {
            Ok(change) => Some(Heard::Changed(change)),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Heard::Missed),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
