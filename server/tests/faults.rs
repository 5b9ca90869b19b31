//! Each call that the engine makes to DynamoDB, S3, SQS and STS, and each way in
//! which it can go wrong: what passes is not seen; what does not is named, to
//! the user and to the operator, leaves nothing running unbilled, and is over
//! when it is mended. ECS's own faults are in `aws.rs`.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::cloud::{Cloud, brisk};
use common::terminal::{self, Terminal};
use common::{PATIENCE, Person, Server};
use ecs_fake::{Deliveries, Notice, Reads, Settings, Span, Status, StopCode};
use emulator::proxy::{Fault, Proxy, refusal};
use futures::future::join_all;
use serde_json::json;

/// What is called, and how the service says «slower».
const CALLS: [(&str, u16, &str); 14] = [
    ("GetItem", 400, "ProvisionedThroughputExceededException"),
    ("BatchGetItem", 400, "ThrottlingException"),
    ("Query", 400, "RequestLimitExceeded"),
    ("PutItem", 400, "ProvisionedThroughputExceededException"),
    ("UpdateItem", 400, "ThrottlingException"),
    ("DeleteItem", 400, "ProvisionedThroughputExceededException"),
    ("TransactWriteItems", 400, "ThrottlingException"),
    ("HeadObject", 503, "SlowDown"),
    ("GetObject", 503, "SlowDown"),
    ("PutObject", 503, "SlowDown"),
    ("ListObjectsV2", 503, "SlowDown"),
    ("DeleteObject", 503, "SlowDown"),
    ("ReceiveMessage", 403, "RequestThrottled"),
    ("DeleteMessageBatch", 403, "RequestThrottled"),
];

/// The ways in which one call may fail and the next succeed.
fn passing(status: u16, slower: &str) -> [Fault; 6] {
    let said = |status, code: &str| Fault::Refused { status, code: code.to_owned() };
    [
        said(status, slower),
        said(500, "InternalServerError"),
        Fault::Unavailable,
        Fault::Cut,
        Fault::AnswerLost,
        Fault::Slow(Duration::from_millis(1200)),
    ]
}

async fn installation(settings: Settings, args: &[&str]) -> (Proxy, Cloud, Server, Person) {
    let proxy = Proxy::start(emulator::endpoint()).await;
    let cloud = Cloud::reached_at(&proxy.endpoint, settings).await;
    let server = cloud.server(args);
    let owner = server.owner().await;
    (proxy, cloud, server, owner)
}

/// Connects as browsers do, again and again: what ECS tells of a task that was
/// just started may be older than its address.
async fn until_reached(owner: &Person, id: &str) {
    let origin = format!("http://127.0.0.1:{}", owner.browser.port);
    let reached = async {
        while terminal::open(owner, id, &origin).await.is_err() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.expect("it is reached");
}

/// Four agents' lives at once, from the wish to the last trace.
async fn whole_lives(cloud: &Cloud, owner: &Person) {
    const AGENTS: usize = 4;
    let life = |n: usize| async move {
        let id = owner.spawn(&format!("vida {n}")).await;
        owner.until(&id, "running").await;
        until_reached(owner, &id).await;
        Terminal::connect(owner, &id)
            .await
            .run(&format!("echo {n}{n} > own; cat own"), &format!("{n}{n}"))
            .await;
        owner.act(&id, "sleep").await;
        let asleep = owner.until(&id, "asleep").await;
        assert_eq!(asleep["cost"]["session"], cloud.owed(&asleep, 1), "{asleep:#}");
        owner.act(&id, "wake").await;
        owner.until_runs(&id, 2).await;
        until_reached(owner, &id).await;
        Terminal::connect(owner, &id).await.run("cat own", &format!("{n}{n}")).await;
        owner.delete(&id).await;
        owner.until_gone(&id).await;
    };
    let lived = tokio::time::timeout(PATIENCE, join_all((0..AGENTS).map(life))).await;
    lived.unwrap_or_else(|_| panic!("they live on: {:?}", cloud.fake.tasks()));
    assert!(cloud.launched_once(2 * AGENTS));
    let stopped = cloud.fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Stopped));
    tokio::time::timeout(PATIENCE, stopped).await.expect("nothing runs any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_not_seen() {
    let (proxy, cloud, _server, owner) = installation(brisk(), &[]).await;
    cloud.command(&["user", "role", "owner", "admin"]);
    for (operation, status, slower) in CALLS {
        for fault in passing(status, slower) {
            proxy.next(operation, fault);
        }
    }
    for fault in passing(400, "Throttling") {
        proxy.next("AssumeRole", fault);
    }
    whole_lives(&cloud, &owner).await;
    // A drain's end is the one thing that is removed by its key alone.
    let reply = owner.browser.post("/api/console/fleet_drain", &json!({ "wish": "end" })).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let left = proxy.planned();
    assert!(left.is_empty(), "what was to befall and did not: {left:?}");
}

