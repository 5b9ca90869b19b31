//! One function a rule.

use crate::agent::{Agent, Failure, FailureReason, Instance, Intent, Phase, Save, SaveFailure, Snapshot};
use crate::boot::{BootPhase, Mark};
use crate::event::{SaveReason, What};
use crate::time::Timestamp;

use super::draft::Draft;
use super::{Illegal, Observation, Policy, Seen, idle};

pub(super) fn alive(agent: &Agent) -> Result<(), Illegal> {
    match agent.phase {
        Phase::Deleting | Phase::Deleted => Err(Illegal::Gone),
        _ => Ok(()),
    }
}

/// A dying agent still sees its instance stop and its data go; nothing else.
pub(super) fn alive_for(agent: &Agent, observation: &Observation) -> Result<(), Illegal> {
    match (&agent.phase, observation) {
        (
            Phase::Deleting,
            Observation::Purged
            | Observation::Of(
                _,
                Seen::Launched { .. } | Seen::Exited { .. } | Seen::Ended { .. } | Seen::Stopped { .. },
            ),
        ) => Ok(()),
        _ => alive(agent),
    }
}

pub(super) fn wake(draft: &mut Draft) -> Result<(), Illegal> {
    match draft.agent.phase {
        Phase::Asleep => draft.boot(),
        Phase::Failed { .. } if draft.agent.instance.is_none() => draft.boot(),
        // Something of the last run is still there: it boots when that is gone.
        Phase::Failed { .. } | Phase::Saving | Phase::Interrupted { .. }
            if draft.agent.intent != Intent::Awake =>
        {
            draft.agent.intent = Intent::Awake;
        }
        _ => return Err(Illegal::Already),
    }
    Ok(())
}

pub(super) fn sleep(draft: &mut Draft, why: SaveReason) -> Result<(), Illegal> {
    match draft.agent.phase {
        Phase::Pending => draft.fall_asleep(),
        // What is hydrated was saved before: there is nothing to save.
        Phase::Provisioning | Phase::Booting => start_saving(draft, Save::Done, why),
        Phase::Running => start_saving(draft, Save::Asked, why),
        Phase::Failed { .. } if draft.agent.instance.is_none() => draft.fall_asleep(),
        Phase::Saving | Phase::Interrupted { .. } | Phase::Failed { .. }
            if draft.agent.intent != Intent::Asleep =>
        {
            draft.agent.intent = Intent::Asleep;
        }
        _ => return Err(Illegal::Already),
    }
    draft.agent.over_budget = why == SaveReason::Budget;
    Ok(())
}

fn start_saving(draft: &mut Draft, save: Save, why: SaveReason) {
    draft.agent.intent = Intent::Asleep;
    draft.enter(Phase::Saving);
    draft.set_save(save);
    draft.due_now();
    draft.tell(What::Saving { why });
}

pub(super) fn delete(draft: &mut Draft) -> Result<(), Illegal> {
    draft.agent.intent = Intent::Deleted;
    draft.enter(Phase::Deleting);
    draft.due_now();
    draft.tell(What::Deleting);
    Ok(())
}

pub(super) fn purged(draft: &mut Draft) -> Result<(), Illegal> {
    if draft.agent.phase != Phase::Deleting || draft.agent.instance.is_some() {
        return Err(Illegal::NotNow);
    }
    draft.agent.snapshot = None;
    draft.enter(Phase::Deleted);
    draft.tell(What::Deleted);
    Ok(())
}

pub(super) fn seen(draft: &mut Draft, seen: Seen, policy: &Policy) -> Result<(), Illegal> {
    match seen {
        Seen::Launching => launching(draft, policy),
        Seen::Launched { started_at, tier, price } => launched(
            draft,
            Instance { started_at, tier, price, save: Save::NotAsked, silent_since: None, unsaved: None },
            policy,
        ),
        Seen::Placed { marks } => placed(draft, &marks, policy),
        Seen::LaunchFailed { failure } => launch_failed(draft, failure),
        Seen::Enrolled => enrolled(draft, policy),
        Seen::BootReached { phase } => boot_reached(draft, phase),
        Seen::Ready => ready(draft, policy),
        Seen::BootFailed { failure } => boot_failed(draft, failure),
        Seen::BootOverdue => boot_overdue(draft, policy),
        Seen::IdleChecked { idle_for, busy } => idle::checked(draft, idle_for, busy, policy),
        Seen::Unanswered => unanswered(draft, policy),
        Seen::Answered => answered(draft),
        Seen::SnapshotCommitted { snapshot } => snapshot_committed(draft, snapshot),
        Seen::SavedToEnd { snapshot } => {
            snapshot_committed(draft, snapshot)?;
            // Told to end by its provider, which may say so later or never.
            draft.set_save(Save::Done);
            Ok(())
        }
        Seen::SaveFailed { message } => save_failed(draft, message, policy),
        Seen::Unsaved { bytes } => unsaved(draft, bytes),
        Seen::Exited { failure } => exited(draft, failure),
        Seen::Ended { failure, at } => {
            draft.ended_at = Some(at);
            exited(draft, failure)
        }
        Seen::Stopped { at } => {
            draft.ended_at = at;
            stopped(draft)
        }
        Seen::InterruptionNotice { until } => interrupted(draft, until),
    }
}

