//! What stands in the terminal's place while there is none.

use domain::agent::{Failure, Snapshot};
use leptos::prelude::*;
use leptos_router::components::A;

use super::act::use_act;
use super::icon::icon;
use super::mishap::Mishap;
use super::pinza::{Mood, Pinza};
use super::receipt::{Figure, basis, rate};
use super::when::use_teller;
use crate::api;
use crate::i18n::{use_lang, use_strings};
use crate::live::Live;
use crate::terminal;

/// Asleep: what was saved, and the way to wake it.
#[component]
pub fn Asleep(agent: Live) -> impl IntoView {
    let (lang, t, act) = (use_lang(), use_strings(), use_act());
    terminal::foresee();
    let snapshot = agent.memo(|view| view.snapshot.clone());
    let over_budget = agent.memo(|view| view.over_budget);
    let wake = move |_| act.on(agent, api::wake(agent.id));
    view! {
        <section class="scene">
            <Pinza mood=Mood::Asleep id="asleep" />
            <h2>{t.asleep_title}</h2>
            <p>{move || if snapshot.with(Option::is_some) { t.asleep_text } else { t.asleep_unsaved }}</p>
            {move || over_budget.get().then(|| view! {
                <div class="banner" data-state="warning" role="status">
                    {icon("receipt")}
                    <p class="banner-text">{lang.budgets().slept}</p>
                    <A href="/spend">{lang.budgets().see_spend}</A>
                </div>
            })}
            {move || snapshot.get().map(|snapshot| view! { <Saved agent snapshot /> })}
            <button
                class="button button-primary button-large"
                r#type="button"
                aria-busy=move || act.busy().then_some("true")
                on:click=wake
            >
                {icon("cup")}
                {t.wake}
            </button>
            <span class="small soft">
                <Figure read=rate(agent) /> " "
                <span class="estimate">{agent.peek(|view| basis(view.meter.basis, t))}</span>
            </span>
        </section>
    }
    .into_any()
}

#[component]
fn Saved(agent: Live, snapshot: Snapshot) -> impl IntoView {
    let (lang, t, teller) = (use_lang(), use_strings(), use_teller());
    let when = Memo::new(move |_| teller.ago(snapshot.at, agent.now()));
    view! {
        <dl class="saved">
            <div>
                <dt>{t.files}</dt>
                <dd>{lang.count(snapshot.files)}</dd>
            </div>
            <div>
                <dt>{t.in_all}</dt>
                <dd>{lang.bytes(snapshot.bytes)}</dd>
            </div>
            <div>
                <dt>{t.new_this_time}</dt>
                <dd>{lang.bytes(snapshot.added_bytes)}</dd>
            </div>
            <div>
                <dt>{t.saved}</dt>
                <dd>{move || when.get()}</dd>
            </div>
        </dl>
    }
    .into_any()
}

/// Saving before sleep.
#[component]
pub fn Saving() -> impl IntoView {
    let t = use_strings();
    view! {
        <section class="scene" role="status">
            <Pinza mood=Mood::Asleep id="saving" />
            <h2>{t.saving_title}</h2>
            <p>{t.saving_text}</p>
        </section>
    }
    .into_any()
}

/// On its way out.
#[component]
pub fn Deleting() -> impl IntoView {
    let t = use_strings();
    view! {
        <section class="scene" role="status">
            <Pinza mood=Mood::Asleep id="deleting" />
            <h2>{t.deleting_title}</h2>
            <p>{t.deleting_text}</p>
        </section>
    }
    .into_any()
}

/// It was up, and fell over.
#[component]
pub fn Fallen(agent: Live, failure: Failure) -> impl IntoView {
    let t = use_strings();
    view! {
        <section class="scene scene-failed">
            <Pinza mood=Mood::Failed id="fallen" />
            <h2>{t.fell_over}</h2>
            <Mishap agent failure />
        </section>
    }
    .into_any()
}