/// Events doubled, disordered, late and lost; what ECS tells is old.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_order_the_news_come_in() {
    let deliveries = Deliveries {
        lost: 0.1,
        doubled: 0.5,
        swapped: 0.3,
        late: 0.3,
        late_by: Span { least_ms: 200, most_ms: 3000 },
    };
    let reads = Reads { lag: Span { least_ms: 0, most_ms: 3000 } };
    let (_proxy, cloud, _server, owner) = installation(Settings { deliveries, reads, ..brisk() }, &[]).await;
    whole_lives(&cloud, &owner).await;

    let ids = join_all((0..4).map(|_| owner.spawn("interrumpida"))).await;
    join_all(ids.iter().map(|id| owner.until(id, "running"))).await;
    assert_eq!(cloud.fake.interrupt_all(StopCode::SpotInterruption, Notice::Full).len(), 4);
    for id in &ids {
        owner.until_runs(id, 2).await;
        let agent = owner.agent(id).await;
        let (total, session) = (agent["cost"]["total"].as_i64(), agent["cost"]["session"].as_i64());
        assert_eq!(total.unwrap() - session.unwrap(), cloud.owed(&agent, 1), "{agent:#}");
    }
    assert!(cloud.launched_once(16));
}

/// What DynamoDB says when no waiting helps.
const LEDGER: [&str; 5] = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "ResourceNotFoundException",
    "UnrecognizedClientException",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_refuses() {
    let (proxy, cloud, server, owner) = installation(brisk(), &[]).await;
    let wanted = json!({ "name": "negada", "size": "nano" });
    for operation in ["GetItem", "Query", "TransactWriteItems"] {
        for code in LEDGER {
            proxy.always(operation, refusal(code));
            let reply = owner.api.post("/api/v1/agents/spawn", &wanted).await;
            assert_eq!(reply.status, 503, "{operation} {code}: {}", reply.text());
            let problem = reply.json();
            assert_eq!(problem["type"], "urn:openclaw-cloud:store_failed");
            // By this the operator finds the cause, and the mend.
            let request = format!("request {} failed", problem["request"].as_str().unwrap());
            server.until_told(&request).await;
            proxy.heal();
        }
    }
    for code in LEDGER {
        server.until_told(&format!("{code}: in a test (")).await;
    }
    assert_eq!(cloud.fake.launches().len(), 0, "nothing was launched for what was refused");

    // What was taken on waits, and goes on once it is mended. The spawn of who has
    // no agent yet reads no batch.
    let waits = ["UpdateItem", "BatchGetItem", "PutItem"];
    let waits = waits.iter().flat_map(|operation| LEDGER.iter().map(move |code| (*operation, *code)));
    for (n, (operation, code)) in waits.enumerate() {
        let owner = server.person(&format!("nueva {n}")).await;
        proxy.always(operation, refusal(code));
        let before = server.log.lock().unwrap().len();
        let id = owner.spawn("en espera").await;
        server.until_told_after(before, code).await;
        let phase = owner.agent(&id).await["phase"].clone();
        assert!(phase == "pending" || phase == "provisioning", "{operation} {code}: {phase}");
        proxy.heal();
        owner.until(&id, "running").await;
    }
    let launched = cloud.fake.launches().len();
    assert_eq!(launched, 15);
    // In the middle of a boot and of a save.
    let id = owner.spawn("a medias").await;
    cloud.fake.until(|tasks| tasks.len() == launched + 1).await;
    let before = server.log.lock().unwrap().len();
    proxy.always("TransactWriteItems", refusal("AccessDeniedException"));
    server.until_told_after(before, "AccessDeniedException").await;
    proxy.heal();
    owner.until(&id, "running").await;
    owner.act(&id, "sleep").await;
    proxy.always("TransactWriteItems", refusal("ExpiredTokenException"));
    server.until_told_after(before, "ExpiredTokenException").await;
    proxy.heal();
    let asleep = owner.until(&id, "asleep").await;
    assert_eq!(asleep["cost"]["session"], cloud.owed(&asleep, 1));
    assert!(cloud.launched_once(launched + 1));
}

