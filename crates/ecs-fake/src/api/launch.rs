//! A launched task's record, as it begins.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::arn;
use super::placement::{Place, zone};
use super::run_task::Asked;
use crate::calls::Launch;
use crate::random::{self, Random};
use crate::shape::{Attachment, Container, EphemeralStorage, Epoch, KeyValue, Status, Task, id_of};
use crate::shared::{Announce, Shared};
use crate::state::{Record, State};

/// One task's record, PROVISIONING.
pub(super) fn launch(
    shared: &Shared,
    state: &mut State,
    request: &Value,
    asked: &Asked,
    place: Place,
) -> Arc<Task> {
    let (config, definition) = (&shared.config, &asked.definition);
    state.launched += 1;
    let mut random = Random::new(config.seed, &[6, state.launched]);
    let (id, attachment) = (random::hex(&mut random, 32), random::uuid(&mut random));
    let task_arn = arn(config, &format!("task/{}/{id}", asked.cluster));
    let mut run = asked.run.clone();
    run.credentials = random::uuid(&mut random);
    if run.command.is_empty() {
        run.command.clone_from(&config.program);
    }
    let storage = EphemeralStorage { size_in_gib: asked.storage };
    let task = Task {
        attachments: vec![Attachment {
            id: attachment,
            r#type: "ElasticNetworkInterface",
            status: "PRECREATED",
            details: vec![KeyValue { name: "subnetId".to_owned(), value: place.subnet.clone() }],
        }],
        attributes: vec![KeyValue {
            name: "ecs.cpu-architecture".to_owned(),
            value: if definition.architecture == "ARM64" { "arm64" } else { "x86_64" }.to_owned(),
        }],
        availability_zone: zone(config, &place.subnet),
        // A launch type names no provider.
        capacity_provider_name: request.get("launchType").is_none().then(|| place.capacity_provider.clone()),
        cluster_arn: arn(config, &format!("cluster/{}", asked.cluster)),
        connectivity: None,
        connectivity_at: None,
        containers: vec![Container {
            container_arn: arn(
                config,
                &format!("container/{}/{id}/{}", asked.cluster, random::uuid(&mut random)),
            ),
            task_arn: task_arn.clone(),
            name: definition.container.clone(),
            image: definition.image.clone(),
            runtime_id: None,
            last_status: Status::Pending,
            exit_code: None,
            reason: None,
            network_interfaces: Vec::new(),
            health_status: "UNKNOWN",
            cpu: "0".to_owned(),
        }],
        cpu: asked.cpu.to_string(),
        created_at: Epoch::now(),
        desired_status: Status::Running,
        enable_execute_command: request["enableExecuteCommand"] == true,
        ephemeral_storage: storage,
        execution_stopped_at: None,
        fargate_ephemeral_storage: storage,
        group: asked.group.clone(),
        health_status: "UNKNOWN",
        last_status: Status::Provisioning,
        launch_type: "FARGATE",
        memory: asked.memory.to_string(),
        overrides: overrides_told(&request["overrides"], &definition.container),
        platform_family: "Linux",
        platform_version: asked.platform.clone(),
        pull_started_at: None,
        pull_stopped_at: None,
        started_at: None,
        started_by: request["startedBy"].as_str().map(str::to_owned),
        stop_code: None,
        stopped_at: None,
        stopped_reason: None,
        stopping_at: None,
        tags: asked.tags.clone(),
        task_arn: task_arn.clone(),
        task_definition_arn: definition.arn.clone(),
        version: 0,
    };
    state.launches.push(Launch {
        task_arn,
        at: task.created_at.0,
        client_token: request["clientToken"].as_str().map(str::to_owned),
        started_by: task.started_by.clone(),
        capacity_provider: place.capacity_provider,
        subnet: place.subnet,
        architecture: definition.architecture.clone(),
        tags: task.tags.clone(),
    });
    let mut record = Record {
        ordinal: state.launched,
        cluster: asked.cluster.clone(),
        family: definition.family.clone(),
        task: Arc::new(task),
        past: Vec::new(),
        stop: watch::Sender::new(None),
        run,
        group: None,
        container_reason: None,
        ended: None,
    };
    let deliveries = state.settings.deliveries;
    shared.tell(&mut record, Announce::Event, &deliveries);
    let task = Arc::clone(&record.task);
    state.tasks.insert(id_of(&task.task_arn).to_owned(), record);
    task
}

/// Told again as asked; the container is named even if nothing of it is overridden.
fn overrides_told(overrides: &Value, container: &str) -> Value {
    let mut told = if overrides.is_null() { json!({}) } else { overrides.clone() };
    if told["containerOverrides"].as_array().is_none_or(Vec::is_empty) {
        told["containerOverrides"] = json!([{"name": container}]);
    }
    if told["inferenceAcceleratorOverrides"].is_null() {
        told["inferenceAcceleratorOverrides"] = json!([]);
    }
    told
}
