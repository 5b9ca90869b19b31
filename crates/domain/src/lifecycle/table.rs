//! Every situation an agent can be in, against everything that can be asked or
//! seen: what is legal and where it leads. All that is not written here is
//! refused.

use std::fmt::Write as _;
use std::time::Duration;

use super::fixture::*;
use super::*;
use crate::agent::{FailureReason, Phase};

/// A line a situation: what leads where, then what is so already, and what is
/// too early. The rest is «not now», and for the deleted «gone».
const TABLE: &str = "
pending: sleep→asleep delete→deleting launching→provisioning | already: wake exited
placing: sleep→saving delete→deleting launched→provisioning placed→provisioning launch-failed→failed boot-failed→failed boot-overdue→failed interruption→interrupted | already: wake launching | too early: enrolled exited
launched: sleep→saving delete→deleting placed→provisioning enrolled→booting boot-failed→failed boot-overdue→failed exited→failed interruption→interrupted | already: wake launching launched
booting: sleep→saving delete→deleting placed→booting boot-reached→booting ready→running boot-failed→failed boot-overdue→failed exited→failed interruption→interrupted | already: wake launched enrolled
running: sleep→saving delete→deleting kept-awake→running placed→running idle-checked→running unanswered→running saved→running save-failed→running unsaved→running exited→failed interruption→interrupted | already: wake launched ready answered
silent: sleep→saving delete→deleting kept-awake→running placed→running idle-checked→running unanswered→failed answered→running saved→running save-failed→running unsaved→running exited→failed interruption→interrupted | already: wake launched ready
saving: wake→saving delete→deleting unanswered→saving saved→saving save-failed→running unsaved→saving exited→failed | already: sleep launched answered
saved: wake→saving delete→deleting unanswered→saving saved→saving exited→asleep stopped→asleep | already: sleep launched answered
saved, to be woken: sleep→saving delete→deleting unanswered→saving saved→saving exited→pending stopped→pending | already: wake launched answered
boot called off: wake→saving delete→deleting unanswered→saving exited→asleep stopped→asleep | already: sleep launched answered
launch called off: wake→saving delete→deleting launched→saving exited→asleep stopped→asleep | already: sleep
asleep: wake→pending delete→deleting | already: sleep exited
interrupted: sleep→interrupted delete→deleting unanswered→interrupted saved→interrupted save-failed→interrupted unsaved→interrupted exited→pending stopped→pending | already: wake launched answered interruption
interrupted, placing: sleep→interrupted delete→deleting launched→interrupted exited→pending stopped→pending | already: wake interruption
crashed: wake→pending sleep→asleep delete→deleting | already: exited stopped
unreachable: wake→failed delete→deleting saved→failed exited→failed stopped→failed | already: sleep launched
stuck: wake→failed delete→deleting exited→failed stopped→failed | already: sleep launched
stuck, to be woken: sleep→failed delete→deleting exited→pending stopped→pending | already: wake launched
lost while placing: wake→pending sleep→asleep delete→deleting launched→failed stopped→failed | already: exited
deleting: exited→deleting stopped→deleting | already: launched
deleting, nothing there: purged→deleted | already: exited stopped
deleting, placing: purged→deleted launched→deleting | already: exited stopped
deleted:
";

fn situations() -> Vec<(&'static str, Run)> {
    vec![
        ("pending", Run::pending()),
        ("placing", Run::placing()),
        ("launched", Run::launched()),
        ("booting", Run::booting()),
        ("running", Run::running()),
        ("silent", Run::running().see(Seen::Unanswered)),
        ("saving", Run::saving()),
        ("saved", Run::saved()),
        ("saved, to be woken", Run::saved().ask(Observation::WakeAsked)),
        ("boot called off", Run::booting().ask(Observation::SleepAsked)),
        ("launch called off", Run::placing().ask(Observation::SleepAsked)),
        ("asleep", Run::asleep()),
        ("interrupted", Run::interrupted()),
        ("interrupted, placing", {
            let run = Run::placing();
            let at = run.at;
            run.see(until(at))
        }),
        ("crashed", Run::crashed()),
        ("unreachable", Run::unreachable()),
        ("stuck", Run::stuck()),
        ("stuck, to be woken", Run::stuck().ask(Observation::WakeAsked)),
        ("lost while placing", Run::placing().later(999).see(Seen::BootOverdue)),
        ("deleting", Run::deleting()),
        ("deleting, nothing there", Run::asleep().ask(Observation::DeleteAsked)),
        ("deleting, placing", Run::placing().ask(Observation::DeleteAsked)),
        ("deleted", Run::deleted()),
    ]
}

