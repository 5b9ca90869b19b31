//! What the daemon says for whoever looks after the fleet, beside its own log on
//! standard error. The reason why something failed may name the tenant's files:
//! so only the daemon's own words, which are literals, and numbers are in here.

use std::fmt::{Debug, Write as _};
use std::io::Write as _;
use std::time::SystemTime;

use domain::journal::{Line, Speaker, Weight};
use domain::time::Timestamp;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Writes it to standard output, a line of JSON each.
pub struct Journal;

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if let Some(line) = line(event) {
            // Nobody to tell it to but the log, which has it already.
            let _ = serde_json::to_string(&line).map(|line| writeln!(std::io::stdout().lock(), "{line}"));
        }
    }
}

fn line(event: &Event<'_>) -> Option<Line> {
    let about = event.metadata();
    // What other crates say may be about the tenant's files.
    if about.target() != "agent" && !about.target().starts_with("agent::") {
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
    Some(Line::new(now, Speaker::Daemon, weight, &(words.message + &words.numbers)))
}

#[derive(Default)]
struct Words {
    message: String,
    numbers: String,
}

impl Words {
    fn number(&mut self, field: &Field, value: impl Debug) {
        // A string takes it.
        let _ = write!(self.numbers, " {}={value:?}", field.name());
    }
}

impl Visit for Words {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.number(field, value);
    }

    fn record_str(&mut self, _: &Field, _: &str) {}

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            // Of a span.
            "took" => self.number(field, value),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt as _;

    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<Line>>>);

    impl<S: Subscriber> Layer<S> for Heard {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().unwrap().extend(line(event));
        }
    }

    #[test]
    fn reasons_and_other_crates_words_stay_out() {
        let heard = Heard::default();
        let secret = "/home/agent/the tenant's file";
        let took = std::time::Duration::from_millis(5);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(heard.clone()), || {
            tracing::warn!(failed = %secret, also = secret, "the home was not saved");
            tracing::info!(files = 3u64, added = 4u64, ?took, why = ?secret, "saved");
            tracing::info!(target: "repository", "{secret}");
            tracing::info!(target: "agents", "{secret}");
            tracing::debug!("too much");
        });
        let heard = heard.0.lock().unwrap();
        let said: Vec<_> = heard.iter().map(|line| (line.weight, line.text.as_str())).collect();
        let expected =
            [(Weight::Warning, "the home was not saved"), (Weight::Info, "saved files=3 added=4 took=5ms")];
        assert_eq!(said, expected);
    }
}
