//! A test for each rule, named by it. What is refused is in [`super::table`].

use std::time::Duration;

use super::fixture::*;
use super::*;
use crate::agent::{FailureReason, Intent, Phase, Save};
use crate::event::SaveReason;
use crate::money::NanoDollars;
use crate::price::Rates;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn save(run: &Run) -> Option<Save> {
    run.agent.instance.as_ref().map(|instance| instance.save)
}

// ── Waking and booting ──────────────────────────────────────────────────────

#[test]
fn a_new_agent_is_to_be_launched_at_once() {
    let run = Run::pending();
    assert_eq!((run.last.from_version, run.agent.version), (0, 1));
    assert_eq!((&run.agent.phase, run.agent.intent), (&Phase::Pending, Intent::Awake));
    assert_eq!(run.agent.generation, Generation(1));
    assert_eq!(run.told(), [What::Created, What::Boot { phase: BootPhase::Queued }]);
    assert!(run.is_due_in(0));
}

#[test]
fn a_launch_under_way_is_looked_at_again_in_case_its_caller_died() {
    let run = Run::placing();
    assert_eq!(run.agent.phase, Phase::Provisioning);
    assert!(run.is_due_in(15));
}

#[test]
fn a_launched_instance_is_metered_since_the_provider_says_so() {
    let run = Run::placing().later(3);
    let started = run.at.before(secs(2));
    let run = run.see(launched(started));
    let segment = run.agent.open_segment().unwrap();
    assert_eq!((segment.started_at, segment.generation), (started, Generation(1)));
    assert_eq!(run.last.segment, Some(SegmentChange::Opened(segment)));
    assert_eq!(run.told(), [What::Boot { phase: BootPhase::Enrolling }]);
}

#[test]
fn a_run_is_metered_once_even_if_its_launch_is_told_again_after_its_end() {
    let run = Run::booting()
        .ask(Observation::SleepAsked)
        .ask(Observation::DeleteAsked)
        .see(Seen::Stopped { at: None });
    assert_eq!(run.refuses_seen(launched(START)), Illegal::NotNow);
    assert_eq!(Run::crashed().refuses_seen(launched(START)), Illegal::NotNow);
}

#[test]
fn a_launch_that_was_refused_fails_without_a_meter() {
    let run = Run::placing().see(Seen::LaunchFailed { failure: failure(FailureReason::TierUnavailable) });
    assert_eq!(run.failed_for(), Some(FailureReason::TierUnavailable));
    assert_eq!((run.last.segment, run.agent.due_at, run.agent.intent), (None, None, Intent::Asleep));
}

#[test]
fn an_enrolled_instance_hydrates() {
    let run = Run::booting();
    assert_eq!(run.agent.phase, Phase::Booting);
    assert_eq!(run.told(), [What::Boot { phase: BootPhase::Hydrating }]);
    assert_eq!(run.agent.due_at, Some(START.after(Policy::default().boot_limit)));
}

#[test]
fn boot_phases_are_told_once_and_never_backwards() {
    let run = Run::booting().see(Seen::BootReached { phase: BootPhase::Starting });
    assert_eq!(run.told(), [What::Boot { phase: BootPhase::Starting }]);
    for phase in [BootPhase::Starting, BootPhase::Hydrating, BootPhase::Queued] {
        assert_eq!(run.refuses_seen(Seen::BootReached { phase }), Illegal::Already);
    }
    let ready = Seen::BootReached { phase: BootPhase::Ready };
    assert_eq!(run.refuses_seen(ready), Illegal::NotNow, "ready has a word of its own");
}

#[test]
fn a_ready_instance_runs_and_counts_as_used_now() {
    let run = Run::running();
    assert_eq!((&run.agent.phase, run.agent.last_use), (&Phase::Running, run.at));
    assert_eq!(run.told(), [What::Boot { phase: BootPhase::Ready }]);
    assert!(run.is_due_in(900 - 120));
}

