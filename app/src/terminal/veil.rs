//! What lies over a terminal while its line is down. The text beneath stays
//! readable.

use leptos::prelude::*;

use super::link::Link;
use crate::i18n::{use_lang, use_strings};
use crate::live::pulse;

/// The note over a terminal; `again` connects now.
#[component]
pub fn Veil(link: Signal<Link>, runs: Memo<bool>, again: Callback<()>) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let pulse = pulse();
    // A first try that fails at once is no news.
    let shown = Memo::new(move |_| match link.get() {
        Link::Connecting | Link::Connected => None,
        Link::Cut { attempt, .. } | Link::Trying { attempt } if attempt < 2 || !runs.get() => None,
        link => Some(link),
    });
    let left = Memo::new(move |_| match link.get() {
        Link::Cut { at, .. } => {
            let secs = ((at - pulse.get()).max(0.0) / 1000.0).ceil();
            lang.span((secs as u32).max(1))
        }
        _ => String::new(),
    });
    let note = move || {
        let link = shown.get()?;
        let text = match link {
            Link::Cut { attempt, .. } => (t.line_cut)(attempt),
            Link::Trying { attempt } => (t.line_trying)(attempt),
            Link::Ended { code } => (t.program_ended)(code),
            Link::Refused => t.refused_text.to_owned(),
            _ => t.terminal_missing.to_owned(),
        };
        let button = match link {
            Link::Cut { .. } => Some(t.right_now),
            Link::Ended { .. } => Some(t.new_terminal),
            Link::Missing => Some(t.try_again),
            _ => None,
        };
        Some(view! {
            <div class="terminal-veil">
                <div class="terminal-note">
                    <span>
                        {text} " "
                        <span class="numerals" aria-live="off">
                            {move || left.get()}
                        </span>
                    </span>
                    {button
                        .map(|name| view! {
                            <button class="button button-small" r#type="button" on:click=move |_| again.run(())>
                                {name}
                            </button>
                        })}
                </div>
            </div>
        })
    };
    view! { {note} }.into_any()
}
