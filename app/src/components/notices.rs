//! Banners over the terminal: it is about to sleep, it works by itself, it
//! could not be saved, its machine is taken back, something was lost.

use domain::agent::{Loss, Phase};
use domain::view::AgentView;
use leptos::prelude::*;

use super::act::use_act;
use super::icon::icon;
use super::when::use_teller;
use crate::api;
use crate::browser;
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
    // Of one that fell over its own scene tells.
    let loss = agent.memo(|view| view.loss.clone().filter(|_| view.failure().is_none()));
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
                interrupted.get().then(|| view! { <TakenBack agent /> })
            }} {move || loss.get().map(|loss| view! { <Lost agent loss /> })}
        </div>
    }
    .into_any()
}

/// The provider takes the machine back: how long it is still there.
#[component]
fn TakenBack(agent: Live) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let left = Memo::new(move |_| {
        let until = agent.read(|view| match view.phase {
            Phase::Interrupted { until } => until,
            _ => view.meter.as_of,
        });
        lang.countdown(until.since(agent.now()))
    });
    let saved = agent.memo(AgentView::is_saved_since_notice);
    view! {
        <div class="banner" data-state="warning" role="status">
            {icon("refresh")}
            <p class="banner-text">
                <strong>
                    {t.taken_back_in} " "
                    <span class="numerals" role="timer" aria-live="off">
                        {move || left.get()}
                    </span>
                </strong>
                " · "
                {move || if saved.get() { t.saved_before_move } else { t.saving_before_move }}
            </p>
        </div>
    }
    .into_any()
}

/// What was lost last, until its owner has seen it.
#[component]
fn Lost(agent: Live, loss: Loss) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let key = format!("loss-{}", agent.id);
    let at = loss.until.to_string();
    let known = RwSignal::new(true);
    let (kept, when) = (key.clone(), at.clone());
    Effect::new(move || known.set(browser::kept(&kept).as_deref() == Some(when.as_str())));
    let bytes = loss.bytes.map(|bytes| lang.bytes(bytes));
    let text = (t.loss_text)(&lang.took(loss.until.since(loss.since)), bytes.as_deref());
    let understood = move |_| {
        browser::keep(&key, &at);
        known.set(true);
    };
    let understood = StoredValue::new(understood);
    move || {
        (!known.get()).then(|| {
            view! {
                <div class="banner" data-state="failed" role="alert">
                    {icon("alert")}
                    <p class="banner-text">
                        <strong>{t.loss_title}</strong>
                        " "
                        {text.clone()}
                    </p>
                    <button
                        class="button button-small"
                        r#type="button"
                        on:click=move |event| understood.with_value(|understood| understood(event))
                    >
                        {t.understood}
                    </button>
                </div>
            }
        })
    }
}

#[component]
fn IdleWarning(agent: Live) -> impl IntoView {
    let (lang, t, act, teller) = (use_lang(), use_strings(), use_act(), use_teller());
    let left = Memo::new(move |_| {
        let sleeps_at = agent.read(|view| view.sleeps_at);
        lang.countdown(sleeps_at.map(|at| at.since(agent.now())).unwrap_or_default())
    });
    let unused = agent.memo(move |view| (t.unused_since)(&teller.ago(view.last_use, view.meter.as_of)));
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
