//! An agent in the list: an order ticket with its price on the stub.

use domain::agent::Phase;
use domain::view::AgentView;
use leptos::prelude::*;
use leptos_router::components::A;

use super::act::use_act;
use super::agent_menu::AgentMenu;
use super::icon::icon;
use super::pinza::{Mood, Pinza};
use super::receipt::{Figure, basis, rate};
use super::spawn::size_name;
use super::state::{State, word};
use super::when::use_teller;
use crate::api;
use crate::i18n::{use_lang, use_strings};
use crate::live::Live;

/// What the ticket offers first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Offer {
    Open,
    Watch,
    Wake,
    Mend,
    Nothing,
}

fn offer(view: &AgentView) -> Offer {
    match view.phase {
        Phase::Running | Phase::Interrupted { .. } => Offer::Open,
        Phase::Pending | Phase::Provisioning | Phase::Booting => Offer::Watch,
        Phase::Asleep => Offer::Wake,
        Phase::Failed { .. } => Offer::Mend,
        Phase::Saving | Phase::Deleting | Phase::Deleted => Offer::Nothing,
    }
}

/// One agent's ticket.
#[component]
pub fn Ticket(agent: Live) -> impl IntoView {
    let (lang, t, teller) = (use_lang(), use_strings(), use_teller());
    let href = format!("/agents/{}", agent.id);
    let state = agent.memo(word);
    let mood = agent.memo(Mood::of);
    let used = Memo::new(move |_| teller.ago(agent.read(|view| view.last_use), agent.now()));
    let sum = Memo::new(move |_| agent.meter().total.map(|sum| lang.sum(sum)));
    let runs = agent.memo(|view| view.meter.running);
    let kind = agent.memo(offer);
    view! {
        <article class="ticket" data-state=move || state.get()>
            <div class="ticket-main">
                <div class="ticket-face">
                    <Pinza mood id=agent.id.to_string() />
                </div>
                <h2 class="ticket-name">
                    <A href=href.clone()>{move || agent.read(|view| view.name.to_string())}</A>
                </h2>
                <div class="ticket-facts">
                    <State agent />
                    <span>{agent.peek(|view| size_name(view.size, t))}</span>
                    <span>{move || used.get()}</span>
                </div>
                <div class="actions">
                    {move || offers(agent, kind.get(), &href)} <AgentMenu agent />
                </div>
            </div>
            <div class="ticket-stub">
                <div>
                    <span class="ticket-label">{t.until_now}</span>
                    <span class="ticket-sum"><Figure read=sum /></span>
                </div>
                <div>
                    <span class="ticket-rate">
                        {move || match runs.get() {
                            true => view! { <Figure read=rate(agent) /> }.into_any(),
                            // Asleep nothing is billed, whatever the price.
                            false => view! { "$0/h" }.into_any(),
                        }}
                    </span>
                    <br />
                    {move || match (runs.get(), kind.get()) {
                        (true, _) => view! { <span class="estimate">{agent.peek(|view| basis(view.meter.basis, t))}</span> }.into_any(),
                        (false, Offer::Mend) => label(t.free_stopped),
                        (false, Offer::Wake) => label(t.free_asleep),
                        (false, _) => label(""),
                    }}
                </div>
            </div>
        </article>
    }
    .into_any()
}

fn label(text: &'static str) -> AnyView {
    view! { <span class="ticket-label">{text}</span> }.into_any()
}

fn offers(agent: Live, kind: Offer, href: &str) -> AnyView {
    let (t, act) = (use_strings(), use_act());
    let busy = move || act.busy().then_some("true");
    let wake = move |_| act.on(agent, api::wake(agent.id));
    let sleep = move |_| act.on(agent, api::sleep(agent.id));
    let href = href.to_owned();
    match kind {
        Offer::Open => view! {
            <a class="button button-primary button-small" href=href>
                {icon("terminal")}
                {t.open}
            </a>
            <button class="button button-small" r#type="button" aria-busy=busy on:click=sleep>
                {icon("moon")}
                {t.sleep}
            </button>
        }
        .into_any(),
        Offer::Watch => view! {
            <a class="button button-small" href=href>
                {icon("dawn")}
                {t.watch_waking}
            </a>
        }
        .into_any(),
        Offer::Wake => view! {
            <button class="button button-primary button-small" r#type="button" aria-busy=busy on:click=wake>
                {icon("cup")}
                {t.wake}
            </button>
        }
        .into_any(),
        Offer::Mend => view! {
            <button class="button button-primary button-small" r#type="button" aria-busy=busy on:click=wake>
                {icon("refresh")}
                {t.restart}
            </button>
            <a class="button button-small" href=href>
                {t.what_happened}
            </a>
        }
        .into_any(),
        Offer::Nothing => ().into_any(),
    }
}
