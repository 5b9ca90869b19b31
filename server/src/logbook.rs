//! The log's layer that writes down what this process says of an agent, for the
//! fleet's page. The reason why something failed is the control plane's or its
//! provider's word, never a program's in an instance: those come by events,
//! which have their own page, and by fields that are not written down.

use std::fmt::{Debug, Write as _};
use std::time::SystemTime;

use control_plane::logbook::LOGBOOK;
use domain::id::{AgentId, InstanceId};
use domain::journal::{Line, Speaker, Weight};
use domain::time::Timestamp;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

pub struct Recorder;

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if let Some((agent, line)) = read(event) {
            LOGBOOK.note(agent, line);
        }
    }
}

/// Whose it is and what it says, if it is about an agent.
fn read(event: &Event<'_>) -> Option<(AgentId, Line)> {
    let about = event.metadata();
    let by = about.target().split("::").next();
    if !matches!(by, Some("control_plane" | "openclaw_cloud")) {
        return None;
    }
    let weight = match *about.level() {
        Level::ERROR => Weight::Error,
        Level::WARN => Weight::Warning,
        Level::INFO => Weight::Info,
        _ => return None,
    };
    let mut words = Words::default();
    event.record(&mut words);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    let agent = words.agent.filter(|_| !words.is_event)?;
    Some((agent, Line::new(now, Speaker::ControlPlane, weight, &(words.message + &words.fields))))
}

#[derive(Default)]
struct Words {
    agent: Option<AgentId>,
    /// The agent's timeline has it.
    is_event: bool,
    message: String,
    fields: String,
}

impl Words {
    fn field(&mut self, field: &Field, value: impl Debug) {
        // A string takes it.
        let _ = write!(self.fields, " {}={value:?}", field.name());
    }
}

impl Visit for Words {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, value);
    }

    fn record_str(&mut self, _: &Field, _: &str) {}

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = || format!("{value:?}");
        match field.name() {
            "message" => self.message = text(),
            "agent" => self.agent = text().parse().ok(),
            "instance" => self.agent = text().parse().ok().map(|instance: InstanceId| instance.agent),
            "event" => self.is_event = true,
            // As it is displayed: the macro's `%`.
            "error" => drop(write!(self.fields, ": {value:?}")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[test]
    fn what_is_said_of_an_agent_is_written_down_without_what_others_said() {
        let agent = AgentId::from_random([91; 10]);
        let instance: InstanceId = format!("{agent}:3").parse().unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(Recorder), || {
            tracing::warn!(target: "control_plane::x", %agent, error = %"no room", phase = ?"x", "it failed");
            tracing::info!(target: "control_plane::x", %instance, code = 3, why = %"secret", "it ended");
            tracing::info!(target: "control_plane::x", %agent, event = ?"secret", "agent");
            tracing::info!(target: "control_plane::x", "about nobody");
            tracing::info!(target: "hyper", %agent, "another crate");
            tracing::debug!(target: "control_plane::x", %agent, "too much");
        });
        let lines = LOGBOOK.of(agent);
        let said: Vec<_> = lines.iter().map(|line| (line.weight, line.text.as_str())).collect();
        assert_eq!(said, [(Weight::Warning, "it failed: no room"), (Weight::Info, "it ended code=3")]);
    }
}
