//! A task, read: whose it is, how far, and how it ended.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::Task;
use domain::boot::{BootPhase, Mark};
use domain::id::InstanceId;
use domain::price::Purchase;
use domain::time::Timestamp;

use crate::provider::{EventKind, Exit, Observed, State};

/// What its task tells of an instance, by whichever way it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Word {
    pub marks: Vec<Mark>,
    /// Since when it is billed, and how it was bought.
    pub billed: Option<(Timestamp, Purchase)>,
    /// Spot takes it back: the instant at which it is killed.
    pub interrupted_until: Option<Timestamp>,
    pub ended: Option<(Timestamp, Exit)>,
}

/// The most that Fargate waits between SIGTERM and SIGKILL.
const NOTICE_MS: i64 = 120_000;

/// An agent's id has no slash, so this is read back without doubt.
pub fn started_by(instance: InstanceId) -> String {
    instance.to_string().replace(':', "/")
}

/// The instance that a task says it was started for.
pub fn instance_of(started_by: &str) -> Option<InstanceId> {
    started_by.replacen('/', ":", 1).parse().ok()
}

/// Whether it was made a moment ago, so that nothing can have become of it yet.
pub fn is_news(task: &Task, now: Timestamp) -> bool {
    const MOMENT: Duration = Duration::from_secs(5);
    instant(task.created_at()).is_none_or(|created| now.since(created) < MOMENT)
}

/// Whose it is; `None` for a task that is nobody's.
pub fn instance(task: &Task) -> Option<InstanceId> {
    instance_of(task.started_by()?)
}

pub fn is_of(task: &Task, other: InstanceId) -> bool {
    instance(task) == Some(other)
}

pub fn is_ending(task: &Task) -> bool {
    task.desired_status() == Some("STOPPED")
}

/// Since when it runs, if it does and is to.
pub fn runs_since(task: &Task) -> Option<Timestamp> {
    let runs = task.last_status() == Some("RUNNING") && !is_ending(task);
    instant(task.started_at()).filter(|_| runs)
}

/// Whether its container is gone; what remains is the network's.
pub fn has_ended(task: &Task) -> bool {
    matches!(task.last_status(), Some("STOPPED" | "DEPROVISIONING"))
}

/// Of two tasks of one instance: the one to keep, and the other.
pub fn prefer(a: Task, b: Task) -> (Task, Task) {
    let rank = |task: &Task| (is_ending(task), task.created_at().map(|at| at.as_nanos()));
    if rank(&a) <= rank(&b) { (a, b) } else { (b, a) }
}

pub fn choose(tasks: Vec<Task>) -> Option<Task> {
    tasks.into_iter().reduce(|a, b| prefer(a, b).0)
}

/// Its own address in the network.
pub fn address(task: &Task) -> Option<IpAddr> {
    let details = task.attachments().iter().flat_map(|attachment| attachment.details());
    details
        .filter(|detail| detail.name() == Some("privateIPv4Address"))
        .find_map(|detail| detail.value()?.parse().ok())
}

/// Its address of IPv6, in a subnet that has such.
pub fn wide_address(task: &Task) -> Option<Ipv6Addr> {
    let interfaces = task.containers().iter().flat_map(|container| container.network_interfaces());
    interfaces.filter_map(|interface| interface.ipv6_address()).find_map(|address| address.parse().ok())
}

fn instant(at: Option<&DateTime>) -> Option<Timestamp> {
    // ECS writes seconds with a fraction: a millisecond may read a hair short of itself.
    at.and_then(|at| i64::try_from((at.as_nanos() + 500_000).div_euclid(1_000_000)).ok()).map(Timestamp)
}

pub fn word(task: &Task) -> Word {
    let at = |at| instant(at);
    let marks = [
        (BootPhase::Networking, at(task.created_at())),
        (BootPhase::Launching, at(task.pull_stopped_at())),
        (BootPhase::Enrolling, at(task.started_at())),
    ];
    Word::of(Told {
        marks: marks.into_iter().filter_map(|(phase, at)| Some(Mark { phase, at: at? })).collect(),
        pull_started: at(task.pull_started_at()),
        stopping: at(task.stopping_at()),
        ended: has_ended(task).then(|| at(task.execution_stopped_at()).or(at(task.stopped_at()))).flatten(),
        purchase: purchase(task.capacity_provider_name(), task.task_definition_arn()),
        stop_code: task.stop_code().map_or("", |code| code.as_str()),
        stopped_reason: task.stopped_reason().unwrap_or_default(),
        exit_code: task.containers().first().and_then(|container| container.exit_code()),
        container_reason: task.containers().first().and_then(|container| container.reason()),
    })
}

