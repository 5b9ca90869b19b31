//! A demonstration that gives its own cues, over and over.

use std::sync::Arc;
use std::time::Duration;

use super::{Cue, Demo, Speed};

/// What happens, and how many seconds are left for looking at it.
const LOOP: [(Cue, u32); 8] = [
    (Cue::WakeOne, 60),
    (Cue::Speed(Speed::MINUTES), 30),
    (Cue::Interrupt, 15),
    (Cue::Burst, 30),
    (Cue::SleepAll, 15),
    (Cue::Speed(Speed::MOST), 60),
    (Cue::Speed(Speed::REAL), 5),
    (Cue::Reset, 5),
];

impl Demo {
    /// Goes on until it is dropped.
    pub async fn run_by_itself(self: Arc<Self>) {
        loop {
            self.round(Duration::from_secs(1)).await;
        }
    }

    /// One round of it, with seconds of that length; says which cues came to
    /// nothing: a screen that nobody stands at goes on all the same.
    pub(super) async fn round(&self, second: Duration) -> Vec<Cue> {
        let mut missed = Vec::new();
        for (cue, seconds) in LOOP {
            if let Some(presenter) = self.owners().first()
                && let Err(error) = self.cue(presenter, cue).await
            {
                tracing::warn!(?cue, %error, "the demonstration missed a cue");
                missed.push(cue);
            }
            tokio::time::sleep(second * seconds).await;
        }
        missed
    }
}
