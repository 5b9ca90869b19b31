//! Tags, and their rules.

use serde_json::{Value, json};

use super::Answer;
use crate::definition::read;
use crate::error::Refusal;
use crate::shape::{Tag, id_of};
use crate::state::State;

/// Most tags of one resource.
const MOST: usize = 50;

/// What a caller may set.
pub(super) fn check(tags: &[Tag]) -> Result<(), Refusal> {
    let mut keys: Vec<_> = tags.iter().map(|tag| tag.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.len() < tags.len() {
        return Err(Refusal::invalid("Duplicate tag keys are not allowed."));
    }
    let legal = |c: char| c.is_alphanumeric() || c == ' ' || "+-=._:/@".contains(c);
    for Tag { key, value } in tags {
        let lengths = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !lengths || !key.chars().all(legal) || !value.chars().all(legal) {
            return Err(Refusal::invalid(format!("Invalid tag: {key}")));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Refusal::invalid("Tag keys must not start with aws:"));
        }
    }
    if tags.len() > MOST {
        return Err(Refusal::invalid("A resource can have at most 50 tags."));
    }
    Ok(())
}

/// Sets tags: a key that is there takes the new value.
pub(super) fn set(all: &mut Vec<Tag>, tags: Vec<Tag>) -> Result<(), Refusal> {
    for tag in tags {
        all.retain(|known| known.key != tag.key);
        all.push(tag);
    }
    if all.len() > MOST {
        return Err(Refusal::client("LimitExceededException", "A resource can have at most 50 tags."));
    }
    Ok(())
}

pub(super) fn add(state: &mut State, request: &Value) -> Answer {
    let tags: Vec<Tag> = read(&request["tags"]);
    check(&tags)?;
    set(find(state, request)?, tags)?;
    let task = id_of(request["resourceArn"].as_str().unwrap_or_default());
    if let Some(record) = state.tasks.get_mut(task) {
        record.remember();
    }
    Ok(json!({}))
}

pub(super) fn list(state: &mut State, request: &Value) -> Answer {
    Ok(json!({"tags": find(state, request)?}))
}

fn find<'a>(state: &'a mut State, request: &Value) -> Result<&'a mut Vec<Tag>, Refusal> {
    let arn = request["resourceArn"].as_str().unwrap_or_default();
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let (kind, _) = resource.split_once('/').unwrap_or_default();
    let not_found = || Refusal::client("ResourceNotFoundException", "The specified resource wasn't found.");
    match kind {
        "task" => {
            let record = state.tasks.get_mut(id_of(arn)).ok_or_else(not_found)?;
            if record.is_stopped() {
                let message = "The specified resource is stopped. Specify an active resource and try again.";
                return Err(Refusal::invalid(message));
            }
            Ok(&mut record.task().tags)
        }
        "cluster" => {
            state.clusters.get_mut(id_of(arn)).map(|cluster| &mut cluster.tags).ok_or_else(not_found)
        }
        "task-definition" => {
            let (family, revision) = id_of(arn).split_once(':').unwrap_or_default();
            let revisions = state.definitions.get_mut(family).ok_or_else(not_found)?;
            let definition = revision.parse().ok().and_then(|revision| revisions.get_mut(&revision));
            definition.map(|definition| &mut definition.tags).ok_or_else(not_found)
        }
        _ => Err(Refusal::invalid("Invalid resource ARN.")),
    }
}
