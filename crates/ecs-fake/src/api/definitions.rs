//! Task definitions.

use serde_json::{Value, json};

use super::{Answer, arn, includes, tags};
use crate::config::Config;
use crate::definition::Definition;
use crate::error::Refusal;
use crate::shape::id_of;
use crate::state::State;

pub(super) fn register(state: &mut State, config: &Config, request: &Value) -> Answer {
    tags::check(&crate::definition::read(&request["tags"]))?;
    let family = request["family"].as_str().unwrap_or_default();
    let newest = state.definitions.get(family).and_then(|revisions| revisions.keys().next_back());
    let revision = newest.map_or(1, |newest| newest + 1);
    let arn = arn(config, &format!("task-definition/{family}:{revision}"));
    let definition = Definition::register(request, arn, revision)?;
    let answer = json!({"taskDefinition": definition.told, "tags": definition.tags});
    state.definitions.entry(family.to_owned()).or_default().insert(revision, definition);
    Ok(answer)
}

pub(super) fn describe(state: &State, request: &Value) -> Answer {
    let name = request["taskDefinition"].as_str().unwrap_or_default();
    let found = find(state, name);
    let found =
        found.ok_or_else(|| Refusal::client("ClientException", "Unable to describe task definition."))?;
    let mut answer = json!({"taskDefinition": found.told});
    if includes(request, "TAGS") {
        answer["tags"] = json!(found.tags);
    }
    Ok(answer)
}

/// By `family` (the newest revision), `family:revision`, or ARN.
pub(super) fn find<'a>(state: &'a State, name: &str) -> Option<&'a Definition> {
    match id_of(name).split_once(':') {
        None => state.definitions.get(id_of(name))?.values().next_back(),
        Some((family, revision)) => state.definitions.get(family)?.get(&revision.parse().ok()?),
    }
}
