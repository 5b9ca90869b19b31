//! The one connection that writes, on a thread of its own.
//!
//! What waits when a transaction begins is committed together: an fsync costs
//! the same for one write as for a hundred. Each write has a savepoint, so that
//! one that is refused takes none along; when the group itself fails, each
//! is tried alone and hears its own outcome. Nobody is answered before the
//! commit that holds the write is on the disk.

use std::io;
use std::thread::JoinHandle;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::store::{Result, StoreError};

/// Writes in one transaction at most. Bounds how long the first one waits.
const GROUP_MAX: usize = 128;
/// Writes that wait at most; more callers wait for room.
const QUEUE_MAX: usize = 1024;

/// Where writes are handed in.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Box<dyn Write>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(db: Connection) -> io::Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let thread =
            std::thread::Builder::new().name("ledger".to_owned()).spawn(move || serve(db, waiting))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Has `work` done and committed, or nothing of it. It may run twice: the
    /// first time is then rolled back.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let gone = || StoreError::Failed("the ledger's writer has ended".to_owned());
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(Box::new(Waiting { work, outcome: None, answer })).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// How many writes wait.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.max_capacity() - queue.capacity())
    }
}

impl Drop for Writer {
    /// Ends the thread when it has written what waits.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the ledger's writer had panicked");
        }
    }
}

/// A write that waits, whatever it gives.
trait Write: Send {
    /// Does it; says whether to keep what it did.
    fn run(&mut self, db: &Connection) -> bool;
    /// It was not committed after all.
    fn fail(&mut self, error: StoreError);
    fn answer(self: Box<Self>);
}

struct Waiting<F, T> {
    work: F,
    outcome: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
}

impl<T: Send, F: FnMut(&Connection) -> Result<T> + Send> Write for Waiting<F, T> {
    fn run(&mut self, db: &Connection) -> bool {
        self.outcome.insert((self.work)(db)).is_ok()
    }

    fn fail(&mut self, error: StoreError) {
        // The write's own error says more.
        if !matches!(self.outcome, Some(Err(_))) {
            self.outcome = Some(Err(error));
        }
    }

    fn answer(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            // A caller that went away needs no answer.
            let _ = self.answer.send(outcome);
        }
    }
}

fn serve(mut db: Connection, mut waiting: mpsc::Receiver<Box<dyn Write>>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while waiting.blocking_recv_many(&mut group, GROUP_MAX) > 0 {
        if let Err(error) = commit(&mut db, &mut group) {
            alone(&mut db, &mut group, error);
        }
        for write in group.drain(..) {
            write.answer();
        }
    }
}

/// Commits the whole group, without those that refuse, or nothing.
fn commit(db: &mut Connection, group: &mut [Box<dyn Write>]) -> Result<()> {
    let mut transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for write in group {
        // Some errors, as that of a full disk, may end the whole transaction:
        // then there is no savepoint any more, and that ends the group.
        let savepoint = transaction.savepoint()?;
        if write.run(&savepoint) {
            savepoint.commit()?;
        } else {
            savepoint.finish()?;
        }
    }
    Ok(transaction.commit()?)
}

/// A group failed with `error`: each of its writes for itself.
fn alone(db: &mut Connection, group: &mut [Box<dyn Write>], error: StoreError) {
    if let [only] = group {
        return only.fail(error);
    }
    for write in group {
        if let Err(error) = commit(db, std::slice::from_mut(write)) {
            write.fail(error);
        }
    }
}
