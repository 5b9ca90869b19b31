//! ECS's operations: from a request's JSON to the answer's.

mod clusters;
mod definitions;
mod launch;
mod placement;
mod run_task;
mod tags;
mod tasks;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::config::Config;
use crate::error::Refusal;
use crate::model;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::state::{Cluster, State};

/// The operations that the fake has; `x-amz-target` names them so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operation {
    CreateCluster,
    DescribeCapacityProviders,
    DescribeClusters,
    DescribeTaskDefinition,
    DescribeTasks,
    ListTagsForResource,
    ListTasks,
    PutClusterCapacityProviders,
    RegisterTaskDefinition,
    RunTask,
    StopTask,
    TagResource,
}

impl Operation {
    /// By its name in `x-amz-target`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        serde_json::from_value(json!(name)).ok()
    }
}

type Answer = Result<Value, Refusal>;

/// What is there from the start.
pub(crate) fn furnish(state: &mut State, config: &Config) -> Result<(), Refusal> {
    clusters::create(
        state,
        config,
        &json!({"clusterName": config.cluster, "capacityProviders": clusters::FARGATE}),
    )?;
    for request in &config.task_definitions {
        model::check_request("RegisterTaskDefinition", request)?;
        definitions::register(state, config, request)?;
    }
    Ok(())
}

/// Does what is asked. Quotas and faults were looked at before.
pub(crate) fn perform(shared: &Arc<Shared>, operation: Operation, request: &Value) -> Answer {
    model::check_request(&format!("{operation:?}"), request)?;
    let mut state = shared.state();
    state.forget();
    let (state, config) = (&mut *state, &shared.config);
    match operation {
        Operation::CreateCluster => clusters::create(state, config, request),
        Operation::DescribeCapacityProviders => Ok(clusters::describe_capacity_providers(config, request)),
        Operation::DescribeClusters => Ok(clusters::describe(state, config, request)),
        Operation::DescribeTaskDefinition => definitions::describe(state, request),
        Operation::DescribeTasks => tasks::describe(state, config, request),
        Operation::ListTagsForResource => tags::list(state, request),
        Operation::ListTasks => tasks::list(state, request),
        Operation::PutClusterCapacityProviders => clusters::put_capacity_providers(state, config, request),
        Operation::RegisterTaskDefinition => definitions::register(state, config, request),
        Operation::RunTask => run_task::run(shared, state, request),
        Operation::StopTask => tasks::stop(shared, state, request),
        Operation::TagResource => tags::add(state, request),
    }
}

/// Takes a call from the quotas.
pub(crate) fn admit(state: &mut State, operation: Operation) -> Result<(), Refusal> {
    let Settings { quotas, .. } = &state.settings;
    state.buckets.call(quotas, operation).map_err(|_| Refusal::throttled())
}

/// The cluster that a request means, by name or ARN; `default` if it names none.
fn cluster_of<'a>(state: &'a State, request: &Value) -> Result<(&'a str, &'a Cluster), Refusal> {
    let name = request["cluster"].as_str().map_or("default", crate::shape::id_of);
    let found = state.clusters.get_key_value(name);
    found.map(|(name, cluster)| (name.as_str(), cluster)).ok_or_else(Refusal::cluster_not_found)
}

fn arn(config: &Config, resource: &str) -> String {
    format!("arn:aws:ecs:{}:{}:{resource}", config.region, config.account)
}

fn strings(list: &Value) -> Vec<String> {
    crate::definition::read(list)
}

/// Whether `include` has it.
fn includes(request: &Value, what: &str) -> bool {
    request["include"].as_array().is_some_and(|list| list.iter().any(|item| item == what))
}

fn missing(arn: String) -> Value {
    json!({"arn": arn, "reason": "MISSING"})
}
