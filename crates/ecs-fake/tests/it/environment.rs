//! What a task finds around it.

use ecs_fake::Status;
use http::Method;
use serde_json::{Value, json};

use crate::client::{call, fake_with, printed, request_with, send, until};

#[tokio::test]
async fn it_is_what_the_definition_the_call_and_fargate_give() {
    let fake = fake_with("env; pwd; test -d $OPENCLAW_HOME && echo folder; echo end; sleep 600", |config| {
        config.own_paths = vec!["/home/agent".into()];
    })
    .await;
    let environment = json!([
        {"name": "OVERRIDDEN", "value": "yes"},
        {"name": "OPENCLAW_LISTEN", "value": "[::]:7600"},
        {"name": "OPENCLAW_HOME", "value": "/home/agent"},
        {"name": "ELSEWHERE", "value": "/home/agents"},
    ]);
    let overrides = json!({"containerOverrides": [{"name": "agent", "environment": environment}]});
    let answer = call(&fake, "RunTask", request_with(json!({"overrides": overrides}))).await.unwrap();
    let arn = answer["tasks"][0]["taskArn"].as_str().unwrap().to_owned();
    printed(&fake, &arn, "\nend\n").await;
    let task = until(&fake, |task| task.last_status == Status::Running).await;
    let (output, address) = (fake.output(&arn).unwrap(), task.address().unwrap().to_owned());
    let value = |name: &str| {
        output.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).map(str::to_owned)
    };
    for (name, expected) in [
        ("OF_DEFINITION", "yes"),
        ("OVERRIDDEN", "yes"),
        ("ELSEWHERE", "/home/agents"),
        ("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE"),
        ("AWS_REGION", "us-east-1"),
        ("OPENCLAW_LISTEN", &format!("{address}:7600")),
    ] {
        assert_eq!(value(name).as_deref(), Some(expected), "{name}");
    }
    assert!(value("CARGO").is_none(), "the fake's own environment is not the task's");
    let folder = output.lines().find(|line| line.starts_with('/')).unwrap();
    assert_eq!(value("OPENCLAW_HOME"), Some(format!("{folder}/home/agent")));
    assert!(output.contains("\nfolder\n"));

    let path = |name: &str| value(name).unwrap().strip_prefix(fake.endpoint()).unwrap().to_owned();
    let get = async |path: String| -> (u16, Value) {
        let (status, _, body) = send(&fake, Method::GET, &path, &[], String::new()).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    };
    let (_, container) = get(path("ECS_CONTAINER_METADATA_URI_V4")).await;
    assert_eq!(container["Networks"][0]["IPv4Addresses"], json!([address]));
    assert_eq!(container["Labels"]["com.amazonaws.ecs.task-arn"], json!(arn));
    let (_, metadata) = get(path("ECS_CONTAINER_METADATA_URI_V4") + "/task").await;
    assert_eq!((&metadata["TaskARN"], &metadata["Limits"]["CPU"]), (&json!(arn), &json!(0.5)));
    let (_, credentials) = get(path("AWS_CONTAINER_CREDENTIALS_FULL_URI")).await;
    assert_eq!(credentials["RoleArn"], "arn:aws:iam::111122223333:role/agent");
    assert!(credentials["AccessKeyId"].as_str().unwrap().starts_with("ASIA"));
    assert!(credentials["Expiration"].as_str().unwrap().ends_with('Z'));
    assert_eq!(get("/v2/credentials/another".to_owned()).await.0, 404);
    assert_eq!(get(format!("/v4/{}-1", "0".repeat(32))).await.0, 404);
    let (known, number) = container["DockerId"].as_str().unwrap().split_once('-').unwrap();
    assert_eq!(get(format!("/v4/{known}-{}", number.replace('0', "1"))).await.0, 404);
    assert_eq!(get(format!("/v4/{known}")).await.0, 404);
}