fn boot_deadline(draft: &Draft, policy: &Policy) -> Timestamp {
    let marks = draft.agent.boot.marks();
    let placing = marks.iter().find(|mark| mark.phase == BootPhase::Placing);
    placing.map_or(draft.agent.phase_since, |mark| mark.at).after(policy.boot_limit)
}

fn launching(draft: &mut Draft, policy: &Policy) -> Result<(), Illegal> {
    match draft.agent.phase {
        Phase::Pending => {
            draft.enter(Phase::Provisioning);
            draft.reach(BootPhase::Placing);
            // Should the caller die before it tells the outcome, somebody
            // looks again; launching twice gives the same instance.
            draft.due(draft.at.after(policy.boot_limit / 12));
            Ok(())
        }
        Phase::Provisioning => Err(Illegal::Already),
        _ => Err(Illegal::NotNow),
    }
}

fn launched(draft: &mut Draft, mut instance: Instance, policy: &Policy) -> Result<(), Illegal> {
    if draft.agent.metered == draft.agent.generation {
        // Told again: while it runs that is nothing new, and once it has ended
        // it must not be billed a second time.
        return Err(if draft.agent.instance.is_some() { Illegal::Already } else { Illegal::NotNow });
    }
    match draft.agent.phase {
        Phase::Provisioning => {
            if draft.agent.provider.tells_boots() {
                // With the provider's own instants.
                draft.reach_at(BootPhase::Pulling, instance.started_at);
            } else {
                draft.reach(BootPhase::Enrolling);
            }
            draft.open(instance);
            draft.due(boot_deadline(draft, policy));
            Ok(())
        }
        // It was called off while the provider worked: metered until stopped.
        Phase::Saving | Phase::Deleting | Phase::Interrupted { .. } | Phase::Failed { .. } => {
            instance.save = Save::Done;
            draft.open(instance);
            draft.due_now();
            Ok(())
        }
        _ => Err(Illegal::NotNow),
    }
}

fn placed(draft: &mut Draft, marks: &[Mark], policy: &Policy) -> Result<(), Illegal> {
    // Of the phases that follow the instance has to tell itself.
    let told = marks.iter().filter(|mark| mark.phase <= BootPhase::Enrolling);
    match draft.agent.phase {
        Phase::Provisioning => {}
        // The instance was quicker than the provider's word.
        Phase::Booting | Phase::Running => {
            let filled = told.fold(false, |news, mark| draft.agent.boot.fill(mark.phase, mark.at) | news);
            return if filled { Ok(()) } else { Err(Illegal::Already) };
        }
        _ => return Err(Illegal::NotNow),
    }
    let mut news = false;
    for mark in told {
        news |= draft.reach_at(mark.phase, mark.at) || draft.agent.boot.fill(mark.phase, mark.at);
    }
    if !news {
        return Err(Illegal::Already);
    }
    if draft.agent.instance.is_none() {
        // The provider has taken it on. Should no more be told, it is asked.
        let look = draft.at.after(policy.boot_limit / 6);
        draft.due(look.min(boot_deadline(draft, policy)));
    }
    Ok(())
}

fn launch_failed(draft: &mut Draft, failure: Failure) -> Result<(), Illegal> {
    match draft.agent.phase {
        Phase::Provisioning if draft.agent.instance.is_none() => {
            draft.fail(failure);
            Ok(())
        }
        _ => Err(Illegal::NotNow),
    }
}

fn enrolled(draft: &mut Draft, policy: &Policy) -> Result<(), Illegal> {
    match draft.agent.phase {
        // The instance may be quicker than the word that it was launched.
        Phase::Provisioning if draft.agent.instance.is_none() => Err(Illegal::TooEarly),
        Phase::Provisioning => {
            draft.enter(Phase::Booting);
            // It may be quicker than the provider's word that it started.
            draft.reach(BootPhase::Enrolling);
            draft.reach(BootPhase::Hydrating);
            draft.due(boot_deadline(draft, policy));
            Ok(())
        }
        Phase::Booting => Err(Illegal::Already),
        _ => Err(Illegal::NotNow),
    }
}

