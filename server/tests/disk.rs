//! A disk without room, under everything: the ledger, the repository and the
//! agents' homes.
#![allow(clippy::unwrap_used)]

mod common;

use common::terminal::Terminal;
use common::{Server, enclosed};

/// Enough for a server and an agent that saves little, in bytes.
const DISK: usize = 48 << 20;

/// Runs an ignored test of this file with a small disk for its folders.
fn on_a_small_disk(test: &str) {
    let disk = tempfile::tempdir().unwrap();
    let mut enclosed = enclosed::command();
    enclosed.args(["--perms", "0755", "--size", &DISK.to_string(), "--tmpfs"]).arg(disk.path());
    enclosed.arg("--setenv").arg("TMPDIR").arg(disk.path());
    enclosed::test(enclosed, test, &["--ignored"]);
}

/// Started by hand, these would fill a real disk.
fn assert_small_disk() {
    let disk = rustix::fs::statvfs(std::env::temp_dir()).unwrap();
    assert!(disk.f_blocks * disk.f_frsize <= DISK as u64, "run the test that makes the small disk");
}

#[test]
fn with_the_disk_full_the_old_snapshot_stays_whole_and_the_agent_stays_up() {
    on_a_small_disk("a_full_disk_while_saving");
}

#[test]
fn with_no_room_for_the_ledger_nothing_is_half_done() {
    on_a_small_disk("a_disk_filled_to_the_last_byte");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "on a small disk only"]
async fn a_full_disk_while_saving() {
    assert_small_disk();
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let id = owner.spawn("fills").await;
    owner.until(&id, "running").await;
    Terminal::connect(&owner, &id).await.run("echo first > kept; echo do''ne", "done").await;
    owner.act(&id, "sleep").await;
    let first = owner.until(&id, "asleep").await["snapshot"].clone();
    owner.act(&id, "wake").await;
    owner.until(&id, "running").await;

    // It fits at home, and not once more in the repository.
    let mut terminal = Terminal::connect(&owner, &id).await;
    terminal.run("echo second > kept; head -c 30M /dev/urandom > big; stat -c %s big", "31457280").await;
    owner.act(&id, "sleep").await;
    let agent = owner.until_some(&id, "save_failure").await;
    assert_eq!(agent["phase"], "running", "{agent:#}");
    assert_eq!(agent["snapshot"], first);
    assert!(agent["cost"]["running"].as_bool().unwrap());
    let mut terminal = Terminal::connect(&owner, &id).await;
    // The screen as it was comes first, with what was typed into it: only what is new tells.
    terminal.run("rm big; echo \"kept: $(cat kept)\"", "kept: second").await;

    owner.act(&id, "sleep").await;
    owner.until(&id, "asleep").await;
    owner.act(&id, "wake").await;
    owner.until(&id, "running").await;
    Terminal::connect(&owner, &id).await.run("cat kept", "second").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "on a small disk only"]
async fn a_disk_filled_to_the_last_byte() {
    assert_small_disk();
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let id = owner.spawn("fills").await;
    owner.until(&id, "running").await;
    let mut terminal = Terminal::connect(&owner, &id).await;
    terminal.run("echo mine > kept; cat /dev/zero > big; echo fu''ll", "full").await;
    let mut refused = None;
    for _ in 0..20 {
        let reply =
            owner.api.post("/api/v1/agents/spawn", &serde_json::json!({"name": "n", "size": "nano"})).await;
        if reply.status != 202 {
            refused = Some(reply);
            break;
        }
    }
    let refused = refused.expect("the ledger has no room");
    assert_eq!(refused.json()["type"], "urn:openclaw-cloud:disk_full", "{}", refused.text());
    assert_eq!(refused.status, 507);
    terminal.run("cat kept; rm big; echo fr''ee", "free").await;
    assert_eq!(owner.agent(&id).await["phase"], "running");
    owner.act(&id, "sleep").await;
    owner.until(&id, "asleep").await;
    owner.act(&id, "wake").await;
    owner.until(&id, "running").await;
    Terminal::connect(&owner, &id).await.run("cat kept", "mine").await;
}