#[test]
fn a_boot_that_failed_is_stopped_and_its_meter_runs_until_then() {
    let run = Run::stuck();
    assert_eq!(run.failed_for(), Some(FailureReason::HydrateFailed));
    assert!(run.agent.instance.is_some() && run.is_due_in(0));
    let run = run.later(5).see(Seen::Stopped { at: None });
    assert!(matches!(&run.last.segment, Some(SegmentChange::Closed(s)) if s.ended_at == Some(run.at)));
    assert_eq!((&run.agent.instance, run.agent.due_at), (&None, None));
    assert_eq!(run.refuses_seen(Seen::Stopped { at: None }), Illegal::Already);
}

#[test]
fn a_boot_fails_when_its_time_is_over_and_not_before() {
    let run = Run::booting();
    let early = Run { at: START.after(secs(179)), ..run.clone() };
    assert_eq!(early.refuses_seen(Seen::BootOverdue), Illegal::TooEarly);
    let run = Run { at: START.after(secs(180)), ..run }.see(Seen::BootOverdue);
    assert_eq!(run.failed_for(), Some(FailureReason::BootTimeout));
    // What waited for its turn has all of it still.
    let waited = Run::pending().later(600).see(Seen::Launching).later(179);
    assert_eq!(waited.refuses_seen(Seen::BootOverdue), Illegal::TooEarly);
}

#[test]
fn a_sleeper_wakes_as_the_next_generation_with_its_snapshot() {
    let run = Run::asleep().later(9).ask(Observation::WakeAsked);
    assert_eq!((&run.agent.phase, run.agent.generation), (&Phase::Pending, Generation(2)));
    assert_eq!(run.agent.boot, Timeline::asked(run.at));
    assert_eq!(run.agent.snapshot, Some(snapshot(Generation(1), 1)));
    assert!(run.is_due_in(0));
}

#[test]
fn a_crashed_agent_restarts_when_it_is_woken() {
    let run = Run::crashed().ask(Observation::WakeAsked);
    assert_eq!((&run.agent.phase, run.agent.generation), (&Phase::Pending, Generation(2)));
}

#[test]
fn a_wake_while_something_is_still_there_boots_when_it_is_gone() {
    for run in [Run::saved(), Run::stuck()] {
        let run = run.ask(Observation::WakeAsked);
        assert_eq!((run.agent.intent, run.agent.generation), (Intent::Awake, Generation(1)));
        assert!(run.last.events.is_empty());
        let run = run.see(Seen::Stopped { at: None });
        assert_eq!((&run.agent.phase, run.agent.generation), (&Phase::Pending, Generation(2)));
    }
}

// ── Sleeping ────────────────────────────────────────────────────────────────

#[test]
fn an_agent_that_waits_for_its_launch_sleeps_at_once() {
    let run = Run::pending().ask(Observation::SleepAsked);
    assert_eq!((&run.agent.phase, run.agent.due_at), (&Phase::Asleep, None));
    assert_eq!(run.told(), [What::Asleep]);
}

#[test]
fn a_boot_that_is_called_off_has_nothing_to_save() {
    let run = Run::booting().ask(Observation::SleepAsked);
    assert_eq!((&run.agent.phase, save(&run)), (&Phase::Saving, Some(Save::Done)));
    let run = run.see(Seen::Stopped { at: None });
    assert_eq!((&run.agent.phase, run.agent.snapshot), (&Phase::Asleep, None));
}

#[test]
fn an_instance_that_comes_after_its_launch_was_called_off_is_metered_until_stopped() {
    let run = Run::placing().ask(Observation::SleepAsked);
    assert_eq!(save(&run), None);
    let run = run.see(launched(START)).later(1);
    assert!(matches!(run.last.segment, Some(SegmentChange::Opened(_))));
    assert_eq!((&run.agent.phase, save(&run)), (&Phase::Saving, Some(Save::Done)));
    let run = run.see(Seen::Stopped { at: None });
    assert!(matches!(run.last.segment, Some(SegmentChange::Closed(_))));
    assert_eq!(run.agent.phase, Phase::Asleep);
}

