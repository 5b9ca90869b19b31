//! Amazon's own description of ECS, as botocore carries it: the shapes of what
//! is asked and answered. Requests are held to it before anything is done;
//! the tests hold every answer to it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use crate::error::Refusal;

/// Read from botocore 1.43.106; `model/trim.py` makes it anew.
static MODEL: LazyLock<Model> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../model/ecs-2014-11-13.json"))
        .expect("the file is part of this crate")
});

#[derive(Deserialize)]
struct Model {
    operations: BTreeMap<String, OperationModel>,
    shapes: BTreeMap<String, Shape>,
}

#[derive(Deserialize)]
struct OperationModel {
    input: String,
    output: String,
    errors: Vec<String>,
}

#[derive(Deserialize)]
struct Shape {
    r#type: String,
    #[serde(default)]
    required: Vec<String>,
    #[serde(default)]
    members: BTreeMap<String, Reference>,
    member: Option<Reference>,
    value: Option<Reference>,
    #[serde(default)]
    r#enum: Vec<String>,
}

#[derive(Deserialize)]
struct Reference {
    shape: String,
}

/// What does not fit, and where.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    #[error("{0}: the model has no such member")]
    Unknown(String),
    #[error("{0} is required")]
    Missing(String),
    #[error("{0} has another type")]
    Type(String),
    #[error("{0} is none of its values")]
    Enum(String),
}

/// Whether members that the model does not name are passed over, as the
/// service does, or count as faults, as in what the fake itself answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strangers {
    Pass,
    Fault,
}

/// Holds a request to the model, as the service does before it looks closer.
pub(crate) fn check_request(operation: &str, body: &Value) -> Result<(), Refusal> {
    let Some(known) = MODEL.operations.get(operation) else { return Ok(()) };
    MODEL.check(&known.input, body, String::new(), Strangers::Pass).map_err(|misfit| match misfit {
        Misfit::Type(_) => Refusal::client("SerializationException", misfit.to_string()),
        _ => Refusal::invalid(misfit.to_string()),
    })
}

/// Holds an answer to the model: every member must be known and of its type.
///
/// # Errors
/// The first [`Misfit`].
pub fn check_answer(operation: &str, body: &Value) -> Result<(), Misfit> {
    let known = MODEL.operations.get(operation).ok_or_else(|| Misfit::Unknown(operation.to_owned()))?;
    MODEL.check(&known.output, body, String::new(), Strangers::Fault)
}

/// Holds one shape by its name to the model, as [`check_answer`] does.
///
/// # Errors
/// The first [`Misfit`].
pub fn check_shape(shape: &str, body: &Value) -> Result<(), Misfit> {
    MODEL.check(shape, body, String::new(), Strangers::Fault)
}

/// Whether the model lists this error for this operation.
pub fn lists_error(operation: &str, kind: &str) -> bool {
    MODEL.operations.get(operation).is_some_and(|known| known.errors.iter().any(|error| error == kind))
}

impl Model {
    fn check(&self, name: &str, value: &Value, at: String, strangers: Strangers) -> Result<(), Misfit> {
        let shape = self.shapes.get(name).ok_or_else(|| Misfit::Unknown(format!("{at} ({name})")))?;
        let fits = match shape.r#type.as_str() {
            "structure" => value.is_object(),
            "map" => value.is_object(),
            "list" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" | "long" => value.is_i64(),
            // AWS JSON 1.1 writes an instant as seconds since 1970, fractions and all.
            "timestamp" | "double" | "float" => value.is_number(),
            other => return Err(Misfit::Unknown(format!("{at} ({other})"))),
        };
        if !fits {
            return Err(Misfit::Type(at));
        }
        match value {
            Value::Object(members) if shape.r#type == "structure" => {
                if let Some(missing) =
                    shape.required.iter().find(|name| members.get(*name).is_none_or(Value::is_null))
                {
                    return Err(Misfit::Missing(below(&at, missing)));
                }
                for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
                    match shape.members.get(name) {
                        Some(member) => self.check(&member.shape, value, below(&at, name), strangers)?,
                        None if strangers == Strangers::Fault => {
                            return Err(Misfit::Unknown(below(&at, name)));
                        }
                        None => {}
                    }
                }
                Ok(())
            }
            Value::Object(entries) => entries.iter().try_for_each(|(key, value)| {
                let of = shape.value.as_ref().ok_or_else(|| Misfit::Unknown(at.clone()))?;
                self.check(&of.shape, value, below(&at, key), strangers)
            }),
            Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
                let of = shape.member.as_ref().ok_or_else(|| Misfit::Unknown(at.clone()))?;
                self.check(&of.shape, item, below(&at, &index.to_string()), strangers)
            }),
            Value::String(text) if !shape.r#enum.is_empty() && !shape.r#enum.contains(text) => {
                Err(Misfit::Enum(at))
            }
            _ => Ok(()),
        }
    }
}

fn below(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}
