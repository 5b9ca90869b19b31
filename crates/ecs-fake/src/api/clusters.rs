//! Clusters and Fargate's capacity providers.

use serde_json::{Value, json};

use super::{Answer, arn, cluster_of, includes, missing, strings};
use crate::config::Config;
use crate::definition::read;
use crate::error::Refusal;
use crate::shape::{Status, id_of};
use crate::state::{Cluster, State};

pub(super) const FARGATE: [&str; 2] = ["FARGATE", "FARGATE_SPOT"];

/// Creating what is there gives what is there.
pub(super) fn create(state: &mut State, config: &Config, request: &Value) -> Answer {
    let name = request["clusterName"].as_str().unwrap_or("default").to_owned();
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 255 || !name.chars().all(legal) {
        return Err(Refusal::invalid("Invalid cluster name."));
    }
    if !state.clusters.contains_key(&name) {
        let cluster = Cluster {
            arn: arn(config, &format!("cluster/{name}")),
            capacity_providers: known_providers(&request["capacityProviders"])?,
            default_strategy: request
                .get("defaultCapacityProviderStrategy")
                .cloned()
                .unwrap_or_else(|| json!([])),
            tags: read(&request["tags"]),
        };
        state.clusters.insert(name.clone(), cluster);
    }
    Ok(json!({"cluster": told(state, &name, &json!({"include": ["TAGS"]}))}))
}

pub(super) fn put_capacity_providers(state: &mut State, config: &Config, request: &Value) -> Answer {
    let name = cluster_of(state, request)?.0.to_owned();
    let providers = known_providers(&request["capacityProviders"])?;
    let strategy = request["defaultCapacityProviderStrategy"].clone();
    if strategy
        .as_array()
        .into_iter()
        .flatten()
        .any(|item| !providers.iter().any(|known| item["capacityProvider"] == **known))
    {
        return Err(Refusal::invalid(
            "The default strategy names a capacity provider that the cluster has not.",
        ));
    }
    let arn = arn(config, &format!("cluster/{name}"));
    let tags = state.clusters.get(&name).map(|cluster| cluster.tags.clone()).unwrap_or_default();
    state.clusters.insert(
        name.clone(),
        Cluster { arn, capacity_providers: providers, default_strategy: strategy, tags },
    );
    Ok(json!({"cluster": told(state, &name, &Value::Null)}))
}

fn known_providers(list: &Value) -> Result<Vec<String>, Refusal> {
    let providers = strings(list);
    match providers.iter().find(|name| !FARGATE.contains(&name.as_str())) {
        Some(unknown) => {
            Err(Refusal::invalid(format!("The specified capacity provider '{unknown}' was not found.")))
        }
        None => Ok(providers),
    }
}

pub(super) fn describe(state: &State, config: &Config, request: &Value) -> Value {
    let named = strings(&request["clusters"]);
    let named = if named.is_empty() { vec!["default".to_owned()] } else { named };
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for name in named.iter().map(|name| id_of(name)) {
        if state.clusters.contains_key(name) {
            clusters.push(told(state, name, request));
        } else {
            failures.push(missing(arn(config, &format!("cluster/{name}"))));
        }
    }
    json!({"clusters": clusters, "failures": failures})
}

fn told(state: &State, name: &str, request: &Value) -> Value {
    let Some(cluster) = state.clusters.get(name) else { return Value::Null };
    let of_cluster = || state.tasks.values().filter(|record| record.cluster == name);
    let count =
        |status: &[Status]| of_cluster().filter(|record| status.contains(&record.task.last_status)).count();
    json!({
        "clusterArn": cluster.arn,
        "clusterName": name,
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": count(&[Status::Running]),
        "pendingTasksCount": count(&[Status::Provisioning, Status::Pending, Status::Activating]),
        "activeServicesCount": 0,
        "statistics": [],
        "settings": [],
        "tags": if includes(request, "TAGS") { json!(cluster.tags) } else { json!([]) },
        "capacityProviders": cluster.capacity_providers,
        "defaultCapacityProviderStrategy": cluster.default_strategy,
    })
}

pub(super) fn describe_capacity_providers(config: &Config, request: &Value) -> Value {
    let named = strings(&request["capacityProviders"]);
    let wanted = |name: &str| named.is_empty() || named.iter().any(|wanted| id_of(wanted) == name);
    let provider = |name: &&str| {
        json!({
            "capacityProviderArn": arn(config, &format!("capacity-provider/{name}")),
            "name": name,
            "status": "ACTIVE",
            "type": name,
            "tags": [],
        })
    };
    let found: Vec<_> = FARGATE.iter().filter(|name| wanted(name)).map(provider).collect();
    let unknown = named.iter().map(|name| id_of(name)).filter(|name| !FARGATE.contains(name));
    let failures: Vec<_> =
        unknown.map(|name| missing(arn(config, &format!("capacity-provider/{name}")))).collect();
    json!({"capacityProviders": found, "failures": failures})
}
