//! A demonstration: which part of it a page shows, and how it goes.

use leptos::leptos_dom::helpers::set_interval_with_handle;
use leptos::prelude::*;
use leptos::task::spawn_local;

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

/// How the demonstration goes, for all that is below; never there where
/// nothing is demonstrated.
#[derive(Clone, Copy)]
pub struct Looked(pub RwSignal<Option<StageLook>>);

/// Gives it a place for all that is below.
pub fn provide_stage() {
    provide_context(Looked(RwSignal::new(None)));
}

/// Looks at it while the caller's owner lives, and has the page's clock go as
/// fast. Only who is signed in is told how it goes.
pub fn watch_stage() {
    let Some(part) = Part::of_page() else { return };
    let (Looked(looked), pace): (Looked, Pace) = (expect_context(), expect_context());
    let take = move |look: StageLook| {
        if part == Part::Played {
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