/// Everything that can be asked or seen, made so that only the situation
/// decides: late enough, and with a snapshot that is new.
fn observations(run: &Run) -> Vec<(&'static str, Observation)> {
    let failure = || failure(FailureReason::Crashed);
    let seen = [
        ("launching", Seen::Launching),
        ("launched", launched(run.at)),
        ("placed", Seen::Placed { marks: vec![Mark { phase: BootPhase::Networking, at: run.at }] }),
        ("launch-failed", Seen::LaunchFailed { failure: failure() }),
        ("enrolled", Seen::Enrolled),
        ("boot-reached", Seen::BootReached { phase: BootPhase::Starting }),
        ("ready", Seen::Ready),
        ("boot-failed", Seen::BootFailed { failure: failure() }),
        ("boot-overdue", Seen::BootOverdue),
        ("idle-checked", unused(Duration::ZERO)),
        ("unanswered", Seen::Unanswered),
        ("answered", Seen::Answered),
        ("saved", Seen::SnapshotCommitted { snapshot: snapshot(run.agent.generation, 99) }),
        ("save-failed", Seen::SaveFailed { message: "no room".to_owned() }),
        ("unsaved", Seen::Unsaved { bytes: 7 }),
        ("exited", exited()),
        ("stopped", Seen::Stopped { at: None }),
        ("interruption", until(run.at)),
    ];
    [
        ("wake", Observation::WakeAsked),
        ("sleep", Observation::SleepAsked),
        ("delete", Observation::DeleteAsked),
        ("kept-awake", Observation::KeptAwake),
        ("purged", Observation::Purged),
    ]
    .into_iter()
    .chain(seen.map(|(name, seen)| (name, Observation::Of(run.agent.generation, seen))))
    .collect()
}

fn word(phase: &Phase) -> &'static str {
    match phase {
        Phase::Pending => "pending",
        Phase::Provisioning => "provisioning",
        Phase::Booting => "booting",
        Phase::Running => "running",
        Phase::Saving => "saving",
        Phase::Asleep => "asleep",
        Phase::Interrupted { .. } => "interrupted",
        Phase::Failed { .. } => "failed",
        Phase::Deleting => "deleting",
        Phase::Deleted => "deleted",
    }
}

#[test]
fn each_situation_takes_what_the_table_says_and_refuses_the_rest() {
    let mut table = String::from("\n");
    for (situation, run) in situations() {
        let run = run.later(3600);
        let gone = matches!(run.agent.phase, Phase::Deleting | Phase::Deleted);
        let (mut legal, mut already, mut early) = (String::new(), String::new(), String::new());
        for (name, observation) in observations(&run) {
            match run.apply(observation) {
                Ok(next) => write!(legal, " {name}→{}", word(&next.agent.phase)).unwrap(),
                Err(Illegal::Already) => write!(already, " {name}").unwrap(),
                Err(Illegal::TooEarly) => write!(early, " {name}").unwrap(),
                Err(Illegal::Gone) => assert!(gone, "{situation}: {name}"),
                Err(Illegal::NotNow) => {}
                Err(Illegal::Stale) => panic!("{situation}: {name} is of this very run"),
            }
        }
        write!(table, "{situation}:{legal}").unwrap();
        for (title, list) in [("already", already), ("too early", early)] {
            if !list.is_empty() {
                write!(table, " | {title}:{list}").unwrap();
            }
        }
        table.push('\n');
    }
    assert_eq!(table, TABLE, "what the rules say:\n{table}");
}

#[test]
fn no_situation_takes_a_word_of_another_run() {
    for (situation, run) in situations() {
        let generation = run.agent.generation.0;
        for other in [generation - 1, generation + 1] {
            for (name, observation) in observations(&run) {
                let Observation::Of(_, seen) = observation else { continue };
                let illegal = run.refuses(Observation::Of(Generation(other), seen));
                assert!(
                    matches!(illegal, Illegal::Stale | Illegal::Gone),
                    "{situation}: {name} gave {illegal:?}"
                );
            }
        }
    }
}
