//! The agent's sheet: size, when it sleeps, what was saved, how it is shut in.

use domain::boot::BootPhase;
use domain::tier::{Limits, Tier};
use leptos::prelude::*;

use super::act::use_act;
use super::icon::icon;
use super::spawn::size_spec;
use super::waking::phases;
use super::when::use_teller;
use crate::api;
use crate::i18n::{use_lang, use_strings};
use crate::live::Live;

/// A layer of isolation: its name, and whether it was reached.
fn layers(tier: &Tier) -> Vec<(String, bool)> {
    if tier.machine {
        return vec![("Fargate".to_owned(), true)];
    }
    let landlock = tier.landlock.map_or("Landlock".to_owned(), |abi| format!("Landlock {abi}"));
    let (limits, strong) = match tier.limits {
        Limits::Rlimits => ("cgroups", false),
        Limits::Cgroup1 => ("cgroups v1", true),
        Limits::Cgroup2 => ("cgroups v2", true),
    };
    vec![
        ("namespaces".to_owned(), tier.namespaces),
        (landlock, tier.landlock.is_some()),
        ("seccomp".to_owned(), tier.seccomp),
        (limits.to_owned(), strong),
    ]
}

/// How an instance is shut in, layer by layer.
#[component]
pub fn Layers(tier: Tier) -> impl IntoView {
    let t = use_strings();
    let layer = move |(name, reached): (String, bool)| {
        if reached {
            view! { <li>{icon("shield")} {name}</li> }.into_any()
        } else {
            view! { <li data-layer="missing">{icon("alert")} {(t.missing_layer)(&name)}</li> }.into_any()
        }
    };
    view! {
        <ul class="tier" aria-label=t.isolation>
            {layers(&tier).into_iter().map(layer).collect_view()}
        </ul>
    }
    .into_any()
}

/// The sheet of an agent.
#[component]
pub fn Facts(agent: Live) -> impl IntoView {
    let (lang, t, teller) = (use_lang(), use_strings(), use_teller());
    let (cpu, memory) = agent.peek(|view| size_spec(view.size, lang));
    let saved = Memo::new(move |_| {
        let at = agent.read(|view| view.snapshot.as_ref().map(|snapshot| snapshot.at));
        at.map_or_else(|| t.never.to_owned(), |at| teller.ago(at, agent.now()))
    });
    let on_demand = agent.memo(|view| view.on_demand);
    let tier = agent.memo(|view| view.tier.clone());
    let boot = agent.memo(move |view| {
        let asked = view.boot.marks().first()?.at;
        let ready = view.boot.marks().last().filter(|mark| mark.phase == BootPhase::Ready)?.at;
        let took = |phase| lang.took(view.boot.took(phase).unwrap_or_default());
        let phases = phases(view, t).into_iter().map(|(phase, name)| (name, took(phase)));
        Some((lang.took(ready.since(asked)), phases.collect::<Vec<_>>()))
    });
    view! {
        <section class="facts" aria-labelledby="facts-title">
            <h2 id="facts-title">{t.sheet}</h2>
            <dl>
                <dt>{t.size}</dt>
                <dd>{cpu} " · " {memory}</dd>
                <dt>{t.sleeps_after}</dt>
                <dd>{move || agent.read(|view| lang.span(view.idle_timeout))}</dd>
                <dt>{t.last_save}</dt>
                <dd>{move || saved.get()}</dd>
                {move || on_demand.get().then(|| view! { <OnDemand agent /> })}
                <dt>{t.run}</dt>
                <dd>{move || agent.read(|view| view.generation.to_string())}</dd>
            </dl>
            {move || {
                tier.get()
                    .map(|tier| view! { <Layers tier /> })
            }}
            {move || boot.get().map(|(sum, phases)| view! { <Boot sum phases /> })}
        </section>
    }
    .into_any()
}

/// That its owner pays for a machine on demand, and the way back.
#[component]
fn OnDemand(agent: Live) -> impl IntoView {
    let (t, act) = (use_strings(), use_act());
    let withdraw = move |_| act.on(agent, api::allow_on_demand(agent.id, false));
    view! {
        <dt>{t.on_demand}</dt>
        <dd>
            {t.on_demand_allowed} " "
            <button
                class="button button-quiet button-small"
                r#type="button"
                aria-busy=move || act.busy().then_some("true")
                on:click=withdraw
            >
                {t.withdraw}
            </button>
        </dd>
    }
    .into_any()
}

/// How long the latest boot took, in all and in its phases.
#[component]
fn Boot(sum: String, phases: Vec<(&'static str, String)>) -> impl IntoView {
    let t = use_strings();
    let line = |(name, took)| view! { <dt>{name}</dt><dd>{took}</dd> };
    view! {
        <details class="boot" open>
            <summary>{(t.woke_in)(&sum)}</summary>
            <dl>{phases.into_iter().map(line).collect_view()}</dl>
        </details>
    }
    .into_any()
}
