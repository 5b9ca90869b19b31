//! The REST API, against the real server with real sandboxes.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::terminal::{Terminal, open, sse_events, ticket};
use common::{PATIENCE, Server};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_life_by_the_api() {
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let reply = owner.api.post("/agents/spawn", &json!({ "name": "Ñandú 🦞", "size": "nano" })).await;
    assert_eq!(reply.status, 202);
    let id = reply.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(reply.header("location"), Some(format!("/api/v1/agents/{id}").as_str()));
    assert_eq!(reply.json()["websocket_url"], Value::Null);
    let agent = owner.until(&id, "running").await;
    assert!(agent["websocket_url"].as_str().unwrap().starts_with("ws://127.0.0.1:"));
    let phases: Vec<_> = agent["boot"].as_array().unwrap().iter().map(|mark| mark["phase"].clone()).collect();
    assert_eq!(phases, ["queued", "placing", "enrolling", "hydrating", "starting", "ready"]);
    assert_eq!(agent["cost"]["basis"], "estimate");

    let events = sse_events(&owner, &id, None, 7).await;
    let numbers: Vec<u64> = events.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
    let resumed = sse_events(&owner, &id, Some(5), 2).await;
    assert_eq!(resumed, events[5..]);

    let mut terminal = Terminal::connect(&owner, &id).await;
    terminal.run("echo $((6*7)) > answer; pwd", "/home/agent").await;
    assert_eq!(owner.act(&id, "sleep").await.status, 202);
    assert_eq!(terminal.close_code().await, domain::wire::close::STOPPING);
    let asleep = owner.until(&id, "asleep").await;
    assert_eq!(asleep["cost"]["running"], false);
    assert_eq!(owner.act(&id, "tickets").await.status, 409);
    owner.act(&id, "wake").await;
    owner.until(&id, "running").await;
    Terminal::connect(&owner, &id).await.run("cat answer", "42").await;

    let reply = owner.api.send("DELETE", &format!("/api/v1/agents/{id}"), Vec::new().into()).await;
    assert_eq!(reply.status, 202);
    let gone = async {
        while owner.api.get(&format!("/api/v1/agents/{id}")).await.status != 404 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
    assert!(!server.data().join("snapshots").join(&id).exists(), "its data goes with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_spawns_with_one_key_are_one_agent() {
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let api = owner.api.with("idempotency-key", "same");
    let spawn = |name: &'static str| {
        let api = api.clone();
        async move { api.post("/api/v1/agents/spawn", &json!({ "name": name, "size": "nano" })).await }
    };
    let replies = futures::future::join_all((0..8).map(|_| spawn("one"))).await;
    let ids: std::collections::BTreeSet<String> =
        replies.iter().map(|reply| reply.json()["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(owner.api.get("/api/v1/agents").await.json().as_array().unwrap().len(), 1);
    assert_eq!(spawn("another").await.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_named_and_breaks_nothing() {
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let spawn = "/api/v1/agents/spawn";
    let long = "x".repeat(61);
    for (name, field) in [("", "name"), ("a\u{0}b", "name"), ("a\u{202e}b", "name"), (long.as_str(), "name")]
    {
        let reply = owner.api.post(spawn, &json!({ "name": name })).await;
        assert_eq!((reply.status, reply.json()["field"].as_str()), (422, Some(field)), "{name:?}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    }
    for body in [
        json!({ "name": "a", "size": "vast" }),
        json!({ "name": "a", "idle_timeout": 1 }),
        json!({ "name": "a", "idle_timeout": 4_000_000_000u32 }),
        json!({ "name": "a", "owner": "me" }),
        json!({ "name": 7 }),
        json!([]),
    ] {
        assert_eq!(owner.api.post(spawn, &body).await.status, 422, "{body}");
    }
    let json_type = owner.api.with("content-type", "application/json");
    assert_eq!(json_type.send("POST", spawn, "{".into()).await.status, 400);
    assert_eq!(json_type.send("POST", spawn, vec![0xff; 100].into()).await.status, 400);
    let huge = format!("{{\"name\":\"{}\"}}", "x".repeat(10_000_000));
    assert_eq!(json_type.send("POST", spawn, huge.into()).await.status, 413);
    assert_eq!(owner.api.send("POST", spawn, "{}".into()).await.status, 415);
    for key in ["", "a b", &"k".repeat(129)] {
        let reply = owner.api.with("idempotency-key", key).post(spawn, &json!({ "name": "a" })).await;
        assert_eq!(reply.status, 422, "{key:?}");
    }
    for token in ["", "Bearer", "Bearer x", "Basic b3du", "Bearer ocl_00"] {
        let reply = server.nobody().with("authorization", token).get("/api/v1/agents").await;
        assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Bearer")), "{token:?}");
    }
    let last = owner.api.with("last-event-id", "x").get("/api/v1/agents/0123456789abcdef/events").await;
    assert_eq!(last.status, 422);
    assert_eq!(server.nobody().get("/readyz").await.status, 200);
    assert_eq!(owner.api.get("/api/v1/agents").await.json(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_forged_or_foreign_ticket_and_a_wrong_origin_are_refused() {
    use domain::wire::close;
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let id = owner.spawn("one").await;
    let other = owner.spawn("two").await;
    owner.until(&id, "running").await;
    owner.until(&other, "running").await;
    let here = format!("http://127.0.0.1:{}", server.port);

    let used = ticket(&owner, &id).await;
    let mut first = Terminal::with_ticket(&owner, &id, &used).await;
    while first.epoch == 0 {
        first.turn().await;
        assert_eq!(first.closed, None);
    }
    assert_eq!(Terminal::with_ticket(&owner, &id, &used).await.close_code().await, close::REFUSED);
    let foreign = ticket(&owner, &other).await;
    assert_eq!(Terminal::with_ticket(&owner, &id, &foreign).await.close_code().await, close::REFUSED);
    let mut forged = ticket(&owner, &id).await.into_bytes();
    forged[60] = if forged[60] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    assert_eq!(Terminal::with_ticket(&owner, &id, &forged).await.close_code().await, close::REFUSED);
    assert_eq!(Terminal::with_ticket(&owner, &id, "").await.close_code().await, close::REFUSED);

    let old = ticket(&owner, &id).await;
    owner.act(&id, "sleep").await;
    owner.until(&id, "asleep").await;
    owner.act(&id, "wake").await;
    owner.until(&id, "running").await;
    assert_eq!(Terminal::with_ticket(&owner, &id, &old).await.close_code().await, close::REFUSED);

    for origin in ["https://evil.example", "null", &format!("http://127.0.0.1:{}", server.port + 1)] {
        assert_eq!(open(&owner, &id, origin).await.err(), Some(403), "{origin}");
    }
    let stranger = server.person("stranger").await;
    assert_eq!(open(&stranger, &id, &here).await.err(), Some(404));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_and_taking_a_token_back_end_what_is_open() {
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let id = owner.spawn("open").await;
    owner.until(&id, "running").await;
    let terminal = Terminal::connect(&owner, &id).await;
    let events = format!("/api/v1/agents/{id}/events");
    let (events, _events) = owner.api.open("GET", &events, Vec::new().into()).await;
    let (feed, _feed) = owner.browser.open("GET", "/live/agents", Vec::new().into()).await;
    let ended = |body: hyper::body::Incoming| async {
        let whole = http_body_util::BodyExt::collect(body);
        tokio::time::timeout(Duration::from_secs(5), whole).await.expect("it ends").unwrap();
    };

    let tokens = owner.browser.post("/api/console/tokens", &json!({})).await.json();
    let token = tokens[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(owner.browser.post("/api/console/revoke_token", &json!({ "id": token })).await.status, 200);
    ended(events.into_body()).await;
    assert_eq!(owner.api.get("/api/v1/agents").await.status, 401);

    owner.browser.post("/api/console/sign_out", &json!({})).await;
    assert_eq!(terminal.close_code().await, 1006);
    ended(feed.into_body()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_or_oversized_frame_closes_with_its_code_and_the_terminal_lives() {
    use domain::wire::close;
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let id = owner.spawn("one").await;
    owner.until(&id, "running").await;
    let mut kept = Terminal::connect(&owner, &id).await;
    for (bytes, code) in [
        (vec![0x77], close::MALFORMED),
        (Vec::new(), close::MALFORMED),
        (vec![0x03, 1], close::MALFORMED),
        (vec![0x03; 9], close::MALFORMED),
    ] {
        let mut terminal = Terminal::connect(&owner, &id).await;
        terminal.raw(bytes.clone()).await;
        assert_eq!(terminal.close_code().await, code, "{bytes:?}");
    }
    let mut terminal = Terminal::connect(&owner, &id).await;
    terminal.raw(vec![0x02; 1_000_000]).await;
    assert!(matches!(terminal.close_code().await, close::TOO_LARGE | 1009 | 1006));
    kept.run("echo ali''ve", "alive").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn left_alone_it_warns_saves_and_sleeps_and_the_meter_stands() {
    let server = Server::start(&["--idle-timeout", "10"]);
    let owner = server.owner().await;
    let id = owner.spawn("idles").await;
    owner.until(&id, "running").await;
    let mut terminal = Terminal::connect(&owner, &id).await;
    terminal.run("echo kept > file; echo wri''tten", "written").await;
    let warned = async {
        while owner.agent(&id).await["sleeps_at"].is_null() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), warned).await.unwrap();
    assert_eq!(owner.act(&id, "keep-awake").await.status, 200);
    assert!(owner.agent(&id).await["sleeps_at"].is_null());
    // The tab stays open, and that is no use.
    let asleep = owner.until(&id, "asleep").await;
    // Seconds × rate: from the launch, which came between two of the boot's
    // phases, to its end.
    let events = owner.events_so_far(&id).await;
    let at = |what: &str, phase: Option<&str>| {
        let is = |event: &&Value| event["event"] == what && phase.is_none_or(|phase| event["phase"] == phase);
        events.iter().find(is).unwrap()["at"].as_i64().unwrap()
    };
    let cost = &asleep["cost"];
    let price = |from: i64| cost["per_hour"].as_i64().unwrap() * (at("asleep", None) - from) / 3_600_000;
    let (most, least) = (price(at("boot", Some("placing"))), price(at("boot", Some("enrolling"))));
    let session = cost["session"].as_i64().unwrap();
    assert!((least..=most).contains(&session), "{least} ≤ {session} ≤ {most}");
    assert!(
        least > 10_000 * cost["per_hour"].as_i64().unwrap() / 3_600_000,
        "it ran for more than ten seconds"
    );
    assert_eq!(cost["total"], cost["session"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_the_log() {
    let server = Server::start(&[]);
    let owner = server.owner().await;
    let id = owner.spawn("quiet").await;
    owner.until(&id, "running").await;
    let ticket = ticket(&owner, &id).await;
    Terminal::connect(&owner, &id).await.run("echo canary-typed-text", "canary").await;
    owner.act(&id, "sleep").await;
    owner.until(&id, "asleep").await;
    let log = server.log.lock().unwrap().clone();
    assert!(log.contains(&id), "the log tells what happens: {log}");
    let session = owner.cookie.split_once('=').unwrap().1;
    for secret in [server.link.as_str(), session, &owner.secret, &ticket, "canary-typed-text"] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
}

/// A browser that comes with a newer page to an older console must ask again.
#[tokio::test(flavor = "multi_thread")]
async fn files_are_kept_for_ever_and_their_absence_is_not() {
    let server = Server::start(&[]);
    std::fs::write(server.folder.path().join("site/pkg/f.js"), "1").unwrap();
    let nobody = server.nobody();
    let kept = nobody.get("/pkg/f.js").await;
    assert_eq!(
        (kept.status, kept.header("cache-control")),
        (200, Some("public, max-age=31536000, immutable"))
    );
    let absent = nobody.get("/pkg/none.js").await;
    assert_eq!((absent.status, absent.header("cache-control")), (404, Some("no-store")));
}

#[tokio::test]
async fn a_page_is_compressed_for_who_can_read_that_and_an_answer_with_secrets_is_not() {
    let server = Server::start(&[]);
    let nobody = server.nobody().with("accept", "text/html");
    let page = nobody.get("/sign-in").await;
    let small = nobody.with("accept-encoding", "gzip, br").get("/sign-in").await;
    assert_eq!((page.header("content-encoding"), small.header("content-encoding")), (None, Some("gzip")));
    assert!(small.body.len() * 2 < page.body.len(), "{} of {}", small.body.len(), page.body.len());
    let owner = server.owner().await;
    let token = owner.browser.with("accept-encoding", "gzip");
    let token = token.post("/api/console/create_token", &serde_json::json!({ "name": "t" })).await;
    assert_eq!((token.status, token.header("content-encoding")), (200, None));
}
