//! Keeping somebody out, and letting them in again.

use domain::access::Access;
use domain::name::Name;
use leptos::prelude::*;

use super::act::use_act;
use super::dialog::{Dialog, DialogFoot, DialogHandle};
use super::errors;
use super::form::Submit;
use super::icon::icon;
use super::toasts::Toaster;
use crate::api;
use crate::i18n::{use_lang, use_strings};

/// In a person's menu: opens what is closed; to close it is asked about first.
#[component]
pub fn AccessItem(name: Name, access: RwSignal<Access>, closing: RwSignal<bool>) -> impl IntoView {
    let (a, act) = (use_lang().access(), use_act());
    let toaster: Toaster = expect_context();
    let name = StoredValue::new(name);
    let open = move |_| {
        act.run(api::give_access(name.get_value().to_string(), Access::Open), move |()| {
            access.set(Access::Open);
            toaster.say((a.is_open)(name.get_value().as_str()));
        });
    };
    move || match access.get() {
        Access::Closed => view! {
            <button r#type="button" on:click=open>
                {icon("key")}
                {a.open}
            </button>
        }
        .into_any(),
        Access::Open => view! {
            <button class="menu-danger" r#type="button" on:click=move |_| closing.set(true)>
                {icon("shield")}
                {a.close}
            </button>
        }
        .into_any(),
    }
}

/// What closing means, and the button that does it.
#[component]
pub fn CloseAccessDialog(name: Name, access: RwSignal<Access>, closed: Callback<()>) -> impl IntoView {
    let (t, act, handle) = (use_strings(), use_act(), DialogHandle::new());
    let a = use_lang().access();
    let toaster: Toaster = expect_context();
    let title = (a.close_of)(name.as_str());
    let name = StoredValue::new(name);
    let error = RwSignal::new(None::<String>);
    let submit = move || {
        let name = name.get_value();
        act.attempt(api::give_access(name.to_string(), Access::Closed), move |outcome| match outcome {
            Ok(()) => {
                access.set(Access::Closed);
                toaster.say((a.is_closed)(name.as_str()));
                handle.close();
            }
            Err(failure) => error.set(Some(errors::words(&failure, t))),
        });
    };
    view! {
        <Dialog handle id="close-access" title small=true submit closed>
            <p>{a.close_text}</p>
            <p class="field-error" role="alert">{move || error.get()}</p>
            <DialogFoot handle>
                <Submit act word=a.close />
            </DialogFoot>
        </Dialog>
    }
    .into_any()
}
