//! Clusters, capacity providers, task definitions, tags.

use serde_json::{Value, json};

use crate::client::{PATIENT, call, definition, describe, fake, run};

#[tokio::test]
async fn clusters_and_their_capacity_providers() {
    let fake = fake(PATIENT).await;
    run(&fake).await;
    let answer = call(&fake, "DescribeClusters", json!({"clusters": ["default", "other"]})).await.unwrap();
    let cluster = &answer["clusters"][0];
    assert_eq!((&cluster["status"], &cluster["clusterName"]), (&json!("ACTIVE"), &json!("default")));
    assert_eq!(cluster["capacityProviders"], json!(["FARGATE", "FARGATE_SPOT"]));
    let running =
        cluster["runningTasksCount"].as_u64().unwrap() + cluster["pendingTasksCount"].as_u64().unwrap();
    assert_eq!((running, &answer["failures"][0]["reason"]), (1, &json!("MISSING")));
    call(&fake, "CreateCluster", json!({"clusterName": "other"})).await.unwrap();
    let asked = json!({
        "cluster": "other",
        "capacityProviders": ["FARGATE_SPOT"],
        "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
    });
    let answer = call(&fake, "PutClusterCapacityProviders", asked.clone()).await.unwrap();
    assert_eq!(answer["cluster"]["capacityProviders"], json!(["FARGATE_SPOT"]));
    for (member, value, kind) in [
        ("cluster", json!("third"), "ClusterNotFoundException"),
        ("capacityProviders", json!(["MINE"]), "InvalidParameterException"),
        ("capacityProviders", json!(["FARGATE"]), "InvalidParameterException"),
    ] {
        let mut wrong = asked.clone();
        wrong[member] = value;
        assert_eq!(call(&fake, "PutClusterCapacityProviders", wrong).await.unwrap_err().kind, kind);
    }
    let answer =
        call(&fake, "DescribeCapacityProviders", json!({"capacityProviders": ["FARGATE_SPOT", "MINE"]}))
            .await
            .unwrap();
    assert_eq!(answer["capacityProviders"][0]["status"], "ACTIVE");
    assert_eq!(answer["failures"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn task_definitions_have_revisions() {
    let fake = fake(PATIENT).await;
    let mut second = definition("true");
    second["cpu"] = json!("1 vCPU");
    let answer = call(&fake, "RegisterTaskDefinition", second).await.unwrap();
    assert_eq!(
        (&answer["taskDefinition"]["revision"], &answer["taskDefinition"]["cpu"]),
        (&json!(2), &json!("1024"))
    );
    for (name, revision) in
        [("agent", 2), ("agent:1", 1), ("arn:aws:ecs:us-east-1:111122223333:task-definition/agent:1", 1)]
    {
        let asked = json!({"taskDefinition": name, "include": ["TAGS"]});
        let answer = call(&fake, "DescribeTaskDefinition", asked).await.unwrap();
        assert_eq!(answer["taskDefinition"]["revision"], json!(revision));
        assert_eq!(answer["tags"][0]["key"], "project");
    }
    let absent =
        call(&fake, "DescribeTaskDefinition", json!({"taskDefinition": "agent:3"})).await.unwrap_err();
    assert_eq!(absent.kind, "ClientException");
    for (member, value) in [
        ("memory", json!("512")),
        ("memory", Value::Null),
        ("networkMode", json!("bridge")),
        ("requiresCompatibilities", json!(["EC2"])),
        ("family", json!("a b")),
        ("containerDefinitions", json!([])),
        ("containerDefinitions", json!([{"name": "agent", "image": "agent:1", "stopTimeout": 121}])),
        ("containerDefinitions", json!([{"name": "agent"}])),
    ] {
        let mut wrong = definition("true");
        wrong[member] = value;
        assert_eq!(
            call(&fake, "RegisterTaskDefinition", wrong).await.unwrap_err().kind,
            "ClientException",
            "{member}"
        );
    }
}

#[tokio::test]
async fn tags_are_set_and_listed() {
    let fake = fake(PATIENT).await;
    let task = run(&fake).await;
    let definition = "arn:aws:ecs:us-east-1:111122223333:task-definition/agent:1";
    for arn in [&task, "arn:aws:ecs:us-east-1:111122223333:cluster/default", definition] {
        for value in ["1", "2"] {
            let asked = json!({"resourceArn": arn, "tags": [{"key": "generation", "value": value}]});
            call(&fake, "TagResource", asked).await.unwrap();
        }
        let answer = call(&fake, "ListTagsForResource", json!({"resourceArn": arn})).await.unwrap();
        assert!(answer["tags"].as_array().unwrap().contains(&json!({"key": "generation", "value": "2"})));
        assert!(!answer.to_string().contains(r#""value":"1""#));
    }
    assert_eq!(
        describe(&fake, &task).await["tasks"][0]["tags"],
        json!([{"key": "generation", "value": "2"}])
    );
    for (kind, arn) in [
        ("InvalidParameterException", "agent".to_owned()),
        ("ResourceNotFoundException", task.replace("task/default/", "task/default/0")),
    ] {
        let refused = call(&fake, "TagResource", json!({"resourceArn": arn, "tags": []})).await.unwrap_err();
        assert_eq!(refused.kind, kind);
    }
}