/// On ARM if the definition's family ends so: a task does not tell its processor in events.
pub fn purchase(capacity_provider: Option<&str>, definition: Option<&str>) -> Purchase {
    let name = definition.and_then(|arn| arn.rsplit('/').next());
    let family = name.and_then(|name| name.split(':').next());
    let arm = family.is_some_and(|family| family.ends_with("-arm"));
    match capacity_provider {
        Some("FARGATE_SPOT") if arm => Purchase::SpotArm,
        Some("FARGATE_SPOT") => Purchase::Spot,
        _ if arm => Purchase::OnDemandArm,
        _ => Purchase::OnDemand,
    }
}

/// What both forms of a task tell, API's and event's.
pub struct Told<'a> {
    pub marks: Vec<Mark>,
    pub pull_started: Option<Timestamp>,
    pub stopping: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub purchase: Purchase,
    pub stop_code: &'a str,
    pub stopped_reason: &'a str,
    pub exit_code: Option<i32>,
    pub container_reason: Option<&'a str>,
}

impl Word {
    pub fn of(told: Told<'_>) -> Self {
        let mut marks = told.marks;
        marks.sort_by_key(|mark| mark.phase);
        let by_spot = matches!(told.stop_code, "SpotInterruption" | "TerminationNotice");
        let since = told.stopping.or(told.ended);
        Self {
            marks,
            billed: told.pull_started.map(|at| (at, told.purchase)),
            interrupted_until: since.filter(|_| by_spot).map(|at| Timestamp(at.0 + NOTICE_MS)),
            ended: told.ended.map(|at| {
                let reason = told.container_reason.unwrap_or_default();
                let exit = Exit {
                    code: told.exit_code,
                    signal: told.exit_code.filter(|code| *code > 128 && *code < 160).map(|code| code - 128),
                    oom: reason.contains("OutOfMemory"),
                    last_output: [told.stopped_reason, reason].join("\n").trim().to_owned(),
                };
                (at, exit)
            }),
        }
    }

    /// As events, in the order in which they hold.
    pub fn kinds(self) -> Vec<(Timestamp, EventKind)> {
        let (before, after): (Vec<_>, Vec<_>) =
            self.marks.into_iter().partition(|mark| mark.phase < BootPhase::Pulling);
        let placed =
            |marks: Vec<Mark>| marks.last().map(|last| last.at).map(|at| (at, EventKind::Placed(marks)));
        let billed = self.billed.map(|(at, purchase)| (at, EventKind::Billed(purchase)));
        let taken_back = self.interrupted_until.map(|until| (until, EventKind::Interrupted));
        let started = after.iter().any(|mark| mark.phase == BootPhase::Enrolling);
        let ended = self.ended.map(|(at, exit)| {
            (at, if started { EventKind::Exited(exit) } else { EventKind::NotStarted(exit) })
        });
        [placed(before), billed, placed(after), taken_back, ended].into_iter().flatten().collect()
    }
}

/// For the comparison with the ledger; `None` for a task that is nobody's.
pub fn observed(task: &Task) -> Option<Observed> {
    let instance = instance(task)?;
    let word = word(task);
    let created = instant(task.created_at()).unwrap_or(Timestamp(0));
    let (state, since) = match word.ended.clone() {
        Some((at, exit)) => (State::Exited(exit), at),
        None => (State::Running, created),
    };
    Some(Observed { instance, state, since, told: word.kinds() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_is_arms_by_the_end_of_the_family() {
        let bought = |provider, family| {
            let arn = format!("arn:aws:ecs:us-east-1:111122223333:task-definition/{family}");
            purchase(Some(provider), Some(&arn))
        };
        assert_eq!(bought("FARGATE", "farm-agent-arm:7"), Purchase::OnDemandArm);
        assert_eq!(bought("FARGATE", "farm-agent-x86:7"), Purchase::OnDemand);
        assert_eq!(bought("FARGATE", "my-arm-agent-x86:7"), Purchase::OnDemand);
        assert_eq!(bought("FARGATE_SPOT", "farm-agent-arm:7"), Purchase::SpotArm);
    }
}
