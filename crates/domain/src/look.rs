//! Looking into somebody's terminal: asked for, and shown by the owner alone.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, UserId};
use crate::name::Name;
use crate::time::Timestamp;

/// How long a request waits for an answer.
pub const ASK_LIFE: Duration = Duration::from_secs(10 * 60);
/// How long somebody may look who was let.
pub const LOOK_LIFE: Duration = Duration::from_secs(30 * 60);

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The owner has not answered.
    Asked,
    /// The owner lets them.
    Open,
    /// Nothing is shown: declined, cut off, left, or withdrawn.
    Over,
}

/// Somebody's wish to look into an agent's terminal, and what became of it. An
/// agent has the latest one only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    pub agent: AgentId,
    /// Who looks.
    pub by: UserId,
    pub name: Name,
    pub state: State,
    /// From then on it is as if it were over.
    pub until: Timestamp,
    /// Counts the changes to this agent's; 0 is of none.
    #[serde(skip)]
    pub version: u64,
}

/// Which request or look somebody means: the one that they saw, and not what
/// came in its place meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub by: UserId,
    pub until: Timestamp,
}

/// How a look is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Accept,
    Decline,
    /// Either of the two ends what is open or was asked for.
    End,
}

impl Look {
    /// Asks, in the place of `before`; `None` while another's is under way.
    pub fn ask(
        before: Option<&Self>,
        agent: AgentId,
        by: UserId,
        name: Name,
        now: Timestamp,
    ) -> Option<Self> {
        if before.is_some_and(|before| before.state_at(now) != State::Over) {
            return None;
        }
        let version = before.map_or(0, |before| before.version);
        Some(Self { agent, by, name, state: State::Asked, until: now.after(ASK_LIFE), version })
    }

    /// What tells it from the agent's others.
    pub fn seen(&self) -> Seen {
        Seen { by: self.by, until: self.until }
    }

    /// How far it is at that instant.
    pub fn state_at(&self, now: Timestamp) -> State {
        if self.until <= now { State::Over } else { self.state }
    }

    /// What it is after a step; `None` where there is no such step.
    #[must_use]
    pub fn after(&self, step: Step, now: Timestamp) -> Option<Self> {
        let (state, until) = match (self.state_at(now), step) {
            (State::Asked, Step::Accept) => (State::Open, now.after(LOOK_LIFE)),
            (State::Asked, Step::Decline | Step::End) | (State::Open, Step::End) => (State::Over, self.until),
            _ => return None,
        };
        Some(Self { state, until, ..self.clone() })
    }

    /// Whether that person may look now.
    pub fn shows(&self, to: UserId, now: Timestamp) -> bool {
        self.by == to && self.state_at(now) == State::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn asked() -> Look {
        let (agent, by) = (AgentId::from_random([1; 10]), UserId::from_random([2; 10]));
        Look::ask(None, agent, by, "Ana".parse().unwrap(), NOW).unwrap()
    }

    #[test]
    fn nothing_is_shown_before_it_is_accepted_nor_after_its_end() {
        let asked = asked();
        assert!(!asked.shows(asked.by, NOW));
        let open = asked.after(Step::Accept, NOW).unwrap();
        assert!(open.shows(open.by, NOW) && !open.shows(UserId::from_random([3; 10]), NOW));
        assert!(open.shows(open.by, Timestamp(NOW.after(LOOK_LIFE).0 - 1)));
        assert!(!open.shows(open.by, NOW.after(LOOK_LIFE)));
        assert!(!open.after(Step::End, NOW).unwrap().shows(open.by, NOW));
    }

    #[test]
    fn what_is_over_is_neither_accepted_nor_ended() {
        let over = asked().after(Step::Decline, NOW).unwrap();
        let late = NOW.after(ASK_LIFE);
        for step in [Step::Accept, Step::Decline, Step::End] {
            assert_eq!(over.after(step, NOW), None);
            assert_eq!(asked().after(step, late), None);
        }
        assert_eq!(asked().after(Step::Accept, NOW).unwrap().after(Step::Accept, NOW), None);
    }

    #[test]
    fn one_asks_at_a_time() {
        let before = asked();
        let again = |now| Look::ask(Some(&before), before.agent, before.by, before.name.clone(), now);
        assert_eq!(again(NOW), None);
        assert!(again(NOW.after(ASK_LIFE)).is_some());
    }
}
