//! `DescribeTasks` and `ListTasks`: what they tell, and when.

use ecs_fake::{Span, Status};
use serde_json::{Value, json};

use crate::client::{PATIENT, call, describe, fake, request_with, run, stop, until};

async fn list(fake: &ecs_fake::Fake, filter: Value) -> Vec<Value> {
    call(fake, "ListTasks", filter).await.unwrap()["taskArns"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_is_not_there_is_missing_and_the_rest_is_told() {
    let fake = fake(PATIENT).await;
    let arn = run(&fake).await;
    let id = arn.rsplit('/').next().unwrap();
    let nobody = "f".repeat(32);
    let answer = call(&fake, "DescribeTasks", json!({"tasks": [id, nobody]})).await.unwrap();
    assert_eq!(answer["tasks"][0]["taskArn"], json!(arn));
    assert_eq!(answer["tasks"][0]["tags"], json!([]), "nobody asked for tags");
    let missing = format!("arn:aws:ecs:us-east-1:111122223333:task/default/{nobody}");
    assert_eq!(answer["failures"], json!([{"arn": missing, "reason": "MISSING"}]));
    let too_many = vec![id; 101];
    for (kind, asked) in [
        ("InvalidParameterException", json!({"tasks": []})),
        ("InvalidParameterException", json!({})),
        ("InvalidParameterException", json!({"tasks": too_many})),
        ("InvalidParameterException", json!({"tasks": [arn.replace("/default/", "/other/")]})),
        ("ClusterNotFoundException", json!({"tasks": [id], "cluster": "other"})),
    ] {
        assert_eq!(call(&fake, "DescribeTasks", asked).await.unwrap_err().kind, kind);
    }
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let fake = fake(PATIENT).await;
    let launched =
        call(&fake, "RunTask", request_with(json!({"count": 5, "startedBy": "one"}))).await.unwrap();
    call(&fake, "RunTask", request_with(json!({"startedBy": "other"}))).await.unwrap();
    let all = list(&fake, json!({})).await;
    assert_eq!(all.len(), 6);
    assert_eq!(list(&fake, json!({"startedBy": "other"})).await, all[5..]);
    assert_eq!(list(&fake, json!({"family": "agent", "launchType": "FARGATE"})).await, all);
    for none in
        [json!({"family": "other"}), json!({"launchType": "EC2"}), json!({"desiredStatus": "PENDING"})]
    {
        assert!(list(&fake, none).await.is_empty());
    }
    let (mut paged, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut asked = json!({"maxResults": 4});
        if token.is_string() {
            asked["nextToken"] = token;
        }
        let page = call(&fake, "ListTasks", asked).await.unwrap();
        paged.extend(page["taskArns"].as_array().unwrap().clone());
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(paged, all);
    let first = launched["tasks"][0]["taskArn"].as_str().unwrap();
    stop(&fake, first).await;
    assert_eq!(list(&fake, json!({"desiredStatus": "STOPPED"})).await, all[..1]);
    assert_eq!(list(&fake, json!({})).await, all[1..]);
    for wrong in [
        json!({"startedBy": "one", "family": "agent"}),
        json!({"maxResults": 101}),
        json!({"maxResults": 0}),
        json!({"nextToken": "?"}),
        json!({"desiredStatus": "GONE"}),
    ] {
        assert_eq!(call(&fake, "ListTasks", wrong).await.unwrap_err().kind, "InvalidParameterException");
    }
}

#[tokio::test]
async fn reads_may_tell_of_the_past() {
    let fake = fake(PATIENT).await;
    fake.change(|settings| settings.reads.lag = Span::exactly(3_600_000));
    let arn = run(&fake).await;
    until(&fake, |task| task.last_status == Status::Running).await;
    assert_eq!(describe(&fake, &arn).await["failures"][0]["reason"], "MISSING");
    assert!(list(&fake, json!({})).await.is_empty());
    let lag = std::time::Duration::from_millis(400);
    fake.change(|settings| settings.reads.lag = Span::exactly(400));
    tokio::time::sleep(lag).await;
    stop(&fake, &arn).await;
    assert_eq!(describe(&fake, &arn).await["tasks"][0]["desiredStatus"], "RUNNING");
    tokio::time::sleep(lag).await;
    assert_eq!(describe(&fake, &arn).await["tasks"][0]["desiredStatus"], "STOPPED");
    assert!(list(&fake, json!({})).await.is_empty());
}
