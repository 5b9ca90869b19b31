//! One terminal on the page.

use domain::id::AgentId;
use leptos::html;
use leptos::prelude::*;

use super::link::{Link, LinkWord};
use super::search::Search;
use super::veil::Veil;
use crate::browser;
use crate::i18n::use_strings;
use crate::live::Live;

/// Gives the keyboard to the terminal that is shown.
pub fn focus_shown() {
    browser::focus(".terminal:not([hidden]) textarea");
}

/// A terminal, seen while its number is the active one.
#[component]
pub fn Screen(
    agent: Live,
    number: u16,
    link: RwSignal<Link>,
    active: RwSignal<u16>,
    hidden: Signal<bool>,
    runs: Memo<bool>,
    ask: RwSignal<Search>,
) -> impl IntoView {
    let host = NodeRef::<html::Div>::new();
    let again = RwSignal::new(0u32);
    let seen = Signal::derive(move || active.get() == number && !hidden.get());
    #[cfg(target_arch = "wasm32")]
    super::mount::mount(super::mount::Place {
        agent: agent.id,
        way: super::Way::Own,
        number,
        host,
        link,
        seen,
        runs,
        ask,
        again,
    });
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (agent, seen, ask);
    let t = use_strings();
    // Every key is the program's but this one, by which desktops leave a pane.
    let leave = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "F6" {
            event.prevent_default();
            event.stop_propagation();
            browser::focus(&format!("#tab-{number}"));
        }
    };
    view! {
        <div
            class="terminal"
            id=format!("screen-{number}")
            role="tabpanel"
            aria-labelledby=format!("tab-{number}")
            aria-description=t.terminal_keys
            on:keydown:capture=leave
            hidden=move || active.get() != number
        >
            <div class="terminal-host" node_ref=host></div>
            <Veil link=link.into() runs again=Callback::new(move |()| again.update(|again| *again += 1)) />
        </div>
    }
    .into_any()
}

/// Somebody else's first terminal, to look at: it has the size that they gave it.
#[component]
pub fn Watched(agent: AgentId, link: RwSignal<Link>) -> impl IntoView {
    let host = NodeRef::<html::Div>::new();
    let again = RwSignal::new(0u32);
    let runs = Memo::new(|_| true);
    #[cfg(target_arch = "wasm32")]
    super::mount::mount(super::mount::Place {
        agent,
        way: super::Way::Look,
        number: 0,
        host,
        link,
        seen: Signal::stored(true),
        runs,
        ask: RwSignal::new(Search::default()),
        again,
    });
    #[cfg(not(target_arch = "wasm32"))]
    let _ = agent;
    view! {
        <div class="screen">
            <div class="screen-bar">
                <LinkWord link />
            </div>
            <div class="terminal terminal-watched">
                <div class="terminal-host" node_ref=host></div>
                <Veil link=link.into() runs again=Callback::new(move |()| again.update(|again| *again += 1)) />
            </div>
        </div>
    }
    .into_any()
}
