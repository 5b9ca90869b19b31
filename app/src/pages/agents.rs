//! «Mis agentes».

use domain::agent::Phase;
use domain::view::AgentView;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::hooks::use_navigate;

use super::FaultPage;
use crate::api;
use crate::browser;
use crate::components::concerns::BudgetsUsed;
use crate::components::icon::icon;
use crate::components::pinza::{Mood, Pinza};
use crate::components::spawn::SpawnDialog;
use crate::components::ticket::Ticket;
use crate::components::toasts::Toaster;
use crate::error::ErrorCode;
use crate::i18n::use_strings;
use crate::live::{Live, News, follow};

/// All of somebody's agents.
#[component]
pub fn AgentsPage() -> impl IntoView {
    let t = use_strings();
    let agents = Resource::new_blocking(|| (), |()| api::list_agents());
    let page = move || {
        agents.get().map(|agents| match agents {
            Ok(views) => view! { <Agents views /> }.into_any(),
            Err(error) => view! { <FaultPage error /> }.into_any(),
        })
    };
    view! {
        <Title text=format!("{} · OpenClaw Cloud", t.my_agents) />
        <Suspense fallback=Loading>{page}</Suspense>
    }
    .into_any()
}

#[component]
fn Loading() -> impl IntoView {
    let t = use_strings();
    let ticket = || {
        view! {
            <li>
                <article class="ticket">
                    <div class="ticket-main">
                        <div class="ticket-face"></div>
                        <div class="skeleton skeleton-title"></div>
                        <div class="skeleton skeleton-pill"></div>
                    </div>
                    <div class="ticket-stub">
                        <div class="skeleton skeleton-line"></div>
                    </div>
                </article>
            </li>
        }
    };
    view! {
        <main class="page" id="main" aria-busy="true">
            <div class="page-head">
                <h1>{t.my_agents}</h1>
            </div>
            <ul class="tickets" aria-label=t.loading>
                {ticket()}
                {ticket()}
            </ul>
        </main>
    }
    .into_any()
}

/// The list, kept as the feed tells.
#[derive(Clone, Copy)]
struct List {
    /// Newest first.
    agents: RwSignal<Vec<Live>>,
    /// The page's: what is added later lives as long as the page.
    owner: StoredValue<Option<Owner>>,
}

impl List {
    fn new(views: Vec<AgentView>) -> Self {
        let agents = views.into_iter().map(Live::new).collect();
        Self { agents: RwSignal::new(agents), owner: StoredValue::new(Owner::current()) }
    }

    fn find(self, view: &AgentView) -> Option<Live> {
        self.agents.try_with_untracked(|agents| agents.iter().find(|agent| agent.id == view.id).copied())?
    }

    /// Drops those that went while nothing was heard.
    fn keep_only(self, views: &[AgentView]) {
        let there = |agent: &Live| views.iter().any(|view| view.id == agent.id);
        if self.agents.try_with_untracked(|agents| agents.iter().all(there)) == Some(false) {
            self.agents.update(|agents| agents.retain(there));
        }
    }

    /// Takes news of an agent; a new one goes first.
    fn take(self, view: AgentView) {
        if let Some(agent) = self.find(&view) {
            return agent.take(view);
        }
        let Some(Some(owner)) = self.owner.try_get_value() else { return };
        let agent = owner.with(|| Live::new(view));
        self.agents.update(|agents| {
            let made = |agent: &Live| agent.peek(|view| view.created_at);
            let index = agents.iter().position(|other| made(other) <= made(&agent)).unwrap_or(agents.len());
            agents.insert(index, agent);
        });
    }
}

#[component]
fn Agents(views: Vec<AgentView>) -> impl IntoView {
    let t = use_strings();
    let list = List::new(views);
    let toaster: Toaster = expect_context();
    follow("/live/agents".to_owned(), move |news| match news {
        News::Agent(view) => {
            if let Some(known) = list.find(&view)
                && view.phase == Phase::Asleep
                && known.peek(|known| known.phase == Phase::Saving)
            {
                toaster.say((t.fell_asleep)(view.name.as_str()));
            }
            list.take(view);
        }
        News::Gone(id) => {
            let known = list.agents.try_with_untracked(|agents| agents.iter().any(|agent| agent.id == id));
            if known == Some(true) {
                list.agents.update(|agents| agents.retain(|agent| agent.id != id));
                toaster.say(t.was_deleted.to_owned());
            }
        }
        News::Window(_) | News::Look(_) => {}
        News::Resumed | News::Refused => spawn_local(async move {
            match api::list_agents().await {
                Ok(views) => list.keep_only(&views),
                Err(error) if error.code == ErrorCode::Unauthenticated => browser::leave_for("/sign-in"),
                Err(_) => {}
            }
        }),
    });
    let spawning = RwSignal::new(false);
    let closed = Callback::new(move |()| spawning.set(false));
    let navigate = StoredValue::new(use_navigate());
    let made = move |view: AgentView| {
        let path = format!("/agents/{}", view.id);
        navigate.with_value(|navigate| navigate(&path, Default::default()));
    };
    let none = Memo::new(move |_| list.agents.with(Vec::is_empty));
    let page = move || {
        if none.get() {
            view! { <Empty spawning /> }.into_any()
        } else {
            view! { <Filled list spawning /> }.into_any()
        }
    };
    view! {
        <main class="page" id="main">
            <BudgetsUsed />
            {page}
        </main>
        {move || spawning.get().then(|| view! { <SpawnDialog made closed /> })}
    }
    .into_any()
}

#[component]
fn Empty(spawning: RwSignal<bool>) -> impl IntoView {
    let t = use_strings();
    view! {
        <h1 class="visually-hidden">{t.my_agents}</h1>
        <section class="empty">
            <Pinza mood=Mood::Asleep id="empty" />
            <h2>{t.empty_title}</h2>
            <p>{t.empty_text}</p>
            <button
                class="button button-primary button-large"
                r#type="button"
                on:click=move |_| spawning.set(true)
            >
                {icon("plus")}
                {t.create_first}
            </button>
            <ul class="promises">
                <li>{icon("bolt")} {t.promise_fast}</li>
                <li>{icon("moon")} {t.promise_free}</li>
                <li>{icon("shield")} {t.promise_isolated}</li>
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn Filled(list: List, spawning: RwSignal<bool>) -> impl IntoView {
    let t = use_strings();
    let lead = Memo::new(move |_| {
        let agents = list.agents.get();
        let awake = agents.iter().filter(|agent| agent.read(|view| view.meter.running)).count();
        (t.lead)(awake, agents.len() - awake)
    });
    view! {
        <div class="page-head">
            <div>
                <h1>{t.my_agents}</h1>
                <p class="page-lead">{move || lead.get()}</p>
            </div>
            <button
                class="button button-primary button-large"
                r#type="button"
                on:click=move |_| spawning.set(true)
            >
                {icon("plus")}
                {t.new_agent}
            </button>
        </div>
        <ul class="tickets">
            <For each=move || list.agents.get() key=|agent| agent.id let:agent>
                <li>
                    <Ticket agent />
                </li>
            </For>
        </ul>
    }
    .into_any()
}
