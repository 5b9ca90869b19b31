use std::process::Command;
use std::sync::Arc;

use domain::boot::BootPhase;
use domain::protocol::{Report, env};
use tokio::net::UnixListener;

use crate::support::control::NONCE;
use crate::support::{Control, Daemon, Viewer, until};

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_its_phases_in_order_and_furnishes_an_empty_home() {
    let daemon = Daemon::ready().await;
    let reports = daemon.control.state().reports.clone();
    assert_eq!(reports, [Report::Boot { phase: BootPhase::Starting }, Report::Ready]);
    assert!(daemon.home().join(".bashrc").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_a_control_plane_that_is_away_and_then_not_ready() {
    let control = Control::closed();
    control.state().too_early = 2;
    let daemon = Daemon::start(&control);
    until("it tries", || daemon.output().contains("begins")).await;
    Arc::clone(&control).serve(UnixListener::bind(control.socket()).unwrap());
    until("ready", || control.is_ready()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_enrolment_is_final_and_said() {
    let control = Control::start();
    let mut daemon = Daemon::start_with(&control, |command: &mut Command| {
        command.env(env::ENROLMENT, "another");
    });
    assert_eq!(daemon.exit().await.code(), Some(1));
    assert!(daemon.output().contains("not enrolled: the control plane answered 401"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_variable_is_named_and_its_value_is_not() {
    let control = Control::start();
    let mut daemon = Daemon::start_with(&control, |command: &mut Command| {
        command.env(env::INSTANCE, "canary-instance");
    });
    assert_eq!(daemon.exit().await.code(), Some(1));
    assert!(daemon.output().contains("OPENCLAW_INSTANCE names no instance"));
    assert!(!daemon.output().contains("canary"));
    let mut daemon = Daemon::start_with(&control, |command: &mut Command| {
        command.env(env::LANDLOCK, "as far as it goes");
    });
    assert_eq!(daemon.exit().await.code(), Some(1));
    assert!(daemon.output().contains("OPENCLAW_LANDLOCK is no number"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tenant_finds_no_secret_in_its_environment_or_descriptors_and_none_is_logged() {
    let daemon = Daemon::ready().await;
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("env; ls -l /proc/self/fd; echo do''ne\n").await;
    viewer.sees("done").await;
    let seen = viewer.text();
    assert!(!seen.contains(NONCE) && !seen.contains(env::CONTROL) && !seen.contains("socket:"), "{seen}");
    assert!(seen.contains("TERM=xterm-256color") && seen.contains("COLORTERM=truecolor"));
    assert!(!daemon.output().contains("canary"), "{}", daemon.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_is_hidden_from_the_tenant() {
    let daemon = Daemon::ready().await;
    // Root of the host sees all; what is asked is the mark that keeps others out.
    let owner = std::os::unix::fs::MetadataExt::uid(
        &std::fs::metadata(format!("/proc/{}/environ", daemon.pid())).unwrap(),
    );
    assert_eq!(owner, 0);
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("touch /usr/canary /etc/canary; echo mo''re > ~/mine && cat ~/mine\n").await;
    viewer.sees("more").await;
    assert!(!std::path::Path::new("/usr/canary").exists() && !std::path::Path::new("/etc/canary").exists());
}
