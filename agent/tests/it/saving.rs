use std::sync::Arc;
use std::time::Duration;

use domain::protocol::{Report, instance};
use domain::wire::close;
use http::{Method, StatusCode};
use rustix::process::Signal;

use crate::support::control::files;
use crate::support::daemon::says;
use crate::support::viewer::{Got, open};
use crate::support::{Control, Daemon, Viewer, until};

async fn save(daemon: &Daemon) {
    let (status, _) = daemon.command(Method::POST, instance::SAVE, "").await;
    assert_eq!(status, StatusCode::ACCEPTED);
}

/// What the viewer was shown out with.
async fn close_code(viewer: &mut Viewer) -> u16 {
    loop {
        match viewer.next().await {
            Got::Closed(code) => return code,
            Got::Gone => panic!("no close code"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_comes_back() {
    let control = Control::start();
    let mut daemon = Daemon::ready_with(&control).await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer
        .types("mkdir -p a/b; echo kept > a/b/file; head -c 3000000 /dev/urandom > big; echo do''ne\n")
        .await;
    viewer.sees("done").await;
    save(&daemon).await;
    save(&daemon).await;
    assert_eq!(close_code(&mut viewer).await, close::STOPPING);
    until("committed", || control.state().commits.len() == 1).await;
    let was = files(&daemon.home());
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.exit().await.code(), Some(0));
    // Nothing ran since: it was not saved again.
    assert_eq!(control.state().commits.len(), 1);
    assert!(control.state().commits[0].files >= 4);

    control.state().reports.clear();
    control.state().binding = None;
    let again = Daemon::ready_with(&control).await;
    assert_eq!(files(&again.home()), was);
    let mut viewer = Viewer::new(&again, 1, 0).await;
    viewer.types("cat a/b/file\n").await;
    viewer.sees("kept\r\n").await;
    assert!(!viewer.text().contains('☕'), "it is not new");
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_end_it_saves_first() {
    let mut daemon = Daemon::ready().await;
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.exit().await.code(), Some(0));
    assert_eq!(daemon.control.state().commits.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_saved_that_was_never_brought_back() {
    let control = Control::start();
    control.state().snapshot = Some("ab".repeat(32).parse().unwrap());
    let mut daemon = Daemon::start(&control);
    assert_eq!(daemon.exit().await.code(), Some(1));
    let reports = control.state().reports.clone();
    assert!(matches!(&reports[..], [Report::BootFailed { .. }]), "{reports:?}");
    assert!(control.state().commits.is_empty());

    let never = Control::closed();
    let mut daemon = Daemon::start(&never);
    until("it tries", || daemon.output().contains("begins")).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.exit().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_that_fails_is_told_and_everything_goes_on() {
    let daemon = Daemon::ready().await;
    let control = Arc::clone(&daemon.control);
    control.state().refuses_writes = Some(StatusCode::INSUFFICIENT_STORAGE);
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("i=0; while :; do i=$((i+1)); echo $i > count; sleep 0.05; done\n").await;
    until("the job runs", || says(&daemon.home().join("count"), "3")).await;
    save(&daemon).await;
    assert_eq!(close_code(&mut viewer).await, close::STOPPING);
    let told = || control.state().reports.iter().any(|report| matches!(report, Report::SaveFailed { .. }));
    until("the control plane is told", told).await;
    // The job goes on, and so does its terminal.
    let mut viewer = viewer.again(&daemon, 0).await;
    let before = std::fs::read_to_string(daemon.home().join("count")).unwrap();
    until("the job goes on", || !says(&daemon.home().join("count"), &before)).await;
    // A key that comes as the job's last command ends by itself is not heard by bash.
    while !viewer.text().contains("alive") {
        viewer.types("\x03").await;
        viewer.types("echo al''ive\n").await;
        viewer.listens(Duration::from_millis(300)).await;
    }

    control.state().refuses_writes = None;
    save(&daemon).await;
    until("committed", || control.state().commits.len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_save_nothing_runs_that_could_change_the_home() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("(while :; do date +%N > clock; done) &\n").await;
    until("it runs", || daemon.home().join("clock").exists()).await;
    save(&daemon).await;
    until("committed", || daemon.control.state().commits.len() == 1).await;
    let was = std::fs::read(daemon.home().join("clock")).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(std::fs::read(daemon.home().join("clock")).unwrap(), was);
    // Who comes now is told that it sleeps.
    let mut socket = open(&daemon).await;
    let ticket = daemon.control.ticket(domain::ticket::Scope::Terminal);
    let grid = crate::support::viewer::GRID;
    let hello = domain::wire::FromViewer::Hello {
        viewer: 2,
        terminal: 0,
        grid,
        resume: None,
        ticket: ticket.expose(),
    };
    crate::support::viewer::send(&mut socket, &hello).await;
    assert_eq!(crate::support::viewer::receive(&mut socket).await, Got::Closed(close::STOPPING));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_refused_is_no_save() {
    let mut daemon = Daemon::ready().await;
    daemon.control.state().refuses_commits = Some(StatusCode::UNPROCESSABLE_ENTITY);
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.exit().await.code(), Some(1));
    assert!(daemon.output().contains("it was asked to end and its state is not saved"));

    let mut over = Daemon::ready().await;
    over.control.state().refuses_commits = Some(StatusCode::CONFLICT);
    over.signal(Signal::TERM);
    assert_eq!(over.exit().await.code(), Some(1));
    assert!(over.output().contains("another run of the agent goes on"));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_between_it_saves_what_changed_and_only_then() {
    let control = Control::start();
    control.state().save_every = 1;
    let daemon = Daemon::ready_with(&control).await;
    let commits = || control.state().commits.len();
    until("a new home is saved", || commits() == 1).await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("exec 2>/dev/null; unset PROMPT_COMMAND; echo one > file; echo do''ne\n").await;
    viewer.sees("done").await;
    until("the change is saved", || commits() == 2).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(commits(), 2, "nothing changed");
    // It goes on as before, and what it then changes is saved too.
    viewer.types("echo two > file; cat file; echo st''ill\n").await;
    viewer.sees("still").await;
    until("the next change is saved", || commits() == 3).await;

    let saved = control.state().commits[2].id.clone();
    drop(daemon);
    control.state().snapshot = Some(saved);
    control.state().binding = None;
    control.state().reports.clear();
    let again = Daemon::ready_with(&control).await;
    assert!(files(&again.home()).contains(&("file".to_owned(), b"two\n".to_vec())));
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(commits(), 3, "what was brought back is saved already");
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_while_it_saves_in_between_it_saves_once_more() {
    let control = Control::start();
    control.state().save_every = 1;
    let mut daemon = Daemon::ready_with(&control).await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("while :; do date +%N > busy; sleep 0.05; done\n").await;
    until("saved a few times", || control.state().commits.len() >= 3).await;
    save(&daemon).await;
    assert_eq!(close_code(&mut viewer).await, close::STOPPING);
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.exit().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_in_between_holds_nobody_up() {
    let control = Control::start();
    control.state().save_every = 1;
    let daemon = Daemon::ready_with(&control).await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("i=0; while :; do i=$((i+1)); echo $i > count; sleep 0.05; done\n").await;
    until("saved once", || !control.state().commits.is_empty()).await;
    let goes_on = async |what| {
        let before = std::fs::read_to_string(daemon.home().join("count")).unwrap();
        until(what, || !says(&daemon.home().join("count"), &before)).await;
    };
    // Whom nobody answers, and whose commit nobody takes, is waited for by the daemon only.
    let asked = |what: &str| {
        control.state().requests.clear();
        let what = what.to_owned();
        let control = &control;
        async move {
            let is_asked = || control.state().requests.iter().any(|request| request.contains(&what));
            until("the control plane is asked", is_asked).await;
        }
    };
    control.state().refuses_commits = Some(StatusCode::SERVICE_UNAVAILABLE);
    asked("v1/snapshots").await;
    goes_on("it goes on though nothing is committed").await;
    let commits = control.state().commits.len();
    control.state().refuses_commits = None;
    until("it is committed", || control.state().commits.len() > commits).await;
    control.state().away = true;
    asked("/repository/").await;
    goes_on("it goes on though nobody answers").await;
    control.state().away = false;

    // More than there is time for is saved by and by, and at last as of one moment.
    let commits = control.state().commits.len();
    viewer.types("\x03head -c 3000000 /dev/urandom > big\n").await;
    control.state().slow_writes = Duration::from_millis(1200);
    until("it is saved", || control.state().commits[commits..].iter().any(|commit| commit.bytes > 3_000_000))
        .await;
}
