//! Somebody's agent: how its latest boot went, what was saved of it, and what
//! happened to it.

use std::collections::BTreeMap;

use domain::agent::ProviderName;
use domain::boot::BootPhase;
use domain::event::{Event, SaveReason, What};
use domain::fleet::State;
use domain::id::AgentId;
use domain::time::Timestamp;
use domain::view::AgentView;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::View;
use super::journal::Said;
use super::waterfall::waterfall;
use crate::api::{self, Sight};
use crate::components::act::use_act;
use crate::components::errors;
use crate::components::facts::Layers;
use crate::components::icon::icon;
use crate::components::look::AskToLook;
use crate::components::spawn::size_name;
use crate::components::state::StateWord;
use crate::components::when::Ago;
use crate::error::AppError;
use crate::i18n::{Strings, use_lang, use_strings};

/// What is known of the agent.
#[derive(Clone, Copy)]
struct Known {
    view: RwSignal<Option<AgentView>>,
    owner: RwSignal<String>,
    /// By their numbers: the latest ones, and as far back as was asked.
    events: RwSignal<BTreeMap<u64, Event>>,
    error: RwSignal<Option<AppError>>,
}

impl Known {
    fn take(self, outcome: Result<Sight, AppError>) {
        match outcome {
            Ok(sight) => {
                self.events.try_update(|events| {
                    events.extend(sight.events.into_iter().map(|event| (event.seq, event)));
                });
                self.owner.try_set(sight.owner.to_string());
                self.view.try_set(Some(sight.view));
                self.error.try_set(None);
            }
            Err(error) => drop(self.error.try_set(Some(error))),
        }
    }
}

/// The drawer; what it shows is asked for again whenever its row changes.
#[component]
pub fn Drawer(view: View, id: AgentId) -> impl IntoView {
    let t = use_strings();
    let dialog = NodeRef::<html::Dialog>::new();
    let known = Known {
        view: RwSignal::new(None),
        owner: RwSignal::default(),
        events: RwSignal::default(),
        error: RwSignal::new(None),
    };
    let line = move || view.lines.with(|lines| lines.iter().find(|line| line.id() == id).cloned());
    let version = Memo::new(move |_| line().map(|line| line.seen.with(|(row, _)| row.version)));
    let stuck = Memo::new(move |_| line().and_then(|line| line.seen.with(|(row, _)| row.stuck_since)));
    Effect::new(move || {
        version.track();
        spawn_local(async move {
            known.take(api::fleet_agent(id, None).await);
        });
    });
    Effect::new(move || {
        if let Some(dialog) = dialog.get() {
            // It fails only for one that is open already.
            let _ = dialog.show_modal();
        }
    });
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let there = Memo::new(move |_| known.view.with(Option::is_some));
    let body = move || match (known.error.get(), there.get()) {
        (Some(error), _) => view! { <p role="alert">{errors::words(&error, t)}</p> }.into_any(),
        (None, false) => view! { <p role="status">{t.loading}</p> }.into_any(),
        (None, true) => view! { <Inside id known stuck /> }.into_any(),
    };
    let name = move || {
        known
            .view
            .with(|view| view.as_ref().map_or_else(|| t.loading.to_owned(), |view| view.name.to_string()))
    };
    view! {
        <dialog
            class="dialog drawer"
            node_ref=dialog
            aria-labelledby="drawer-title"
            on:close=move |_| view.open.set(None)
        >
            <div class="dialog-body">
                <div class="dialog-head">
                    <h2 id="drawer-title">{name}</h2>
                    <button
                        class="button button-quiet button-small button-icon"
                        r#type="button"
                        aria-label=t.close
                        on:click=close
                    >
                        {icon("close")}
                    </button>
                </div>
                {body}
            </div>
        </dialog>
    }
    .into_any()
}

#[component]
fn Inside(id: AgentId, known: Known, stuck: Memo<Option<Timestamp>>) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let f = lang.fleet();
    let state = Memo::new(move |_| {
        known.view.with(|view| view.as_ref().map_or("", |view| State::from(&view.phase).as_str()))
    });
    let facts = move || {
        let view = known.view.get()?;
        Some(view! {
            <span class="soft">{size_name(view.size, t)} " · " {lang.provider(view.provider)}</span>
            <code class="small">{view.id.to_string()}</code>
            {view.tier.map(|tier| view! { <Layers tier /> })}
        })
    };
    let late = move || {
        stuck.get()?;
        let why = known.view.with(|view| view.as_ref().map(|view| f.why_stuck(State::from(&view.phase))))?;
        Some(view! {
            <div class="banner" data-state="failed" role="status">
                {icon("hourglass")}
                <p class="banner-text"><strong>{why}</strong> " " {f.stuck_then}</p>
            </div>
        })
    };
    let has_terminal = Memo::new(move |_| {
        known.view.with(|view| view.as_ref().is_some_and(|view| view.provider != ProviderName::Simulated))
    });
    let boot = move || known.view.with(|view| view.as_ref().map(|view| waterfall(view, lang, t)));
    let provider = Memo::new(move |_| known.view.with(|view| view.as_ref().map(|view| view.provider)));
    let happened = Memo::new(move |_| known.events.with(|events| events.keys().next_back().copied()));
    view! {
        <div class="row">
            <StateWord state />
            <span>{move || known.owner.get()}</span>
            {facts}
        </div>
        {move || {
            has_terminal.get().then(|| view! { <AskToLook agent=id owner=known.owner.get_untracked() /> })
        }}
        {late}
        <section aria-labelledby="waterfall-title">
            <h3 id="waterfall-title">{t.boot_waterfall}</h3>
            {boot}
        </section>
        <section aria-labelledby="snapshots-title">
            <h3 id="snapshots-title">{f.snapshots}</h3>
            <Snapshots known />
        </section>
        {move || provider.get().map(|provider| view! { <Said id provider happened /> })}
        <section aria-labelledby="timeline-title">
            <h3 id="timeline-title">{t.timeline}</h3>
            <Happened id known />
        </section>
    }
    .into_any()
}

