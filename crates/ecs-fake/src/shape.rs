//! What ECS tells of tasks, by its names. Members that are not there yet are
//! left out of what is written.

use domain::time::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// An instant, written as AWS JSON 1.1 does: seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub Timestamp);

impl Epoch {
    pub(crate) fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Serialize for Epoch {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit")]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.0 as f64 / 1000.0)
    }
}

/// `lastStatus` and `desiredStatus`, in the order of a task's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

/// Why a task was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopCode {
    TaskFailedToStart,
    EssentialContainerExited,
    UserInitiated,
    SpotInterruption,
    TerminationNotice,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    pub attachments: Vec<Attachment>,
    pub attributes: Vec<KeyValue>,
    pub availability_zone: String,
    pub capacity_provider_name: Option<String>,
    pub cluster_arn: String,
    pub connectivity: Option<&'static str>,
    pub connectivity_at: Option<Epoch>,
    pub containers: Vec<Container>,
    pub cpu: String,
    pub created_at: Epoch,
    pub desired_status: Status,
    pub enable_execute_command: bool,
    pub ephemeral_storage: EphemeralStorage,
    pub execution_stopped_at: Option<Epoch>,
    pub fargate_ephemeral_storage: EphemeralStorage,
    pub group: String,
    pub health_status: &'static str,
    pub last_status: Status,
    pub launch_type: &'static str,
    pub memory: String,
    pub overrides: Value,
    pub platform_family: &'static str,
    pub platform_version: String,
    pub pull_started_at: Option<Epoch>,
    pub pull_stopped_at: Option<Epoch>,
    pub started_at: Option<Epoch>,
    pub started_by: Option<String>,
    pub stop_code: Option<StopCode>,
    pub stopped_at: Option<Epoch>,
    pub stopped_reason: Option<String>,
    pub stopping_at: Option<Epoch>,
    pub tags: Vec<Tag>,
    pub task_arn: String,
    pub task_definition_arn: String,
    pub version: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    pub container_arn: String,
    pub task_arn: String,
    pub name: String,
    pub image: String,
    pub runtime_id: Option<String>,
    pub last_status: Status,
    pub exit_code: Option<i32>,
    pub reason: Option<String>,
    pub network_interfaces: Vec<NetworkInterface>,
    pub health_status: &'static str,
    pub cpu: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkInterface {
    pub attachment_id: String,
    pub private_ipv4_address: String,
}

/// A network interface, here: `details` has `subnetId` from the start, and
/// `privateIPv4Address` and others once it is there.
#[derive(Debug, Clone, Serialize)]
pub struct Attachment {
    pub id: String,
    pub r#type: &'static str,
    pub status: &'static str,
    pub details: Vec<KeyValue>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyValue {
    pub name: String,
    pub value: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Tag {
    pub key: String,
    #[serde(default)]
    pub value: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct EphemeralStorage {
    #[serde(rename = "sizeInGiB")]
    pub size_in_gib: u32,
}

impl Task {
    /// The last part of the ARN.
    pub fn id(&self) -> &str {
        id_of(&self.task_arn)
    }

    /// Where the task is reached, once it has its network.
    pub fn address(&self) -> Option<&str> {
        let details = self.attachments.iter().flat_map(|attachment| &attachment.details);
        details
            .filter(|detail| detail.name == "privateIPv4Address")
            .map(|detail| detail.value.as_str())
            .next()
    }

    /// The container's exit code, once it ended; 128 and the signal if one killed it.
    pub fn exit_code(&self) -> Option<i32> {
        self.containers.first().and_then(|container| container.exit_code)
    }
}

/// Of a task's ARN or id: the id.
pub(crate) fn id_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// As JSON, without what is not there.
pub(crate) fn written(value: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    drop_nulls(&mut value);
    value
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
