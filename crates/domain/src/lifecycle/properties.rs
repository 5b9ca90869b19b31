//! Any sequence of wishes and observations: late, repeated, out of order, of
//! other runs, under a clock that jumps. What must always hold, holds.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::fixture::*;
use super::*;
use crate::agent::{FailureReason, Intent, Phase, Save};
use crate::money::NanoDollars;
use crate::time::Day;
use crate::usage::Amount;

/// One thing that happens.
#[derive(Debug, Clone)]
struct Step {
    what: Happens,
    /// By how many milliseconds the clock moves before it.
    clock: i64,
}

#[derive(Debug, Clone)]
enum Happens {
    /// What a world without trouble brings next.
    Next,
    /// A wish of the owner's.
    Ask(Observation),
    /// A word about the run `ago` generations before the current one.
    Word {
        ago: i32,
        seen: Seen,
    },
    Rename(u8),
    Timeout(Option<u32>),
}

fn words() -> impl Strategy<Value = Seen> {
    let failure = |reason| Just(failure(reason));
    let failures = prop_oneof![failure(FailureReason::Crashed), failure(FailureReason::LaunchRefused)];
    prop_oneof![
        Just(Seen::Launching),
        (-90_000i64..90_000).prop_map(|ms| launched(Timestamp(START.0 + ms))),
        failures.clone().prop_map(|failure| Seen::LaunchFailed { failure }),
        Just(Seen::Enrolled),
        (0usize..9).prop_map(|n| Seen::BootReached { phase: BootPhase::ALL[n] }),
        prop::collection::vec((0usize..9, -90_000i64..90_000), 0..4).prop_map(|marks| Seen::Placed {
            marks: marks
                .into_iter()
                .map(|(n, ms)| Mark { phase: BootPhase::ALL[n], at: Timestamp(START.0 + ms) })
                .collect()
        }),
        Just(Seen::Ready),
        failures.clone().prop_map(|failure| Seen::BootFailed { failure }),
        Just(Seen::BootOverdue),
        (0u64..4000).prop_map(|secs| unused(Duration::from_secs(secs))),
        Just(busy()),
        Just(Seen::Unanswered),
        Just(Seen::Answered),
        // Few ids, so that some are named again; some of another run.
        (0u64..6, 0u32..4)
            .prop_map(|(n, run)| Seen::SnapshotCommitted { snapshot: snapshot(Generation(run), n) }),
        (0u64..4, 0u32..4).prop_map(|(n, run)| Seen::SavedToEnd { snapshot: snapshot(Generation(run), n) }),
        Just(Seen::SaveFailed { message: "no room".to_owned() }),
        (0u64..9).prop_map(|bytes| Seen::Unsaved { bytes }),
        failures.clone().prop_map(|failure| Seen::Exited { failure }),
        (failures, -90_000i64..90_000)
            .prop_map(|(failure, ms)| Seen::Ended { failure, at: Timestamp(START.0 + ms) }),
        prop::option::of(-90_000i64..90_000)
            .prop_map(|ms| Seen::Stopped { at: ms.map(|ms| Timestamp(START.0 + ms)) }),
        Just(until(START)),
    ]
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        12 => Just(Happens::Next),
        2 => Just(Happens::Ask(Observation::WakeAsked)),
        2 => Just(Happens::Ask(Observation::SleepAsked)),
        1 => Just(Happens::Ask(Observation::BudgetSpent)),
        1 => Just(Happens::Ask(Observation::KeptAwake)),
        1 => Just(Happens::Ask(Observation::Purged)),
        8 => words().prop_map(|seen| Happens::Word { ago: 0, seen }),
        2 => (-1i32..3, words()).prop_map(|(ago, seen)| Happens::Word { ago, seen }),
        1 => any::<u8>().prop_map(Happens::Rename),
        1 => prop::option::of(10u32..86_400).prop_map(Happens::Timeout),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let clock = prop_oneof![8 => 0i64..120_000, 1 => -7_200_000i64..0, 1 => 0i64..40 * 86_400_000];
    // Deletion ends all, so it comes rarely, and late.
    let live = prop::collection::vec((happens(), clock.clone()), 0..120);
    let die = prop::collection::vec((happens(), clock), 0..12);
    (live, any::<bool>(), die).prop_map(|(live, deleted, die)| {
        let delete = deleted.then_some((Happens::Ask(Observation::DeleteAsked), 1));
        live.into_iter().chain(delete).chain(die).map(|(what, clock)| Step { what, clock }).collect()
    })
}

