//! What who looks after everybody's agents is told of them, on a server with
//! real sandboxes.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Instant;

use common::terminal::Terminal;
use common::{PATIENCE, Person, Server};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

async fn fleet(who: &Person, query: &str) -> Vec<Value> {
    let page = who.api.get(&format!("/api/v1/fleet?{query}")).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page.json()["agents"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_tells_the_tier_of_a_run_and_the_team_of_its_owner() {
    let server = Server::start(&[]);
    let (owner, ana) = (server.owner().await, server.person("ana").await);
    let (mine, hers) = (owner.spawn("mía").await, ana.spawn("suya").await);
    let (mine, hers) = (owner.until(&mine, "running").await, ana.until(&hers, "running").await);
    let all = fleet(&owner, "sort=tier").await;
    let tiers = ["open", "sandbox", "hardened", "machine"];
    assert!(all.iter().all(|one| tiers.contains(&one["tier"].as_str().unwrap())), "{all:?}");
    assert!(all.iter().all(|one| one["team"].is_null()), "{all:?}");

    let team = json!({ "team": "Ventas" }).to_string();
    let path = "/api/v1/people/ana/team";
    let given = owner.api.with("content-type", "application/json").send("PUT", path, team.into()).await;
    assert_eq!(given.status, 204, "{}", given.text());
    let started = Instant::now();
    let of_team = loop {
        let of_team = fleet(&owner, "team=Ventas").await;
        if !of_team.is_empty() || started.elapsed() > PATIENCE {
            break of_team;
        }
    };
    assert_eq!(of_team.len(), 1, "{of_team:?}");
    assert_eq!((&of_team[0]["id"], &of_team[0]["team"]), (&hers["id"], &json!("Ventas")));
    let last = fleet(&owner, "sort=-team").await.pop().unwrap();
    assert_eq!(last["id"], mine["id"], "who has no team comes last");

    // Asleep it says how it was shut in when it ran.
    let id = hers["id"].as_str().unwrap();
    let tier = of_team[0]["tier"].clone();
    ana.act(id, "sleep").await;
    ana.until(id, "asleep").await;
    assert_eq!(fleet(&owner, "team=Ventas&state=asleep").await[0]["tier"], tier);
}

/// What the house said of an agent.
async fn said(who: &Person, id: &str) -> Vec<String> {
    let reply = who.browser.post("/api/console/fleet_journal", &json!({ "id": id })).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(!reply.text().contains("secreto"), "{}", reply.text());
    let journal = reply.json();
    assert!(journal["elsewhere"].is_null());
    let line = |line: &Value| format!("{}: {}", line["by"].as_str().unwrap(), line["text"].as_str().unwrap());
    journal["lines"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_is_of_the_daemon_and_the_control_plane_and_never_of_the_tenants_programs() {
    let server = Server::start(&[]);
    let (owner, ana) = (server.owner().await, server.person("ana").await);
    let id = ana.spawn("de ana").await;
    ana.until(&id, "running").await;
    let mut terminal = Terminal::connect(&ana, &id).await;
    // The daemon's own output is not to be had from inside.
    let words = "echo secreto > ~/secreto; for fd in 1 2; do echo secreto > /proc/1/fd/$fd; done; echo done-$((40 + 2))\n";
    terminal.kind(words).await;
    terminal.until("done-42").await;

    let awake = said(&owner, &id).await;
    let has = |lines: &[String], start: &str| lines.iter().any(|line| line.starts_with(start));
    assert!(has(&awake, "daemon: begins") && has(&awake, "daemon: enrolled"), "{awake:?}");
    ana.act(&id, "sleep").await;
    ana.until(&id, "asleep").await;
    // Its machine is gone, and what was said of it is still there.
    let started = Instant::now();
    let asleep = loop {
        let lines = said(&owner, &id).await;
        let whole = has(&lines, "control_plane: the instance ended") && has(&lines, "daemon: saved files=");
        if whole || started.elapsed() > PATIENCE {
            break lines;
        }
    };
    assert!(has(&asleep, "daemon: saved files="), "{asleep:?}");
    assert!(has(&asleep, "control_plane: the instance ended"), "{asleep:?}");

    let refused = ana.browser.post("/api/console/fleet_journal", &json!({ "id": id })).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_that_somebody_else_begins_comes_by_the_feed() {
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let (feed, _feed) = owner.browser.open("GET", "/live/fleet", Vec::new().into()).await;
    let mut body = feed.into_body();
    let mut heard = String::new();
    let mut until = async |word: &str| {
        while !heard.contains(word) {
            let frame = tokio::time::timeout(PATIENCE, body.frame()).await.unwrap().unwrap().unwrap();
            heard.push_str(&String::from_utf8_lossy(&frame.into_data().unwrap()));
        }
        heard.clear();
    };
    until("\"drained\":null").await;
    let begun = owner.browser.post("/api/console/fleet_drain", &json!({ "wish": "begin" })).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    until("\"drained\":1").await;
    owner.browser.post("/api/console/fleet_drain", &json!({ "wish": "end" })).await;
    until("\"drained\":null").await;
}
