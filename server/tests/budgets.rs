//! Budgets by the API, and their notices.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use common::{Person, Server};
use serde_json::{Value, json};

async fn put(person: &Person, path: &str, body: &Value) -> common::Reply {
    let path = format!("/api/v1/budgets/{path}");
    let api = person.api.with("content-type", "application/json");
    api.send("PUT", &path, serde_json::to_vec(body).unwrap().into()).await
}

async fn spawn(person: &Person) -> common::Reply {
    person.api.post("/api/v1/agents/spawn", &json!({ "name": "gasta", "size": "nano" })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fleets_limit_holds_whoever_wakes_and_is_an_admins_to_set() {
    let server = Server::start(&[]);
    let (owner, other) = (server.owner().await, server.person("otra").await);
    assert_eq!(put(&owner, "fleet", &json!({ "awake": 1 })).await.status, 204);
    let made = spawn(&other).await;
    assert_eq!(made.status, 202, "{}", made.text());
    let refused = spawn(&owner).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(refused.json()["type"], "urn:openclaw-cloud:over_budget");
    let why = refused.text();
    assert!(why.contains("the fleet: no more than 1") && why.contains("an administrator"), "{why}");

    // Who may not is refused, and told in the log.
    let refused = put(&other, "fleet", &json!({ "awake": 9 })).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    let log = owner.api.get("/api/v1/audit").await.text();
    let refused = log.lines().find(|line| line.contains("\"refused\"")).unwrap();
    assert!(refused.contains("set_budget") && refused.contains("otra"), "{refused}");

    for (body, field) in [
        (json!({ "month": -1 }), "month"),
        (json!({ "sizes": ["gigantic"] }), "sizes"),
        (json!({ "weekly": 3 }), "weekly"),
    ] {
        let refused = put(&owner, "fleet", &body).await;
        assert!(matches!(refused.status, 400 | 422) && refused.text().contains(field), "{}", refused.text());
    }
    assert_eq!(put(&owner, "people/nadie", &json!({})).await.status, 404);

    assert_eq!(put(&owner, "fleet", &json!({ "awake": 2 })).await.status, 204);
    assert_eq!(spawn(&owner).await.status, 202);
    assert_eq!(put(&owner, "people/otra", &json!({ "sizes": ["huge"] })).await.status, 204);
    let refused = spawn(&other).await;
    assert!(refused.text().contains("agents of size nano are not allowed"), "{}", refused.text());
    let listed = owner.api.get("/api/v1/budgets").await.json();
    let of: Vec<_> =
        listed.as_array().unwrap().iter().map(|budget| (&budget["of"], &budget["name"])).collect();
    assert_eq!(of, [(&json!("fleet"), &Value::Null), (&json!("person"), &json!("otra"))]);
    assert_eq!(listed[0]["limits"]["awake"], 2);
    assert_eq!(listed[1]["limits"]["sizes"], json!(["huge"]));
}

type Letters = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// Takes letters, but not the first that comes.
async fn endpoint(letters: Letters) -> String {
    async fn take(State(letters): State<Letters>, headers: HeaderMap, body: String) -> StatusCode {
        let mut letters = letters.lock().unwrap();
        letters.push((headers, serde_json::from_str(&body).unwrap()));
        if letters.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/hook", axum::routing::post(take)).with_state(letters);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn who_used_it_all_up_sleeps_saved_and_the_operator_is_told() {
    let letters = Letters::default();
    let url = endpoint(Arc::clone(&letters)).await;
    let secret = ("OPENCLAW_CLOUD_NOTIFY_SECRET".to_owned(), "canary".to_owned());
    let server = Server::start_with(&["--notify-url", &url], vec![secret]);
    let (owner, other) = (server.owner().await, server.person("gastadora").await);
    let id = other.spawn("gasta").await;
    other.until(&id, "running").await;
    // A hundredth of a cent: it is used up at once.
    assert_eq!(put(&owner, "people/gastadora", &json!({ "month": 1 })).await.status, 204);
    other.until(&id, "asleep").await;
    let events = other.events_so_far(&id).await;
    assert!(events.iter().any(|event| event["event"] == "saving" && event["why"] == "budget"), "{events:?}");
    assert!(events.iter().any(|event| event["event"] == "saved"), "nothing is stopped unsaved");
    let refused = other.act(&id, "wake").await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    let concerns = other.browser.post("/api/console/concerns", &json!({})).await.json();
    assert_eq!(concerns["budgets"][0]["percent"], 100, "{concerns}");

    let sent = |budgets: &Value| {
        let notices = budgets[0]["notices"].as_array().unwrap();
        notices.len() == 3 && notices.iter().all(|notice| notice["delivery"] == "sent")
    };
    let mut budgets = Value::Null;
    for _ in 0..240 {
        budgets = owner.api.get("/api/v1/budgets").await.json();
        if sent(&budgets) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(sent(&budgets), "{budgets:#}");
    let letters = letters.lock().unwrap().clone();
    assert_eq!(letters.len(), 4, "one was not taken at first: {letters:?}");
    let mut percents: Vec<_> =
        letters.iter().map(|(_, letter)| letter["percent"].as_u64().unwrap()).collect();
    percents.sort_unstable();
    percents.dedup();
    assert_eq!(percents, [50, 80, 100]);
    let keys: std::collections::BTreeSet<_> =
        letters.iter().map(|(headers, _)| headers["idempotency-key"].to_str().unwrap()).collect();
    assert_eq!(keys.len(), 3, "the same letter has the same key");
    for (headers, letter) in letters.iter() {
        assert_eq!(headers["authorization"], "Bearer canary");
        assert_eq!((&letter["of"], &letter["name"]), (&json!("person"), &json!("gastadora")));
        assert_eq!(letter["limit_usd"], "0.000000001");
    }

    // Raised, it wakes, with all that was saved.
    assert_eq!(put(&owner, "people/gastadora", &json!({ "month": 5_000_000_000i64 })).await.status, 204);
    other.act(&id, "wake").await;
    other.until_runs(&id, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_below_what_was_spent_is_told_at_once_though_nothing_is_awake() {
    let server = Server::start(&[]);
    let (owner, other) = (server.owner().await, server.person("gastadora").await);
    assert_eq!(put(&owner, "people/gastadora", &json!({ "month": 5_000_000_000i64 })).await.status, 204);
    let id = other.spawn("gasta").await;
    other.until(&id, "running").await;
    other.act(&id, "sleep").await;
    other.until(&id, "asleep").await;
    let change = json!({ "name": "gastadora", "role": "user", "team": "Datos" });
    assert_eq!(owner.browser.post("/api/console/change_person", &change).await.status, 200);
    let told = async |who: &Person| {
        let concerns = who.browser.post("/api/console/concerns", &json!({})).await.json();
        let told = concerns["budgets"].as_array().unwrap().iter();
        told.map(|told| (told["of"].as_str().unwrap().to_owned(), told["percent"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&other).await, []);

    let limits = json!({ "month": 1 });
    for whose in ["people/gastadora", "teams/Datos", "fleet"] {
        assert_eq!(put(&owner, whose, &limits).await.status, 204);
    }
    let budgets = owner.api.get("/api/v1/budgets").await.json();
    for budget in budgets.as_array().unwrap() {
        let notices = budget["notices"].as_array().unwrap();
        let told: Vec<_> = notices.iter().map(|notice| notice["percent"].as_u64().unwrap()).collect();
        assert_eq!(told, [50, 80, 100], "{budget:#}");
    }
    // Theirs and their team's; the fleet's is for staff.
    let whose = |told: Vec<(String, Value)>| {
        assert!(told.iter().all(|(_, percent)| percent == 100), "{told:?}");
        told.into_iter().map(|(of, _)| of.split('#').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(whose(told(&other).await), ["person", "team"]);
    assert_eq!(whose(told(&owner).await), ["fleet"]);
    assert_eq!(other.act(&id, "wake").await.status, 409);

    // Set once more, the same is not told again; raised, nothing is.
    assert_eq!(put(&owner, "people/gastadora", &limits).await.status, 204);
    assert_eq!(put(&owner, "people/gastadora", &json!({ "month": 5_000_000_000i64 })).await.status, 204);
    let budgets = owner.api.get("/api/v1/budgets").await.json();
    assert_eq!(budgets[1]["notices"].as_array().unwrap().len(), 3, "{budgets:#}");
    assert_eq!(whose(told(&other).await), ["team"]);
}
