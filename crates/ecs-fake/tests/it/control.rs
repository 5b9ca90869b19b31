//! The tests' door.

use ecs_fake::Status;
use http::Method;
use serde_json::{Value, json};

use crate::client::{PATIENT, call, control, fake, printed, request, request_with, run, until};

#[tokio::test]
async fn settings_are_read_and_patched() {
    let fake = fake(PATIENT).await;
    let (_, before) = control(&fake, Method::GET, "/settings", Value::Null).await;
    assert_eq!(before["quotas"]["run_task"], json!({"burst": 20, "per_second": 20}));
    let patch = json!({"delays": {"pull": {"least_ms": 5, "most_ms": 9}}, "shortages": [{"capacity_provider": "FARGATE_SPOT", "answer": "resource"}]});
    let (status, after) = control(&fake, Method::PATCH, "/settings", patch).await;
    assert_eq!((status, &after["delays"]["pull"]["most_ms"]), (200, &json!(9)));
    assert_eq!(after["quotas"], before["quotas"]);
    let answer = call(&fake, "RunTask", request()).await.unwrap();
    assert_eq!(answer["failures"][0]["reason"], "RESOURCE:FARGATE");
    for wrong in [json!({"delay": {}}), json!({"retention_ms": -1}), json!({"deliveries": {"lost": "all"}})] {
        assert_eq!(control(&fake, Method::PATCH, "/settings", wrong).await.0, 422);
    }
}

#[tokio::test]
async fn faults_interruptions_and_crashes_are_asked_for() {
    let fake = fake(PATIENT).await;
    let fault = json!({"operation": "RunTask", "fault": "access_denied", "times": 1});
    assert_eq!(control(&fake, Method::POST, "/faults", fault).await.0, 204);
    assert_eq!(call(&fake, "RunTask", request()).await.unwrap_err().kind, "AccessDeniedException");
    let slow = json!({"operation": "RunTask", "fault": {"slow": 60_000}, "times": 1});
    control(&fake, Method::POST, "/faults", slow).await;
    assert_eq!(control(&fake, Method::DELETE, "/faults", Value::Null).await.0, 204);
    let (one, other) = (run(&fake).await, run(&fake).await);
    printed(&fake, &one, "waits").await;
    printed(&fake, &other, "waits").await;
    let asked = json!({"task": one, "stop_code": "TerminationNotice", "notice": "event_only"});
    fake.change(|settings| settings.stop_timeout_ms = Some(10));
    let (_, answer) = control(&fake, Method::POST, "/interrupt", asked).await;
    assert_eq!(answer["interrupted"], json!([one]));
    until(&fake, |task| task.task_arn == one && task.last_status == Status::Stopped).await;
    let crash = json!({"task": other, "reason": "OutOfMemoryError"});
    assert_eq!(control(&fake, Method::POST, "/crash", crash.clone()).await.0, 204);
    until(&fake, |task| task.task_arn == other && task.last_status == Status::Stopped).await;
    assert_eq!(control(&fake, Method::POST, "/crash", crash).await.0, 404);
    let id = other.rsplit('/').next().unwrap();
    assert_eq!(
        control(&fake, Method::GET, &format!("/tasks/{id}/output"), Value::Null).await.1,
        json!("waits\n")
    );
}

#[tokio::test]
async fn what_was_asked_and_launched_is_counted() {
    let fake = fake(PATIENT).await;
    let tags = json!([{"key": "agent", "value": "a1"}, {"key": "generation", "value": "3"}]);
    let asked = request_with(json!({"clientToken": "a1:3", "startedBy": "replica-2", "tags": tags}));
    for _ in 0..3 {
        call(&fake, "RunTask", asked.clone()).await.unwrap();
    }
    let (_, calls) = control(&fake, Method::GET, "/calls", Value::Null).await;
    assert_eq!(calls, json!({"RunTask": {"done": 3, "throttled": 0, "failed": 0}}));
    let (_, launches) = control(&fake, Method::GET, "/launches", Value::Null).await;
    assert_eq!(launches.as_array().unwrap().len(), 1);
    assert_eq!(
        (&launches[0]["client_token"], &launches[0]["started_by"]),
        (&json!("a1:3"), &json!("replica-2"))
    );
    let launch = &fake.launches()[0];
    assert_eq!((launch.tag("agent"), launch.tag("generation")), (Some("a1"), Some("3")));
    assert_eq!(control(&fake, Method::DELETE, "/calls", Value::Null).await.0, 204);
    assert_eq!(fake.calls().total(), 0);
    let (_, tasks) = control(&fake, Method::GET, "/tasks", Value::Null).await;
    assert_eq!(tasks[0]["taskArn"], json!(launch.task_arn));
    let (_, events) = control(&fake, Method::GET, "/events", Value::Null).await;
    assert_eq!(events["published"][0]["body"]["detail"]["version"], json!(1));
}
