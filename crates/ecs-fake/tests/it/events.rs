//! Events of tasks, and what becomes of them on their way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use ecs_fake::{Deliveries, EventTarget, Fake, Span, Status};
use serde_json::{Value, json};

use crate::client::{call, fake_with, request_with, run, until};

/// What a target was sent.
#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<Vec<Value>>>);

impl Inbox {
    fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap().clone()
    }

    /// Of each task, the versions in the order in which they came.
    fn versions(&self) -> BTreeMap<String, Vec<u64>> {
        let mut all = BTreeMap::<_, Vec<_>>::new();
        for event in self.all() {
            let detail = &event["detail"];
            all.entry(detail["taskArn"].to_string()).or_default().push(detail["version"].as_u64().unwrap());
        }
        all
    }
}

async fn take(State(inbox): State<Inbox>, body: String) {
    inbox.0.lock().unwrap().push(serde_json::from_str(&body).unwrap());
}

/// SQS's side of `SendMessageBatch`; the first try fails.
async fn queue(State(inbox): State<Inbox>, headers: HeaderMap, body: String) -> (StatusCode, String) {
    assert_eq!(headers["x-amz-target"], "AmazonSQS.SendMessageBatch");
    assert_eq!(headers["content-type"], "application/x-amz-json-1.0");
    assert!(headers["authorization"].to_str().unwrap().starts_with("AWS4-HMAC-SHA256 Credential="));
    let asked: Value = serde_json::from_str(&body).unwrap();
    assert!(asked["QueueUrl"].as_str().unwrap().ends_with("/000000000000/tasks"));
    let mut inbox = inbox.0.lock().unwrap();
    if inbox.is_empty() {
        inbox.push(json!("the first try"));
        return (StatusCode::SERVICE_UNAVAILABLE, String::new());
    }
    let entries = asked["Entries"].as_array().unwrap();
    assert!((1..=10).contains(&entries.len()));
    inbox.extend(
        entries
            .iter()
            .map(|entry| serde_json::from_str::<Value>(entry["MessageBody"].as_str().unwrap()).unwrap()),
    );
    (StatusCode::OK, r#"{"Successful":[],"Failed":[]}"#.to_owned())
}

/// A target, and where it is.
async fn target() -> (Inbox, String) {
    let inbox = Inbox::default();
    let router = Router::new()
        .route("/callback", post(take))
        .route("/000000000000/tasks", post(queue))
        .with_state(inbox.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (inbox, url)
}

async fn arrived(fake: &Fake) {
    for _ in 0..1000 {
        if fake.delivered().waiting == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", fake.delivered());
}

#[tokio::test]
async fn they_have_eventbridges_shape() {
    let (inbox, url) = target().await;
    let url = format!("{url}/callback");
    let fake = fake_with("exit 3", |config| config.events = EventTarget::Callback { url }).await;
    let arn = run(&fake).await;
    let task = until(&fake, |task| task.last_status == Status::Stopped).await;
    arrived(&fake).await;
    let all = inbox.all();
    assert_eq!(all, fake.events().into_iter().map(|event| event.body).collect::<Vec<_>>());
    let last = all.last().unwrap();
    for (member, value) in [
        ("version", json!("0")),
        ("detail-type", json!("ECS Task State Change")),
        ("source", json!("aws.ecs")),
        ("account", json!("111122223333")),
        ("region", json!("us-east-1")),
        ("resources", json!([arn])),
    ] {
        assert_eq!(last[member], value, "{member}");
    }
    let time = last["time"].as_str().unwrap();
    assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
    let detail = &last["detail"];
    assert_eq!((&detail["version"], &detail["lastStatus"]), (&json!(task.version), &json!("STOPPED")));
    assert_eq!(
        (&detail["containers"][0]["exitCode"], &detail["attachments"][0]["type"]),
        (&json!(3), &json!("eni"))
    );
    for instant in [
        "createdAt",
        "connectivityAt",
        "pullStartedAt",
        "pullStoppedAt",
        "startedAt",
        "stoppingAt",
        "executionStoppedAt",
        "stoppedAt",
        "updatedAt",
    ] {
        let text = detail[instant].as_str().unwrap_or_else(|| panic!("{instant}"));
        assert!(text.len() == 24 && text.ends_with('Z'), "{text}");
    }
    assert!(detail.get("tags").is_none() && detail.get("healthStatus").is_none());
}

#[tokio::test]
async fn a_queue_gets_all_of_them_in_each_tasks_order() {
    let (inbox, url) = target().await;
    let url = format!("{url}/000000000000/tasks");
    let fake = fake_with("exit 0", |config| config.events = EventTarget::Queue { url }).await;
    call(&fake, "RunTask", request_with(json!({"count": 10}))).await.unwrap();
    fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Stopped)).await;
    arrived(&fake).await;
    inbox.0.lock().unwrap().retain(Value::is_object);
    let versions = inbox.versions();
    assert_eq!(versions.len(), 10);
    assert!(versions.values().all(|versions| *versions == (1..=7).collect::<Vec<_>>()), "{versions:?}");
    assert_eq!(fake.delivered().delivered, 70);
}

/// The versions that came, with this seed and these chances.
async fn fates(seed: u64, deliveries: Deliveries) -> (BTreeMap<String, Vec<u64>>, ecs_fake::Delivered) {
    let (inbox, url) = target().await;
    let url = format!("{url}/callback");
    let fake = fake_with("exit 0", |config| {
        config.events = EventTarget::Callback { url };
        config.settings.deliveries = deliveries;
        config.seed = seed;
    })
    .await;
    call(&fake, "RunTask", request_with(json!({"count": 10}))).await.unwrap();
    fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Stopped)).await;
    arrived(&fake).await;
    (inbox.versions(), fake.delivered())
}

#[tokio::test]
async fn some_are_lost_doubled_or_out_of_order_and_a_seed_replays_it() {
    let deliveries = Deliveries { lost: 0.2, doubled: 0.3, swapped: 0.3, ..Deliveries::default() };
    let (one, counted) = fates(7, deliveries).await;
    assert_eq!(counted.published, 70);
    let copies: usize = one.values().map(Vec::len).sum();
    assert_eq!(counted.delivered, copies as u64);
    assert!((1..70).contains(&counted.lost) && counted.delivered > 70 - counted.lost);
    assert!(one.values().any(|versions| !versions.is_sorted()));
    assert_eq!(fates(7, deliveries).await.0, one);
    assert_ne!(
        fates(8, deliveries).await.0.into_values().collect::<Vec<_>>(),
        one.into_values().collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn all_may_be_lost_late_or_refused() {
    let (none, counted) = fates(1, Deliveries { lost: 1.0, ..Deliveries::default() }).await;
    assert_eq!((none.len(), counted.lost, counted.delivered), (0, 70, 0));
    let late = Deliveries { late: 1.0, late_by: Span { least_ms: 0, most_ms: 300 }, ..Deliveries::default() };
    let (all, counted) = fates(1, late).await;
    assert!(all.values().any(|versions| !versions.is_sorted()));
    assert_eq!((counted.delivered, all.len()), (70, 10));
    // Nobody listens there.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{gone}/");
    let fake = fake_with("exit 0", |config| config.events = EventTarget::Callback { url }).await;
    run(&fake).await;
    until(&fake, |task| task.last_status == Status::Stopped).await;
    assert!(fake.delivered().waiting > 0);
}
