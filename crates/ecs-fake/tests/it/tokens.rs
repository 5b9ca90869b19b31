//! A `clientToken` launches once.

use ecs_fake::Status;
use serde_json::json;

use crate::client::{PATIENT, call, fake, request_with, run, stop, until};

#[tokio::test]
async fn a_repeated_call_gets_the_first_answer_even_at_the_same_time() {
    let fake = fake(PATIENT).await;
    let asked = request_with(json!({"clientToken": "agent-1:7", "count": 2}));
    let (one, other) =
        tokio::join!(call(&fake, "RunTask", asked.clone()), call(&fake, "RunTask", asked.clone()));
    let one = one.unwrap();
    assert_eq!(one, other.unwrap());
    assert_eq!(fake.launches().len(), 2);
    // The cluster's ARN is the same cluster; the first answer is given, not the state of now.
    let mut by_arn = asked.clone();
    by_arn["cluster"] = json!("arn:aws:ecs:us-east-1:111122223333:cluster/default");
    fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Running)).await;
    assert_eq!(call(&fake, "RunTask", by_arn).await.unwrap(), one);
    // Without a token each call launches.
    assert_ne!(run(&fake).await, run(&fake).await);
    assert_eq!(fake.launches().len(), 4);
}

#[tokio::test]
async fn other_parameters_are_a_conflict_that_names_the_tasks() {
    let fake = fake(PATIENT).await;
    let answer = call(&fake, "RunTask", request_with(json!({"clientToken": "t"}))).await.unwrap();
    for other in [
        json!({"clientToken": "t", "count": 2}),
        json!({"clientToken": "t", "startedBy": "me"}),
        json!({"clientToken": "t", "overrides": {"memory": "1024"}}),
    ] {
        let refused = call(&fake, "RunTask", request_with(other)).await.unwrap_err();
        assert_eq!((refused.kind.as_str(), refused.status), ("ConflictException", 400));
        assert_eq!(refused.body["resourceIds"], json!([answer["tasks"][0]["taskArn"]]));
        let mut shape = refused.body;
        shape.as_object_mut().unwrap().remove("__type");
        ecs_fake::model::check_shape("ConflictException", &shape).unwrap();
    }
    call(&fake, "CreateCluster", json!({"clusterName": "other", "capacityProviders": ["FARGATE_SPOT"]}))
        .await
        .unwrap();
    call(&fake, "RunTask", request_with(json!({"clientToken": "t", "cluster": "other"}))).await.unwrap();
    assert_eq!(fake.launches().len(), 2);
}

#[tokio::test]
async fn it_is_forgotten_with_its_task_an_hour_after_that_stopped() {
    let fake = fake(PATIENT).await;
    let asked = request_with(json!({"clientToken": "t"}));
    let first = call(&fake, "RunTask", asked.clone()).await.unwrap();
    let arn = first["tasks"][0]["taskArn"].as_str().unwrap();
    stop(&fake, arn).await;
    until(&fake, |task| task.last_status == Status::Stopped).await;
    assert_eq!(call(&fake, "RunTask", asked.clone()).await.unwrap(), first);
    // The hour is over.
    fake.change(|settings| settings.retention_ms = 0);
    let described = call(&fake, "DescribeTasks", json!({"tasks": [arn]})).await.unwrap();
    assert_eq!(described, json!({"tasks": [], "failures": [{"arn": arn, "reason": "MISSING"}]}));
    let again = call(&fake, "RunTask", asked).await.unwrap();
    assert_ne!(again["tasks"][0]["taskArn"], json!(arn));
}