#[test]
fn one_that_is_over_budget_says_so_until_it_wakes() {
    let run = Run::running().ask(Observation::BudgetSpent);
    assert_eq!(run.told(), [What::Saving { why: SaveReason::Budget }]);
    let run = run.later(1).save(1).see(Seen::Stopped { at: None });
    assert_eq!((&run.agent.phase, run.agent.over_budget), (&Phase::Asleep, true));
    let run = run.ask(Observation::WakeAsked);
    assert!(!run.agent.over_budget);
    assert!(!Run::saving().agent.over_budget, "nor one that was asked to sleep");
}

#[test]
fn a_running_agent_saves_before_it_sleeps() {
    let run = Run::saving();
    assert_eq!((&run.agent.phase, save(&run)), (&Phase::Saving, Some(Save::Asked)));
    assert_eq!(run.told(), [What::Saving { why: SaveReason::Asked }]);
    assert_eq!(run.refuses_seen(Seen::Stopped { at: None }), Illegal::NotNow, "no snapshot, no planned end");
    let run = run.later(2).save(7);
    assert_eq!(save(&run), Some(Save::Done));
    assert_eq!(run.told(), [What::Saved { snapshot: snapshot(Generation(1), 7) }]);
    let run = run.later(3).see(Seen::Stopped { at: None });
    assert_eq!((&run.agent.phase, run.agent.intent), (&Phase::Asleep, Intent::Asleep));
    assert_eq!(run.told(), [What::Asleep]);
}

#[test]
fn the_meter_stops_with_the_instance_and_the_books_agree() {
    let run = Run::asleep();
    let Some(SegmentChange::Closed(segment)) = &run.last.segment else { panic!("{:?}", run.last) };
    // Launched at 1 s, ready at 3 s, asked at 63 s, saved at 64 s, stopped at 65 s.
    assert_eq!(segment.cost(run.at), segment.price.rate.over(secs(64)));
    assert_eq!(run.agent.settled.total, segment.cost(run.at));
    assert_eq!(run.agent.instance, None);
}

#[test]
fn an_instance_that_ended_by_itself_once_saved_has_done_as_it_should() {
    let run = Run::saved().see(exited());
    assert_eq!(run.agent.phase, Phase::Asleep);
}

#[test]
fn a_save_that_failed_keeps_the_instance_awake_and_says_so() {
    let run = Run::saving().see(Seen::SaveFailed { message: "no room".to_owned() });
    assert_eq!((&run.agent.phase, run.agent.intent), (&Phase::Running, Intent::Awake));
    assert_eq!((save(&run), run.last.segment.clone()), (Some(Save::NotAsked), None));
    assert_eq!(run.told(), [What::SaveFailed { message: "no room".to_owned() }]);
    assert_eq!(run.agent.save_failure.as_ref().unwrap().message, "no room");
    assert!(run.is_due_in(60), "and it is looked at again");
    let saved = run.ask(Observation::SleepAsked).save(1);
    assert_eq!(saved.agent.save_failure, None);
}

#[test]
fn an_instance_that_dies_unsaved_has_crashed_and_keeps_its_last_snapshot() {
    let run = Run::asleep().ask(Observation::WakeAsked).see(Seen::Launching);
    let at = run.at;
    let run =
        run.see(launched(at)).see(Seen::Enrolled).see(Seen::Ready).ask(Observation::SleepAsked).see(exited());
    assert_eq!(run.failed_for(), Some(FailureReason::Crashed));
    assert_eq!(run.agent.snapshot, Some(snapshot(Generation(1), 1)));
    assert_eq!(run.agent.instance, None);
}

#[test]
fn a_snapshot_that_is_named_twice_is_told_once() {
    let again =
        |run: &Run| run.refuses_seen(Seen::SnapshotCommitted { snapshot: snapshot(run.agent.generation, 1) });
    assert_eq!(again(&Run::saved()), Illegal::Already);
    assert_eq!(again(&Run::running().save(1)), Illegal::Already);
}

#[test]
fn whoever_finds_nothing_new_to_save_may_name_the_snapshot_that_is_there() {
    let run = Run::running().save(1).ask(Observation::SleepAsked).save(1);
    assert_eq!(save(&run), Some(Save::Done));
}

