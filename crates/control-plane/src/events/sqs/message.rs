//! One message: an event of EventBridge about an ECS task.

use std::fmt;

use aws_sdk_sqs::primitives::{DateTime, DateTimeFormat};
use domain::boot::{BootPhase, Mark};
use domain::time::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::provider::ProviderEvent;
use crate::provider::fargate::{Told, Word, instance_of, purchase};

/// A message that is none of EventBridge's.
#[derive(Debug)]
pub struct Unreadable(serde_json::Error);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Envelope {
    detail_type: String,
    detail: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    started_by: Option<String>,
    last_status: String,
    capacity_provider_name: Option<String>,
    task_definition_arn: Option<String>,
    created_at: Option<Instant>,
    pull_started_at: Option<Instant>,
    pull_stopped_at: Option<Instant>,
    started_at: Option<Instant>,
    stopping_at: Option<Instant>,
    execution_stopped_at: Option<Instant>,
    stopped_at: Option<Instant>,
    #[serde(default)]
    stop_code: String,
    #[serde(default)]
    stopped_reason: String,
    #[serde(default)]
    containers: Vec<Container>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    exit_code: Option<i32>,
    reason: Option<String>,
}

/// An instant as events have it: text, to the millisecond or less.
#[derive(Clone, Copy)]
struct Instant(Timestamp);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at = DateTime::from_str(&text, DateTimeFormat::DateTimeWithOffset).map_err(D::Error::custom)?;
        at.to_millis().map(|ms| Self(Timestamp(ms))).map_err(D::Error::custom)
    }
}

/// What a message tells of our instances; nothing, if it is about something else.
pub fn read(body: &str) -> Result<Vec<ProviderEvent>, Unreadable> {
    let envelope: Envelope = serde_json::from_str(body).map_err(Unreadable)?;
    if envelope.detail_type != "ECS Task State Change" {
        return Ok(Vec::new());
    }
    let detail: Detail = serde_json::from_value(envelope.detail).map_err(Unreadable)?;
    let Some(instance) = detail.started_by.as_deref().and_then(instance_of) else { return Ok(Vec::new()) };
    let container = detail.containers.first();
    let at = |instant: Option<Instant>| instant.map(|instant| instant.0);
    let marks = [
        (BootPhase::Networking, detail.created_at),
        (BootPhase::Launching, detail.pull_stopped_at),
        (BootPhase::Enrolling, detail.started_at),
    ];
    let ended = matches!(detail.last_status.as_str(), "DEPROVISIONING" | "STOPPED");
    let word = Word::of(Told {
        marks: marks.into_iter().filter_map(|(phase, at)| Some(Mark { phase, at: at?.0 })).collect(),
        pull_started: at(detail.pull_started_at),
        stopping: at(detail.stopping_at),
        ended: at(detail.execution_stopped_at.or(detail.stopped_at)).filter(|_| ended),
        purchase: purchase(detail.capacity_provider_name.as_deref(), detail.task_definition_arn.as_deref()),
        stop_code: &detail.stop_code,
        stopped_reason: &detail.stopped_reason,
        exit_code: container.and_then(|container| container.exit_code),
        container_reason: container.and_then(|container| container.reason.as_deref()),
    });
    Ok(word.kinds().into_iter().map(|(at, kind)| ProviderEvent { instance, kind, at }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::EventKind;

    fn event(detail: &str) -> String {
        format!(
            r#"{{"version":"0","detail-type":"ECS Task State Change","source":"aws.ecs","detail":{detail}}}"#
        )
    }

    #[test]
    fn what_is_not_ours_tells_nothing() {
        for body in [
            r#"{"detail-type":"Scheduled Event","detail":{}}"#.to_owned(),
            event(r#"{"lastStatus":"RUNNING"}"#),
            event(r#"{"lastStatus":"RUNNING","startedBy":"ecs-svc/123"}"#),
        ] {
            assert_eq!(read(&body).unwrap(), [], "{body}");
        }
        for body in ["", "{}", "[]", "\u{0}", &event("7")] {
            assert!(read(body).is_err(), "{body}");
        }
    }

    #[test]
    fn an_interruption_is_told_before_the_end_that_it_brings() {
        let body = event(
            r#"{"lastStatus":"DEPROVISIONING","desiredStatus":"STOPPED","startedBy":"0123456789abcdef/3",
            "capacityProviderName":"FARGATE_SPOT","createdAt":"2026-11-24T10:00:00.000Z",
            "pullStartedAt":"2026-11-24T10:00:10.500Z","startedAt":"2026-11-24T10:00:30Z","stoppingAt":"2026-11-24T11:00:00.000Z",
            "executionStoppedAt":"2026-11-24T11:01:00.250Z","stopCode":"SpotInterruption",
            "stoppedReason":"Your Spot Task was interrupted.","containers":[{"exitCode":0}]}"#,
        );
        let events = read(&body).unwrap();
        let kinds: Vec<_> = events.iter().map(|event| (&event.kind, event.at.to_string())).collect();
        assert!(matches!(kinds[0].0, EventKind::Placed(marks) if marks[0].phase == BootPhase::Networking));
        assert!(matches!(kinds[1].0, EventKind::Billed(_)));
        assert_eq!(kinds[1].1, "2026-11-24T10:00:10.500Z");
        assert!(matches!(kinds[2].0, EventKind::Placed(marks) if marks[0].phase == BootPhase::Enrolling));
        assert!(matches!(kinds[3].0, EventKind::Interrupted));
        assert_eq!(kinds[3].1, "2026-11-24T11:02:00.000Z");
        assert!(matches!(kinds[4].0, EventKind::Exited(exit) if exit.code == Some(0)));
        assert_eq!(events[4].at.to_string(), "2026-11-24T11:01:00.250Z");
    }
}
