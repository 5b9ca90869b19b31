//! Spot takes its tasks back.

use std::time::{Duration, Instant};

use ecs_fake::{Notice, Status, StopCode};
use serde_json::json;

use crate::client::{PATIENT, STUBBORN, call, fake, printed, request_with, run, until};

/// The events that say so while the task still runs.
fn notices(fake: &ecs_fake::Fake) -> Vec<serde_json::Value> {
    let detail = |event: ecs_fake::Event| event.body["detail"].clone();
    let notice = |detail: &serde_json::Value| {
        detail["desiredStatus"] == "STOPPED" && detail["lastStatus"] == "RUNNING"
    };
    fake.events().into_iter().map(detail).filter(notice).collect()
}

#[tokio::test]
async fn an_event_then_sigterm_then_time_to_end() {
    for code in [StopCode::SpotInterruption, StopCode::TerminationNotice] {
        let fake = fake(PATIENT).await;
        let arn = run(&fake).await;
        printed(&fake, &arn, "waits").await;
        assert!(fake.interrupt(&arn, code, Notice::Full));
        let notice = notices(&fake);
        assert_eq!(notice[0]["stopCode"], json!(code));
        assert_eq!(notice[0]["stoppedReason"], "Your Spot Task was interrupted.");
        assert!(notice[0].get("executionStoppedAt").is_none());
        let task = until(&fake, |task| task.last_status == Status::Stopped).await;
        assert_eq!((task.stop_code, task.exit_code()), (Some(code), Some(0)));
        assert!(!fake.interrupt(&arn, code, Notice::Full), "it has ended");
    }
}

#[tokio::test]
async fn who_does_not_end_is_killed_after_the_stop_timeout() {
    let fake = fake(STUBBORN).await;
    fake.change(|settings| settings.stop_timeout_ms = Some(250));
    let arn = run(&fake).await;
    printed(&fake, &arn, "waits").await;
    let (asked, _) = (Instant::now(), fake.interrupt(&arn, StopCode::SpotInterruption, Notice::Full));
    let task = until(&fake, |task| task.last_status == Status::Stopped).await;
    assert!(asked.elapsed() >= Duration::from_millis(250));
    assert_eq!((task.exit_code(), fake.output(&arn).unwrap().as_str()), (Some(137), "waits\nasked\n"));
}

#[tokio::test]
async fn a_part_of_the_notice_may_be_missing() {
    for (notice, told, asked) in
        [(Notice::EventOnly, 1, false), (Notice::SignalOnly, 0, true), (Notice::None, 0, false)]
    {
        let fake = fake(PATIENT).await;
        fake.change(|settings| {
            settings.stop_timeout_ms = Some(100 * u64::from(!asked) + 5_000 * u64::from(asked))
        });
        let arn = run(&fake).await;
        printed(&fake, &arn, "waits").await;
        fake.interrupt(&arn, StopCode::SpotInterruption, notice);
        let task = until(&fake, |task| task.last_status == Status::Stopped).await;
        assert_eq!(notices(&fake).len(), told, "{notice:?}");
        let early = |event: &ecs_fake::Event| event.body["detail"]["lastStatus"] == "STOPPING";
        assert_eq!(fake.events().iter().any(early), told == 1, "{notice:?}");
        assert_eq!(fake.output(&arn).unwrap().contains("asked"), asked, "{notice:?}");
        assert_eq!(task.exit_code(), Some(if asked { 0 } else { 137 }), "{notice:?}");
        assert_eq!(task.stop_code, Some(StopCode::SpotInterruption));
    }
}

#[tokio::test]
async fn a_storm_takes_all_of_spot_and_nothing_on_demand() {
    let fake = fake(PATIENT).await;
    for _ in 0..3 {
        call(&fake, "RunTask", request_with(json!({"count": 10}))).await.unwrap();
    }
    let on_demand = json!({"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]});
    call(&fake, "RunTask", request_with(on_demand)).await.unwrap();
    let tasks = fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Running)).await;
    for task in &tasks {
        printed(&fake, &task.task_arn, "waits").await;
    }
    assert_eq!(fake.interrupt_all(StopCode::SpotInterruption, Notice::Full).len(), 30);
    let stopped = |tasks: &[std::sync::Arc<ecs_fake::Task>]| {
        tasks.iter().filter(|task| task.last_status == Status::Stopped).count()
    };
    let tasks = fake.until(|tasks| stopped(tasks) == 30).await;
    assert!(tasks.iter().take(30).all(|task| task.exit_code() == Some(0)));
    assert_eq!(tasks[30].last_status, Status::Running);
}
