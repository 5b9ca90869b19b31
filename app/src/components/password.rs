//! Setting a password: on the settings page, and at the door for who was invited.

use domain::protocol::Secret;
use leptos::prelude::*;

use super::act::use_act;
use super::errors;
use super::form::{Submit, TextField};
use crate::api;
use crate::error::ErrorCode;
use crate::i18n::use_strings;

/// Bytes of a password at most.
pub const PASSWORD_MAX: usize = 256;

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
                <TextField
                    id="current-password"
                    label=p.current_password
                    value=current
                    required=true
                    kind="password"
                    most=PASSWORD_MAX
                    autocomplete="current-password"
                />
            </Show>
            <TextField
                id="new-password"
                label=p.new_password
                value=new
                required=true
                kind="password"
                most=PASSWORD_MAX
                autocomplete="new-password"
                hint=p.password_hint
            />
            <Submit act word=p.set_password symbol="key" />
            <p class="field-error" role="alert">{move || error.get()}</p>
        </form>
    }
    .into_any()
}
