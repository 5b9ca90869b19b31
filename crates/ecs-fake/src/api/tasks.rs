//! `DescribeTasks`, `ListTasks`, `StopTask`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, Operation, arn, cluster_of, includes, missing, strings};
use crate::config::Config;
use crate::error::Refusal;
use crate::shape::{Status, StopCode, Task, id_of, written};
use crate::shared::Shared;
use crate::state::{Notice, State, Stop};

/// What one call describes, and lists, at most.
const MOST: usize = 100;

pub(super) fn describe(state: &mut State, config: &Config, request: &Value) -> Answer {
    let cluster = cluster_of(state, request)?.0.to_owned();
    let named = strings(&request["tasks"]);
    if named.is_empty() {
        return Err(Refusal::invalid("Tasks cannot be empty."));
    }
    if named.len() > MOST {
        return Err(Refusal::invalid("Tasks cannot have more than 100 elements."));
    }
    let lag = state.lag(Operation::DescribeTasks);
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for name in &named {
        let id = task_id(name, &cluster)?;
        let seen = state.tasks.get(id).filter(|record| record.cluster == cluster);
        match seen.and_then(|record| record.seen(lag)) {
            Some(task) => tasks.push(told(task, includes(request, "TAGS"))),
            None => failures.push(missing(arn(config, &format!("task/{cluster}/{id}")))),
        }
    }
    Ok(json!({"tasks": tasks, "failures": failures}))
}

/// As an answer tells it: without its tags where nobody asked for them.
fn told(task: &Task, with_tags: bool) -> Value {
    let mut told = written(task);
    if !with_tags {
        told["tags"] = json!([]);
    }
    told
}

/// Of an id or an ARN; the ARN of another cluster is refused.
fn task_id<'a>(name: &'a str, cluster: &str) -> Result<&'a str, Refusal> {
    if let Some((_, path)) = name.split_once(":task/")
        && let Some((of, _)) = path.split_once('/')
        && of != cluster
    {
        return Err(Refusal::invalid(format!("Identifier is for cluster {of}. Your cluster is {cluster}")));
    }
    let id = id_of(name);
    if id.is_empty() || id.contains(':') {
        return Err(Refusal::invalid("Invalid identifier: taskId."));
    }
    Ok(id)
}

pub(super) fn list(state: &mut State, request: &Value) -> Answer {
    let cluster = cluster_of(state, request)?.0.to_owned();
    let filter = |name: &str| request[name].as_str();
    let others = ["family", "containerInstance", "serviceName", "desiredStatus", "launchType", "daemonName"];
    if filter("startedBy").is_some() && others.iter().any(|other| filter(other).is_some()) {
        return Err(Refusal::invalid("cannot filter by startedBy and anything else"));
    }
    if ["containerInstance", "serviceName", "daemonName"].iter().any(|other| filter(other).is_some()) {
        return Err(Refusal::invalid(
            "ecs-fake has no container instances, services or daemons to filter by",
        ));
    }
    let most = match request["maxResults"].as_u64() {
        None => MOST,
        Some(most @ 1..=100) => usize::try_from(most).unwrap_or(MOST),
        Some(_) => return Err(Refusal::invalid("maxResults must be between 1 and 100.")),
    };
    let after = match filter("nextToken") {
        None => 0,
        Some(token) => u64::from_str_radix(token, 16).map_err(|_| Refusal::invalid("Invalid token."))?,
    };
    let desired = if filter("desiredStatus") == Some("STOPPED") { Status::Stopped } else { Status::Running };
    // ECS never wishes a task PENDING, and Fargate's are of no other launch type.
    let none = filter("desiredStatus") == Some("PENDING")
        || filter("launchType").is_some_and(|kind| kind != "FARGATE");
    let lag = state.lag(Operation::ListTasks);
    let fits = |task: &Task, family: &str| {
        task.desired_status == desired
            && filter("family").is_none_or(|wanted| wanted == family)
            && filter("startedBy").is_none_or(|by| task.started_by.as_deref() == Some(by))
    };
    let found = state.in_order().into_iter().filter(|record| !none && record.cluster == cluster);
    let found = found.filter(|record| record.ordinal > after);
    let found = found.filter_map(|record| Some((record.ordinal, record.seen(lag)?, record.family.as_str())));
    let mut found: Vec<_> = found.filter(|(_, task, family)| fits(task, family)).collect();
    let more = found.len() > most;
    found.truncate(most);
    let arns: Vec<_> = found.iter().map(|(_, task, _)| task.task_arn.as_str()).collect();
    let mut answer = json!({"taskArns": arns});
    if let Some((last, ..)) = found.last().filter(|_| more) {
        answer["nextToken"] = json!(format!("{last:016x}"));
    }
    Ok(answer)
}

pub(super) fn stop(shared: &Arc<Shared>, state: &mut State, request: &Value) -> Answer {
    let cluster = cluster_of(state, request)?.0.to_owned();
    let id = task_id(request["task"].as_str().unwrap_or_default(), &cluster)?.to_owned();
    let not_found = || Refusal::invalid("The referenced task was not found.");
    let record = state.tasks.get_mut(&id).filter(|record| record.cluster == cluster).ok_or_else(not_found)?;
    // «Any tags associated with the task will be deleted.»
    record.task().tags.clear();
    record.remember();
    let reason = request["reason"].as_str().unwrap_or("Task stopped by user").to_owned();
    shared.stop(state, &id, Stop { code: StopCode::UserInitiated, reason, notice: Notice::Full });
    let task = state.tasks.get(&id).map(|record| told(&record.task, true)).ok_or_else(not_found)?;
    Ok(json!({"task": task}))
}