#[test]
fn a_snapshot_of_another_run_is_refused() {
    let run = Run::saving();
    let snapshot = snapshot(Generation(2), 1);
    assert_eq!(run.refuses_seen(Seen::SnapshotCommitted { snapshot }), Illegal::Stale);
}

#[test]
fn a_run_that_was_never_ready_saves_nothing_for_it_has_only_part_of_the_state() {
    let called_off = Run::booting().ask(Observation::SleepAsked);
    for run in [Run::booting(), Run::stuck(), called_off] {
        let snapshot = snapshot(run.agent.generation, 1);
        assert_eq!(run.refuses_seen(Seen::SnapshotCommitted { snapshot }), Illegal::NotNow);
    }
}

#[test]
fn what_an_instance_saved_after_it_was_given_up_is_kept() {
    let run = Run::unreachable().save(5);
    assert_eq!(run.agent.snapshot, Some(snapshot(Generation(1), 5)));
    assert!(run.is_due_in(0), "and it is still to be stopped");
}

// ── Idleness ────────────────────────────────────────────────────────────────

#[test]
fn an_unused_agent_is_warned_two_minutes_before_it_sleeps() {
    let run = Run::running().later(780).see(unused(secs(780)));
    let sleeps_at = run.at.after(secs(120));
    assert_eq!(run.told(), [What::IdleWarning { sleeps_at }]);
    assert_eq!((run.agent.sleeps_at, run.agent.due_at), (Some(sleeps_at), Some(sleeps_at)));
    let run = run.later(120).see(unused(secs(900)));
    assert_eq!(run.agent.phase, Phase::Saving);
    assert_eq!(run.told(), [What::Saving { why: SaveReason::Idle }]);
}

#[test]
fn an_agent_in_use_is_looked_at_again_when_it_could_be_warned() {
    let run = Run::running().later(100).see(unused(secs(30)));
    assert_eq!(run.agent.last_use, run.at.before(secs(30)));
    assert!(run.told().is_empty() && run.is_due_in(780 - 30));
}

#[test]
fn a_check_between_warning_and_sleep_changes_nothing() {
    let run = Run::running().later(780).see(unused(secs(780))).later(60).see(unused(secs(840)));
    assert!(run.told().is_empty());
    assert_eq!(run.agent.due_at, run.agent.sleeps_at);
}

#[test]
fn whoever_asks_late_still_gives_the_whole_warning() {
    let run = Run::running().later(9000).see(unused(secs(9000)));
    assert_eq!(run.agent.sleeps_at, Some(run.at.after(secs(120))));
}

#[test]
fn use_after_the_warning_takes_it_back() {
    let run = Run::running().later(780).see(unused(secs(780))).later(60).see(unused(secs(5)));
    assert_eq!((run.told(), run.agent.sleeps_at), (vec![What::KeptAwake], None));
    assert!(run.is_due_in(780 - 5));
}

#[test]
fn keep_awake_counts_as_use_and_takes_the_warning_back() {
    let run = Run::running().later(780).see(unused(secs(780))).later(60).ask(Observation::KeptAwake);
    assert_eq!((run.told(), run.agent.sleeps_at), (vec![What::KeptAwake], None));
    assert_eq!(run.agent.last_use, run.at);
    assert!(run.is_due_in(780));
    assert!(run.later(1).ask(Observation::KeptAwake).told().is_empty(), "without a warning it is not told");
}

#[test]
fn a_busy_agent_is_not_idle_and_says_why() {
    let run = Run::running().later(780).see(unused(secs(780))).later(60).see(busy());
    assert_eq!((run.told(), run.agent.sleeps_at), (vec![What::KeptAwake], None));
    assert_eq!(run.agent.busy.as_ref().unwrap().reason, "cargo");
    assert!(run.is_due_in(180));
    assert_eq!(run.see(unused(secs(3600))).agent.busy, None);
}

#[test]
fn a_clock_set_back_leaves_no_use_in_the_future() {
    let mut run = Run::running();
    run.at = run.at.before(secs(86_400));
    let run = run.see(unused(secs(1)));
    assert!(run.agent.last_use <= run.at && run.is_due_in(780));
}