/// What a world without trouble brings next, as the orchestrator would see it.
fn next(agent: &Agent, n: u64) -> Option<Observation> {
    let seen = match &agent.phase {
        Phase::Pending => Seen::Launching,
        Phase::Provisioning if agent.instance.is_none() => launched(agent.phase_since),
        Phase::Provisioning => Seen::Enrolled,
        Phase::Booting => Seen::Ready,
        Phase::Running => unused(Duration::from_secs(3600)),
        Phase::Saving | Phase::Interrupted { .. } => match agent.instance.as_ref().map(|i| i.save) {
            Some(Save::Asked | Save::NotAsked) => {
                Seen::SnapshotCommitted { snapshot: snapshot(agent.generation, 1000 + n) }
            }
            Some(Save::Done) | None => Seen::Stopped { at: None },
        },
        Phase::Failed { .. } if agent.due_at.is_some() => Seen::Stopped { at: None },
        Phase::Deleting if agent.instance.is_some() => Seen::Stopped { at: None },
        Phase::Deleting => return Some(Observation::Purged),
        Phase::Asleep | Phase::Failed { .. } => return Some(Observation::WakeAsked),
        Phase::Deleted => return None,
    };
    Some(Observation::Of(agent.generation, seen))
}

/// The books, kept apart from the rules, by what the rules tell to commit.
#[derive(Default)]
struct Books {
    /// What each run came to; `None` while its meter runs.
    segments: BTreeMap<Generation, Option<NanoDollars>>,
    /// The current run was ready, and has not made its final save since.
    unsaved: bool,
}

impl Books {
    fn enter(&mut self, before: &Agent, observation: Option<&Observation>, step: &Transition, at: Timestamp) {
        let after = &step.agent;
        counts_by_one(before, step);
        self.meter(step);
        boots_forwards(before, after);
        self.keeps_snapshots(before, observation, step);
        never_forgotten(after);
        if let (Some(Observation::Of(_, Seen::IdleChecked { .. })), Phase::Running) =
            (observation, &after.phase)
        {
            assert!(after.due_at >= Some(at), "a check is never due before it was made");
        }
    }

    /// Segments open and close in pairs, one a run, and come to what the agent
    /// says; the meter runs if and only if there is an instance.
    fn meter(&mut self, step: &Transition) {
        let after = &step.agent;
        match &step.segment {
            Some(SegmentChange::Opened(segment)) => {
                assert_eq!(segment.generation, after.generation, "a past run was metered");
                assert_eq!(segment.ended_at, None);
                assert!(self.segments.values().all(Option::is_some), "two meters run at once");
                assert_eq!(self.segments.insert(segment.generation, None), None, "a run was metered twice");
            }
            Some(SegmentChange::Closed(segment)) => {
                let end = segment.ended_at.expect("a closed segment has an end");
                assert!(end >= segment.started_at, "time ran backwards on a bill");
                let cost = segment.cost(end);
                assert!(cost >= NanoDollars::ZERO);
                // What the rollups get of it, whoever bills it.
                for provider in [ProviderName::Local, ProviderName::Fargate] {
                    let segment = Segment { provider, ..segment.clone() };
                    let days = segment.days(end);
                    let parts = (days.start().0..=days.end().0).flat_map(|day| segment.hours(Day(day), end));
                    assert_eq!(parts.map(|(_, part)| part).sum::<Amount>(), segment.amount(end));
                    assert_eq!(segment.cost(end), segment.amount(end).cost);
                }
                let closed = self.segments.insert(segment.generation, Some(cost));
                assert_eq!(closed, Some(None), "a meter was stopped that did not run");
            }
            None => {}
        }
        let open = self.segments.iter().find(|(_, cost)| cost.is_none()).map(|(run, _)| *run);
        assert_eq!(open, after.instance.as_ref().map(|_| after.generation));
        let total: NanoDollars = self.segments.values().flatten().copied().sum();
        assert_eq!(after.settled.total, total);
        assert!(after.settled.day.1 <= after.settled.month.1 && after.settled.month.1 <= total);
        if let Some(segment) = after.open_segment() {
            for now in [i64::MIN, 0, START.0, i64::MAX] {
                assert!(segment.cost(Timestamp(now)) >= NanoDollars::ZERO);
            }
        }
    }

