//! The loader: the phases of a boot as they really happen, with the time that
//! each took. It never goes backwards and never guesses.

use std::time::Duration;

use domain::agent::Phase;
use domain::boot::{BootPhase, Mark, Timeline};
use domain::view::AgentView;
use leptos::prelude::*;

use super::act::use_act;
use super::icon::changing_icon;
use super::mishap::Mishap;
use super::pinza::{Mood, Pinza};
use super::spawn::size_name;
use super::when::use_teller;
use crate::api;
use crate::i18n::{Strings, use_lang, use_strings};
use crate::live::Live;
use crate::terminal;

/// The phases that take time where the agent runs, all but `Ready`, with their names.
pub fn phases(view: &AgentView, t: &Strings) -> Vec<(BootPhase, &'static str)> {
    let named = BootPhase::ALL.into_iter().zip(t.phases);
    named.filter(|(phase, _)| BootPhase::of(view.provider).contains(phase)).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Done,
    Doing,
    Waiting,
    Failed,
}

impl Step {
    /// How far `phase` is in the agent's latest boot. A phase that was passed
    /// over is done, in no time.
    fn of(phase: BootPhase, view: &AgentView) -> Self {
        match view.boot.current() {
            Some(current) if current > phase => Self::Done,
            Some(current) if current == phase => match view.phase {
                Phase::Failed { .. } => Self::Failed,
                _ => Self::Doing,
            },
            _ => Self::Waiting,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Doing => "doing",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
        }
    }

    const fn symbol(self) -> &'static str {
        match self {
            Self::Done => "check",
            Self::Doing => "cup",
            Self::Waiting => "dot",
            Self::Failed => "close",
        }
    }

    fn words(self, t: &Strings) -> &'static str {
        match self {
            Self::Done => t.step_done,
            Self::Doing => t.step_doing,
            Self::Waiting => t.step_waiting,
            Self::Failed => t.step_failed,
        }
    }
}

fn mark(boot: &Timeline, phase: BootPhase) -> Option<Mark> {
    boot.marks().iter().find(|mark| mark.phase == phase).copied()
}

/// An agent that wakes, or that failed to.
#[component]
pub fn Waking(agent: Live) -> impl IntoView {
    let (lang, t, act, teller) = (use_lang(), use_strings(), use_act(), use_teller());
    terminal::foresee();
    let mood = agent.memo(Mood::of);
    let failure = agent.memo(|view| view.failure().cloned());
    let from = Memo::new(move |_| {
        let saved = agent.read(|view| view.snapshot.as_ref().map(|snapshot| snapshot.at));
        saved.map_or_else(|| t.first_time.to_owned(), |at| (t.from_save_of)(&teller.ago(at, agent.now())))
    });
    let doing = doing(agent, t);
    let sum = Memo::new(move |_| {
        let (asked, ready) = agent.read(|view| {
            let asked = view.boot.marks().first().map(|mark| mark.at);
            (asked, mark(&view.boot, BootPhase::Ready).map(|mark| mark.at))
        });
        let end = ready.unwrap_or_else(|| agent.now());
        lang.took(asked.map_or(Duration::ZERO, |at| end.since(at)))
    });
    let waking = agent.memo(AgentView::is_waking);
    let let_sleep = move |_| act.on(agent, api::sleep(agent.id));
    let phases = agent.peek(|view| phases(view, t));
    let phases = phases.into_iter().map(|(phase, name)| view! { <PhaseLine agent phase name /> });
    let foot = move || match failure.get() {
        Some(failure) => view! { <Mishap agent failure /> }.into_any(),
        None => view! {
            <div class="waking-foot">
                <span>{t.elapsed} " " <span class="waking-clock">{move || sum.get()}</span></span>
                {move || {
                    waking
                        .get()
                        .then(|| view! {
                            <button
                                class="button button-quiet button-small"
                                r#type="button"
                                aria-busy=move || act.busy().then_some("true")
                                on:click=let_sleep
                            >
                                {t.let_it_sleep}
                            </button>
                        })
                }}
            </div>
        }
        .into_any(),
    };
    view! {
        <section class="waking" aria-labelledby="waking-title">
            <Pinza mood id=format!("waking-{}", agent.id) />
            <div>
                <div class="waking-head">
                    <h2 id="waking-title">
                        {move || if failure.with(Option::is_some) { t.waking_failed_title } else { t.waking_title }}
                    </h2>
                    <p class="waking-for">
                        <strong>{move || agent.read(|view| view.name.to_string())}</strong>
                        " · "
                        {agent.peek(|view| size_name(view.size, t))}
                        " · "
                        {move || from.get()}
                    </p>
                </div>
                <p class="visually-hidden" role="status">
                    {move || doing.get()}
                </p>
                <ol class="phases">{phases.collect_view()}</ol>
                {foot}
            </div>
        </section>
    }
    .into_any()
}

/// The loader's short form, over a terminal whose agent moves to another machine.
#[component]
pub fn Moving(agent: Live) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let (mood, doing) = (agent.memo(Mood::of), doing(agent, t));
    let sum = Memo::new(move |_| {
        let asked = agent.read(|view| view.boot.marks().first().map(|mark| mark.at));
        lang.took(asked.map_or(Duration::ZERO, |at| agent.now().since(at)))
    });
    view! {
        <section class="moving" aria-labelledby="moving-title">
            <Pinza mood id=format!("moving-{}", agent.id) />
            <div>
                <h2 id="moving-title">{t.moving_title}</h2>
                <p role="status">{move || doing.get()}</p>
            </div>
            <span class="moving-clock" aria-hidden="true">{move || sum.get()}</span>
        </section>
    }
    .into_any()
}

/// The name of the phase that its boot is in.
fn doing(agent: Live, t: &'static Strings) -> Memo<&'static str> {
    Memo::new(move |_| {
        let current = agent.read(|view| view.boot.current());
        let named = BootPhase::ALL.into_iter().zip(t.phases).find(|(phase, _)| Some(*phase) == current);
        named.map_or("", |(_, name)| name)
    })
}

#[component]
fn PhaseLine(agent: Live, phase: BootPhase, name: &'static str) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let step = agent.memo(move |view| Step::of(phase, view));
    let time = Memo::new(move |_| {
        let (took, began, ended) = agent.read(|view| {
            let began = mark(&view.boot, phase).map(|mark| mark.at);
            (view.boot.took(phase), began, view.phase_since)
        });
        let span = match (step.get(), began) {
            (Step::Done, _) => Some(took.unwrap_or_default()),
            (Step::Doing, Some(began)) => Some(agent.now().since(began)),
            (Step::Failed, Some(began)) => Some(ended.since(began)),
            _ => None,
        };
        span.map(|span| lang.took(span)).unwrap_or_default()
    });
    let note = agent.memo(move |view| match &view.snapshot {
        Some(saved) if phase == BootPhase::Hydrating => {
            Some((t.files_and_bytes)(&lang.count(saved.files), &lang.bytes(saved.bytes)))
        }
        _ => None,
    });
    view! {
        <li class="phase" data-step=move || step.get().as_str()>
            <span class="phase-mark">{changing_icon(move || step.get().symbol())}</span>
            <span class="phase-name">
                {name} " "
                <span class="visually-hidden">"(" {move || step.get().words(t)} ")"</span>
            </span>
            <span class="phase-time">{move || time.get()}</span>
            {move || note.get().map(|note| view! { <span class="phase-note">{note}</span> })}
        </li>
    }
    .into_any()
}