/// Each save that is in what is shown of its history, the latest first.
#[component]
fn Snapshots(known: Known) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let f = lang.fleet();
    let saved = Memo::new(move |_| {
        let snapshot = |event: &Event| match &event.what {
            What::Saved { snapshot } => Some(snapshot.clone()),
            _ => None,
        };
        known.events.with(|events| events.values().rev().filter_map(snapshot).collect::<Vec<_>>())
    });
    let now = move || known.view.with(|view| view.as_ref().map_or(Timestamp(0), |view| view.meter.as_of));
    let row = move |snapshot: domain::agent::Snapshot| {
        view! {
            <tr>
                <th scope="row">
                    <Ago at=snapshot.at now=now() />
                </th>
                <td>{lang.count(snapshot.files)}</td>
                <td>{lang.bytes(snapshot.bytes)}</td>
                <td>{lang.bytes(snapshot.added_bytes)}</td>
                <td>{snapshot.generation.0}</td>
            </tr>
        }
    };
    move || {
        let saved = saved.get();
        if saved.is_empty() {
            return view! { <p class="soft small">{f.no_snapshots}</p> }.into_any();
        }
        view! {
            <div class="drawer-table" tabindex="0" role="group" aria-labelledby="snapshots-title">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">{f.when}</th>
                            <th scope="col">{t.files}</th>
                            <th scope="col">{t.in_all}</th>
                            <th scope="col">{f.added}</th>
                            <th scope="col">{t.run}</th>
                        </tr>
                    </thead>
                    <tbody>{saved.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        }
        .into_any()
    }
}

/// What happened, the latest first, and as far back as somebody asks.
#[component]
fn Happened(id: AgentId, known: Known) -> impl IntoView {
    let (lang, t, act) = (use_lang(), use_strings(), use_act());
    let f = lang.fleet();
    let events = move || {
        let now = known.view.with(|view| view.as_ref().map_or(Timestamp(0), |view| view.meter.as_of));
        let line = |event: &Event| {
            let (words, at, run) = (words(event, t), event.at, event.generation.0);
            view! {
                <li>
                    <Ago at now />
                    <span>{words}</span>
                    <span class="soft small">{t.run} " " {run}</span>
                </li>
            }
        };
        known.events.with(|events| events.values().rev().map(line).collect_view())
    };
    let first = Memo::new(move |_| known.events.with(|events| events.keys().next().copied()));
    let older = move |_| {
        let before = first.get_untracked();
        act.run(api::fleet_agent(id, before), move |sight| known.take(Ok(sight)));
    };
    view! {
        <ol class="timeline">{events}</ol>
        {move || first.get().is_some_and(|first| first > 1).then(|| view! {
            <button
                class="button button-small button-quiet"
                r#type="button"
                aria-busy=move || act.busy().then_some("true")
                on:click=older
            >
                {f.older}
            </button>
        })}
    }
    .into_any()
}

fn words(event: &Event, t: &'static Strings) -> String {
    let index = match &event.what {
        What::Boot { phase } => {
            let named = BootPhase::ALL.into_iter().zip(t.phases).find(|(known, _)| known == phase);
            return named.map_or(t.running, |(_, name)| name).to_owned();
        }
        What::Created => 0,
        What::Renamed => 1,
        What::IdleWarning { .. } => 2,
        What::KeptAwake => 3,
        What::Saving { why: SaveReason::Budget } => return t.lang.budgets().saving.to_owned(),
        What::Saving { .. } => 4,
        What::Saved { .. } => 5,
        What::SaveFailed { .. } => 6,
        What::Lost { .. } => 7,
        What::Asleep => 8,
        What::Failed { .. } => 9,
        What::Interrupted { .. } => 10,
        What::Deleting => 11,
        What::Deleted => 12,
    };
    t.happened[index].to_owned()
}