    /// A committed snapshot gives way to a later one, or to deletion; what was
    /// in use comes to rest saved, or its owner hears that it is not.
    fn keeps_snapshots(&mut self, before: &Agent, observation: Option<&Observation>, step: &Transition) {
        let after = &step.agent;
        if after.phase == Phase::Deleted {
            assert_eq!((&after.snapshot, observation), (&None, Some(&Observation::Purged)));
        } else if after.snapshot != before.snapshot {
            let Some(Observation::Of(
                run,
                Seen::SnapshotCommitted { snapshot } | Seen::SavedToEnd { snapshot },
            )) = observation
            else {
                panic!("{observation:?} changed the snapshot")
            };
            assert_eq!(after.snapshot.as_ref(), Some(snapshot));
            assert_eq!(
                (*run, snapshot.generation),
                (before.generation, before.generation),
                "a past run wrote"
            );
            assert!(before.instance.is_some(), "a run that nobody knows of wrote");
            assert!(before.snapshot.as_ref().is_none_or(|old| old.generation <= *run));
        }
        let told = |wanted: fn(&What) -> bool| step.events.iter().any(|event| wanted(&event.what));
        let stopping = matches!(before.phase, Phase::Saving | Phase::Interrupted { .. });
        if stopping && told(|what| matches!(what, What::Saved { .. })) {
            self.unsaved = false;
        }
        if self.unsaved && matches!(after.phase, Phase::Asleep | Phase::Pending) {
            let lost = matches!(before.phase, Phase::Failed { .. });
            let taken = told(|what| matches!(what, What::Lost { .. }));
            assert!(
                lost || taken && matches!(before.phase, Phase::Interrupted { .. }),
                "lost without a word"
            );
        }
        match after.phase {
            // Saved to the end, nothing runs in it any more.
            Phase::Running => {
                self.unsaved = after.instance.as_ref().is_some_and(|instance| instance.save != Save::Done);
            }
            Phase::Pending | Phase::Asleep => self.unsaved = false,
            _ => {}
        }
    }
}

fn counts_by_one(before: &Agent, step: &Transition) {
    let after = &step.agent;
    assert_eq!((step.from_version, after.version), (before.version, before.version + 1));
    let was_awake = before.version > 0 && before.is_awake();
    assert_eq!((step.from_due_at, step.from_awake), (before.due_at, was_awake));
    let seqs = step.events.iter().map(|event| event.seq);
    assert!(seqs.eq(before.last_event + 1..=after.last_event), "events have a gap");
    assert!(step.events.iter().all(|event| event.agent == after.id && event.generation <= after.generation));
    let next = after.generation == before.generation.next() && after.phase == Phase::Pending;
    assert!(next || after.generation == before.generation, "a run was skipped");
    assert_eq!(before.created_at, after.created_at);
}

fn boots_forwards(before: &Agent, after: &Agent) {
    let (old, new) = (before.boot.marks(), after.boot.marks());
    assert!(new.is_sorted_by(|a, b| a.phase < b.phase && a.at <= b.at));
    if after.generation == before.generation {
        assert!(old.iter().all(|mark| new.contains(mark)), "what was reached was taken back");
    }
}

/// Each agent is in a state that makes sense, and one that needs something to
/// be done is due some time.
fn never_forgotten(agent: &Agent) {
    let there = agent.instance.is_some();
    let needs_work = match &agent.phase {
        Phase::Pending => {
            assert!(!there);
            true
        }
        Phase::Booting | Phase::Running => {
            assert!(there);
            true
        }
        Phase::Provisioning | Phase::Saving | Phase::Interrupted { .. } | Phase::Deleting => true,
        Phase::Failed { .. } => there,
        Phase::Asleep | Phase::Deleted => {
            assert!(!there);
            assert_eq!(agent.due_at, None, "what rests costs no look");
            false
        }
    };
    assert!(!needs_work || agent.due_at.is_some(), "{:?} is forgotten", agent.phase);
    assert_eq!(matches!(agent.phase, Phase::Deleting | Phase::Deleted), agent.intent == Intent::Deleted);
    assert!(agent.sleeps_at.is_none() || agent.phase == Phase::Running, "only who runs is warned");
    let save = agent.instance.as_ref().map(|instance| instance.save);
    // Done before it was asked: told to end by its provider.
    let asked = matches!(save, Some(Save::Asked) | None);
    assert!(agent.phase != Phase::Running || !asked, "who runs has more to save");
}

