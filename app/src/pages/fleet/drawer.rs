//! Somebody's agent: how its latest boot went, and what happened to it.

use std::time::Duration;

use domain::boot::BootPhase;
use domain::event::{Event, What};
use domain::fleet::State;
use domain::id::AgentId;
use domain::view::AgentView;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::View;
use crate::api::{self, Sight};
use crate::components::errors;
use crate::components::icon::icon;
use crate::components::state::StateWord;
use crate::error::AppError;
use crate::i18n::{Lang, Strings, use_lang, use_strings};

/// The drawer; what it shows is asked for again whenever its row changes.
#[component]
pub fn Drawer(view: View, id: AgentId) -> impl IntoView {
    let t = use_strings();
    let dialog = NodeRef::<html::Dialog>::new();
    let sight = RwSignal::new(None::<Result<Sight, AppError>>);
    let version = Memo::new(move |_| {
        let line = view.lines.with(|lines| lines.iter().find(|line| line.id == id).cloned());
        line.map(|line| line.seen.with(|(row, _)| row.version))
    });
    Effect::new(move || {
        version.track();
        spawn_local(async move {
            let outcome = api::fleet_agent(id).await;
            sight.try_set(Some(outcome));
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
    let body = move || match sight.get() {
        None => view! { <p role="status">{t.loading}</p> }.into_any(),
        Some(Err(error)) => view! { <p role="alert">{errors::words(&error, t)}</p> }.into_any(),
        Some(Ok(sight)) => view! { <Inside sight /> }.into_any(),
    };
    let name = move || match sight.get() {
        Some(Ok(sight)) => sight.view.name.to_string(),
        _ => t.loading.to_owned(),
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
fn Inside(sight: Sight) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let Sight { owner, view, events } = sight;
    let state = Memo::new({
        let state = State::from(&view.phase).as_str();
        move |_| state
    });
    let happened = events.iter().rev().map(|event| {
        let (words, at) = (words(event, t), event.at);
        view! {
            <li>
                <time datetime=at.to_string() title=at.to_string()>
                    {lang.ago(at, view.meter.as_of)}
                </time>
                <span>{words}</span>
                <span class="soft small">{t.run} " " {event.generation.0}</span>
            </li>
        }
    });
    let happened = happened.collect_view();
    view! {
        <div class="row">
            <StateWord state />
            <span>{owner.to_string()}</span>
            <span class="soft">{view.size.to_string()} " · " {lang.provider(view.provider)}</span>
            <code class="small">{view.id.to_string()}</code>
        </div>
        <section aria-labelledby="waterfall-title">
            <h3 id="waterfall-title">{t.boot_waterfall}</h3>
            {waterfall(&view, lang, t)}
        </section>
        <section aria-labelledby="timeline-title">
            <h3 id="timeline-title">{t.timeline}</h3>
            <ol class="timeline">{happened}</ol>
        </section>
    }
    .into_any()
}

/// Each phase of the latest boot as a bar from its begin to the next.
fn waterfall(view: &AgentView, lang: Lang, t: &'static Strings) -> AnyView {
    let marks = view.boot.marks();
    let Some(asked) = marks.first().map(|mark| mark.at) else { return ().into_any() };
    let end = match marks.last() {
        Some(last) if last.phase == BootPhase::Ready => last.at,
        // It goes on, or ended where it failed.
        _ if view.is_waking() => view.meter.as_of,
        _ => view.phase_since,
    };
    let whole = end.since(asked).as_millis().max(1) as f64;
    let share = |span: Duration| format!("{:.2}%", span.as_millis() as f64 / whole * 100.0);
    let bars = marks.iter().filter(|mark| mark.phase != BootPhase::Ready).map(|mark| {
        let span = view.boot.took(mark.phase).unwrap_or_else(|| end.since(mark.at));
        let named = BootPhase::ALL.into_iter().zip(t.phases).find(|(phase, _)| *phase == mark.phase);
        view! {
            <li>
                <span>{named.map_or("", |(_, name)| name)}</span>
                <svg class="waterfall-bar" aria-hidden="true">
                    <rect x=share(mark.at.since(asked)) width=share(span) height="100%" />
                </svg>
                <span class="numerals">{lang.took(span)}</span>
            </li>
        }
    });
    view! { <ol class="waterfall">{bars.collect_view()}</ol> }.into_any()
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
