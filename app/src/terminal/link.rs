//! How a terminal's line is.

use leptos::prelude::*;

use crate::i18n::{Strings, use_strings};

/// The state of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Link {
    /// For the first time.
    Connecting,
    Connected,
    /// It was cut; try number `attempt` follows at `at`, by the page's clock.
    Cut {
        attempt: u32,
        at: f64,
    },
    /// Try number `attempt` is under way.
    Trying {
        attempt: u32,
    },
    /// The terminal's program ended.
    Ended {
        code: i32,
    },
    /// The instance will not have it.
    Refused,
    /// The terminal itself did not come.
    Missing,
}

impl Link {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Cut { .. } | Self::Trying { .. } => "reconnecting",
            Self::Ended { .. } => "closed",
            Self::Refused | Self::Missing => "refused",
        }
    }

    fn words(word: &str, t: &Strings) -> &'static str {
        match word {
            "connecting" => t.connecting,
            "connected" => t.connected,
            "reconnecting" => t.reconnecting,
            "closed" => t.line_closed,
            _ => t.line_refused,
        }
    }
}

/// The state in a word.
#[component]
pub fn LinkWord(#[prop(into)] link: Signal<Link>) -> impl IntoView {
    let t = use_strings();
    let word = Memo::new(move |_| link.get().as_str());
    view! {
        <span class="link" data-link=move || word.get() role="status">
            {move || Link::words(word.get(), t)}
        </span>
    }
    .into_any()
}
