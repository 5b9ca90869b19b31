//! Tasks that do not get to run.

use ecs_fake::{StartFailure, Status, StopCode};
use serde_json::json;

use crate::client::{call, definition, fake, run, until};

#[tokio::test]
async fn each_failure_is_told_with_its_reason() {
    for (failure, reason) in [
        (StartFailure::Network, "Timeout waiting for network interface provisioning to complete."),
        (StartFailure::Secret, "ResourceInitializationError: unable to pull secrets"),
        (StartFailure::Pull, "CannotPullContainerError: "),
    ] {
        let fake = fake("echo ran; sleep 600").await;
        fake.change(|settings| settings.start_failures = vec![failure]);
        let arn = run(&fake).await;
        let task = until(&fake, |task| task.last_status == Status::Stopped).await;
        assert_eq!((task.stop_code, task.started_at), (Some(StopCode::TaskFailedToStart), None));
        assert!(task.stopped_reason.as_deref().unwrap().starts_with(reason));
        assert!(task.containers[0].reason.as_deref().unwrap().starts_with(reason));
        assert_eq!((task.pull_started_at.is_some(), task.exit_code()), (failure == StartFailure::Pull, None));
        assert!(fake.output(&arn).is_err());
        run(&fake).await;
        until(&fake, |task| task.last_status == Status::Running).await;
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told() {
    let fake = fake("true").await;
    let mut definition = definition("true");
    definition["containerDefinitions"][0]["entryPoint"] = json!(["/no/such/program"]);
    call(&fake, "RegisterTaskDefinition", definition).await.unwrap();
    run(&fake).await;
    let failed = |task: &ecs_fake::Task| task.stop_code == Some(StopCode::TaskFailedToStart);
    let task = until(&fake, failed).await;
    assert!(task.stopped_reason.as_deref().unwrap().starts_with("CannotStartContainerError: "));
}
