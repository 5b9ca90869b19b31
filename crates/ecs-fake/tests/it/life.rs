//! A task's life: statuses, instants, signals, exit codes.

use std::time::{Duration, Instant};

use ecs_fake::{Span, Status, StopCode, Task};
use http::Request;
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde_json::json;

use crate::client::{
    PATIENT, STUBBORN, call, describe, fake, fake_with, printed, request_with, run, stop, until,
};

/// What happened to it, by its events.
fn statuses(fake: &ecs_fake::Fake) -> Vec<String> {
    let text = |event: &ecs_fake::Event| {
        let detail = &event.body["detail"];
        format!("{}/{}", detail["lastStatus"].as_str().unwrap(), detail["desiredStatus"].as_str().unwrap())
    };
    fake.events().iter().map(text).collect()
}

fn in_order(task: &Task) -> bool {
    let instants = [
        Some(task.created_at),
        task.connectivity_at,
        task.pull_started_at,
        task.pull_stopped_at,
        task.started_at,
        task.stopping_at,
        task.execution_stopped_at,
        task.stopped_at,
    ];
    instants.iter().all(Option::is_some) && instants.is_sorted()
}

#[tokio::test]
async fn stopped_by_its_owner_it_has_time_to_end() {
    let fake = fake(PATIENT).await;
    let arn = run(&fake).await;
    let task = until(&fake, |task| task.last_status == Status::Running).await;
    let described = describe(&fake, &arn).await["tasks"][0].clone();
    assert_eq!(described["connectivity"], "CONNECTED");
    assert_eq!(
        described["containers"][0]["networkInterfaces"][0]["privateIpv4Address"],
        task.address().unwrap()
    );
    assert_eq!(described["version"], json!(task.version));
    printed(&fake, &arn, "waits").await;
    let told = stop(&fake, &arn).await;
    assert_eq!((&told["desiredStatus"], &told["stoppedReason"]), (&json!("STOPPED"), &json!("asleep")));
    let task = until(&fake, |task| task.last_status == Status::Stopped).await;
    assert!(in_order(&task), "{task:?}");
    assert_eq!((task.stop_code, task.exit_code()), (Some(StopCode::UserInitiated), Some(0)));
    assert_eq!(fake.output(&arn).unwrap(), "waits\nasked\n");
    assert_eq!(
        statuses(&fake),
        [
            "PROVISIONING/RUNNING",
            "PENDING/RUNNING",
            "ACTIVATING/RUNNING",
            "ACTIVATING/RUNNING",
            "RUNNING/RUNNING",
            "RUNNING/STOPPED",
            "DEACTIVATING/STOPPED",
            "STOPPING/STOPPED",
            "DEPROVISIONING/STOPPED",
            "STOPPED/STOPPED",
        ]
    );
    let versions: Vec<_> = fake.events().iter().map(|event| event.version).collect();
    assert_eq!(versions, (1..=10).collect::<Vec<_>>());
    // Stopping what has stopped changes nothing but is no error.
    assert_eq!(stop(&fake, &arn).await["version"], json!(task.version));
    let described = describe(&fake, &arn).await["tasks"][0].clone();
    assert_eq!((&described["tags"], &described["attachments"][0]["status"]), (&json!([]), &json!("DELETED")));
}

