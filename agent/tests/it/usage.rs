use std::time::Duration;

use domain::protocol::{IdleWarning, Report, instance};
use domain::wire::{FromViewer, Grid};
use http::{Method, StatusCode};

use crate::support::viewer::Got;
use crate::support::{Daemon, Viewer, until};

async fn warn(daemon: &Daemon, sleeps_in_ms: u32) {
    let body = serde_json::to_string(&IdleWarning { sleeps_in_ms }).unwrap();
    let (status, _) = daemon.command(Method::POST, instance::IDLE_WARNING, &body).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn input_and_gestures_are_use_and_an_open_tab_is_not() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("echo re''ady\n").await;
    viewer.sees("ready").await;
    viewer.listens(Duration::from_millis(300)).await;
    viewer.send(FromViewer::Ping { nonce: 7 }).await;
    viewer.send(FromViewer::Resize(Grid { cols: 90, rows: 30 })).await;
    viewer.send(FromViewer::Input { offset: viewer.input, bytes: b"" }).await;
    while viewer.next().await != Got::Pong(7) {}
    let activity = daemon.activity().await;
    assert!(activity.idle_for_ms >= 300, "{activity:?}");
    assert_eq!((activity.terminals, activity.viewers), (1, 1));
    viewer.send(FromViewer::Gesture).await;
    viewer.send(FromViewer::Ping { nonce: 8 }).await;
    while viewer.next().await != Got::Pong(8) {}
    assert!(daemon.activity().await.idle_for_ms < 300);
    viewer.listens(Duration::from_millis(300)).await;
    daemon.command(Method::POST, instance::KEEP_AWAKE, "").await;
    assert!(daemon.activity().await.idle_for_ms < 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_reaches_viewers_and_use_takes_it_back() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    warn(&daemon, 60_000).await;
    let got = loop {
        if let Got::IdleWarning(left) = viewer.next().await {
            break left;
        }
    };
    assert!((55_000..=60_000).contains(&got));
    // One who comes later learns of it too.
    let mut late = Viewer::new(&daemon, 2, 0).await;
    while !matches!(late.next().await, Got::IdleWarning(1..)) {}
    assert!(!daemon.control.has_report(&Report::InUse));
    viewer.types(" ").await;
    while late.next().await != Got::IdleWarning(0) {}
    until("the control plane is told", || daemon.control.has_report(&Report::InUse)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_works_is_named_and_one_that_waits_is_not_busy() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("sleep 1000\n").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(daemon.activity().await.busy, None);
    viewer.types("\x03").await;
    viewer.types("sh -c 'while :; do echo ti\\ck; sleep 0.3; done'\n").await;
    viewer.listens(Duration::from_millis(1_500)).await;
    assert_eq!(daemon.activity().await.busy.unwrap().reason, "sh (output)");
    viewer.types("\x03").await;
    viewer.types("(while :; do :; done) &\n").await;
    viewer.listens(Duration::from_millis(1_500)).await;
    let busy = daemon.activity().await.busy.unwrap();
    assert!(busy.reason.starts_with("bash (CPU "), "{busy:?}");
    viewer.types("kill %1; echo do''ne\n").await;
    viewer.sees("done").await;
}