/// What S3 says when no waiting helps.
const BUCKET: [(u16, &str); 5] = [
    (403, "AccessDenied"),
    (404, "NoSuchBucket"),
    (403, "RequestTimeTooSkewed"),
    (403, "InvalidAccessKeyId"),
    (400, "ExpiredToken"),
];
/// And STS.
const KEYS: [(u16, &str); 3] =
    [(403, "AccessDenied"), (403, "ExpiredToken"), (400, "MalformedPolicyDocument")];
/// What is refused while an agent is saved, and while it is brought back: a
/// wake asks for no object's head.
const MOMENTS: [(&str, Option<&str>); 4] = [
    ("PutObject", Some("GetObject")),
    ("ListObjectsV2", Some("ListObjectsV2")),
    ("HeadObject", None),
    ("AssumeRole", Some("AssumeRole")),
];

/// Each to an agent of its own: one tries again for half a minute before it
/// gives up.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_refuses() {
    let (proxy, cloud, server, owner) = installation(brisk(), &[]).await;
    let codes = |operation| if operation == "AssumeRole" { &KEYS[..] } else { &BUCKET[..] };
    let cases = MOMENTS.iter().flat_map(|moment| codes(moment.0).iter().map(move |code| (moment, code)));
    let lives = cases.map(|((saving, waking), (status, code))| {
        let fault = Fault::Refused { status: *status, code: (*code).to_owned() };
        refused(&proxy, &cloud, &owner, saving, *waking, fault)
    });
    let runs = join_all(lives).await;
    assert!(cloud.launched_once(runs.iter().map(|(_, runs)| runs).sum()));

    // One by one: the log tells whose the code is.
    for ((id, _), (status, code)) in runs.iter().zip(BUCKET) {
        proxy.always_of(id, "DeleteObject", Fault::Refused { status, code: code.to_owned() });
        let before = server.log.lock().unwrap().len();
        owner.delete(id).await;
        server.until_told_after(before, code).await;
        proxy.heal_of(id);
        owner.until_gone(id).await;
    }
}

/// One agent whose save and whose wake are refused; says which, and its runs.
async fn refused(
    proxy: &Proxy,
    cloud: &Cloud,
    owner: &Person,
    saving: &'static str,
    waking: Option<&'static str>,
    fault: Fault,
) -> (String, usize) {
    let case = format!("{saving} {fault:?}");
    let id = owner.spawn("sin guardar").await;
    owner.until(&id, "running").await;
    Terminal::connect(owner, &id).await.run("echo $((6*7)) > answer; cat answer", "42").await;
    proxy.always_of(&id, saving, fault.clone());
    owner.act(&id, "sleep").await;
    let unsaved = owner.until_some(&id, "save_failure").await;
    assert_eq!(unsaved["phase"], "running", "what is not saved is not stopped: {case}");
    proxy.heal_of(&id);
    owner.act(&id, "sleep").await;
    let asleep = owner.until(&id, "asleep").await;
    assert_eq!(asleep["cost"]["session"], cloud.owed(&asleep, 1), "{case}");
    let Some(waking) = waking else { return (id, 1) };

    proxy.always_of(&id, waking, fault);
    owner.act(&id, "wake").await;
    let failed = owner.until(&id, "failed").await;
    assert_eq!(failed["failure"]["reason"], "hydrate_failed", "{case}: {failed:#}");
    let settled = owner.until_so(&id, "end of the meter", |agent| agent["cost"]["running"] == false).await;
    let total = settled["cost"]["total"].as_i64().unwrap();
    assert_eq!(total, cloud.owed(&settled, 1) + cloud.owed(&settled, 2), "{case}");
    proxy.heal_of(&id);
    owner.act(&id, "wake").await;
    owner.until_runs(&id, 3).await;
    Terminal::connect(owner, &id).await.run("cat answer", "42").await;
    (id, 3)
}

/// Without its queue the engine goes on: what became of tasks is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_refuses() {
    let (proxy, cloud, server, owner) = installation(brisk(), &[]).await;
    for code in ["AccessDeniedException", "ExpiredTokenException", "QueueDoesNotExist"] {
        proxy.next("ReceiveMessage", refusal(code));
    }
    proxy.always("DeleteMessageBatch", refusal("AccessDeniedException"));
    whole_lives(&cloud, &owner).await;
    for code in ["AccessDeniedException", "ExpiredTokenException", "QueueDoesNotExist"] {
        server.until_told(code).await;
    }
}
