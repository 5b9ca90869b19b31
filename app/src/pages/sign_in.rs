//! The door. A one-time link ends in `#…`: what stands there reaches no server
//! but in the body of the one request that spends it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;

use crate::api;
use crate::browser;
use crate::components::errors;
use crate::components::house::Frame;
use crate::components::icon::icon;
use crate::components::pinza::{Mood, Pinza};
use crate::components::toasts::Toaster;
use crate::error::ErrorCode;
use crate::i18n::use_strings;

/// How far signing in has come.
#[derive(Clone, PartialEq)]
enum Door {
    /// Nobody showed a link.
    Shut,
    Opening,
    Refused(String),
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
                Ok(()) => browser::leave_for("/"),
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
    let toaster: Toaster = expect_context();
    let command = format!("openclaw-cloud user add {}", t.door_name);
    let copy = {
        let command = command.clone();
        move |_| {
            let command = command.clone();
            spawn_local(async move {
                if browser::copy(&command).await {
                    toaster.say(t.copied.to_owned());
                }
            });
        }
    };
    let notice = move || match door.get() {
        Door::Shut => ().into_any(),
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
    let [awake, cents, asleep, nothing, stop] = t.door_title;
    view! {
        <Title text=format!("{} · OpenClaw Cloud", t.sign_in) />
        <Frame name=None>
            <main class="door" id="main">
                <div class="door-text">
                    <h1>
                        {awake} <em>{cents}</em> {asleep} <span class="moon">{nothing}</span> {stop}
                    </h1>
                    <p class="door-lead">{t.door_lead}</p>
                    <div role="status">{notice}</div>
                    <ol class="steps">
                        <li>
                            <div>{t.door_open_link}</div>
                        </li>
                        <li>
                            <div>
                                {t.door_lost_link}
                                <div class="command">
                                    <code>{command}</code>
                                    <button
                                        class="button button-quiet button-small button-icon"
                                        r#type="button"
                                        aria-label=t.copy
                                        on:click=copy
                                    >
                                        {icon("copy")}
                                    </button>
                                </div>
                            </div>
                        </li>
                    </ol>
                </div>
                <div class="door-drawing">
                    <Pinza mood id="door" />
                </div>
            </main>
        </Frame>
    }
    .into_any()
}
