//! A line to be copied: a command, a link, a secret.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::icon::icon;
use super::toasts::Toaster;
use crate::browser;
use crate::i18n::use_strings;

#[component]
pub fn Command(text: String) -> impl IntoView {
    let t = use_strings();
    let toaster: Toaster = expect_context();
    let copied = text.clone();
    let copy = move |_| {
        let copied = copied.clone();
        spawn_local(async move {
            if browser::copy(&copied).await {
                toaster.say(t.copied.to_owned());
            }
        });
    };
    view! {
        <div class="command">
            <code tabindex="0">{text}</code>
            <button
                class="button button-quiet button-small button-icon"
                r#type="button"
                aria-label=t.copy
                on:click=copy
            >
                {icon("copy")}
            </button>
        </div>
    }
    .into_any()
}
