//! A demonstration: which part of it a page shows, and how it goes.

use domain::stage::Room;
use leptos::leptos_dom::helpers::set_interval_with_handle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::{use_location, use_navigate};

use std::time::Duration;

use crate::api::{self, StageLook};
use crate::browser;
use crate::live::Pace;

/// How often it is looked at, while the page is seen.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One of its two fleets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nothing of it runs.
    Played,
    /// This machine's own.
    Real,
}

impl Part {
    /// The cookie that keeps the choice.
    pub const COOKIE: &str = "stage";

    /// The word of the cookie and of `data-demo`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Played => "played",
            Self::Real => "real",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Played, Self::Real].into_iter().find(|part| part.as_str() == word)
    }

    /// What a cookie's `name=value` chose, if it is that cookie.
    pub fn of_cookie(cookie: &str) -> Option<Self> {
        Self::from_word(cookie.strip_prefix(Self::COOKIE)?.strip_prefix('=')?)
    }

    /// The part that this page shows; none where nothing is demonstrated. On
    /// the server by the request, in the browser by the page that it made.
    pub fn of_page() -> Option<Self> {
        #[cfg(feature = "ssr")]
        return use_context::<api::Stage>().map(|stage| stage.part);
        #[cfg(not(feature = "ssr"))]
        return browser::page_attribute("data-demo").as_deref().and_then(Self::from_word);
    }

    /// Shows the other part.
    pub fn choose(self) {
        browser::set_cookie(Self::COOKIE, Some(self.as_str()));
        browser::leave_for("/");
    }
}

/// The show that this page was made of; none where nothing is demonstrated. On
/// the server by the request, in the browser by the page that it made.
pub fn show_of_page() -> Option<u32> {
    #[cfg(feature = "ssr")]
    return use_context::<api::Stage>().map(|stage| stage.show);
    #[cfg(not(feature = "ssr"))]
    return browser::page_attribute("data-show").and_then(|number| number.parse().ok());
}

/// How the demonstration goes, for all that is below; never there where
/// nothing is demonstrated.
#[derive(Clone, Copy)]
pub struct Looked(pub RwSignal<Option<StageLook>>);

/// Gives it a place for all that is below.
pub fn provide_stage() {
    provide_context(Looked(RwSignal::new(None)));
}

/// Looks at it while the caller's owner lives, and has the page's clock go as
/// fast. Once another show has begun, whoever had it begin, the page is loaded
/// anew: what it shows is of a fleet that is no more. Only who is signed in is
/// told how it goes.
pub fn watch_stage() {
    let Some(part) = Part::of_page() else { return };
    let (Looked(looked), pace): (Looked, Pace) = (expect_context(), expect_context());
    let take = move |look: StageLook| {
        if part == Part::Played {
            if show_of_page().is_some_and(|show| show != look.show) {
                return browser::reload();
            }
            pace.set(f64::from(look.look.speed));
        }
        looked.try_set(Some(look));
    };
    let look = move || {
        if !browser::is_hidden() {
            spawn_local(async move {
                if let Ok(look) = api::stage_look().await {
                    take(look);
                }
            });
        }
    };
    Effect::new(move || {
        look();
        if let Ok(interval) = set_interval_with_handle(look, LOOK_EVERY) {
            on_cleanup(move || interval.clear());
        }
    });
}

/// How long nobody has touched a screen that is walked through the pages, in
/// milliseconds.
const UNTOUCHED: f64 = 30_000.0;
/// The presenter's remote stays where it is.
const REMOTE: &str = "/stage";

/// Has the presenter's screen, while nobody is at it, go where the
/// demonstration's own cues are seen.
pub fn walk() {
    if Part::of_page() != Some(Part::Played) {
        return;
    }
    let Looked(looked) = expect_context();
    let (path, navigate) = (use_location().pathname, StoredValue::new(use_navigate()));
    let touched = StoredValue::new(browser::now());
    let touch = move || {
        touched.try_set_value(browser::now());
    };
    Effect::new(move || {
        let key = window_event_listener(leptos::ev::keydown, move |_| touch());
        let pointer = window_event_listener(leptos::ev::pointermove, move |_| touch());
        on_cleanup(move || {
            key.remove();
            pointer.remove();
        });
    });
    // Every look at the demonstration asks again.
    Effect::new(move || {
        let room = looked.get().filter(|look| look.presents).and_then(|look| look.room);
        let Some(room) = room.map(Room::path) else { return };
        let here = path.get_untracked();
        if here != room && here != REMOTE && browser::now() - touched.get_value() > UNTOUCHED {
            navigate.with_value(|navigate| navigate(room, Default::default()));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_chosen_by_its_cookie_alone() {
        assert_eq!(Part::of_cookie("stage=real"), Some(Part::Real));
        assert_eq!(Part::of_cookie("stage=played"), Some(Part::Played));
        for other in ["stage", "stage=", "stage=Real", "xstage=real", "stage=real2", "stagex=real"] {
            assert_eq!(Part::of_cookie(other), None, "{other}");
        }
    }
}
