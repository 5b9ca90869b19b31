//! An order to many agents under way: how far it is, who could not, and the way back.

use domain::fleet::{Drain, Order};
use domain::id::AgentId;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::View;
use crate::api;
use crate::browser;
use crate::components::errors;
use crate::components::icon::icon;
use crate::error::{AppError, ErrorCode};
use crate::i18n::{use_lang, use_strings};

/// Agents asked for by one request.
const CHUNK: usize = 25;

/// One at a time, wherever in the house one goes meanwhile.
#[derive(Clone, Copy)]
pub struct Bulk(RwSignal<Option<Run>>);

/// Gives it a place for all that is below.
pub fn provide_bulk() {
    let bulk = Bulk(RwSignal::new(None));
    provide_context(bulk);
    let busy = Memo::new(move |_| bulk.busy());
    Effect::new(move || {
        if busy.get() {
            // Whoever leaves the house now leaves half of it undone.
            let leaving = window_event_listener(leptos::ev::beforeunload, |event| event.prevent_default());
            on_cleanup(move || leaving.remove());
        }
    });
}

/// The order that is given, or was.
///
/// # Panics
/// Outside of the house.
pub fn use_bulk() -> Bulk {
    expect_context()
}

#[derive(Clone)]
struct Run {
    order: Order,
    /// It is the second half of draining the provider.
    drains: bool,
    all: usize,
    done: usize,
    failed: Vec<(AgentId, ErrorCode)>,
    /// Those that the opposite order would make as they were.
    changed: Vec<AgentId>,
    over: bool,
    /// What ended it before its end.
    error: Option<AppError>,
}

impl Bulk {
    pub fn busy(self) -> bool {
        self.0.with(|run| run.as_ref().is_some_and(|run| !run.over))
    }

    /// Asks for all of them, some at a time.
    pub fn give(self, ids: Vec<AgentId>, order: Order, drains: bool) {
        self.go_on(
            Run {
                order,
                drains,
                all: ids.len(),
                done: 0,
                failed: Vec::new(),
                changed: Vec::new(),
                over: false,
                error: None,
            },
            ids,
        );
    }

    fn go_on(self, run: Run, ids: Vec<AgentId>) {
        if self.0.with_untracked(|run| run.as_ref().is_some_and(|run| !run.over)) {
            return;
        }
        let order = run.order;
        self.0.set(Some(run));
        let change = move |change: &dyn Fn(&mut Run)| {
            self.0.try_update(|run| run.as_mut().map(change));
        };
        spawn_local(async move {
            for chunk in ids.chunks(CHUNK) {
                match api::fleet_order(chunk.to_vec(), order).await {
                    Ok(ordered) => change(&|run| {
                        run.done += chunk.len();
                        run.changed.extend(&ordered.changed);
                        run.failed.extend(&ordered.failed);
                    }),
                    Err(error) if error.code == ErrorCode::Unauthenticated => {
                        change(&|run| run.over = true);
                        return browser::leave_for("/sign-in");
                    }
                    Err(error) => {
                        change(&|run| run.error = Some(error.clone()));
                        break;
                    }
                }
            }
            change(&|run| run.over = true);
        });
    }

    /// Stops those that were left alone because they work.
    fn stop_the_rest(self) {
        let Some(run) = self.0.get_untracked() else { return };
        let (rest, failed): (Vec<_>, Vec<_>) =
            run.failed.into_iter().partition(|(_, code)| *code == ErrorCode::AtWork);
        let ids: Vec<_> = rest.into_iter().map(|(id, _)| id).collect();
        self.go_on(Run { order: Order::Stop, done: run.all - ids.len(), failed, over: false, ..run }, ids);
    }

    /// Makes those that were changed as they were, and takes a drain back.
    fn undo(self) {
        let Some(run) = self.0.get_untracked().filter(|run| run.over) else { return };
        let opposite = match run.order {
            Order::Wake => Order::Stop,
            Order::Sleep | Order::Stop => Order::Wake,
        };
        spawn_local(async move {
            if run.drains
                && let Err(error) = api::fleet_drain(Drain::End).await
            {
                self.0.try_update(|run| run.as_mut().map(|run| run.error = Some(error)));
                return;
            }
            self.give(run.changed, opposite, false);
        });
    }
}

