//! Setting a password: on the settings page, and at the door for who was invited.

use domain::protocol::Secret;
use leptos::prelude::*;

use super::act::use_act;
use super::errors;
use super::icon::icon;
use crate::api;
use crate::error::ErrorCode;
use crate::i18n::use_strings;

/// A field for a password.
#[component]
pub fn PasswordField(
    /// Unique on the page.
    id: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    /// `current-password`, or `new-password`.
    autocomplete: &'static str,
    #[prop(optional)] hint: Option<&'static str>,
) -> impl IntoView {
    let hint_id = format!("{id}-hint");
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                class="input"
                id=id
                r#type="password"
                required
                maxlength="256"
                autocomplete=autocomplete
                aria-describedby=hint.map(|_| hint_id.clone())
                prop:value=move || value.get()
                on:input=move |event| value.set(event_target_value(&event))
            />
            {hint.map(|hint| view! { <p class="field-hint" id=hint_id.clone()>{hint}</p> })}
        </div>
    }
    .into_any()
}

/// A form that gives the reader a password. `done` is called when they have it.
#[component]
pub fn SetPassword(
    /// Whether they must say the one they have.
    asks_current: RwSignal<bool>,
    done: impl Fn() + Copy + 'static,
) -> impl IntoView {
    let (t, act) = (use_strings(), use_act());
    let p = t.people;
    let (current, new) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let error = RwSignal::new(None::<String>);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        error.set(None);
        let work = api::set_password(Secret::new(current.get_untracked()), Secret::new(new.get_untracked()));
        act.attempt(work, move |outcome| match outcome {
            Ok(()) => {
                current.set(String::new());
                new.set(String::new());
                done();
            }
            Err(failure) => {
                // Here a wrong one is the current one: who came by a link was not asked for it.
                if failure.code == ErrorCode::WrongPassword {
                    asks_current.set(true);
                }
                error.set(Some(errors::words(&failure, t)));
            }
        });
    };
    view! {
        <form class="panel-form" on:submit=submit>
            <Show when=move || asks_current.get()>
                <PasswordField
                    id="current-password"
                    label=p.current_password
                    value=current
                    autocomplete="current-password"
                />
            </Show>
            <PasswordField
                id="new-password"
                label=p.new_password
                value=new
                autocomplete="new-password"
                hint=p.password_hint
            />
            <button
                class="button button-primary"
                r#type="submit"
                aria-busy=move || act.busy().then_some("true")
            >
                {icon("key")}
                {p.set_password}
            </button>
            <p class="field-error" role="alert">{move || error.get()}</p>
        </form>
    }
    .into_any()
}
