//! What forms are made of.

use domain::name::Name;
use leptos::prelude::*;

use super::act::Act;
use super::icon::icon;

/// A field of one line.
#[component]
pub fn TextField(
    /// Unique on the page.
    #[prop(into)]
    id: String,
    label: &'static str,
    value: RwSignal<String>,
    #[prop(optional)] required: bool,
    #[prop(optional)] autofocus: bool,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = "off")] autocomplete: &'static str,
    /// Characters at most.
    #[prop(default = Name::MAX_CHARS)]
    most: usize,
    #[prop(optional)] hint: Option<&'static str>,
) -> impl IntoView {
    let hint_id = format!("{id}-hint");
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                class="input"
                id=id
                r#type=kind
                required=required
                autofocus=autofocus
                autocomplete=autocomplete
                maxlength=most.to_string()
                aria-describedby=hint.map(|_| hint_id.clone())
                prop:value=move || value.get()
                on:input=move |event| value.set(event_target_value(&event))
            />
            {hint.map(|hint| view! { <p class="field-hint" id=hint_id.clone()>{hint}</p> })}
        </div>
    }
    .into_any()
}

/// Sends the form that it stands in, and shows that it is under way.
#[component]
pub fn Submit(act: Act, word: &'static str, #[prop(optional)] symbol: Option<&'static str>) -> impl IntoView {
    view! {
        <button class="button button-primary" r#type="submit" aria-busy=move || act.busy().then_some("true")>
            {symbol.map(icon)}
            {word}
        </button>
    }
    .into_any()
}

/// Takes back what its row of a list shows.
#[component]
pub fn TakeBack(
    act: Act,
    word: &'static str,
    /// What a screen reader says, where the word alone does not tell of what.
    label: String,
    press: impl Fn() + 'static,
) -> impl IntoView {
    view! {
        <button
            class="button button-small button-danger"
            r#type="button"
            aria-label=label
            aria-busy=move || act.busy().then_some("true")
            on:click=move |_| press()
        >
            {word}
        </button>
    }
    .into_any()
}