/// How it goes, and then how it went.
#[component]
pub fn Report(view: View, bulk: Bulk) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let f = lang.fleet();
    let read = move |read: fn(&Run) -> usize| bulk.0.with(|run| run.as_ref().map_or(0, read));
    let (all, done) = (Memo::new(move |_| read(|run| run.all)), Memo::new(move |_| read(|run| run.done)));
    let words = move || {
        let run = bulk.0.get()?;
        let (done, all) = (lang.count(run.done as u64), lang.count(run.all as u64));
        let so_far = (t.order_progress)(&done, &all);
        let failed = run.failed.len();
        Some(match (run.over, &run.error) {
            (false, _) => so_far,
            (true, Some(error)) => format!("{so_far}. {}", errors::words(error, t)),
            (true, None) => (t.order_done)(&lang.count(run.done.saturating_sub(failed) as u64), failed),
        })
    };
    let over = Memo::new(move |_| bulk.0.with(|run| run.as_ref().is_some_and(|run| run.over)));
    let can_undo = Memo::new(move |_| {
        over.get() && bulk.0.with(|run| run.as_ref().is_some_and(|run| run.drains || !run.changed.is_empty()))
    });
    let at_work = Memo::new(move |_| {
        let count = |run: &Run| run.failed.iter().filter(|(_, code)| *code == ErrorCode::AtWork).count();
        if over.get() { bulk.0.with(|run| run.as_ref().map_or(0, count)) } else { 0 }
    });
    let failed =
        Memo::new(move |_| bulk.0.with(|run| run.as_ref().map(|run| run.failed.clone())).unwrap_or_default());
    let failure = move |(id, code): (AgentId, ErrorCode)| {
        // Names are known of those in view.
        let name = view.lines.with_untracked(|lines| {
            let line = lines.iter().find(|line| line.id() == id);
            line.map(|line| line.seen.with_untracked(|(row, _)| row.name.to_string()))
        });
        view! {
            <li>
                <button class="fleet-name" r#type="button" on:click=move |_| view.open.set(Some(id))>
                    {name.unwrap_or_else(|| id.to_string())}
                </button>
                " "
                <span>{errors::words(&AppError::new(code), t)}</span>
            </li>
        }
    };
    let shown = Memo::new(move |_| bulk.0.with(Option::is_some));
    let report = move || {
        view! {
            <section class="fleet-orders fleet-report" aria-label=f.report>
                <progress max=move || all.get().max(1) value=move || done.get() aria-label=f.report></progress>
                <span role="status">{words}</span>
                {move || can_undo.get().then(|| view! {
                    <button class="button button-small" r#type="button" on:click=move |_| bulk.undo()>
                        {icon("back")}
                        {f.undo}
                    </button>
                })}
                {move || (at_work.get() > 0).then(|| view! {
                    <button class="button button-small" r#type="button" on:click=move |_| bulk.stop_the_rest()>
                        {icon("moon")}
                        {(f.stop_rest)(&lang.count(at_work.get() as u64))}
                    </button>
                })}
                {move || over.get().then(|| view! {
                    <button
                        class="button button-small button-quiet button-icon"
                        r#type="button"
                        aria-label=t.close
                        on:click=move |_| bulk.0.set(None)
                    >
                        {icon("close")}
                    </button>
                })}
                {move || {
                    let failed = failed.get();
                    (!failed.is_empty()).then(|| view! {
                        <details class="fleet-failed">
                            <summary>{(f.failed_ones)(&lang.count(failed.len() as u64))}</summary>
                            <ul>{failed.into_iter().map(failure).collect_view()}</ul>
                        </details>
                    })
                }}
            </section>
        }
        .into_any()
    };
    move || shown.get().then(report)
}
