//! Orders to many agents: what works is left alone unless it is stopped, a
//! drained provider launches nothing, and there is a way back.
#![allow(clippy::unwrap_used)]

mod common;

use common::terminal::Terminal;
use common::{Person, Server};
use serde_json::{Value, json};

async fn order(who: &Person, ids: &[&String], order: &str) -> Value {
    let reply = who.browser.post("/api/console/fleet_order", &json!({ "ids": ids, "order": order })).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn drain(who: &Person, wish: &str) -> Value {
    let reply = who.browser.post("/api/console/fleet_drain", &json!({ "wish": wish })).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    // What a page begins with, and its feed goes on with.
    let query = domain::fleet::Query::default();
    let page = who.browser.post("/api/console/fleet_page", &json!({ "query": query })).await.json();
    page["place"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_works_is_stopped_only_when_that_is_said_and_a_drain_is_taken_back() {
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let (works, rests) = (owner.spawn("trabaja").await, owner.spawn("descansa").await);
    for id in [&works, &rests] {
        owner.until(id, "running").await;
    }
    let mut terminal = Terminal::connect(&owner, &works).await;
    terminal.kind("bash -c 'for n in $(seq 9999); do echo tick-$n; sleep 0.2; done'\n").await;
    terminal.until("tick-12").await;

    let slept = order(&owner, &[&works, &rests], "sleep").await;
    assert_eq!(slept, json!({ "changed": [rests], "failed": [[works, "at_work"]] }));
    owner.until(&rests, "asleep").await;
    assert_eq!(owner.agent(&works).await["phase"], "running");

    // Nothing new, and what runs runs on.
    assert!(drain(&owner, "begin").await["drained"].is_i64());
    let refused = owner.act(&rests, "wake").await;
    assert_eq!((refused.status, &refused.json()["type"]), (503, &json!("urn:openclaw-cloud:draining")));
    let spawned = owner.api.post("/api/v1/agents/spawn", &json!({ "name": "tarde", "size": "nano" })).await;
    assert_eq!(spawned.status, 503, "{}", spawned.text());
    assert_eq!(owner.agent(&works).await["phase"], "running");
    let woken = order(&owner, &[&rests], "wake").await;
    assert_eq!(woken, json!({ "changed": [], "failed": [[rests, "draining"]] }));

    let stopped = order(&owner, &[&works, &rests], "stop").await;
    assert_eq!(stopped, json!({ "changed": [works], "failed": [] }));
    let asleep = owner.until(&works, "asleep").await;
    assert!(asleep["snapshot"].is_object(), "it was saved first: {asleep:#}");

    // The way back.
    assert!(drain(&owner, "end").await["drained"].is_null());
    assert_eq!(order(&owner, &[&works], "wake").await, json!({ "changed": [works], "failed": [] }));
    owner.until(&works, "running").await;

    let log = owner.api.get("/api/v1/audit").await.text();
    let told = |act: &str| log.lines().filter(|line| line.contains(&format!("\"act\":\"{act}\""))).count();
    assert_eq!((told("drain_provider"), told("undrain_provider")), (1, 1), "{log}");
    // One that failed is told twice: before it was tried, and that it failed.
    assert_eq!((told("put_agent_to_sleep"), told("stop_agent"), told("wake_agent")), (3, 2, 3), "{log}");
}
