//! Agents as they are now: the server's value first, then the feed's, and in
//! between counted on from the last.

use std::time::Duration;

use domain::fleet::Delta;
use domain::id::AgentId;
use domain::look::Look;
use domain::time::Timestamp;
use domain::view::{AgentView, Meter};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;

use crate::browser;

/// How often what counts by itself is shown anew.
const BEAT: Duration = Duration::from_millis(100);
/// How long the feed waits before it is opened again, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

/// A page that is out of sight for so long lets go of its feed: a browser
/// keeps six connections to a server, for all of its tabs together.
const OUT_OF_SIGHT: Duration = Duration::from_secs(30);

/// The house's clock: [`browser::now`], ten times a second while the page is
/// seen; 0 until the page lives, so that it renders as the server's did.
#[derive(Clone, Copy)]
struct Pulse(RwSignal<f64>);

/// How much faster the agents' time goes than the page's: a demonstration's may.
#[derive(Clone, Copy)]
pub struct Pace(StoredValue<Gone>);

/// How far it is ahead of the page's.
#[derive(Clone, Copy)]
struct Gone {
    ahead: f64,
    since: f64,
    pace: f64,
}

impl Pace {
    fn new() -> Self {
        Self(StoredValue::new(Gone { ahead: 0.0, since: 0.0, pace: 1.0 }))
    }

    pub fn set(self, pace: f64) {
        let now = browser::now();
        let ahead = self.at(now) - now;
        self.0.try_set_value(Gone { ahead, since: now, pace });
    }

    /// The agents' time at a moment of the page's, in milliseconds.
    pub fn at(self, now: f64) -> f64 {
        let Some(gone) = self.0.try_get_value() else { return now };
        now + gone.ahead + (gone.pace - 1.0) * (now - gone.since).max(0.0)
    }
}

/// Starts the clock for all that is below.
pub fn provide_pulse() {
    let pulse = RwSignal::new(0.0);
    provide_context(Pulse(pulse));
    provide_context(Pace::new());
    Effect::new(move || {
        let beat = move || {
            if !browser::is_hidden() {
                pulse.set(browser::now());
            }
        };
        if let Ok(interval) = set_interval_with_handle(beat, BEAT) {
            on_cleanup(move || interval.clear());
        }
    });
}

/// The house's clock, in milliseconds.
pub fn pulse() -> RwSignal<f64> {
    let Pulse(pulse) = expect_context();
    pulse
}

/// How fast the agents' time goes.
pub fn use_pace() -> Pace {
    expect_context()
}

/// A view, and when it came by the agents' time.
#[derive(Debug, Clone)]
struct Seen {
    view: AgentView,
    at: f64,
}

/// One agent, followed.
#[derive(Clone, Copy)]
pub struct Live {
    pub id: AgentId,
    seen: RwSignal<Seen>,
    pulse: RwSignal<f64>,
    pace: Pace,
}

impl Live {
    pub fn new(view: AgentView) -> Self {
        let pace = use_pace();
        let seen = Seen { at: pace.at(browser::now()), view };
        Self { id: seen.view.id, seen: RwSignal::new(seen), pulse: pulse(), pace }
    }

    /// Takes news; older news than what is known is none.
    pub fn take(self, view: AgentView) {
        let newer = self.seen.try_with_untracked(|seen| view.version >= seen.view.version);
        if newer == Some(true) {
            self.seen.set(Seen { view, at: self.pace.at(browser::now()) });
        }
    }

    /// Reads it, and again whenever there is news.
    pub fn read<T>(self, read: impl FnOnce(&AgentView) -> T) -> T {
        self.seen.with(|seen| read(&seen.view))
    }

    /// Reads it as it is at this moment.
    pub fn peek<T>(self, read: impl FnOnce(&AgentView) -> T) -> T {
        self.seen.with_untracked(|seen| read(&seen.view))
    }

    /// Something of it that changes seldom.
    pub fn memo<T: PartialEq + Send + Sync + 'static>(
        self,
        read: impl Fn(&AgentView) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        Memo::new(move |_| self.read(&read))
    }

    /// The server's time, counted on from the last news.
    pub fn now(self) -> Timestamp {
        self.seen.with(|seen| seen.view.meter.as_of.after(self.elapsed(seen.at)))
    }

    /// The meter, counted on from the last news.
    pub fn meter(self) -> Meter {
        self.seen.with(|seen| seen.view.meter.after(self.elapsed(seen.at)))
    }

    fn elapsed(self, at: f64) -> Duration {
        Duration::from_secs_f64((self.pace.at(self.pulse.get()) - at).max(0.0) / 1000.0)
    }
}

