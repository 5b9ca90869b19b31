//! Brings a terminal into its place in the page, and all that hangs on it.
//! What is made here ends with the place.

use std::rc::Rc;

use domain::id::AgentId;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use xterm_js_rs::{Disposable, Module, Options, Terminal};

use super::Way;
use super::line::Line;
use super::link::Link;
use super::search::Search;
use crate::browser;
use crate::root::ChosenTheme;

/// Where a terminal goes, and what it heeds.
#[derive(Clone, Copy)]
pub struct Place {
    pub agent: AgentId,
    pub way: Way,
    pub number: u16,
    pub host: NodeRef<html::Div>,
    pub link: RwSignal<Link>,
    /// Whether it is before the person.
    pub seen: Signal<bool>,
    /// Whether there is an instance to connect to.
    pub runs: Memo<bool>,
    pub ask: RwSignal<Search>,
    /// Counts clicks on «now».
    pub again: RwSignal<u32>,
}

/// A terminal at work. The listeners end before the terminal does.
struct Mounted {
    _listeners: Vec<Disposable>,
    _observer: Observer,
    module: Module,
    line: Rc<Line>,
}

/// Brings the terminal once its place is in the page.
pub fn mount(place: Place) {
    let mounted = StoredValue::new_local(None::<Mounted>);
    let tries = RwSignal::new(0u32);
    Effect::new(move || {
        let (Some(host), tries) = (place.host.get(), tries.get()) else { return };
        spawn_local(async move {
            match bring(place, &host, tries).await {
                // Given back, and so ended, if the page has gone meanwhile.
                Ok(new) => drop(mounted.try_set_value(Some(new))),
                Err(_) => drop(place.link.try_set(Link::Missing)),
            }
            mounted.try_with_value(|mounted| {
                if let Some(mounted) = mounted {
                    mounted.line.connect();
                    mounted.line.screen().focus();
                }
            });
        });
    });
    let with = move |work: &dyn Fn(&Mounted)| {
        mounted.try_with_value(|mounted| {
            if let Some(mounted) = mounted {
                work(mounted);
            }
        });
    };
    heed(place, tries, with);
}

fn heed(place: Place, tries: RwSignal<u32>, with: impl Fn(&dyn Fn(&Mounted)) + Copy + 'static) {
    Effect::new(move |before: Option<()>| {
        place.again.track();
        if before.is_some() {
            match place.link.get_untracked() {
                Link::Missing => tries.update(|tries| *tries += 1),
                Link::Ended { .. } => with(&|mounted| mounted.line.renew()),
                _ => with(&|mounted| mounted.line.hurry()),
            }
        }
    });
    Effect::new(move |before: Option<()>| {
        if place.runs.get() && before.is_some() {
            with(&|mounted| mounted.line.hurry());
        }
    });
    Effect::new(move |before: Option<()>| {
        if place.seen.get() && before.is_some() {
            // Its size may have changed while it was out of sight.
            request_animation_frame(move || {
                with(&|mounted| {
                    mounted.line.fit();
                    // Whoever goes from tab to tab by the keyboard stays there.
                    if !browser::has_focus(".tab:focus-visible") {
                        mounted.line.screen().focus();
                    }
                });
            });
        }
    });
    Effect::new(move |before: Option<()>| {
        let ask = place.ask.get();
        if before.is_some() && place.seen.get_untracked() && !ask.text.is_empty() {
            with(&|mounted| {
                let screen = mounted.line.screen();
                // Without the addon there is no search; the terminal goes on.
                let _ = if ask.back { screen.find_previous(&ask.text) } else { screen.find_next(&ask.text) };
            });
        }
    });
    let ChosenTheme(chosen) = expect_context();
    let retheme = move || {
        if let Some(host) = place.host.get_untracked() {
            with(&|mounted| mounted.line.screen().set_theme(&mounted.module.theme_of(&host)));
        }
    };
    Effect::new(move |before: Option<()>| {
        chosen.track();
        if before.is_some() {
            retheme();
        }
    });
    Effect::new(move || {
        let hurry = move || {
            if !browser::is_hidden() {
                with(&|mounted| mounted.line.hurry());
            }
        };
        let online = window_event_listener_untyped("online", move |_| hurry());
        let seen = window_event_listener_untyped("focus", move |_| hurry());
        let system = browser::on_system_theme(retheme);
        StoredValue::new_local(system);
        on_cleanup(move || {
            online.remove();
            seen.remove();
        });
    });
}

