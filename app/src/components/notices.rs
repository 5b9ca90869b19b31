//! Banners over the terminal: it is about to sleep, it works by itself, it
//! could not be saved.

use domain::agent::Phase;
use leptos::prelude::*;

use super::act::use_act;
use super::icon::icon;
use crate::api;
use crate::i18n::{use_lang, use_strings};
use crate::live::Live;

/// The agent's banners.
#[component]
pub fn Notices(agent: Live) -> impl IntoView {
    let t = use_strings();
    let warned = agent.memo(|view| view.sleeps_at.is_some() && view.phase == Phase::Running);
    let busy = agent.memo(|view| view.busy.as_ref().map(|busy| busy.reason.clone()));
    let unsaved = agent.memo(|view| {
        let running = matches!(view.phase, Phase::Running | Phase::Saving);
        view.save_failure.as_ref().filter(|_| running).map(|failure| failure.message.clone())
    });
    let interrupted = agent.memo(|view| matches!(view.phase, Phase::Interrupted { .. }));
    view! {
        <div class="bench-notices">
            {move || warned.get().then(|| view! { <IdleWarning agent /> })}
            {move || {
                busy.get()
                    .map(|reason| view! {
                        <div class="banner" data-state="info" role="status">
                            {icon("hourglass")}
                            <p class="banner-text">{t.busy_with} " " <strong>{reason}</strong></p>
                        </div>
                    })
            }}
            {move || {
                unsaved
                    .get()
                    .map(|message| view! {
                        <div class="banner" data-state="failed" role="alert">
                            {icon("alert")}
                            <p class="banner-text">
                                <strong>{t.save_failed}</strong>
                                " "
                                {t.save_failed_text}
                                " "
                                <span class="small">{message}</span>
                            </p>
                        </div>
                    })
            }}
            {move || {
                interrupted
                    .get()
                    .then(|| view! {
                        <div class="banner" data-state="warning" role="status">
                            {icon("refresh")}
                            <p class="banner-text">{t.interrupted_text}</p>
                        </div>
                    })
            }}
        </div>
    }
    .into_any()
}

#[component]
fn IdleWarning(agent: Live) -> impl IntoView {
    let (lang, t, act) = (use_lang(), use_strings(), use_act());
    let left = Memo::new(move |_| {
        let sleeps_at = agent.read(|view| view.sleeps_at);
        lang.countdown(sleeps_at.map(|at| at.since(agent.now())).unwrap_or_default())
    });
    let unused = agent.memo(move |view| (t.unused_since)(&lang.ago(view.last_use, view.meter.as_of)));
    let keep = move |_| act.on(agent, api::keep_awake(agent.id));
    view! {
        <div class="banner" data-state="warning" role="status">
            {icon("moon")}
            <p class="banner-text">
                <strong>
                    {t.sleeps_in} " "
                    // The clock is for the eyes: read out, it would never end.
                    <span class="numerals" role="timer" aria-live="off">
                        {move || left.get()}
                    </span>
                </strong>
                " · "
                {move || unused.get()}
            </p>
            <button
                class="button button-small button-primary"
                r#type="button"
                aria-busy=move || act.busy().then_some("true")
                on:click=keep
            >
                {t.keep_awake}
            </button>
        </div>
    }
    .into_any()
}
