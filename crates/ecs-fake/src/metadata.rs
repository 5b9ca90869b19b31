//! What a task finds at its metadata endpoint (version 4) and where its role's
//! credentials are. Whoever reaches them may use them, as on Fargate.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::time::Timestamp;
use serde_json::{Value, json};

use crate::random::{self, Random};
use crate::shape::{Epoch, Task};
use crate::shared::Shared;
use crate::state;

type Found = Result<Json<Value>, StatusCode>;

/// The task whose container has this runtime id.
fn find(shared: &Shared, runtime_id: &str) -> Result<(Arc<Task>, String), StatusCode> {
    let state = shared.state();
    let id = runtime_id.split('-').next().unwrap_or_default();
    let record = state.tasks.get(id).filter(|record| state::runtime_id(id, record.ordinal) == runtime_id);
    let record = record.ok_or(StatusCode::NOT_FOUND)?;
    Ok((Arc::clone(&record.task), record.family.clone()))
}

pub(crate) async fn container(State(shared): State<Arc<Shared>>, Path(runtime_id): Path<String>) -> Found {
    let (task, family) = find(&shared, &runtime_id)?;
    container_of(&task, &family, &runtime_id).map(Json).ok_or(StatusCode::NOT_FOUND)
}

pub(crate) async fn task(State(shared): State<Arc<Shared>>, Path(runtime_id): Path<String>) -> Found {
    let (task, family) = find(&shared, &runtime_id)?;
    let number = |text: &str| text.parse::<u32>().unwrap_or_default();
    Ok(Json(json!({
        "Cluster": task.cluster_arn,
        "TaskARN": task.task_arn,
        "Family": family,
        "Revision": revision(&task),
        "DesiredStatus": task.desired_status,
        "KnownStatus": task.last_status,
        "Limits": {"CPU": f64::from(number(&task.cpu)) / 1024.0, "Memory": number(&task.memory)},
        "PullStartedAt": task.pull_started_at.map(text),
        "PullStoppedAt": task.pull_stopped_at.map(text),
        "AvailabilityZone": task.availability_zone,
        "LaunchType": task.launch_type,
        "Containers": [container_of(&task, &family, &runtime_id)],
        "EphemeralStorageMetrics": {"Utilized": 0, "Reserved": task.ephemeral_storage.size_in_gib * 1024},
    })))
}

fn container_of(task: &Task, family: &str, runtime_id: &str) -> Option<Value> {
    let container = task.containers.first()?;
    Some(json!({
        "DockerId": runtime_id,
        "Name": container.name,
        "DockerName": container.name,
        "Image": container.image,
        "Labels": {
            "com.amazonaws.ecs.cluster": task.cluster_arn,
            "com.amazonaws.ecs.container-name": container.name,
            "com.amazonaws.ecs.task-arn": task.task_arn,
            "com.amazonaws.ecs.task-definition-family": family,
            "com.amazonaws.ecs.task-definition-version": revision(task),
        },
        "DesiredStatus": task.desired_status,
        "KnownStatus": container.last_status,
        "Limits": {"CPU": 0},
        "CreatedAt": task.pull_stopped_at.map(text),
        "StartedAt": task.started_at.map(text),
        "Type": "NORMAL",
        "ContainerARN": container.container_arn,
        "Networks": [{"NetworkMode": "awsvpc", "IPv4Addresses": [task.address()]}],
    }))
}

fn revision(task: &Task) -> &str {
    task.task_definition_arn.rsplit(':').next().unwrap_or_default()
}

fn text(at: Epoch) -> String {
    at.0.to_string()
}

/// How long a role's credentials are good.
const GOOD_FOR_MS: i64 = 6 * 3600 * 1000;

pub(crate) async fn credentials(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Found {
    let state = shared.state();
    let record = state.tasks.values().find(|record| record.run.credentials == id && record.group.is_some());
    let record = record.ok_or(StatusCode::NOT_FOUND)?;
    let mut random = Random::new(shared.config.seed, &[5, record.ordinal]);
    Ok(Json(json!({
        "RoleArn": record.run.task_role,
        "AccessKeyId": format!("ASIA{}", random::hex(&mut random, 16).to_uppercase()),
        "SecretAccessKey": random::hex(&mut random, 40),
        "Token": random::hex(&mut random, 64),
        "Expiration": Timestamp(Epoch::now().0.0 + GOOD_FOR_MS).to_string(),
    })))
}
