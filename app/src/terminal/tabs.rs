//! The tabs of an agent's terminals. Each stays where it is while another is
//! shown; the tab remembers how many there were when the page is loaded anew.

use leptos::html;
use leptos::prelude::*;

use super::link::{Link, LinkWord};
use super::screen::{Screen, focus_shown};
use super::search::{Search, SearchField};
use crate::browser;
use crate::components::icon::icon;
use crate::i18n::use_strings;
use crate::live::Live;

/// As many as an instance may have.
const MOST: usize = 16;

/// One terminal of the agent.
#[derive(Debug, Clone, Copy)]
struct Tab {
    number: u16,
    link: RwSignal<Link>,
}

impl Tab {
    fn new(number: u16) -> Self {
        Self { number, link: RwSignal::new(Link::Connecting) }
    }
}

/// Terminals of an agent that runs.
#[component]
pub fn Terminals(
    agent: Live,
    /// The first one's line.
    first: RwSignal<Link>,
    /// Whether something lies before it all.
    hidden: Signal<bool>,
    /// Whether there is an instance to connect to.
    runs: Memo<bool>,
) -> impl IntoView {
    first.set(Link::Connecting);
    let t = use_strings();
    let key = format!("terminals-{}", agent.id);
    let tabs = RwSignal::new(vec![Tab { number: 0, link: first }]);
    let active = RwSignal::new(0u16);
    let searching = RwSignal::new(false);
    let ask = RwSignal::new(Search::default());
    let owner = StoredValue::new(Owner::current());
    let add = move |number: u16| {
        let Some(Some(owner)) = owner.try_get_value() else { return };
        let tab = owner.with(|| Tab::new(number));
        tabs.update(|tabs| tabs.push(tab));
    };

    // What this browser tab had open before it was loaded anew.
    let kept = key.clone();
    Effect::new(move || {
        for number in browser::remembered(&kept).unwrap_or_default().split(',').filter_map(|n| n.parse().ok())
        {
            if tabs.with_untracked(|tabs| tabs.len() < MOST && tabs.iter().all(|tab| tab.number != number)) {
                add(number);
            }
        }
    });
    Effect::new(move |before: Option<()>| {
        let numbers: Vec<String> = tabs.with(|tabs| tabs.iter().map(|tab| tab.number.to_string()).collect());
        if before.is_some() {
            browser::remember(&key, &numbers.join(","));
        }
    });
    // A terminal whose program ended well goes, unless it is the last.
    Effect::new(move || {
        let ended = tabs.with(|tabs| {
            let ended = tabs.iter().find(|tab| tab.link.get() == Link::Ended { code: 0 });
            ended.filter(|_| tabs.len() > 1).map(|tab| tab.number)
        });
        if let Some(number) = ended {
            tabs.update(|tabs| tabs.retain(|tab| tab.number != number));
            if active.get_untracked() == number {
                active.set(tabs.with_untracked(|tabs| tabs.first().map_or(0, |tab| tab.number)));
            }
        }
    });

    let new = move |_| {
        let free = (0..u16::MAX)
            .find(|number| tabs.with_untracked(|tabs| tabs.iter().all(|tab| tab.number != *number)));
        if let Some(number) = free {
            add(number);
            active.set(number);
        }
    };
    let full = move || tabs.with(|tabs| tabs.len() >= MOST);
    let link = Signal::derive(move || {
        let active = active.get();
        tabs.with(|tabs| tabs.iter().find(|tab| tab.number == active).map(|tab| tab.link))
            .map_or(Link::Connecting, |link| link.get())
    });
    let arrows = move |event: leptos::ev::KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowRight" => 1,
            "ArrowLeft" => usize::MAX,
            _ => return,
        };
        let next = tabs.with_untracked(|tabs| {
            let here = tabs.iter().position(|tab| tab.number == active.get_untracked())?;
            Some(tabs[here.wrapping_add(step).wrapping_add(tabs.len()) % tabs.len()].number)
        });
        if let Some(next) = next {
            event.prevent_default();
            active.set(next);
            browser::focus(&format!("#tab-{next}"));
        }
    };
    view! {
        <div class="screen">
            <div class="screen-bar">
                <div class="tabs" role="tablist" aria-label=t.terminals on:keydown=arrows>
                    <For each=move || tabs.get() key=|tab| tab.number let:tab>
                        <TabButton tab active />
                    </For>
                </div>
                <button
                    class="button button-quiet button-small button-icon"
                    r#type="button"
                    aria-label=t.new_terminal
                    disabled=full
                    on:click=new
                >
                    {icon("plus")}
                </button>
                <LinkWord link />
                <span class="screen-hint" aria-hidden="true">
                    {t.leave_hint}
                </span>
                {move || match searching.get() {
                    true => view! { <SearchField open=searching ask /> }.into_any(),
                    false => view! {
                        <button
                            class="button button-quiet button-small button-icon"
                            r#type="button"
                            aria-label=t.search
                            on:click=move |_| searching.set(true)
                        >
                            {icon("search")}
                        </button>
                    }
                    .into_any(),
                }}
            </div>
            <For each=move || tabs.get() key=|tab| tab.number let:tab>
                <Screen agent number=tab.number link=tab.link active hidden runs ask />
            </For>
        </div>
    }
    .into_any()
}

#[component]
fn TabButton(tab: Tab, active: RwSignal<u16>) -> impl IntoView {
    let t = use_strings();
    let number = tab.number;
    let selected = Memo::new(move |_| active.get() == number);
    let button = NodeRef::<html::Button>::new();
    Effect::new(move || {
        // Many tabs are wider than their bar.
        if let (true, Some(button)) = (selected.get(), button.get())
            && let Some(bar) = button.parent_element()
        {
            bar.set_scroll_left(button.offset_left());
        }
    });
    let choose = move |_| match selected.get_untracked() {
        true => focus_shown(),
        false => active.set(number),
    };
    view! {
        <button
            class="tab"
            node_ref=button
            r#type="button"
            role="tab"
            id=format!("tab-{number}")
            aria-controls=format!("screen-{number}")
            aria-selected=move || selected.get().to_string()
            tabindex=move || if selected.get() { "0" } else { "-1" }
            on:click=choose
        >
            {icon("terminal")}
            {(t.terminal)(number.saturating_add(1))}
        </button>
    }
    .into_any()
}