fn boot_reached(draft: &mut Draft, phase: BootPhase) -> Result<(), Illegal> {
    match draft.agent.phase {
        // Ready is a phase of the agent too, and has a word of its own.
        Phase::Booting if phase < BootPhase::Ready => {
            if draft.reach(phase) {
                Ok(())
            } else {
                Err(Illegal::Already)
            }
        }
        _ => Err(Illegal::NotNow),
    }
}

fn ready(draft: &mut Draft, policy: &Policy) -> Result<(), Illegal> {
    match draft.agent.phase {
        Phase::Booting => {
            draft.enter(Phase::Running);
            draft.reach(BootPhase::Ready);
            draft.agent.last_use = draft.at;
            draft.plan_idle_check(policy);
            Ok(())
        }
        Phase::Running => Err(Illegal::Already),
        _ => Err(Illegal::NotNow),
    }
}

fn boot_failed(draft: &mut Draft, failure: Failure) -> Result<(), Illegal> {
    match draft.agent.phase {
        Phase::Provisioning | Phase::Booting => {
            draft.fail(failure);
            // Even unlaunched, so far as is known: something may be there.
            draft.due_now();
            Ok(())
        }
        _ => Err(Illegal::NotNow),
    }
}

fn boot_overdue(draft: &mut Draft, policy: &Policy) -> Result<(), Illegal> {
    match draft.agent.phase {
        Phase::Provisioning | Phase::Booting => {
            let deadline = boot_deadline(draft, policy);
            if draft.at < deadline {
                return Err(Illegal::TooEarly);
            }
            let reached = draft.agent.boot.current().unwrap_or(BootPhase::Queued);
            let detail = format!("not ready after {} s; stuck at «{reached:?}»", policy.boot_limit.as_secs());
            boot_failed(draft, Failure::new(FailureReason::BootTimeout, &detail))
        }
        _ => Err(Illegal::NotNow),
    }
}

/// Whether an instance is asked things, and has to answer.
fn in_use(phase: &Phase) -> bool {
    matches!(phase, Phase::Running | Phase::Saving | Phase::Interrupted { .. })
}

fn unanswered(draft: &mut Draft, policy: &Policy) -> Result<(), Illegal> {
    if !in_use(&draft.agent.phase) {
        return Err(Illegal::NotNow);
    }
    let at = draft.at;
    let instance = draft.agent.instance.as_mut().ok_or(Illegal::NotNow)?;
    let since = *instance.silent_since.get_or_insert(at);
    if at.since(since) >= policy.silence_limit {
        let detail = format!("no answer for {} s", at.since(since).as_secs());
        draft.fail(Failure::new(FailureReason::Unreachable, &detail));
    } else {
        draft.due(at.after(policy.silence_limit / 12));
    }
    Ok(())
}

fn answered(draft: &mut Draft) -> Result<(), Illegal> {
    if !in_use(&draft.agent.phase) || draft.agent.instance.is_none() {
        return Err(Illegal::NotNow);
    }
    if draft.heard() { Ok(()) } else { Err(Illegal::Already) }
}

fn snapshot_committed(draft: &mut Draft, snapshot: Snapshot) -> Result<(), Illegal> {
    // Given up, and yet it saved: what is saved is kept.
    let alive = in_use(&draft.agent.phase) || matches!(draft.agent.phase, Phase::Failed { .. });
    // A run that was never ready has only part of the state: saved, it would
    // stand in the place of the whole.
    if !alive || draft.agent.instance.is_none() || draft.agent.boot.current() != Some(BootPhase::Ready) {
        return Err(Illegal::NotNow);
    }
    if snapshot.generation != draft.agent.generation {
        return Err(Illegal::Stale);
    }
    // Whoever was asked to save and finds that nothing changed may name the
    // snapshot that is there: that is an answer.
    let asked = matches!(draft.agent.phase, Phase::Saving | Phase::Interrupted { .. });
    let open = asked && draft.save() != Save::Done;
    if !open && draft.agent.snapshot.as_ref().is_some_and(|known| known.id == snapshot.id) {
        return Err(Illegal::Already);
    }
    draft.heard();
    if let Some(instance) = &mut draft.agent.instance {
        instance.unsaved = None;
    }
    draft.agent.snapshot = Some(snapshot.clone());
    draft.agent.save_failure = None;
    draft.tell(What::Saved { snapshot });
    if asked {
        draft.set_save(Save::Done);
        draft.due_now();
    }
    Ok(())
}

