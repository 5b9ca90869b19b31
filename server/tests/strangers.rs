//! What comes in an instance's place, or never comes to be one, on the AWS engine.
#![allow(clippy::unwrap_used)]

mod common;

use common::Client;
use common::cloud::Cloud;
use domain::protocol::{control, env};
use ecs_fake::{Settings, Status};
use serde_json::json;

/// The nonce stands in the task's overrides: whoever may describe tasks has it.
#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_that_is_replayed_from_elsewhere_is_refused() {
    let cloud = Cloud::start(Settings::default()).await;
    let server = cloud.server(&[]);
    let owner = server.owner().await;
    let id = owner.spawn("copiado").await;
    owner.until(&id, "running").await;
    let task = cloud.fake.tasks().pop().unwrap();
    let variables = task.overrides["containerOverrides"][0]["environment"].as_array().unwrap().clone();
    let variable = |name: &str| {
        let found = variables.iter().find(|variable| variable["name"] == name).unwrap();
        found["value"].as_str().unwrap().to_owned()
    };
    let port = variable(env::CONTROL).rsplit(':').next().unwrap().parse().unwrap();
    let stranger = Client::at(port);
    let enrol = async |instance: &str, nonce: &str| {
        let request = json!({"instance": instance, "nonce": nonce, "binding": "somewhere else"});
        stranger.post(control::ENROL, &request).await.status
    };
    let (instance, nonce) = (variable(env::INSTANCE), variable(env::ENROLMENT));
    assert_eq!(enrol(&instance, &nonce).await, 401, "spent by another");
    assert_eq!(enrol(&instance, &"0".repeat(64)).await, 401);
    let other = owner.spawn("otro").await;
    assert_eq!(enrol(&format!("{other}:1"), &nonce).await, 401, "of another run");
    // Nothing came of it: both go on.
    owner.until(&other, "running").await;
    assert_eq!(owner.agent(&id).await["phase"], "running");
    assert_eq!(cloud.fake.launches().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_dies_before_it_enrols_is_told_and_its_meter_ends_with_it() {
    let mut cloud = Cloud::start(Settings::default()).await;
    let ecs = Client::at(cloud.fake.endpoint().rsplit(':').next().unwrap().parse().unwrap());
    let definition = json!({
        "family": "dies", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "512",
        "memory": "2048", "containerDefinitions": [{"name": "agent", "image": "agent", "command": ["/bin/sh", "-c", "exit 3"]}],
    });
    let signed = ecs
        .with("authorization", "AWS4-HMAC-SHA256 Credential=test")
        .with("x-amz-target", "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition");
    let registered = signed.post("/", &definition).await;
    assert_eq!(registered.status, 200, "{}", registered.text());
    cloud.set("OPENCLAW_CLOUD_TASK_X86", "dies");
    cloud.set("OPENCLAW_CLOUD_TASK_ARM", "");
    let server = cloud.server(&[]);
    let owner = server.owner().await;
    let id = owner.spawn("nonato").await;
    let failed = owner.until(&id, "failed").await;
    assert_eq!(failed["failure"]["reason"], "crashed", "{failed}");
    assert!(failed["failure"]["detail"].as_str().unwrap().contains("exit code 3"), "{failed}");
    let ended = owner.until_so(&id, "ended meter", |agent| agent["cost"]["running"] == false).await;
    cloud.fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Stopped)).await;
    assert_eq!(ended["cost"]["session"], cloud.owed(&ended, 1));
}