/// Takes an agent through the steps, with the books at its side.
fn live(steps: &[Step]) -> (Run, Books) {
    let (mut run, mut books) = (Run::pending(), Books::default());
    books.enter(
        &Agent { version: 0, last_event: 0, generation: Generation::NONE, due_at: None, ..run.agent.clone() },
        None,
        &run.last,
        START,
    );
    for (n, step) in (0..).zip(steps) {
        run.at = Timestamp(run.at.0.saturating_add(step.clock));
        let agent = &run.agent;
        let observation = match &step.what {
            Happens::Next => next(agent, n),
            Happens::Ask(observation) => Some(observation.clone()),
            Happens::Word { ago, seen } => {
                let generation = Generation(agent.generation.0.saturating_add_signed(-ago));
                Some(Observation::Of(generation, seen.clone()))
            }
            Happens::Rename(_) | Happens::Timeout(_) => None,
        };
        let outcome = match (&step.what, &observation) {
            (Happens::Rename(n), _) => rename(agent, format!("n{n}").parse().unwrap(), run.at),
            (Happens::Timeout(secs), _) => {
                let timeout = secs.map(|secs| IdleTimeout::from_secs(secs).unwrap());
                set_idle_timeout(agent, timeout, run.at)
            }
            (_, Some(observation)) => run.apply(observation.clone()),
            (_, None) => continue,
        };
        if let Ok(transition) = outcome {
            books.enter(agent, observation.as_ref(), &transition, run.at);
            run.agent = transition.agent.clone();
            run.last = transition;
        }
    }
    (run, books)
}

/// The world gives no more trouble: what follows until `done`.
fn settle(run: &mut Run, books: &mut Books, done: fn(&Agent) -> bool) {
    for n in 0..20 {
        if done(&run.agent) {
            return;
        }
        run.at = run.at.max(run.agent.due_at.unwrap_or(run.at));
        let observation = next(&run.agent, 5000 + n).expect("it is not there yet");
        let transition = run
            .apply(observation.clone())
            .unwrap_or_else(|illegal| panic!("{observation:?} in {:?}: {illegal}", run.agent.phase));
        books.enter(&run.agent, Some(&observation), &transition, run.at);
        run.agent = transition.agent;
    }
    panic!("it is stuck in {:?}", run.agent.phase);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_books_are_right(steps in steps()) {
        live(&steps);
    }

    #[test]
    fn whatever_happened_an_agent_can_be_brought_to_run_and_to_be_deleted(steps in steps()) {
        let (mut run, mut books) = live(&steps);
        if run.agent.intent != Intent::Deleted {
            settle(&mut run, &mut books, |agent| agent.phase == Phase::Running);
            let delete = run.apply(Observation::DeleteAsked).unwrap();
            books.enter(&run.agent, Some(&Observation::DeleteAsked), &delete, run.at);
            run.agent = delete.agent;
        }
        settle(&mut run, &mut books, |agent| agent.phase == Phase::Deleted);
    }

    #[test]
    fn a_word_that_is_said_again_never_bills_or_boots_again(steps in steps(), seen in words()) {
        let (run, _) = live(&steps);
        let word = Observation::Of(run.agent.generation, seen);
        if let Ok(first) = run.apply(word.clone()) {
            let again = Run { agent: first.agent.clone(), ..run };
            if let Ok(second) = again.apply(word) {
                prop_assert_eq!(second.segment, None);
                prop_assert_eq!(second.agent.generation, first.agent.generation);
            }
        }
    }

    #[test]
    fn an_agent_and_its_events_read_back_as_they_were_written(steps in steps()) {
        let (run, _) = live(&steps);
        let text = serde_json::to_string(&run.agent).unwrap();
        prop_assert_eq!(serde_json::from_str::<Agent>(&text).unwrap(), run.agent);
        for event in run.last.events {
            let text = serde_json::to_string(&event).unwrap();
            prop_assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
        }
    }
}

/// Random steps are worth nothing if they never get anywhere.
#[test]
fn the_random_worlds_reach_every_phase() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut phases, mut runs, mut segments) = (std::collections::BTreeSet::new(), 0, 0);
    for _ in 0..300 {
        let (run, books) = live(&steps().new_tree(&mut runner).unwrap().current());
        phases.insert(format!("{:?}", std::mem::discriminant(&run.agent.phase)));
        runs = runs.max(run.agent.generation.0);
        segments = segments.max(books.segments.len());
    }
    assert_eq!(phases.len(), 10);
    assert!(runs > 5 && segments > 5, "{runs} runs at most, {segments} of them metered");
}
