//! What `RunTask` refuses, and what it makes.

use ecs_fake::{Shortage, ShortageAnswer, Status};
use serde_json::{Value, json};

use crate::client::{PATIENT, call, definition, fake, fake_with, request, request_with};

#[tokio::test]
async fn a_task_is_told_as_it_begins() {
    let fake = fake_with(PATIENT, |config| {
        config.subnets =
            vec![("subnet-1".into(), "us-east-1d".into()), ("subnet-2".into(), "us-east-1e".into())];
    })
    .await;
    let asked = request_with(json!({
        "startedBy": "replica-1",
        "tags": [{"key": "agent", "value": "a1"}, {"key": "project", "value": "mine"}],
        "propagateTags": "TASK_DEFINITION",
        "overrides": {"cpu": "1 vCPU", "memory": "4 GB", "ephemeralStorage": {"sizeInGiB": 30}},
    }));
    let answer = call(&fake, "RunTask", asked).await.unwrap();
    assert_eq!(answer["failures"], json!([]));
    let task = &answer["tasks"][0];
    let arn = task["taskArn"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:ecs:us-east-1:111122223333:task/default/") && arn.len() == 80, "{arn}");
    for (member, value) in [
        ("lastStatus", json!("PROVISIONING")),
        ("desiredStatus", json!("RUNNING")),
        ("capacityProviderName", json!("FARGATE_SPOT")),
        ("launchType", json!("FARGATE")),
        ("cpu", json!("1024")),
        ("memory", json!("4096")),
        ("version", json!(1)),
        ("availabilityZone", json!("us-east-1d")),
        ("startedBy", json!("replica-1")),
        ("group", json!("family:agent")),
        ("platformVersion", json!("1.4.0")),
        ("ephemeralStorage", json!({"sizeInGiB": 30})),
        ("taskDefinitionArn", json!("arn:aws:ecs:us-east-1:111122223333:task-definition/agent:1")),
        ("tags", json!([{"key": "agent", "value": "a1"}, {"key": "project", "value": "mine"}])),
    ] {
        assert_eq!(task[member], value, "{member}");
    }
    let attachment = &task["attachments"][0];
    assert_eq!(attachment["type"], "ElasticNetworkInterface");
    assert_eq!(attachment["details"], json!([{"name": "subnetId", "value": "subnet-1"}]));
    assert!(task["createdAt"].as_f64().unwrap() > 1.7e9);
    assert_eq!(task["containers"][0]["lastStatus"], "PENDING");
}

/// Each is refused with this `__type`, and nothing is launched.
#[tokio::test]
async fn what_is_wrong_is_refused() {
    let fake = fake_with(PATIENT, |config| {
        config.subnets =
            vec![("subnet-1".into(), "us-east-1a".into()), ("subnet-2".into(), "us-east-1b".into())];
    })
    .await;
    let long = "x".repeat(8200);
    let many: Vec<_> = (0..51).map(|index| json!({"key": index.to_string(), "value": ""})).collect();
    let subnets =
        |subnets: Value| json!({"networkConfiguration": {"awsvpcConfiguration": {"subnets": subnets}}});
    let strategy = |item: Value| json!({"capacityProviderStrategy": [item]});
    let environment = |value: &str| json!({"overrides": {"containerOverrides": [{"name": "agent", "environment": [{"name": "A", "value": value}]}]}});
    let invalid = "InvalidParameterException";
    for (kind, members) in [
        ("ClusterNotFoundException", json!({"cluster": "other"})),
        ("ClientException", json!({"taskDefinition": "other"})),
        ("ClientException", json!({"taskDefinition": "agent:2"})),
        (invalid, json!({"taskDefinition": null})),
        (invalid, json!({"count": 0})),
        (invalid, json!({"count": 11})),
        ("SerializationException", json!({"count": "one"})),
        (invalid, json!({"launchType": "FARGATE"})),
        (invalid, json!({"launchType": "MOON"})),
        (invalid, strategy(json!({"capacityProvider": "MINE"}))),
        (invalid, strategy(json!({"weight": 1}))),
        (invalid, json!({"capacityProviderStrategy": []})),
        (invalid, json!({"networkConfiguration": null})),
        (invalid, subnets(json!([]))),
        (invalid, subnets(json!(["subnet-3"]))),
        (invalid, json!({"overrides": {"cpu": "512", "memory": "8192"}})),
        (invalid, json!({"overrides": {"cpu": "much"}})),
        (invalid, json!({"overrides": {"ephemeralStorage": {"sizeInGiB": 20}}})),
        (invalid, json!({"overrides": {"ephemeralStorage": {"sizeInGiB": 201}}})),
        (invalid, json!({"overrides": {"containerOverrides": [{"name": "other"}]}})),
        (invalid, environment(&long)),
        (invalid, json!({"tags": many})),
        (invalid, json!({"tags": [{"key": "aws:x", "value": ""}]})),
        (invalid, json!({"tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]})),
        (invalid, json!({"tags": [{"key": "a", "value": "<"}]})),
        (invalid, json!({"propagateTags": "SERVICE"})),
        (invalid, json!({"startedBy": "x".repeat(129)})),
        (invalid, json!({"clientToken": "x".repeat(65)})),
        (invalid, json!({"clientToken": "two words"})),
        ("PlatformUnknownException", json!({"platformVersion": "9.9.9"})),
        (
            "PlatformTaskDefinitionIncompatibilityException",
            json!({"platformVersion": "1.3.0", "overrides": {"ephemeralStorage": {"sizeInGiB": 30}}}),
        ),
    ] {
        let mut asked = request_with(members.clone());
        asked.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let refused = call(&fake, "RunTask", asked).await.unwrap_err();
        assert_eq!((refused.kind.as_str(), refused.status), (kind, 400), "{members}");
        // So that the quota refuses none of them.
        fake.change(|settings| settings.quotas.run_task.burst += 1);
    }
    assert!(fake.tasks().is_empty() && fake.launches().is_empty());
    assert!(
        call(&fake, "RunTask", environment("short").as_object().map(|o| request_with(json!(o))).unwrap())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_strategy_gives_the_base_first_and_the_rest_by_weight() {
    let fake = fake(PATIENT).await;
    let strategy = json!([
        {"capacityProvider": "FARGATE", "base": 2, "weight": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 3},
    ]);
    let asked = request_with(json!({"count": 10, "capacityProviderStrategy": strategy}));
    let answer = call(&fake, "RunTask", asked).await.unwrap();
    let tasks = answer["tasks"].as_array().unwrap();
    let on_demand = tasks.iter().filter(|task| task["capacityProviderName"] == "FARGATE").count();
    assert_eq!((tasks.len(), on_demand), (10, 4));
    let mut asked = request_with(json!({"launchType": "FARGATE"}));
    asked.as_object_mut().unwrap().remove("capacityProviderStrategy");
    let answer = call(&fake, "RunTask", asked).await.unwrap();
    assert_eq!(answer["tasks"][0].get("capacityProviderName"), None);
}

#[tokio::test]
async fn a_lack_of_capacity_is_told_in_the_way_that_was_chosen_and_elsewhere_there_is_room() {
    let fake = fake_with(PATIENT, |config| {
        let mut arm = definition(PATIENT);
        arm["family"] = json!("arm");
        arm["runtimePlatform"] = json!({"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"});
        config.task_definitions.push(arm);
    })
    .await;
    let spot =
        |answer| Shortage { capacity_provider: Some("FARGATE_SPOT".into()), answer, ..Shortage::default() };
    for (answer, reason) in [
        (ShortageAnswer::Failure, "Capacity is unavailable at this time."),
        (ShortageAnswer::Resource, "RESOURCE:FARGATE"),
    ] {
        fake.change(|settings| settings.shortages = vec![spot(answer)]);
        let told = call(&fake, "RunTask", request_with(json!({"clientToken": "t"}))).await.unwrap();
        assert_eq!(told["tasks"], json!([]));
        assert!(told["failures"][0]["reason"].as_str().unwrap().starts_with(reason));
    }
    for answer in [ShortageAnswer::Exception, ShortageAnswer::VcpuQuota] {
        fake.change(|settings| settings.shortages = vec![spot(answer)]);
        assert_eq!(call(&fake, "RunTask", request()).await.unwrap_err().kind, "ClientException");
    }
    let on_demand = json!({"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]});
    assert_eq!(call(&fake, "RunTask", request_with(on_demand)).await.unwrap()["failures"], json!([]));
    // One subnet has none: the other takes all, until its room is used up.
    let in_subnet =
        |subnet: &str, room| Shortage { subnet: Some(subnet.into()), room, ..Shortage::default() };
    fake.change(|settings| settings.shortages = vec![in_subnet("subnet-1", 0), in_subnet("subnet-2", 2)]);
    let told = call(&fake, "RunTask", request_with(json!({"count": 3}))).await.unwrap();
    assert_eq!((told["tasks"].as_array().unwrap().len(), told["failures"].as_array().unwrap().len()), (2, 1));
    assert!(fake.launches().iter().skip(1).all(|launch| launch.subnet == "subnet-2"));
    // Of one architecture: the other has room. The token that failed before is still good.
    let x86 = Shortage { architecture: Some("X86_64".into()), ..Shortage::default() };
    fake.change(|settings| settings.shortages = vec![x86]);
    assert_eq!(call(&fake, "RunTask", request()).await.unwrap()["tasks"], json!([]));
    let arm = request_with(json!({"taskDefinition": "arm", "clientToken": "t"}));
    let told = call(&fake, "RunTask", arm).await.unwrap();
    assert_eq!(told["tasks"][0]["attributes"], json!([{"name": "ecs.cpu-architecture", "value": "arm64"}]));
    fake.until(|tasks| tasks.iter().all(|task| task.last_status == Status::Running)).await;
}
