//! How the service says no.

use serde_json::{Map, Value, json};

/// An error in AWS JSON 1.1: `__type` and `message` in the body, and a status.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub kind: String,
    pub status: u16,
    pub message: String,
    /// Further members, as `resourceIds` of a `ConflictException`.
    pub members: Map<String, Value>,
}

impl Refusal {
    /// The caller's fault: 400, as ECS answers all of them.
    pub fn client(kind: &str, message: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), status: 400, message: message.into(), members: Map::new() }
    }

    /// The service's fault: 500.
    pub fn server(message: impl Into<String>) -> Self {
        Self { status: 500, ..Self::client("ServerException", message) }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::client("InvalidParameterException", message)
    }

    pub fn cluster_not_found() -> Self {
        Self::client("ClusterNotFoundException", "Cluster not found.")
    }

    pub fn throttled() -> Self {
        Self::client("ThrottlingException", "Rate exceeded")
    }

    pub fn conflict(tasks: &[String]) -> Self {
        let message = "The provided clientToken is already in use with a different RunTask request.";
        let mut refusal = Self::client("ConflictException", message);
        refusal.members.insert("resourceIds".to_owned(), json!(tasks));
        refusal
    }

    pub fn body(&self) -> Value {
        let mut body = self.members.clone();
        body.insert("__type".to_owned(), json!(self.kind));
        body.insert("message".to_owned(), json!(self.message));
        Value::Object(body)
    }
}
