//! When an agent counts as unused. The instance says how long nobody used it;
//! these rules say what follows.

use std::time::Duration;

use crate::agent::{Busy, Intent, Phase, Save};
use crate::event::{SaveReason, What};

use super::draft::Draft;
use super::{Illegal, Policy};

/// A busy instance is asked again after so long, at the least and at the most:
/// each time is a write, and so long «busy» may be shown of one that is not.
const BUSY_RECHECK: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(180));

impl Draft {
    /// Plans the next look so that the warning comes in time.
    pub(super) fn plan_idle_check(&mut self, policy: &Policy) {
        let timeout = self.agent.idle_timeout.unwrap_or(policy.idle_timeout);
        let warning_at = self.agent.last_use.after(timeout.duration()).before(timeout.warning());
        self.due(warning_at.max(self.at));
    }
}

pub(super) fn kept_awake(draft: &mut Draft, policy: &Policy) -> Result<(), Illegal> {
    if draft.agent.phase != Phase::Running {
        return Err(Illegal::NotNow);
    }
    draft.agent.last_use = draft.at;
    draft.agent.busy = None;
    if draft.agent.sleeps_at.take().is_some() {
        draft.tell(What::KeptAwake);
    }
    draft.plan_idle_check(policy);
    Ok(())
}

pub(super) fn checked(
    draft: &mut Draft,
    idle_for: Duration,
    busy: Option<Busy>,
    policy: &Policy,
) -> Result<(), Illegal> {
    if draft.agent.phase != Phase::Running {
        return Err(Illegal::NotNow);
    }
    draft.heard();
    // Never in the future, where a clock set back would leave it.
    let used = draft.agent.last_use.max(draft.at.before(idle_for)).min(draft.at);
    draft.agent.last_use = used;
    let timeout = draft.agent.idle_timeout.unwrap_or(policy.idle_timeout);
    draft.agent.busy = busy;
    if draft.agent.busy.is_some() {
        stand_down(draft);
        // Soon enough to warn in time, should it have ended just now.
        let spare = timeout.duration() - timeout.warning();
        let recheck = spare.clamp(BUSY_RECHECK.0, BUSY_RECHECK.1);
        draft.due(draft.at.after(recheck));
        return Ok(());
    }
    let deadline = used.after(timeout.duration());
    match draft.agent.sleeps_at {
        // Used since the warning.
        Some(sleeps_at) if deadline > sleeps_at => {
            stand_down(draft);
            draft.plan_idle_check(policy);
        }
        Some(sleeps_at) if draft.at >= sleeps_at => {
            draft.agent.intent = Intent::Asleep;
            draft.enter(Phase::Saving);
            draft.set_save(Save::Asked);
            draft.due_now();
            draft.tell(What::Saving { why: SaveReason::Idle });
        }
        Some(sleeps_at) => draft.due(sleeps_at),
        None if draft.at >= deadline.before(timeout.warning()) => {
            // Whoever is late to ask still gives the whole warning.
            let sleeps_at = deadline.max(draft.at.after(timeout.warning()));
            draft.agent.sleeps_at = Some(sleeps_at);
            draft.due(sleeps_at);
            draft.tell(What::IdleWarning { sleeps_at });
        }
        None => draft.plan_idle_check(policy),
    }
    Ok(())
}

/// Takes a warning back.
fn stand_down(draft: &mut Draft) {
    if draft.agent.sleeps_at.take().is_some() {
        draft.tell(What::KeptAwake);
    }
}
