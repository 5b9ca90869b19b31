//! As in production: the first process of a namespace, as an ordinary user.

use std::os::unix::fs::MetadataExt as _;

use domain::protocol::instance;
use http::Method;
use rustix::process::{Signal, kill_process};

use crate::support::{Control, Daemon, Viewer, until};

async fn ready() -> Option<Daemon> {
    let there =
        std::process::Command::new("bwrap").args(["--unshare-all", "--ro-bind", "/", "/", "true"]).status();
    if !there.is_ok_and(|status| status.success()) {
        eprintln!("no sandbox can be made here: nothing was tested");
        return None;
    }
    let control = Control::start();
    let daemon = Daemon::start_in_sandbox(&control);
    until("ready", || control.is_ready()).await;
    Some(daemon)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tenant_can_neither_look_into_the_daemon_nor_end_it() {
    let Some(daemon) = ready().await else { return };
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("stty -echo; echo pid $PPID; cat /proc/1/environ; readlink /proc/1/fd/3 /proc/1/exe; cat /proc/1/fd/3; cat /proc/1/maps | head -1\n").await;
    viewer.types("kill -9 1; kill -STOP 1; kill -SEGV 1; gdb -p 1 </dev/null; echo do''ne\n").await;
    viewer.sees("done\r\n").await;
    let seen = viewer.text();
    assert!(seen.contains("pid 1\r\n") && !seen.contains("OPENCLAW") && !seen.contains("r-xp"), "{seen}");
    assert!(seen.matches("Permission denied").count() >= 3 && !seen.contains("socket:"), "{seen}");
    assert!(!seen.contains("openclaw-agent\r\n"), "{seen}");
    assert_eq!(std::fs::metadata(format!("/proc/{}/environ", daemon.inner())).unwrap().uid(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_are_reaped_and_everything_stands_still_for_a_save() {
    let Some(mut daemon) = ready().await else { return };
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("for i in $(seq 20); do (setsid sleep 0.01 &) ; done; sleep 0.3; ps -e | grep -c defunct; ps ax | grep -c ' [Z]'\n").await;
    viewer.sees("\n0\r\n").await;
    viewer.types("setsid sh -c 'while :; do date +%N > ~/clock; done' &\n").await;
    until("it runs", || daemon.home().join("clock").exists()).await;
    let (status, _) = daemon.command(Method::POST, instance::SAVE, "").await;
    assert_eq!(status, http::StatusCode::ACCEPTED);
    until("committed", || daemon.control.state().commits.len() == 1).await;
    let was = std::fs::read(daemon.home().join("clock")).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(std::fs::read(daemon.home().join("clock")).unwrap(), was);
    kill_process(daemon.inner(), Signal::TERM).unwrap();
    assert_eq!(daemon.exit().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_out_is_the_hosts_proxy() {
    use tokio::io::AsyncWriteExt as _;

    let Some(daemon) = ready().await else { return };
    let egress =
        tokio::net::UnixListener::bind(daemon.control.socket().with_file_name("egress.sock")).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = egress.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 403 not there\r\n\r\n").await.unwrap();
    });
    let mut viewer = Viewer::new(&daemon, 1, 0).await;
    viewer.types("exec 3<>/dev/tcp/127.0.0.1/3128 && head -1 <&3; echo do''ne\n").await;
    viewer.sees("done\r\n").await;
    assert!(viewer.text().contains("HTTP/1.1 403 not there"), "{}", viewer.text());
}