#[test]
fn an_agents_own_timeout_goes_before_the_fleets_and_a_short_one_warns_at_half() {
    let run = Run::running();
    let own = Some(IdleTimeout::from_secs(10).unwrap());
    let next = set_idle_timeout(&run.agent, own, run.at).unwrap();
    assert_eq!(next.agent.due_at, Some(run.at), "the next check reckons with it");
    let run = Run { agent: next.agent, ..run }.later(5).see(unused(secs(5)));
    assert_eq!(run.agent.sleeps_at, Some(run.at.after(secs(5))));
    assert_eq!(set_idle_timeout(&run.agent, own, run.at), Err(Illegal::Already));
    assert_eq!(set_idle_timeout(&Run::deleting().agent, own, run.at), Err(Illegal::Gone));
    assert_eq!(set_idle_timeout(&Run::asleep().agent, own, run.at).unwrap().agent.due_at, None);
}

// ── Failing ─────────────────────────────────────────────────────────────────

#[test]
fn an_instance_that_ends_by_itself_crashes_its_agent_and_stops_its_meter() {
    for run in [Run::launched(), Run::booting(), Run::running(), Run::saving()] {
        let run = run.later(1).see(exited());
        assert_eq!(run.failed_for(), Some(FailureReason::Crashed));
        assert!(matches!(run.last.segment, Some(SegmentChange::Closed(_))));
        assert_eq!((run.agent.instance, run.agent.due_at, run.agent.intent), (None, None, Intent::Asleep));
    }
}

#[test]
fn an_instance_that_stays_silent_fails_after_a_minute() {
    let run = Run::running().see(Seen::Unanswered);
    assert!(run.agent.phase == Phase::Running && run.is_due_in(5));
    let run = run.later(59).see(Seen::Unanswered);
    assert_eq!(run.agent.phase, Phase::Running);
    let run = run.later(1).see(Seen::Unanswered);
    assert_eq!(run.failed_for(), Some(FailureReason::Unreachable));
    assert!(run.agent.instance.is_some() && run.is_due_in(0), "it is still metered, and to be stopped");
}

#[test]
fn any_answer_ends_a_silence() {
    let silent = || Run::saving().see(Seen::Unanswered).later(59);
    let failed = Seen::SaveFailed { message: String::new() };
    for run in [silent().see(Seen::Answered), silent().see(failed), silent().save(1)] {
        assert_eq!(run.later(59).see(Seen::Unanswered).failed_for(), None);
    }
    let run = Run::running().see(Seen::Unanswered).later(59).see(unused(secs(1)));
    assert_eq!(run.later(59).see(Seen::Unanswered).failed_for(), None);
}

#[test]
fn a_failed_agent_may_be_left_asleep() {
    let run = Run::crashed().ask(Observation::SleepAsked);
    assert_eq!(run.agent.phase, Phase::Asleep);
    let run = Run::stuck().ask(Observation::WakeAsked).ask(Observation::SleepAsked);
    assert_eq!(run.agent.intent, Intent::Asleep);
    assert_eq!(run.see(Seen::Stopped { at: None }).failed_for(), Some(FailureReason::HydrateFailed));
}

// ── Interruption ────────────────────────────────────────────────────────────

#[test]
fn an_interrupted_agent_saves_and_its_next_generation_follows() {
    let run = Run::interrupted();
    let until = run.at.after(secs(120));
    assert_eq!(run.told(), [What::Interrupted { until }, What::Saving { why: SaveReason::Interrupted }]);
    assert_eq!(save(&run), Some(Save::Asked));
    let run = run.save(3).see(Seen::Stopped { at: None });
    assert_eq!((&run.agent.phase, run.agent.generation), (&Phase::Pending, Generation(2)));
    assert_eq!((&run.agent.loss, run.agent.moving), (&None, true));
    assert!(matches!(run.last.segment, Some(SegmentChange::Closed(_))));
}

