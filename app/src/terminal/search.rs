//! Searching what a terminal shows.

use leptos::html;
use leptos::prelude::*;

use super::screen::focus_shown;
use crate::components::icon::icon;
use crate::i18n::use_strings;

/// What is looked for, and which way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    pub text: String,
    pub back: bool,
    /// Counts asks: the same text again means the next match.
    pub count: u32,
}

/// The search field in the bar. `open` is whether it is there.
#[component]
pub fn SearchField(open: RwSignal<bool>, ask: RwSignal<Search>) -> impl IntoView {
    let t = use_strings();
    let field = NodeRef::<html::Input>::new();
    Effect::new(move || {
        if let Some(field) = field.get() {
            let _ = field.focus();
        }
    });
    let find = move |back: bool| {
        let Some(field) = field.get_untracked() else { return };
        ask.update(|ask| *ask = Search { text: field.value(), back, count: ask.count.wrapping_add(1) });
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        find(false);
    };
    let close = move || {
        open.set(false);
        focus_shown();
    };
    let key = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Escape" {
            close();
        }
    };
    view! {
        <form class="screen-search" role="search" on:submit=submit on:keydown=key>
            <input
                class="input"
                r#type="search"
                node_ref=field
                aria-label=t.search_in_terminal
                placeholder=t.search
                autocomplete="off"
                spellcheck="false"
            />
            <button
                class="button button-quiet button-small"
                r#type="button"
                on:click=move |_| find(true)
            >
                {t.previous}
            </button>
            <button class="button button-quiet button-small" r#type="submit">
                {t.next}
            </button>
            <button
                class="button button-quiet button-small button-icon"
                r#type="button"
                aria-label=t.close
                on:click=move |_| close()
            >
                {icon("close")}
            </button>
        </form>
    }
    .into_any()
}