fn save_failed(draft: &mut Draft, message: String, policy: &Policy) -> Result<(), Illegal> {
    if draft.save() == Save::Done {
        return Err(Illegal::NotNow);
    }
    let next = draft.at.after(policy.save_retry);
    match draft.agent.phase {
        Phase::Saving => {
            draft.agent.intent = Intent::Awake;
            draft.enter(Phase::Running);
            draft.set_save(Save::NotAsked);
            draft.due(next);
        }
        // No way back: it is tried again while there is time.
        Phase::Interrupted { .. } => draft.due_now(),
        Phase::Running => {}
        _ => return Err(Illegal::NotNow),
    }
    draft.heard();
    tell_unsaved(draft, message);
    Ok(())
}

fn unsaved(draft: &mut Draft, bytes: u64) -> Result<(), Illegal> {
    if !in_use(&draft.agent.phase) || draft.save() == Save::Done {
        return Err(Illegal::NotNow);
    }
    let Some(instance) = &mut draft.agent.instance else { return Err(Illegal::NotNow) };
    instance.unsaved = Some(bytes);
    draft.heard();
    Ok(())
}

fn tell_unsaved(draft: &mut Draft, message: String) {
    draft.agent.save_failure = Some(SaveFailure { at: draft.at, message: message.clone() });
    draft.agent.mishaps.save_failed = Some(draft.at);
    draft.tell(What::SaveFailed { message });
}

fn exited(draft: &mut Draft, failure: Failure) -> Result<(), Illegal> {
    match draft.agent.phase {
        // What was to be stopped has ended by itself.
        Phase::Saving if draft.save() == Save::Done => stopped(draft),
        Phase::Deleting | Phase::Interrupted { .. } => stopped(draft),
        Phase::Failed { .. } if draft.agent.instance.is_some() => stopped(draft),
        // It was told to end, saved everything, and did: the next run goes on.
        Phase::Running if draft.agent.instance.is_some() && draft.save() == Save::Done => {
            let until = draft.ended_at.unwrap_or(draft.at);
            taken_back(draft, until);
            stopped(draft)
        }
        Phase::Provisioning | Phase::Booting | Phase::Running | Phase::Saving
            if draft.agent.instance.is_some() =>
        {
            draft.close();
            draft.fail(failure);
            Ok(())
        }
        Phase::Provisioning => Err(Illegal::TooEarly),
        _ => Err(Illegal::Already),
    }
}

fn stopped(draft: &mut Draft) -> Result<(), Illegal> {
    match draft.agent.phase {
        Phase::Saving | Phase::Interrupted { .. } => {
            let moving = matches!(draft.agent.phase, Phase::Interrupted { .. });
            if draft.save() != Save::Done && !moving {
                // No committed snapshot, no planned end.
                return Err(Illegal::NotNow);
            }
            draft.close();
            if draft.agent.intent == Intent::Awake {
                draft.boot();
                draft.agent.moving = moving;
            } else {
                draft.fall_asleep()
            }
            Ok(())
        }
        Phase::Failed { .. } if draft.agent.instance.is_none() && draft.agent.due_at.is_none() => {
            Err(Illegal::Already)
        }
        Phase::Failed { .. } => {
            draft.close();
            draft.agent.due_at = None;
            if draft.agent.intent == Intent::Awake {
                draft.boot();
            }
            Ok(())
        }
        Phase::Deleting if draft.agent.instance.is_none() => Err(Illegal::Already),
        Phase::Deleting => {
            draft.close();
            draft.due_now();
            Ok(())
        }
        _ => Err(Illegal::NotNow),
    }
}

fn taken_back(draft: &mut Draft, until: Timestamp) {
    draft.enter(Phase::Interrupted { until });
    draft.agent.mishaps.interrupted = Some(draft.at);
    draft.tell(What::Interrupted { until });
}

fn interrupted(draft: &mut Draft, until: Timestamp) -> Result<(), Illegal> {
    let save = match draft.agent.phase {
        Phase::Provisioning | Phase::Booting => Save::Done,
        Phase::Running if draft.save() == Save::Done => Save::Done,
        Phase::Running => Save::Asked,
        Phase::Interrupted { .. } => return Err(Illegal::Already),
        // On its way out already.
        _ => return Err(Illegal::NotNow),
    };
    taken_back(draft, until);
    draft.set_save(save);
    draft.due_now();
    if save == Save::Asked {
        draft.tell(What::Saving { why: SaveReason::Interrupted });
    }
    Ok(())
}
