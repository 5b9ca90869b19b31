//! What is open ends with the right it was opened by: within a second, wherever
//! that was taken back. One number in the ledger says that something was; every
//! server with something open looks at it, and asks again of all that is open
//! only when it has changed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::{Identity, Principal, Right};
use crate::error::{Error, Result};

/// How often that number is looked at.
pub const LOOK: Duration = Duration::from_millis(700);
/// How often all that is open is asked of without a word: for what expires.
pub const RECHECK: Duration = Duration::from_secs(60);
/// The least between two looks at what is open, however much is taken back.
pub const APART: Duration = Duration::from_millis(250);

/// Says when something was taken back. The first word comes at once; of many in
/// a row one comes every [`APART`].
pub struct Changes {
    count: watch::Receiver<u64>,
    earliest: Instant,
}

impl Changes {
    /// The next word; none for ever where nobody is left to give it.
    pub async fn next(&mut self) {
        if self.count.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep_until(self.earliest).await;
        self.count.mark_unchanged();
        self.earliest = Instant::now() + APART;
    }
}

impl Identity {
    /// Resolves when `proof`, a session's or token's question asked again, is
    /// answered by [`Error::Unauthenticated`]: at once when it was taken back
    /// here, within a second elsewhere, within [`RECHECK`] when it expired.
    pub async fn until_refused<T, F>(&self, proof: impl Fn() -> F)
    where
        F: Future<Output = Result<T>>,
    {
        self.until(|| async { matches!(proof().await, Err(Error::Unauthenticated)) }).await;
    }

    /// The same, also when whoever it proves has no longer that right.
    pub async fn until_without<F>(&self, right: Right, proof: impl Fn() -> F)
    where
        F: Future<Output = Result<Principal>>,
    {
        self.until(|| async {
            match proof().await {
                Ok(who) => !right.is_of(who.role),
                Err(error) => matches!(error, Error::Unauthenticated),
            }
        })
        .await;
    }

    /// Resolves when `ended` says so: it is asked at once, again whenever
    /// something was taken back anywhere, and every [`RECHECK`].
    pub async fn until<F: Future<Output = bool>>(&self, ended: impl Fn() -> F) {
        let mut changes = self.changes();
        while !ended().await {
            // Either way it is asked again.
            let _ = tokio::time::timeout(RECHECK, changes.next()).await;
        }
    }

    /// Counts whatever is taken back: whoever shows what may be asks again then.
    pub fn changes(&self) -> Changes {
        Changes { count: self.taken_back.subscribe(), earliest: Instant::now() }
    }

    /// Looks for what was taken back elsewhere, as long as anything is open here.
    pub async fn watch(self: Arc<Self>) {
        let mut known = None;
        loop {
            tokio::time::sleep(LOOK).await;
            if self.taken_back.receiver_count() == 0 {
                continue;
            }
            match self.store.taken_back().await {
                Ok(count) if known == Some(count) => {}
                Ok(count) => {
                    known = Some(count);
                    self.took_back();
                }
                // What is open is asked of without it, only later.
                Err(error) => tracing::warn!(%error, "what was taken back is not known for now"),
            }
        }
    }

    /// Has all that is open here asked of again.
    pub(crate) fn took_back(&self) {
        self.taken_back.send_modify(|count| *count = count.wrapping_add(1));
    }
}
