//! Draining the provider: nothing new is launched there, and who is awake goes to sleep.

use domain::agent::ProviderName;
use domain::fleet::{Drain, Group, Order, Query};
use domain::time::Timestamp;
use leptos::prelude::*;

use super::View;
use super::bulk::Bulk;
use crate::api;
use crate::components::act::use_act;
use crate::components::dialog::{Dialog, DialogHandle};
use crate::components::house::use_me;
use crate::components::icon::icon;
use crate::components::when::When;
use crate::error::AppError;
use crate::i18n::{Exact, use_lang, use_strings};

/// That it is being drained, and the way back.
#[component]
pub fn Draining(view: View) -> impl IntoView {
    let (lang, me, act) = (use_lang(), use_me(), use_act());
    let f = lang.fleet();
    // Its end comes by the feed, as it does to everybody else who looks on.
    let end = move |_| act.run(api::fleet_drain(Drain::End), |()| ());
    let banner = move |(provider, since): (ProviderName, Timestamp)| {
        view! {
            <div class="banner" data-state="warning" role="status">
                {icon("plug")}
                <p class="banner-text">
                    <strong>{(f.draining)(lang.provider(provider))}</strong>
                    " "
                    {f.draining_text}
                    " "
                    <When at=since to=Exact::Minute /> "."
                </p>
                {me.manages_fleet.then(|| view! {
                    <button
                        class="button button-small"
                        r#type="button"
                        aria-busy=move || act.busy().then_some("true")
                        on:click=end
                    >
                        {f.undrain}
                    </button>
                })}
            </div>
        }
    };
    let drained = Memo::new(move |_| {
        let place = view.place.get();
        Some((place.provider, place.drained?))
    });
    move || drained.get().map(banner)
}

/// The button that begins it, for who may.
#[component]
pub fn Drainer(view: View, bulk: Bulk) -> impl IntoView {
    let (lang, t, act) = (use_lang(), use_strings(), use_act());
    let f = lang.fleet();
    let asked = RwSignal::new(false);
    let handle = DialogHandle::new();
    let open_for = Memo::new(move |_| {
        let place = view.place.get();
        place.drained.is_none().then_some(place.provider)
    });
    let begin = move |provider| {
        let work = async move {
            api::fleet_drain(Drain::Begin).await?;
            awake_at(provider).await
        };
        act.run(work, move |ids| {
            handle.close();
            bulk.give(ids, Order::Sleep, true);
        });
    };
    let dialog = move |provider: ProviderName| {
        let title = (f.drain_title)(lang.provider(provider));
        view! {
            <Dialog
                handle
                id="drain"
                title
                small=true
                submit=move || begin(provider)
                closed=Callback::new(move |()| asked.set(false))
            >
                <p>{f.drain_text}</p>
                <div class="dialog-foot">
                    <button class="button button-quiet" r#type="button" on:click=move |_| handle.close()>
                        {t.cancel}
                    </button>
                    <button
                        class="button button-danger"
                        r#type="submit"
                        aria-busy=move || act.busy().then_some("true")
                    >
                        {f.drain}
                    </button>
                </div>
            </Dialog>
        }
    };
    let button = move |provider| {
        view! {
            <button
                class="button button-small button-quiet"
                r#type="button"
                disabled=move || bulk.busy()
                on:click=move |_| asked.set(true)
            >
                {icon("plug")}
                {(f.drain_dots)(lang.provider(provider))}
            </button>
        }
    };
    view! {
        {move || open_for.get().map(button)}
        {move || open_for.get().filter(|_| asked.get()).map(dialog)}
    }
    .into_any()
}

/// All that run there or are about to.
async fn awake_at(provider: ProviderName) -> Result<Vec<domain::id::AgentId>, AppError> {
    let mut ids = Vec::new();
    for state in [Group::Booting, Group::Awake] {
        let query = Query { state: Some(state), provider: Some(provider), ..Query::default() };
        ids.extend(api::fleet_ids(query).await?);
    }
    Ok(ids)
}