#[test]
fn a_save_that_failed_is_tried_again_while_there_is_time() {
    let run = Run::interrupted().see(Seen::SaveFailed { message: "slow".to_owned() });
    assert!(matches!(run.agent.phase, Phase::Interrupted { .. }) && run.is_due_in(0));
}

#[test]
fn what_was_taken_back_unsaved_goes_on_and_its_owner_is_told() {
    let ready = Run::interrupted().agent.boot.marks().last().unwrap().at;
    let run = Run::interrupted().later(3).see(Seen::Unsaved { bytes: 70 }).later(2).see(exited());
    assert_eq!((&run.agent.phase, run.agent.generation), (&Phase::Pending, Generation(2)));
    assert!(matches!(run.told()[..], [What::Lost { .. }, What::Boot { .. }]));
    assert_eq!(run.agent.loss, Some(crate::agent::Loss { since: ready, until: run.at, bytes: Some(70) }));

    // What was saved in between is not lost.
    let saved = Run::running().later(60).save(1);
    let (at, since) = (saved.at, saved.agent.snapshot.as_ref().unwrap().at);
    let run = saved.later(40).see(until(at)).later(9).see(Seen::Stopped { at: None });
    let loss = run.agent.loss.clone().unwrap();
    assert_eq!((loss.since.max(since), loss.until, loss.bytes), (loss.since, run.at, None));
    assert!(run.agent.moving);
}

#[test]
fn what_falls_over_tells_what_was_lost_with_it() {
    let run = Run::crashed();
    assert_eq!(run.agent.loss.as_ref().unwrap().until, run.at);
    assert!(matches!(run.told()[..], [What::Lost { .. }, What::Failed { .. }]));
    // What never was ready had nothing to lose, what is deleted nobody wants.
    assert_eq!(Run::launched().see(exited()).agent.loss, None);
    assert_eq!(Run::deleting().see(exited()).agent.loss, None);
    // Woken by its owner it does not go on by itself.
    assert!(!run.ask(Observation::WakeAsked).agent.moving);
}

#[test]
fn a_boot_that_is_interrupted_has_nothing_to_save() {
    let run = Run::booting();
    let at = run.at;
    let run = run.see(until(at));
    assert_eq!(save(&run), Some(Save::Done));
    let run = run.see(Seen::Stopped { at: None });
    assert_eq!((&run.agent.phase, run.told().len()), (&Phase::Pending, 1));
}

#[test]
fn an_interrupted_agent_that_is_to_sleep_sleeps() {
    let run = Run::interrupted().ask(Observation::SleepAsked).save(1).see(Seen::Stopped { at: None });
    assert_eq!(run.agent.phase, Phase::Asleep);
}

// ── Deleting and renaming ───────────────────────────────────────────────────

#[test]
fn a_deleted_agents_meter_runs_until_its_instance_is_gone_then_its_data_goes() {
    let run = Run::deleting();
    assert_eq!((run.agent.intent, run.told()), (Intent::Deleted, vec![What::Deleting]));
    assert!(run.is_due_in(0));
    assert_eq!(run.refuses(Observation::Purged), Illegal::NotNow);
    let run = run.later(2).see(Seen::Stopped { at: None });
    assert!(matches!(run.last.segment, Some(SegmentChange::Closed(_))) && run.is_due_in(0));
    let run = run.ask(Observation::Purged);
    assert_eq!((&run.agent.phase, run.agent.due_at), (&Phase::Deleted, None));
    assert_eq!(run.told(), [What::Deleted]);
}

#[test]
fn a_deleted_agents_snapshot_is_no_more() {
    let run = Run::asleep().ask(Observation::DeleteAsked);
    assert!(run.agent.snapshot.is_some());
    assert_eq!(run.ask(Observation::Purged).agent.snapshot, None);
}

#[test]
fn an_instance_that_comes_while_its_agent_is_deleted_is_metered_until_stopped() {
    let run = Run::placing().ask(Observation::DeleteAsked).see(launched(START));
    assert!(matches!(run.last.segment, Some(SegmentChange::Opened(_))) && run.is_due_in(0));
    assert_eq!(run.see(exited()).agent.instance, None);
}

