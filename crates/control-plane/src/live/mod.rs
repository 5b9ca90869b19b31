//! The feed behind loader, meter and cards: says that something changed, never
//! what. Whoever listens reads the ledger, so a missed word costs nothing.

use domain::id::{AgentId, UserId};
use tokio::sync::broadcast;

/// Past this many unread changes a listener reads everything anew.
const BACKLOG: usize = 1024;

/// An agent changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub agent: AgentId,
    pub owner: UserId,
}

/// Tells listeners of changes, within this process.
#[derive(Debug, Clone)]
pub struct Hub(broadcast::Sender<Change>);

impl Default for Hub {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

impl Hub {
    pub fn tell(&self, change: Change) {
        // Nobody listens: nobody to tell.
        let _ = self.0.send(change);
    }

    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

/// One listener's place in the feed.
#[derive(Debug)]
pub struct Listener(broadcast::Receiver<Change>);

/// What a listener hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    Changed(Change),
    /// Changes were missed: anything may have changed.
    Missed,
}

impl Listener {
    /// The next change; `None` when the control plane ends.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.0.recv().await {
            Ok(change) => Some(Heard::Changed(change)),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Heard::Missed),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
