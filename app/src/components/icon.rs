//! Symbols of `public/icons.svg`.

use leptos::prelude::*;

/// A symbol in the colour and size of the text around it.
pub fn icon(name: &'static str) -> AnyView {
    let href = format!("/icons.svg#{name}");
    view! {
        <svg class="icon" aria-hidden="true">
            <use href=href />
        </svg>
    }
    .into_any()
}

/// A symbol that changes.
pub fn changing_icon(name: impl Fn() -> &'static str + Send + Sync + 'static) -> AnyView {
    let href = move || format!("/icons.svg#{}", name());
    view! {
        <svg class="icon" aria-hidden="true">
            <use href=href />
        </svg>
    }
    .into_any()
}
