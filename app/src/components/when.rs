//! Instants by the clock of whoever reads. The server does not know it: until
//! the page lives they are told in UTC, and say so.

use domain::time::Timestamp;
use leptos::prelude::*;

use crate::browser;
use crate::i18n::{Clock, Exact, Lang, use_lang};

/// Whether the page lives; what it showed before is what the server sent.
#[derive(Clone, Copy)]
struct Lives(RwSignal<bool>);

/// Lets all that is below tell instants.
pub fn provide_clock() {
    let lives = RwSignal::new(false);
    provide_context(Lives(lives));
    if browser::is_here() {
        // The document says it, when all of it is alive.
        let _ = window_event_listener_untyped("hydrated", move |_| lives.set(true));
    }
}

/// Tells instants. What it tells is to be read where signals are followed: it
/// changes once, when the page comes to life.
#[derive(Clone, Copy)]
pub struct Teller {
    lang: Lang,
    lives: RwSignal<bool>,
}

/// The one of this page.
pub fn use_teller() -> Teller {
    let Lives(lives) = expect_context();
    Teller { lang: use_lang(), lives }
}

impl Teller {
    /// An instant by the reader's clock.
    pub fn at(self, at: Timestamp, to: Exact) -> String {
        let clock = if self.lives.get() { Clock::Ahead(browser::minutes_ahead(at)) } else { Clock::Utc };
        self.lang.at(at, to, clock)
    }

    /// The day of it.
    pub fn day(self, at: Timestamp) -> String {
        self.at(at, Exact::Day)
    }

    /// How long ago it was; past a day the day.
    pub fn ago(self, at: Timestamp, now: Timestamp) -> String {
        self.lang.ago(at, now).unwrap_or_else(|| self.day(at))
    }
}

/// An instant by the reader's clock; in UTC for programs, and for who points at it.
#[component]
pub fn When(at: Timestamp, to: Exact) -> impl IntoView {
    let teller = use_teller();
    view! { <Told at text=move || teller.at(at, to) /> }
}

/// How long ago an instant was.
#[component]
pub fn Ago(at: Timestamp, now: Timestamp) -> impl IntoView {
    let teller = use_teller();
    view! { <Told at text=move || teller.ago(at, now) /> }
}

#[component]
fn Told(at: Timestamp, text: impl Fn() -> String + Send + 'static) -> impl IntoView {
    let utc = use_lang().at(at, Exact::Second, Clock::Utc);
    view! { <time datetime=at.to_string() title=utc>{text}</time> }.into_any()
}