/// What the feed tells.
pub enum News {
    Agent(AgentView),
    Gone(AgentId),
    /// Of a fleet's list.
    Window(Delta),
    /// Who asks to look, or looks, into the terminal that is followed.
    Look(Option<Look>),
    /// It goes on after a pause, in which something may have gone unheard.
    Resumed,
    /// The server will not tell.
    Refused,
}

/// Whether the page has been out of sight for a while.
fn out_of_sight() -> RwSignal<bool> {
    let away = RwSignal::new(false);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let look = move || {
        if let Some(Some(timer)) = timer.try_update_value(Option::take) {
            timer.clear();
        }
        if browser::is_hidden() {
            let leave = move || {
                away.try_set(true);
            };
            timer.try_set_value(set_timeout_with_handle(leave, OUT_OF_SIGHT).ok());
        } else if away.get_untracked() {
            away.set(false);
        }
    };
    Effect::new(move || {
        look();
        let listener = window_event_listener_untyped("visibilitychange", move |_| look());
        on_cleanup(move || {
            listener.remove();
            if let Some(Some(timer)) = timer.try_get_value() {
                timer.clear();
            }
        });
    });
    away
}

/// Follows a feed while the caller's owner lives. It is opened once the page
/// lives, and again by itself when it breaks and when the page is seen again;
/// the first that it tells is how things are.
pub fn follow(url: String, hear: impl Fn(News) + Send + Sync + 'static) {
    // Not a local value: a server drops it on whichever thread has finished the page.
    let hear = StoredValue::new(hear);
    let again = RwSignal::new(0u32);
    let opened = StoredValue::new(false);
    let away = out_of_sight();
    Effect::new(move || {
        let tries = again.get();
        if away.get() {
            return;
        }
        let hear = move |news| {
            hear.try_with_value(|hear| hear(news));
        };
        let open = move || {
            if opened.try_update_value(|opened| std::mem::replace(opened, true)) == Some(true) {
                hear(News::Resumed);
            }
        };
        let broken = move || {
            hear(News::Refused);
            let pause = (PAUSE.0 * 2u32.pow(tries.min(5))).min(PAUSE.1);
            let retry = move || {
                again.try_update(|tries| *tries += 1);
            };
            set_timeout(retry, pause);
        };
        // Owned by this run of the effect: closed when it runs anew or ends.
        StoredValue::new_local(Feed::open(&url, hear, open, broken));
    });
}

/// An open feed. Dropping it closes it.
struct Feed {
    source: web_sys::EventSource,
    _heard: [Closure<dyn Fn(web_sys::MessageEvent)>; 4],
    _opened: Closure<dyn Fn()>,
    _broken: Closure<dyn Fn()>,
}

impl Feed {
    fn open(
        url: &str,
        hear: impl Fn(News) + Copy + 'static,
        opened: impl Fn() + 'static,
        broken: impl Fn() + 'static,
    ) -> Option<Self> {
        let source = web_sys::EventSource::new(url).ok()?;
        let agent = Closure::<dyn Fn(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
            let view = event.data().as_string().and_then(|data| serde_json::from_str(&data).ok());
            if let Some(view) = view {
                hear(News::Agent(view));
            }
        });
        let gone = Closure::<dyn Fn(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
            if let Some(id) = event.data().as_string().and_then(|data| data.parse().ok()) {
                hear(News::Gone(id));
            }
        });
        let window = Closure::<dyn Fn(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
            let delta = event.data().as_string().and_then(|data| serde_json::from_str(&data).ok());
            if let Some(delta) = delta {
                hear(News::Window(delta));
            }
        });
        let look = Closure::<dyn Fn(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
            let look = event.data().as_string().and_then(|data| serde_json::from_str(&data).ok());
            if let Some(look) = look {
                hear(News::Look(look));
            }
        });
        let opened = Closure::<dyn Fn()>::new(opened);
        let asked = source.clone();
        let broken = Closure::<dyn Fn()>::new(move || {
            // Until then the browser reconnects by itself.
            if asked.ready_state() == web_sys::EventSource::CLOSED {
                broken();
            }
        });
        for (name, closure) in [("agent", &agent), ("gone", &gone), ("window", &window), ("look", &look)] {
            source.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref()).ok()?;
        }
        source.set_onopen(Some(opened.as_ref().unchecked_ref()));
        source.set_onerror(Some(broken.as_ref().unchecked_ref()));
        Some(Self { source, _heard: [agent, gone, window, look], _opened: opened, _broken: broken })
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.source.set_onopen(None);
        self.source.set_onerror(None);
        self.source.close();
    }
}
