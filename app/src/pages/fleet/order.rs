//! What is done to many agents at once, with its progress.

use domain::fleet::Order;
use domain::id::AgentId;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::View;
use crate::api;
use crate::browser;
use crate::components::errors;
use crate::components::icon::icon;
use crate::components::toasts::Toaster;
use crate::error::{AppError, ErrorCode};
use crate::i18n::{use_lang, use_strings};

/// Agents asked for by one request.
const CHUNK: usize = 25;

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    done: usize,
    all: usize,
}

/// Asks for all of them, some at a time; how many could not.
async fn give(
    ids: &[AgentId],
    order: Order,
    progress: RwSignal<Option<Progress>>,
) -> Result<usize, AppError> {
    let (mut done, mut failed) = (0, 0);
    for chunk in ids.chunks(CHUNK) {
        progress.try_set(Some(Progress { done, all: ids.len() }));
        failed += api::fleet_order(chunk.to_vec(), order).await?.len();
        done += chunk.len();
    }
    Ok(failed)
}

/// What can be done to the agents that are chosen.
#[component]
pub fn Orders(view: View) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let toaster: Toaster = expect_context();
    let progress = RwSignal::new(None::<Progress>);
    let refused = move |error: AppError| match error.code {
        ErrorCode::Unauthenticated => browser::leave_for("/sign-in"),
        _ => toaster.say(errors::words(&error, t)),
    };
    let order = move |order: Order| {
        if progress.get_untracked().is_some() {
            return;
        }
        let ids: Vec<AgentId> = view.chosen.get_untracked().into_iter().collect();
        progress.set(Some(Progress { done: 0, all: ids.len() }));
        spawn_local(async move {
            let outcome = give(&ids, order, progress).await;
            progress.try_set(None);
            match outcome {
                Ok(failed) => {
                    let done = lang.count((ids.len() - failed) as u64);
                    toaster.say((t.order_done)(&done, failed));
                    view.chosen.try_set(Default::default());
                }
                Err(error) => refused(error),
            }
        });
    };
    let all = move |_| {
        spawn_local(async move {
            match api::fleet_ids(view.query.get_untracked()).await {
                Ok(ids) => drop(view.chosen.try_set(ids.into_iter().collect())),
                Err(error) => refused(error),
            }
        });
    };
    let busy = move || progress.get().is_some().then_some("true");
    let count = Memo::new(move |_| view.chosen.with(std::collections::HashSet::len));
    let tools = move || {
        view! {
            <div class="fleet-orders">
                <strong role="status">{move || (t.selected)(&lang.count(count.get() as u64))}</strong>
                {move || {
                    let total = view.total.get();
                    ((count.get() as u64) < u64::from(total))
                        .then(|| view! {
                            <button class="button button-small button-quiet" r#type="button" on:click=all>
                                {(t.select_all)(&lang.count(total.into()))}
                            </button>
                        })
                }}
                <button
                    class="button button-small button-quiet"
                    r#type="button"
                    on:click=move |_| view.chosen.set(Default::default())
                >
                    {t.select_none}
                </button>
                <button class="button button-small" r#type="button" aria-busy=busy on:click=move |_| order(Order::Wake)>
                    {icon("cup")}
                    {t.wake_selected}
                </button>
                <button
                    class="button button-small button-primary"
                    r#type="button"
                    aria-busy=busy
                    on:click=move |_| order(Order::Sleep)
                >
                    {icon("moon")}
                    {t.sleep_selected}
                </button>
                {move || progress.get().map(|Progress { done, all }| {
                    let words = (t.order_progress)(&lang.count(done as u64), &lang.count(all as u64));
                    view! { <progress max=all value=done aria-label=words.clone()></progress> <span class="small">{words}</span> }
                })}
            </div>
        }
        .into_any()
    };
    let any = Memo::new(move |_| count.get() > 0);
    move || any.get().then(tools)
}