#[test]
fn a_name_changes_in_any_phase_but_not_after_deletion() {
    let name = || "Otra".parse::<Name>().unwrap();
    for run in [Run::pending(), Run::running(), Run::saving(), Run::asleep(), Run::crashed()] {
        let renamed = rename(&run.agent, name(), run.at).unwrap();
        assert_eq!(renamed.events.iter().map(|e| e.what.clone()).collect::<Vec<_>>(), [What::Renamed]);
        assert_eq!((&renamed.agent.phase, renamed.agent.due_at), (&run.agent.phase, run.agent.due_at));
        assert_eq!(rename(&renamed.agent, name(), run.at), Err(Illegal::Already));
    }
    assert_eq!(rename(&Run::deleting().agent, name(), START), Err(Illegal::Gone));
}

#[test]
fn a_clock_set_back_costs_nothing() {
    let mut run = Run::running();
    run.at = START.before(secs(86_400));
    let run = run.see(exited());
    assert_eq!(run.agent.settled.total, NanoDollars::ZERO);
    let Some(SegmentChange::Closed(segment)) = run.last.segment else { panic!() };
    assert_eq!(segment.ended_at, Some(segment.started_at));
}

/// At Fargate: the provider's instants are the timeline's and the meter's.
#[test]
fn a_provider_tells_its_phases_with_its_own_instants() {
    let mut run = Run::placing();
    run.agent.provider = ProviderName::Fargate;
    let at = |ms| Timestamp(run.at.0 + ms);
    let mark = |phase, ms| Mark { phase, at: at(ms) };
    let (placed, pulled, started, ended) = (at(500), at(2000), at(5000), at(65_000));
    let run = run.clone().later(1).see(Seen::Placed { marks: vec![mark(BootPhase::Networking, 500)] });
    assert!(run.agent.instance.is_none(), "nothing is billed before the image is pulled");
    assert!(run.is_due_in(30), "should nothing more be told, it is looked for");
    let run = run.later(2).see(launched(pulled));
    let run = run.later(3).see(Seen::Placed {
        marks: vec![
            mark(BootPhase::Launching, 4000),
            mark(BootPhase::Enrolling, 5000),
            mark(BootPhase::Ready, 5001),
        ],
    });
    assert_eq!(run.agent.boot.current(), Some(BootPhase::Enrolling));
    assert_eq!(run.agent.boot.took(BootPhase::Networking), Some(pulled.since(placed)));
    assert_eq!(run.agent.boot.took(BootPhase::Pulling), Some(at(4000).since(pulled)));
    assert_eq!(run.agent.boot.marks().last().map(|mark| mark.at), Some(started));
    let run = run.see(Seen::Enrolled).see(Seen::Ready).later(120);
    let run = run.see(Seen::Ended { failure: failure(FailureReason::Crashed), at: ended });
    assert_eq!(run.agent.settled.total, run.agent.settled.last);
    // A whole number of seconds, and more than a minute: billed as it passed.
    assert_eq!(run.agent.settled.total, Rates::proposal().rate(Size::Small).over(ended.since(pulled)));
}

#[test]
fn told_to_end_by_its_provider_it_saves_and_the_next_run_goes_on() {
    let snapshot = |run: &Run| snapshot(run.agent.generation, 7);
    let run = Run::running().later(60);
    let saved = snapshot(&run);
    let saved = run.see(Seen::SavedToEnd { snapshot: saved });
    assert_eq!(saved.agent.phase, Phase::Running);
    // The end comes first, and no word of why.
    let ended = saved.clone().later(1).see(exited());
    assert_eq!((&ended.agent.phase, ended.agent.intent), (&Phase::Pending, Intent::Awake));
    assert_eq!(ended.agent.loss, None, "nothing was lost");
    // Or the notice does.
    let at = saved.at;
    let noticed = saved.see(until(at));
    assert_eq!(save(&noticed), Some(Save::Done), "it is not asked to save again");
    let ended = noticed.see(Seen::Stopped { at: None });
    assert_eq!((&ended.agent.phase, &ended.agent.loss), (&Phase::Pending, &None));
}
