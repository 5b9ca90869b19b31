//! `RunTask`: everything that it refuses, what a token makes of a repeated
//! call, and the records of what it launches.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::launch::launch;
use super::placement::{find_room, providers, subnets};
use super::{Answer, arn, cluster_of, definitions, tags};
use crate::config::Config;
use crate::definition::{Definition, ephemeral_storage, read};
use crate::error::Refusal;
use crate::settings::ShortageAnswer;
use crate::shape::{KeyValue, Tag, written};
use crate::shared::Shared;
use crate::size;
use crate::state::{Run, State, Token};

/// What a call asks for, once nothing about it is wrong.
pub(super) struct Asked {
    pub cluster: String,
    pub definition: Chosen,
    pub count: usize,
    pub providers: Vec<String>,
    pub subnets: Vec<String>,
    pub cpu: u32,
    pub memory: u32,
    pub storage: u32,
    pub platform: String,
    pub tags: Vec<Tag>,
    pub run: Run,
    pub group: String,
}

/// What of the task definition a task tells again.
pub(super) struct Chosen {
    pub arn: String,
    pub family: String,
    pub architecture: String,
    pub container: String,
    pub image: String,
}

pub(super) fn run(shared: &Arc<Shared>, state: &mut State, request: &Value) -> Answer {
    let cluster = cluster_of(state, request)?.0.to_owned();
    let token = token_of(request)?;
    // All but the token, and one cluster under one name.
    let mut same = request.clone();
    same["clientToken"] = Value::Null;
    same["cluster"] = json!(cluster);
    let key = token.map(|token| (cluster.clone(), token));
    if let Some(known) = key.as_ref().and_then(|key| state.tokens.get(key)) {
        if known.request == same {
            return Ok(known.answer.clone());
        }
        let arn = |id: &String| arn(&shared.config, &format!("task/{cluster}/{id}"));
        return Err(Refusal::conflict(&known.tasks.iter().map(arn).collect::<Vec<_>>()));
    }
    let asked = check(state, &shared.config, request)?;
    let spot = asked.providers.iter().filter(|name| *name == "FARGATE_SPOT").count();
    let number = |tasks: usize| u32::try_from(tasks).unwrap_or(u32::MAX);
    let quotas = state.settings.quotas;
    let paid = state.buckets.launch(&quotas, number(asked.count - spot), number(spot));
    paid.map_err(|_| Refusal::throttled())?;
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for provider in &asked.providers {
        match find_room(state, provider, &asked.subnets, &asked.definition.architecture) {
            Ok(place) => tasks.push(launch(shared, state, request, &asked, place)),
            // Where some were launched already, the others can only be told as failures.
            Err(lack) if tasks.is_empty() => failures.push(told(lack)?),
            Err(lack) => failures.extend(told(lack)),
        }
    }
    let ids: Vec<_> = tasks.iter().map(|task| task.id().to_owned()).collect();
    let answer =
        json!({"tasks": tasks.iter().map(|task| written(&**task)).collect::<Vec<_>>(), "failures": failures});
    if let Some(key) = key.filter(|_| !ids.is_empty()) {
        let token = Token { request: same, answer: answer.clone(), tasks: ids.clone(), at: Instant::now() };
        state.tokens.insert(key, token);
    }
    ids.into_iter().for_each(|id| shared.bring_to_life(id));
    Ok(answer)
}

fn token_of(request: &Value) -> Result<Option<String>, Refusal> {
    let token = request["clientToken"].as_str();
    let legal = |token: &&str| {
        (1..=64).contains(&token.len()) && token.bytes().all(|byte| (33..=126).contains(&byte))
    };
    match token {
        Some(token) if !legal(&token) => {
            Err(Refusal::invalid("clientToken must be 1 to 64 ASCII characters."))
        }
        token => Ok(token.map(str::to_owned)),
    }
}

/// A lack of capacity: an entry of `failures`, or the call's error.
fn told(lack: ShortageAnswer) -> Result<Value, Refusal> {
    const TEXT: &str =
        "Capacity is unavailable at this time. Please try again later or in a different availability zone";
    const VCPUS: &str = "You've reached the limit on the number of vCPUs you can run concurrently";
    match lack {
        ShortageAnswer::Failure => Ok(json!({"reason": TEXT})),
        ShortageAnswer::Resource => Ok(json!({"reason": "RESOURCE:FARGATE"})),
        ShortageAnswer::Exception => Err(Refusal::client("ClientException", TEXT)),
        ShortageAnswer::VcpuQuota => Err(Refusal::client("ClientException", VCPUS)),
    }
}

