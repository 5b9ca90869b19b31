//! What concerns the reader wherever in the house they are, as it is by now.

use std::time::Duration;

use domain::budget::{Subject, Told};
use domain::look::State;
use leptos::leptos_dom::helpers::set_interval_with_handle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::components::A;
use leptos_router::hooks::use_location;

use super::icon::icon;
use super::look::{Asked, Looked};
use crate::api::{self, AgentLook, Concerns};
use crate::browser;
use crate::i18n::use_lang;

/// How often it is asked, while the page is seen. Not followed: a feed of its
/// own would hold one of the six connections that a browser has for all its tabs.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// What concerns the reader, for all that is in the house.
#[derive(Clone, Copy)]
pub struct Concerned {
    now: RwSignal<Concerns>,
    asking: StoredValue<bool>,
}

/// Gives it a place for all that is below.
pub fn provide_concerns() -> Concerned {
    let concerned = Concerned { now: RwSignal::new(Concerns::default()), asking: StoredValue::new(false) };
    provide_context(concerned);
    concerned
}

/// What concerns the reader.
///
/// # Panics
/// Outside of the house.
pub fn use_concerns() -> Concerned {
    expect_context()
}

impl Concerned {
    /// Takes what is known by now. What is no news is not told again.
    pub fn take(self, concerns: Concerns) {
        if self.now.try_with_untracked(|now| *now != concerns) == Some(true) {
            self.now.set(concerns);
        }
    }

    /// Asks anew, unless that is being done.
    pub fn ask(self) {
        if self.asking.try_update_value(|asking| std::mem::replace(asking, true)) != Some(false) {
            return;
        }
        spawn_local(async move {
            let concerns = api::concerns().await;
            self.asking.try_set_value(false);
            // What can't be had now is had with the next.
            if let Ok(concerns) = concerns {
                self.take(concerns);
            }
        });
    }

    /// Asks again and again while the caller's owner lives.
    pub fn watch(self) {
        let ask = move || {
            if !browser::is_hidden() {
                self.ask();
            }
        };
        Effect::new(move || {
            if let Ok(interval) = set_interval_with_handle(ask, ASK_EVERY) {
                on_cleanup(move || interval.clear());
            }
        });
    }
}

/// Who asks to look, or looks, into a terminal of the reader's, above every page
/// but that agent's own, which tells it by itself.
#[component]
pub fn LooksAtMine() -> impl IntoView {
    let (lang, path) = (use_lang(), use_location().pathname);
    let Concerned { now, .. } = use_concerns();
    let looks = Memo::new(move |_| {
        let mut looks = now.with(|now| now.looks.clone());
        looks.retain(|asked| path.get() != format!("/agents/{}", asked.look.agent));
        looks
    });
    let notice = |AgentLook { name: of, look }: AgentLook| {
        let (agent, seen, name) = (look.agent, look.seen(), look.name.to_string());
        match look.state {
            State::Open => view! { <Looked agent seen name of=Some(of) /> }.into_any(),
            _ => view! { <Asked agent seen name of=Some(of) /> }.into_any(),
        }
    };
    let key = |asked: &AgentLook| (asked.look.agent, asked.look.until, asked.look.state == State::Open);
    let none = Memo::new(move |_| looks.with(Vec::is_empty));
    move || {
        (!none.get()).then(|| {
            view! {
                <section class="told told-above" aria-label=lang.concerns().title>
                    <For each=move || looks.get() key children=notice />
                </section>
            }
        })
    }
}

/// What was told of the budgets that the reader's agents count against.
#[component]
pub fn BudgetsUsed() -> impl IntoView {
    let lang = use_lang();
    let Concerned { now, .. } = use_concerns();
    let budgets = Memo::new(move |_| now.with(|now| now.budgets.clone()));
    let notice = move |told: Told| {
        let state = if told.percent >= 100 { "failed" } else { "warning" };
        let href = match told.of {
            Subject::Fleet => "/spend?of=fleet",
            Subject::Person(_) | Subject::Team(_) => "/spend",
        };
        view! {
            <div class="banner" data-state=state>
                {icon("receipt")}
                <p class="banner-text">{lang.budget_told(&told)}</p>
                <A href>{lang.budgets().see_spend}</A>
            </div>
        }
    };
    view! {
        <div class="told" role="status">
            <For each=move || budgets.get() key=|told| (told.of.clone(), told.percent, told.limit) children=notice />
        </div>
    }
    .into_any()
}
