//! The form of one event, as AWS publishes examples of it: the task as
//! `DescribeTasks` tells it, but with instants as text, `updatedAt`, network
//! interfaces that are called `eni`, and neither tags nor health.

use domain::time::Timestamp;
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::shape::{Epoch, Task, written};

pub(super) fn of(task: &Task, config: &Config, id: &str) -> Value {
    let now = Epoch::now().0;
    json!({
        "version": "0",
        "id": id,
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": config.account,
        // Whole seconds, unlike the instants within.
        "time": format!("{}Z", &now.to_string()[..19]),
        "region": config.region,
        "resources": [task.task_arn],
        "detail": detail(task, now),
    })
}

fn detail(task: &Task, now: Timestamp) -> Value {
    let Value::Object(mut detail) = written(task) else { return Value::Null };
    for absent in ["tags", "healthStatus", "fargateEphemeralStorage"] {
        detail.remove(absent);
    }
    for (name, at) in instants(task) {
        detail.insert(name.to_owned(), json!(at.0.to_string()));
    }
    detail.insert("updatedAt".to_owned(), json!(now.to_string()));
    for attachment in each(&mut detail, "attachments") {
        attachment.insert("type".to_owned(), json!("eni"));
    }
    for container in each(&mut detail, "containers") {
        container.remove("healthStatus");
    }
    Value::Object(detail)
}

fn instants(task: &Task) -> Vec<(&'static str, Epoch)> {
    let all = [
        ("createdAt", Some(task.created_at)),
        ("connectivityAt", task.connectivity_at),
        ("pullStartedAt", task.pull_started_at),
        ("pullStoppedAt", task.pull_stopped_at),
        ("startedAt", task.started_at),
        ("stoppingAt", task.stopping_at),
        ("executionStoppedAt", task.execution_stopped_at),
        ("stoppedAt", task.stopped_at),
    ];
    all.into_iter().filter_map(|(name, at)| Some((name, at?))).collect()
}

fn each<'a>(of: &'a mut Map<String, Value>, list: &str) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    of.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}
