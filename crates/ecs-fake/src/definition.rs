//! Task definitions: what of them the fake acts on, and what it only tells.

use serde_json::{Map, Value, json};

use crate::error::Refusal;
use crate::shape::{EphemeralStorage, Epoch, KeyValue, Tag};
use crate::size;

/// A registered revision.
pub(crate) struct Definition {
    pub arn: String,
    pub family: String,
    pub revision: u64,
    pub cpu: u32,
    pub memory: u32,
    /// `X86_64` or `ARM64`.
    pub architecture: String,
    pub ephemeral_storage: u32,
    pub task_role: Option<String>,
    pub container: ContainerDefinition,
    pub tags: Vec<Tag>,
    /// As `DescribeTaskDefinition` tells it.
    pub told: Value,
}

/// The one container of a task.
pub(crate) struct ContainerDefinition {
    pub name: String,
    pub image: String,
    pub entry_point: Vec<String>,
    pub command: Vec<String>,
    pub environment: Vec<KeyValue>,
    /// Seconds.
    pub stop_timeout: u64,
}

/// What of a request is told again.
const TOLD: [&str; 14] = [
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "ephemeralStorage",
    "runtimePlatform",
];

impl Definition {
    /// From a `RegisterTaskDefinition` request that fits the model.
    pub fn register(request: &Value, arn: String, revision: u64) -> Result<Self, Refusal> {
        let client = |message: &str| Refusal::client("ClientException", message);
        let text = |name: &str| request[name].as_str().map(str::to_owned);
        let family = text("family").unwrap_or_default();
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if family.is_empty() || family.len() > 255 || !family.chars().all(legal) {
            return Err(client("Family contains invalid characters."));
        }
        if request["networkMode"] != "awsvpc" {
            return Err(client("Fargate only supports network mode ‘awsvpc’."));
        }
        let compatible = request["requiresCompatibilities"].as_array();
        if !compatible.is_some_and(|list| list.contains(&json!("FARGATE"))) {
            return Err(client("ecs-fake runs tasks on Fargate only: requiresCompatibilities must name it."));
        }
        let missing =
            |name: &str| client(&format!("Fargate requires that '{name}' be defined at the task level."));
        let cpu = text("cpu").and_then(|cpu| size::cpu_units(&cpu)).ok_or_else(|| missing("cpu"))?;
        let memory =
            text("memory").and_then(|memory| size::memory_mib(&memory)).ok_or_else(|| missing("memory"))?;
        if !size::exists(cpu, memory) {
            return Err(client("No Fargate configuration exists for given values."));
        }
        let containers = request["containerDefinitions"].as_array().map_or(&[][..], Vec::as_slice);
        let [container] = containers else {
            return Err(client("ecs-fake runs one container a task: containerDefinitions must have one."));
        };
        let mut definition = Self {
            arn,
            family,
            revision,
            cpu,
            memory,
            architecture: request["runtimePlatform"]["cpuArchitecture"]
                .as_str()
                .unwrap_or("X86_64")
                .to_owned(),
            ephemeral_storage: ephemeral_storage(&request["ephemeralStorage"])?.unwrap_or(DEFAULT_STORAGE),
            task_role: text("taskRoleArn"),
            container: ContainerDefinition::read(container)?,
            tags: read(&request["tags"]),
            told: Value::Null,
        };
        definition.told = definition.tell(request, container);
        Ok(definition)
    }

    fn tell(&self, request: &Value, container: &Value) -> Value {
        let mut told = Map::new();
        for name in TOLD {
            told.extend(request.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        let mut container = container.clone();
        for (name, value) in [
            ("cpu", json!(0)),
            ("essential", json!(true)),
            ("portMappings", json!([])),
            ("environment", json!([])),
            ("mountPoints", json!([])),
            ("volumesFrom", json!([])),
        ] {
            if let Some(members) = container.as_object_mut() {
                members.entry(name).or_insert(value);
            }
        }
        for (name, value) in [
            ("taskDefinitionArn", json!(self.arn)),
            ("revision", json!(self.revision)),
            ("status", json!("ACTIVE")),
            ("cpu", json!(self.cpu.to_string())),
            ("memory", json!(self.memory.to_string())),
            ("compatibilities", json!(["EC2", "FARGATE"])),
            ("containerDefinitions", json!([container])),
            ("registeredAt", json!(Epoch::now())),
        ] {
            told.insert(name.to_owned(), value);
        }
        for name in ["volumes", "placementConstraints"] {
            told.entry(name).or_insert(json!([]));
        }
        Value::Object(told)
    }
}

/// GiB that every task has.
const DEFAULT_STORAGE: u32 = 20;

/// More than the default may be asked: 21 to 200 GiB.
pub(crate) fn ephemeral_storage(asked: &Value) -> Result<Option<u32>, Refusal> {
    match serde_json::from_value::<Option<EphemeralStorage>>(asked.clone()) {
        Ok(None) => Ok(None),
        Ok(Some(storage)) if (21..=200).contains(&storage.size_in_gib) => Ok(Some(storage.size_in_gib)),
        _ => Err(Refusal::invalid("The specified ephemeral storage size must be between 21 and 200 GiB.")),
    }
}

impl ContainerDefinition {
    fn read(container: &Value) -> Result<Self, Refusal> {
        let text = |name: &str| container[name].as_str().unwrap_or_default().to_owned();
        let (name, image) = (text("name"), text("image"));
        if name.is_empty() || image.is_empty() {
            return Err(Refusal::client(
                "ClientException",
                "Container.name and Container.image can not be blank.",
            ));
        }
        // Fargate's default and most.
        let stop_timeout = container["stopTimeout"].as_u64().unwrap_or(30);
        if !(2..=120).contains(&stop_timeout) {
            return Err(Refusal::client("ClientException", "stopTimeout must be between 2 and 120 seconds."));
        }
        Ok(Self {
            name,
            image,
            entry_point: read(&container["entryPoint"]),
            command: read(&container["command"]),
            environment: read(&container["environment"]),
            stop_timeout,
        })
    }
}

/// A list that the model was held against already; none is an empty one.
pub(crate) fn read<T: serde::de::DeserializeOwned>(list: &Value) -> Vec<T> {
    serde_json::from_value(list.clone()).unwrap_or_default()
}
