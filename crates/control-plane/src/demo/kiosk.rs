//! A demonstration that gives its own cues, over and over.

use std::sync::Arc;
use std::time::Duration;

use super::{Cue, Demo, Speed};

/// What happens, and how many real seconds are left for looking at it.
const LOOP: [(Cue, u64); 8] = [
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
        let Some(presenter) = self.owners().first().cloned() else { return };
        for (cue, secs) in LOOP.into_iter().cycle() {
            if let Err(error) = self.cue(&presenter, cue).await {
                tracing::warn!(?cue, %error, "the demonstration missed a cue");
            }
            tokio::time::sleep(Duration::from_secs(secs)).await;
        }
    }
}
