//! What can be done to the agents that are chosen.

use domain::fleet::Order;
use domain::id::AgentId;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::View;
use super::bulk::Bulk;
use crate::api;
use crate::browser;
use crate::components::errors;
use crate::components::icon::icon;
use crate::components::toasts::Toaster;
use crate::error::ErrorCode;
use crate::i18n::{use_lang, use_strings};

/// There while some are chosen.
#[component]
pub fn Orders(view: View, bulk: Bulk) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let f = lang.fleet();
    let toaster: Toaster = expect_context();
    let all = move |_| {
        spawn_local(async move {
            match api::fleet_ids(view.query.get_untracked()).await {
                Ok(ids) => drop(view.chosen.try_set(ids.into_iter().collect())),
                Err(error) if error.code == ErrorCode::Unauthenticated => browser::leave_for("/sign-in"),
                Err(error) => toaster.say(errors::words(&error, t)),
            }
        });
    };
    let busy = move || bulk.busy().then_some("true");
    let act = move |order: Order, symbol: &'static str, class: &'static str, name: &'static str, hint| {
        let press = move |_| {
            if !bulk.busy() {
                let ids: Vec<AgentId> = view.chosen.get_untracked().into_iter().collect();
                bulk.give(ids, order, false);
                view.chosen.set(Default::default());
            }
        };
        view! {
            <button class=class r#type="button" title=hint aria-busy=busy on:click=press>
                {icon(symbol)}
                {name}
            </button>
        }
    };
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
                {act(Order::Wake, "cup", "button button-small", t.wake_selected, "")}
                {act(Order::Sleep, "moon", "button button-small button-primary", t.sleep_selected, f.sleep_hint)}
                {act(Order::Stop, "plug", "button button-small", f.stop_selected, f.stop_hint)}
            </div>
        }
        .into_any()
    };
    let any = Memo::new(move |_| count.get() > 0);
    move || any.get().then(tools)
}