fn check(state: &State, config: &Config, request: &Value) -> Result<Asked, Refusal> {
    let (name, cluster) = cluster_of(state, request)?;
    let definition = definitions::find(state, request["taskDefinition"].as_str().unwrap_or_default());
    let definition =
        definition.ok_or_else(|| Refusal::client("ClientException", "TaskDefinition not found."))?;
    let count = request["count"].as_u64().unwrap_or(1);
    if !(1..=10).contains(&count) || request["count"].as_i64().is_some_and(i64::is_negative) {
        return Err(Refusal::invalid("count must be between 1 and 10."));
    }
    let count = usize::try_from(count).unwrap_or(1);
    let overrides = &request["overrides"];
    // The whole of it, as it is sent.
    if !overrides.is_null() && overrides.to_string().len() > 8192 {
        return Err(Refusal::invalid("Overrides cannot have more than 8192 characters."));
    }
    let size = |name: &str, read: fn(&str) -> Option<u32>, default: u32| match overrides[name].as_str() {
        None => Ok(default),
        Some(text) => {
            read(text).ok_or_else(|| Refusal::invalid(format!("Invalid '{name}' setting for task.")))
        }
    };
    let cpu = size("cpu", size::cpu_units, definition.cpu)?;
    let memory = size("memory", size::memory_mib, definition.memory)?;
    if !size::exists(cpu, memory) {
        return Err(Refusal::invalid("No Fargate configuration exists for given values."));
    }
    let storage = ephemeral_storage(&overrides["ephemeralStorage"])?.unwrap_or(definition.ephemeral_storage);
    if request["startedBy"].as_str().is_some_and(|by| by.chars().count() > 128) {
        return Err(Refusal::invalid("startedBy cannot be longer than 128 characters."));
    }
    Ok(Asked {
        cluster: name.to_owned(),
        definition: Chosen {
            arn: definition.arn.clone(),
            family: definition.family.clone(),
            architecture: definition.architecture.clone(),
            container: definition.container.name.clone(),
            image: definition.container.image.clone(),
        },
        count,
        providers: providers(request, cluster, count)?,
        subnets: subnets(request, config)?,
        cpu,
        memory,
        storage,
        platform: platform(request, definition, storage)?,
        tags: tags_of(request, definition, name)?,
        run: run_of(definition, overrides)?,
        group: request["group"]
            .as_str()
            .map_or_else(|| format!("family:{}", definition.family), str::to_owned),
    })
}

fn platform(request: &Value, definition: &Definition, storage: u32) -> Result<String, Refusal> {
    match request["platformVersion"].as_str().unwrap_or("LATEST") {
        "LATEST" | "1.4.0" => Ok("1.4.0".to_owned()),
        "1.3.0" if definition.architecture == "ARM64" || storage > 20 => Err(Refusal::client(
            "PlatformTaskDefinitionIncompatibilityException",
            "The specified platform does not satisfy the task definition’s required capabilities.",
        )),
        "1.3.0" => Ok("1.3.0".to_owned()),
        _ => Err(Refusal::client("PlatformUnknownException", "The specified platform does not exist.")),
    }
}

fn tags_of(request: &Value, definition: &Definition, cluster: &str) -> Result<Vec<Tag>, Refusal> {
    let given: Vec<Tag> = read(&request["tags"]);
    tags::check(&given)?;
    let mut all = match request["propagateTags"].as_str() {
        Some("SERVICE") => {
            return Err(Refusal::invalid("SERVICE is not a valid value of propagateTags here."));
        }
        Some("TASK_DEFINITION") => definition.tags.clone(),
        _ => Vec::new(),
    };
    tags::set(&mut all, given)?;
    if request["enableECSManagedTags"] == true {
        all.push(Tag { key: "aws:ecs:clusterName".to_owned(), value: cluster.to_owned() });
    }
    Ok(all)
}

fn run_of(definition: &Definition, overrides: &Value) -> Result<Run, Refusal> {
    let container = &definition.container;
    let all = overrides["containerOverrides"].as_array().map_or(&[][..], Vec::as_slice);
    if let Some(stranger) = all.iter().find(|each| each["name"] != *container.name) {
        let name = stranger["name"].as_str().unwrap_or_default();
        return Err(Refusal::invalid(format!(
            "Override for container named {name} is not a container in the TaskDefinition."
        )));
    }
    let mine = all.first().unwrap_or(&Value::Null);
    let mut command = container.entry_point.clone();
    match &mine["command"] {
        Value::Null => command.extend(container.command.iter().cloned()),
        other => command.extend(read::<String>(other)),
    }
    let own: Vec<KeyValue> = read(&mine["environment"]);
    let environment = container.environment.iter().cloned().chain(own).map(|each| (each.name, each.value));
    Ok(Run {
        command,
        environment: environment.collect(),
        task_role: overrides["taskRoleArn"]
            .as_str()
            .map(str::to_owned)
            .or_else(|| definition.task_role.clone()),
        stop_timeout: Duration::from_secs(container.stop_timeout),
        credentials: String::new(),
    })
}
