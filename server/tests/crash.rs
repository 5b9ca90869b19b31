//! SIGKILL at the worst moments: nothing is lost, nothing runs on unknown, no
//! meter stays open.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::terminal::Terminal;
use common::{PATIENCE, Person, Server, sandbox_pid};
use domain::wire::Resume;

/// Sandboxes that run, of all agents of the server.
fn sandboxes(server: &Server) -> usize {
    let alive = |instance: std::path::PathBuf| {
        sandbox_pid(&instance).is_some_and(|pid| std::path::Path::new(&format!("/proc/{pid}")).exists())
    };
    let folder = std::fs::read_dir(server.data().join("instances"));
    folder.map(|entries| entries.flatten().filter(|entry| alive(entry.path())).count()).unwrap_or(0)
}

async fn until_sandboxes(server: &Server, wanted: usize) {
    let started = Instant::now();
    while sandboxes(server) != wanted {
        assert!(started.elapsed() < PATIENCE, "{} sandboxes, not {wanted}", sandboxes(server));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn awake(server: &Server, who: &Person, name: &str) -> String {
    let id = who.spawn(name).await;
    who.until(&id, "running").await;
    until_sandboxes(server, 1).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_killed_at_any_moment_of_a_boot_finishes_it() {
    for wait in [0, 15, 60] {
        let mut server = Server::start(&[]);
        let owner = server.owner().await;
        let id = owner.spawn("boots").await;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        server.kill();
        server.restart();
        let agent = owner.until(&id, "running").await;
        until_sandboxes(&server, 1).await;
        assert!(agent["cost"]["running"].as_bool().unwrap());
        owner.act(&id, "sleep").await;
        let agent = owner.until(&id, "asleep").await;
        assert!(!agent["cost"]["running"].as_bool().unwrap(), "killed {wait} ms after the spawn");
        until_sandboxes(&server, 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_goes_on_where_it_was_after_the_server_was_killed() {
    let mut server = Server::start(&[]);
    let owner = server.owner().await;
    let id = awake(&server, &owner, "lives on").await;
    let mut terminal = Terminal::connect(&owner, &id).await;
    terminal.run("export KEPT=here; echo rea''dy", "ready").await;
    server.kill();
    server.restart();
    let resume = Resume { epoch: terminal.epoch, offset: terminal.offset };
    let mut again = Terminal::resume(&owner, &id, 1, Some(resume)).await;
    assert_eq!((again.epoch, again.offset), (terminal.epoch, terminal.offset), "the same stream goes on");
    again.run("echo still-$KEPT", "still-here").await;
    assert_eq!(owner.agent(&id).await["generation"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_killed_while_an_agent_is_saved_still_puts_it_to_sleep_whole() {
    for wait in [0, 40] {
        let mut server = Server::start(&[]);
        let owner = server.owner().await;
        let id = awake(&server, &owner, "saves").await;
        let mut terminal = Terminal::connect(&owner, &id).await;
        terminal
            .run("head -c 4000000 /dev/urandom > big; sha256sum big > sum; echo wri''tten", "written")
            .await;
        owner.act(&id, "sleep").await;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        server.kill();
        server.restart();
        let agent = owner.until(&id, "asleep").await;
        assert!(!agent["cost"]["running"].as_bool().unwrap());
        until_sandboxes(&server, 0).await;
        owner.act(&id, "wake").await;
        owner.until(&id, "running").await;
        let mut terminal = Terminal::connect(&owner, &id).await;
        terminal.run("sha256sum -c sum", "big: OK").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_daemon_shows_as_a_crash_with_the_meter_still_and_one_act_restarts_the_last_snapshot() {
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let id = awake(&server, &owner, "crashes").await;
    let mut terminal = Terminal::connect(&owner, &id).await;
    terminal.run("echo saved > kept; sync; echo do''ne", "done").await;
    owner.act(&id, "sleep").await;
    owner.until(&id, "asleep").await;
    owner.act(&id, "wake").await;
    owner.until(&id, "running").await;
    let instance = server.data().join("instances").join(format!("{id}-2"));
    let pid = sandbox_pid(&instance).unwrap();
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    let agent = owner.until(&id, "failed").await;
    assert_eq!(agent["failure"]["reason"], "crashed", "{agent:#}");
    assert_eq!(agent["failure"]["retryable"], true);
    assert!(!agent["cost"]["running"].as_bool().unwrap());
    let cost = agent["cost"]["total"].as_i64().unwrap();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(owner.agent(&id).await["cost"]["total"].as_i64().unwrap(), cost, "the meter stands");
    let half = server.data().join("snapshots").join(&id).join("tmp/half");
    std::fs::write(&half, "written by a save that was cut short").unwrap();
    assert_eq!(owner.act(&id, "wake").await.status, 202);
    owner.until(&id, "running").await;
    assert!(!half.exists(), "a new run frees what the last one left half-written");
    let mut terminal = Terminal::connect(&owner, &id).await;
    terminal.run("cat kept", "saved").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_the_ledger_does_not_know_is_stopped() {
    let mut server = Server::start(&[]);
    let owner = server.owner().await;
    awake(&server, &owner, "forgotten").await;
    server.kill();
    // A ledger from before the agent was made, as after a restore of a backup.
    for name in ["console.db", "console.db-wal", "console.db-shm"] {
        let _ = std::fs::remove_file(server.data().join(name));
    }
    server.restart();
    until_sandboxes(&server, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let server = Server::start(&[]);
    let second = Command::new(env!("CARGO_BIN_EXE_openclaw-cloud"))
        .args(["serve", "--listen", "127.0.0.1:0", "--site"])
        .arg(server.folder.path().join("site"))
        .arg("--data")
        .arg(server.data())
        .output()
        .unwrap();
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("another server uses it"));
    assert_eq!(server.nobody().get("/readyz").await.status, 200);
}