#[tokio::test]
async fn after_the_stop_timeout_it_is_killed_with_all_that_runs_in_it() {
    let fake = fake(&format!("setsid sleep 601 & echo child $!; {STUBBORN}")).await;
    fake.change(|settings| settings.stop_timeout_ms = Some(300));
    let arn = run(&fake).await;
    printed(&fake, &arn, "waits").await;
    let child: u32 = fake.output(&arn).unwrap().split_whitespace().nth(1).unwrap().parse().unwrap();
    let asked = Instant::now();
    stop(&fake, &arn).await;
    let task = until(&fake, |task| task.last_status == Status::Stopped).await;
    assert!(asked.elapsed() >= Duration::from_millis(300));
    assert_eq!(task.exit_code(), Some(137));
    assert!(fake.output(&arn).unwrap().contains("asked"));
    for _ in 0..500 {
        if !runs(child) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("what it had started still runs");
}

#[tokio::test]
async fn dropped_it_takes_its_tasks_along_and_serves_no_more() {
    let fake = fake("sleep 602 & echo child $!; wait").await;
    let arn = run(&fake).await;
    printed(&fake, &arn, "\n").await;
    let child: u32 = fake.output(&arn).unwrap().split_whitespace().nth(1).unwrap().parse().unwrap();
    let authority = fake.endpoint().strip_prefix("http://").unwrap().to_owned();
    let stream = tokio::net::TcpStream::connect(authority).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = || Request::get("/_fake/calls").body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
    let answer = sender.send_request(request()).await.unwrap();
    answer.into_body().collect().await.unwrap();
    drop(fake);
    let answer = sender.send_request(request()).await;
    assert!(answer.is_err() || answer.unwrap().into_body().collect().await.is_err());
    for _ in 0..500 {
        if !runs(child) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("what its task had started still runs");
}

/// Whether a process is there and not just unburied.
fn runs(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
}

#[tokio::test]
async fn what_ends_by_itself_is_told_with_its_exit_code() {
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -SEGV $$", 139)] {
        let fake = fake(script).await;
        run(&fake).await;
        let task = until(&fake, |task| task.last_status == Status::Stopped).await;
        assert_eq!(
            (task.exit_code(), task.stop_code),
            (Some(code), Some(StopCode::EssentialContainerExited))
        );
        assert_eq!(task.stopped_reason.as_deref(), Some("Essential container in task exited"));
        assert!(in_order(&task), "{task:?}");
    }
}

#[tokio::test]
async fn what_is_killed_from_outside_says_nothing_first() {
    let fake = fake(PATIENT).await;
    let arn = run(&fake).await;
    printed(&fake, &arn, "waits").await;
    assert!(fake.crash(&arn, Some("OutOfMemoryError: Container killed due to memory usage")));
    let task = until(&fake, |task| task.last_status == Status::Stopped).await;
    assert_eq!((task.exit_code(), fake.output(&arn).unwrap().as_str()), (Some(137), "waits\n"));
    assert_eq!(
        task.containers[0].reason.as_deref(),
        Some("OutOfMemoryError: Container killed due to memory usage")
    );
    assert!(!fake.crash(&arn, None));
}

#[tokio::test]
async fn stopped_before_it_ran_it_never_runs() {
    let fake = fake_with("echo ran", |config| config.settings.delays.pull = Span::exactly(60_000)).await;
    let arn = run(&fake).await;
    until(&fake, |task| task.pull_started_at.is_some()).await;
    stop(&fake, &arn).await;
    let task = until(&fake, |task| task.last_status == Status::Stopped).await;
    assert_eq!((task.started_at, task.exit_code()), (None, None));
    assert!(fake.output(&arn).is_err());
}

#[tokio::test]
async fn each_phase_takes_its_time() {
    let fake = fake_with("exit 0", |config| {
        let delays = &mut config.settings.delays;
        delays.provisioning = Span::exactly(30);
        delays.pending = Span::exactly(40);
        delays.pull = Span::exactly(50);
        delays.start = Span::exactly(60);
        delays.deprovisioning = Span { least_ms: 70, most_ms: 90 };
    })
    .await;
    run(&fake).await;
    let task = until(&fake, |task| task.last_status == Status::Stopped).await;
    let at = |epoch: Option<ecs_fake::Epoch>| epoch.unwrap().0;
    let (connected, pulls, pulled) =
        (at(task.connectivity_at), at(task.pull_started_at), at(task.pull_stopped_at));
    let (started, ended) = (at(task.started_at), at(task.execution_stopped_at));
    for (from, to, least) in [
        (task.created_at.0, connected, 30),
        (connected, pulls, 40),
        (pulls, pulled, 50),
        (pulled, started, 60),
        (ended, at(task.stopped_at), 70),
    ] {
        // Instants are cut to the millisecond.
        assert!(to.since(from) >= Duration::from_millis(least - 1), "{task:?}");
    }
}

#[tokio::test]
async fn tasks_serve_on_one_port_each_at_its_own_address() {
    let fake = fake_with("echo $OPENCLAW_LISTEN; sleep 600", |_| {}).await;
    let environment = json!([{"name": "OPENCLAW_LISTEN", "value": "0.0.0.0:7600"}]);
    let asked = json!({"count": 2, "overrides": {"containerOverrides": [{"name": "agent", "environment": environment}]}});
    call(&fake, "RunTask", request_with(asked)).await.unwrap();
    let tasks = fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Running)).await;
    let addresses: Vec<_> = tasks.iter().map(|task| task.address().unwrap().to_owned()).collect();
    assert_ne!(addresses[0], addresses[1]);
    for (task, address) in tasks.iter().zip(&addresses) {
        assert!(address.starts_with("127.") && !address.starts_with("127.0.0."), "{address}");
        printed(&fake, &task.task_arn, &format!("{address}:7600\n")).await;
        std::net::TcpListener::bind(format!("{address}:7600")).unwrap();
    }
}
