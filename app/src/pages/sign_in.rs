//! The door. A one-time link ends in `#…`: what stands there reaches no server
//! but in the body of the one request that spends it.

use domain::protocol::Secret;
use domain::session::How;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;

use crate::api;
use crate::browser;
use crate::components::act::use_act;
use crate::components::command::Command;
use crate::components::errors;
use crate::components::form::{Submit, TextField};
use crate::components::house::Frame;
use crate::components::icon::icon;
use crate::components::password::{PASSWORD_MAX, SetPassword};
use crate::components::pinza::{Mood, Pinza};
use crate::error::ErrorCode;
use crate::i18n::use_strings;

/// How far signing in has come.
#[derive(Clone, PartialEq)]
enum Door {
    /// Nobody showed a link.
    Shut,
    Opening,
    Refused(String),
    /// They were invited, and are in: they may set a password before they go on.
    Invited,
}

/// The sign-in page.
#[component]
pub fn SignInPage() -> impl IntoView {
    let t = use_strings();
    let door = RwSignal::new(Door::Shut);
    let knock = move || {
        let Some(token) = browser::take_fragment() else { return };
        door.set(Door::Opening);
        spawn_local(async move {
            match api::sign_in(token).await {
                Ok(How::Invitation) => door.set(Door::Invited),
                Ok(_) => browser::leave_for("/"),
                Err(error) if error.code == ErrorCode::Unauthenticated => {
                    door.set(Door::Refused(t.link_spent.to_owned()));
                }
                Err(error) => door.set(Door::Refused(errors::words(&error, t))),
            }
        });
    };
    Effect::new(move || {
        knock();
        // A link that is pasted while this page is open changes the fragment only.
        let again = window_event_listener_untyped("hashchange", move |_| knock());
        on_cleanup(move || again.remove());
    });
    let notice = move || match door.get() {
        Door::Shut | Door::Invited => ().into_any(),
        Door::Opening => view! { <p class="door-lead">{t.signing_in}</p> }.into_any(),
        Door::Refused(why) => view! {
            <div class="banner" data-state="warning">
                {icon("key")}
                <p class="banner-text">{why}</p>
            </div>
        }
        .into_any(),
    };
    let mood = Signal::derive(move || match door.get() {
        Door::Refused(_) => Mood::Failed,
        _ => Mood::Awake,
    });
    let invited = move || door.get() == Door::Invited;
    let [awake, cents, asleep, nothing, stop] = t.door_title;
    view! {
        <Title text=format!("{} · OpenClaw Cloud", t.sign_in) />
        <Frame me=None>
            <main class="door" id="main">
                <div class="door-text">
                    <Show when=move || !invited() fallback=Welcome>
                        <h1>
                            {awake} <em>{cents}</em> {asleep} <span class="moon">{nothing}</span> {stop}
                        </h1>
                        <p class="door-lead">{t.door_lead}</p>
                        <div role="status">{notice}</div>
                        <Enter door />
                        <Steps />
                    </Show>
                </div>
                <div class="door-drawing">
                    <Pinza mood id="door" />
                </div>
            </main>
        </Frame>
    }
    .into_any()
}

/// A name and its password.
#[component]
fn Enter(door: RwSignal<Door>) -> impl IntoView {
    let (t, act) = (use_strings(), use_act());
    let p = t.people;
    let (name, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let work = api::sign_in_with_password(name.get_untracked(), Secret::new(password.get_untracked()));
        act.attempt(work, move |outcome| match outcome {
            Ok(()) => browser::leave_for("/"),
            Err(error) => door.set(Door::Refused(errors::words(&error, t))),
        });
    };
    view! {
        <form class="panel-form door-form" on:submit=submit>
            <TextField id="name" label=p.name value=name required=true autocomplete="username" />
            <TextField
                id="password"
                label=p.password
                value=password
                required=true
                kind="password"
                autocomplete="current-password"
                most=PASSWORD_MAX
            />
            <Submit act word=p.enter symbol="key" />
        </form>
    }
    .into_any()
}

/// The way in without a password.
#[component]
fn Steps() -> impl IntoView {
    let t = use_strings();
    let command = format!("openclaw-cloud user add {}", t.door_name);
    view! {
        <p class="soft">{t.people.without_password}</p>
        <ol class="steps">
            <li>
                <div>{t.door_open_link}</div>
            </li>
            <li>
                <div>
                    {t.door_lost_link}
                    <Command text=command />
                </div>
            </li>
        </ol>
    }
    .into_any()
}

/// Who was invited is in, and has no password yet.
#[component]
fn Welcome() -> impl IntoView {
    let p = use_strings().people;
    let asks_current = RwSignal::new(false);
    view! {
        <h1>{p.welcome}</h1>
        <p class="door-lead" role="status">{p.welcome_text}</p>
        <SetPassword asks_current done=|| browser::leave_for("/") />
        <a class="button button-quiet" href="/">
            {p.later}
        </a>
    }
    .into_any()
}
