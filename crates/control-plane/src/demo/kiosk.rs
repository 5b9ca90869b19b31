//! A demonstration that gives its own cues, over and over.

use std::sync::Arc;
use std::time::Duration;

use domain::stage::Room;

use super::{Cue, Demo, Speed};

/// What happens, where it is seen, and for how many parts of a round.
const LOOP: [(Cue, Room, u32); 10] = [
    (Cue::WakeOne, Room::Agents, 60),
    (Cue::Speed(Speed::MINUTES), Room::Agents, 30),
    (Cue::Interrupt, Room::Agents, 15),
    (Cue::Burst, Room::Fleet, 30),
    (Cue::SpendBudget, Room::Agents, 20),
    (Cue::SleepAll, Room::Fleet, 15),
    (Cue::Speed(Speed::MOST), Room::Fleet, 30),
    (Cue::Speed(Speed::MOST), Room::Spend, 30),
    (Cue::Speed(Speed::REAL), Room::Spend, 5),
    (Cue::Reset, Room::Agents, 5),
];
/// All of a round's parts.
const PARTS: u32 = 240;

impl Demo {
    /// Goes on until it is dropped; a round takes so long, and what the cues take.
    pub async fn run_by_itself(self: Arc<Self>, round: Duration) {
        loop {
            self.round(round).await;
        }
    }

    /// One round of it; says which cues came to nothing: a screen that nobody
    /// stands at goes on all the same.
    pub(super) async fn round(&self, round: Duration) -> Vec<Cue> {
        let mut missed = Vec::new();
        for (cue, room, parts) in LOOP {
            *self.room.lock().expect("no holder panics") = Some(room);
            if let Some(presenter) = self.owners().first()
                && let Err(error) = self.cue(presenter, cue).await
            {
                tracing::warn!(?cue, %error, "the demonstration missed a cue");
                missed.push(cue);
            }
            tokio::time::sleep(round * parts / PARTS).await;
        }
        missed
    }

    /// The page to be seen now, where the demonstration gives its own cues.
    pub fn room(&self) -> Option<Room> {
        *self.room.lock().expect("no holder panics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_a_whole_round() {
        assert_eq!(LOOP.iter().map(|(_, _, parts)| parts).sum::<u32>(), PARTS);
    }
}