async fn bring(
    place: Place,
    host: &web_sys::HtmlDivElement,
    tries: u32,
) -> Result<Mounted, xterm_js_rs::Error> {
    let url = browser::meta("xterm").unwrap_or_default();
    // A browser keeps the failure of an address: another try asks for another.
    let url = if tries == 0 { url } else { format!("{url}?retry={tries}") };
    let module = xterm_js_rs::load(&url).await?;
    let options = Options {
        theme: Some(module.theme_of(host)),
        screen_reader: crate::reader::is_wanted(),
        ..Options::default()
    };
    module.fonts_ready(&options.font_family, options.font_size).await;
    let screen = module.terminal(&options)?;
    screen.open(host);
    screen.use_webgl();
    screen.set_read_only(place.way == Way::Look);
    let line = Line::new(place.agent, place.way, place.number, screen, place.link);
    line.fit();
    let observer = observe(host, &line);
    Ok(Mounted { _listeners: listen(line.screen(), &line), _observer: observer, module, line })
}

/// Passes on what the person does. The line owns the screen, so its listeners
/// know it weakly.
fn listen(screen: &Terminal, line: &Rc<Line>) -> Vec<Disposable> {
    let with = |work: fn(&Line)| {
        let line = Rc::downgrade(line);
        move || {
            if let Some(line) = line.upgrade() {
                work(&line);
            }
        }
    };
    let (text, bytes, resized) = (Rc::downgrade(line), Rc::downgrade(line), with(Line::resized));
    vec![
        screen.on_data(move |typed| {
            if let Some(line) = text.upgrade() {
                line.typed(typed.as_bytes());
            }
        }),
        screen.on_binary(move |typed| {
            if let Some(line) = bytes.upgrade() {
                line.typed(&typed);
            }
        }),
        screen.on_resize(move |_| resized()),
        screen.on_selection_change(with(Line::selected)),
    ]
}

/// What tells of the host: its size, and gestures on it.
struct Observer {
    observer: Option<web_sys::ResizeObserver>,
    host: web_sys::HtmlDivElement,
    gesture: Closure<dyn Fn()>,
    _resized: Closure<dyn Fn()>,
}

/// Acts that type nothing and still are a use.
const GESTURES: [&str; 3] = ["wheel", "pointerdown", "touchmove"];

fn observe(host: &web_sys::HtmlDivElement, line: &Rc<Line>) -> Observer {
    let weak = Rc::downgrade(line);
    let gesture = Closure::<dyn Fn()>::new(move || {
        if let Some(line) = weak.upgrade() {
            line.gesture();
        }
    });
    for name in GESTURES {
        let _ = host.add_event_listener_with_callback(name, gesture.as_ref().unchecked_ref());
    }
    let (weak, watched) = (Rc::downgrade(line), host.clone());
    let resized = Closure::<dyn Fn()>::new(move || {
        let (weak, watched) = (weak.clone(), watched.clone());
        // In the next frame: a size that is set while sizes are observed loops.
        request_animation_frame(move || {
            if watched.client_width() > 0
                && let Some(line) = weak.upgrade()
            {
                line.fit();
            }
        });
    });
    let observer = web_sys::ResizeObserver::new(resized.as_ref().unchecked_ref()).ok();
    if let Some(observer) = &observer {
        observer.observe(host);
    }
    Observer { observer, host: host.clone(), gesture, _resized: resized }
}

impl Drop for Observer {
    fn drop(&mut self) {
        if let Some(observer) = &self.observer {
            observer.disconnect();
        }
        for name in GESTURES {
            let _ =
                self.host.remove_event_listener_with_callback(name, self.gesture.as_ref().unchecked_ref());
        }
    }
}
