//! A failure: what happened, what became of their things, the next step.

use domain::agent::{Failure, FailureReason};
use leptos::prelude::*;

use super::act::use_act;
use super::house::use_me;
use super::icon::icon;
use super::when::use_teller;
use crate::api;
use crate::i18n::{Strings, use_lang, use_strings};
use crate::live::Live;

fn words(reason: FailureReason, t: &Strings) -> [&'static str; 2] {
    match reason {
        FailureReason::LaunchRefused => t.launch_refused,
        FailureReason::NoRoom => t.no_room,
        FailureReason::TierUnavailable => t.tier_unavailable,
        FailureReason::BootTimeout => t.boot_timeout,
        FailureReason::HydrateFailed => t.hydrate_failed,
        FailureReason::Crashed => t.crashed,
        FailureReason::OutOfMemory => t.out_of_memory,
        FailureReason::Unreachable => t.unreachable,
        FailureReason::Lost => t.lost,
    }
}

/// Whether it was up before it failed, so that work may be lost.
pub fn was_running(reason: FailureReason) -> bool {
    matches!(
        reason,
        FailureReason::Crashed
            | FailureReason::OutOfMemory
            | FailureReason::Unreachable
            | FailureReason::Lost
    )
}

/// The failure that the agent is in.
#[component]
pub fn Mishap(agent: Live, failure: Failure) -> impl IntoView {
    let (lang, t, act, teller) = (use_lang(), use_strings(), use_act(), use_teller());
    let [title, text] = words(failure.reason, t);
    let lost = was_running(failure.reason);
    let saved = agent.peek(|view| view.snapshot.as_ref().map(|snapshot| snapshot.at));
    let kept = move || match saved {
        Some(at) if lost => (t.saved_is_safe)(&teller.ago(at, agent.now())),
        None if lost => t.nothing_was_saved.to_owned(),
        _ => String::new(),
    };
    let verb = if lost && saved.is_some() { t.restart_from_saved } else { t.try_again };
    let wake = move |_| act.on(agent, api::wake(agent.id));
    let me = use_me();
    let dear = (failure.reason == FailureReason::NoRoom && me.on_demand)
        .then(|| lang.rate(agent.peek(|view| me.prices.on_demand(view.size))));
    let pay = move |_| act.on(agent, api::wake_on_demand(agent.id));
    let detail = failure.detail.trim().to_owned();
    view! {
        <div class="mishap" role="alert">
            <h2>{title}</h2>
            <p>{text} " " {kept}</p>
            {(!detail.is_empty())
                .then(|| view! {
                    <pre class="output" tabindex="0" aria-label=t.last_output>
                        {detail}
                    </pre>
                })}
            <div class="actions">
                {failure
                    .retryable
                    .then(|| view! {
                        <button
                            class="button button-primary"
                            r#type="button"
                            aria-busy=move || act.busy().then_some("true")
                            on:click=wake
                        >
                            {icon("refresh")}
                            {verb}
                        </button>
                    })}
                {dear
                    .map(|rate| view! {
                        <button
                            class="button"
                            r#type="button"
                            aria-busy=move || act.busy().then_some("true")
                            on:click=pay
                        >
                            {(t.wake_on_demand)(&rate)}
                        </button>
                    })} <a class="button" href="/">
                    {t.back_to_agents}
                </a>
            </div>
        </div>
    }
    .into_any()
}
