//! One agent: its terminal or what stands in its place, its bill, its sheet.

use std::time::Duration;

use domain::agent::{Failure, Phase, ProviderName};
use domain::id::AgentId;
use domain::look::Look;
use domain::view::AgentView;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::{use_navigate, use_params_map};

use super::{FaultPage, Nothing};
use crate::api;
use crate::browser;
use crate::components::act::use_act;
use crate::components::agent_menu::AgentMenu;
use crate::components::facts::Facts;
use crate::components::icon::icon;
use crate::components::look::LookNotice;
use crate::components::mishap::was_running;
use crate::components::notices::Notices;
use crate::components::receipt::Receipt;
use crate::components::scene::{Asleep, Deleting, Fallen, Saving};
use crate::components::stage::Played;
use crate::components::state::State;
use crate::components::toasts::Toaster;
use crate::components::waking::{Moving, Waking};
use crate::error::{AppError, ErrorCode};
use crate::i18n::use_strings;
use crate::live::{Live, News, follow};
use crate::terminal::{Link, Terminals};

/// How long the finished loader is still shown once the terminal is there.
const LAST_LOOK: Duration = Duration::from_millis(200);
/// How long the terminal may take before it is shown as it is.
const PATIENCE: Duration = Duration::from_secs(4);

/// A boot that began within this is still news: many are over before the page
/// is there, and their phases are shown while the terminal opens.
const JUST_NOW: Duration = Duration::from_secs(3);

/// An agent's page.
#[component]
pub fn AgentPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).and_then(|id| id.parse().ok()));
    let agent = Resource::new_blocking(
        move || id.get(),
        |id: Option<AgentId>| async move {
            match id {
                Some(id) => api::agent(id).await,
                None => Err(AppError::new(ErrorCode::NotFound)),
            }
        },
    );
    let page = move || {
        agent.get().map(|agent| match agent {
            Ok(view) => view! { <Bench view /> }.into_any(),
            Err(error) if error.code == ErrorCode::NotFound => view! { <Nothing /> }.into_any(),
            Err(error) => view! { <FaultPage error /> }.into_any(),
        })
    };
    view! { <Suspense fallback=Loading>{page}</Suspense> }.into_any()
}

#[component]
fn Loading() -> impl IntoView {
    let t = use_strings();
    view! {
        <main class="page page-wide" id="main" aria-busy="true">
            <p class="visually-hidden" role="status">
                {t.loading}
            </p>
            <div class="skeleton skeleton-title"></div>
        </main>
    }
    .into_any()
}

/// What stands in the middle of the page.
#[derive(Debug, Clone, PartialEq)]
enum Middle {
    Terminal,
    /// It is awake in a demonstration, and has no terminal.
    Played,
    Waking,
    Fallen(Failure),
    Saving,
    Asleep,
    Deleting,
}

impl Middle {
    fn of(view: &AgentView) -> Self {
        let played = is_played(view);
        match &view.phase {
            // What was on the screen stays there until it goes on.
            Phase::Pending | Phase::Provisioning | Phase::Booting if view.moving && !played => Self::Terminal,
            Phase::Pending | Phase::Provisioning | Phase::Booting => Self::Waking,
            Phase::Running | Phase::Interrupted { .. } if played => Self::Played,
            Phase::Running | Phase::Interrupted { .. } => Self::Terminal,
            Phase::Saving => Self::Saving,
            Phase::Asleep => Self::Asleep,
            Phase::Failed { failure } if was_running(failure.reason) => Self::Fallen(failure.clone()),
            // It failed on the way: the loader shows where.
            Phase::Failed { .. } => Self::Waking,
            Phase::Deleting | Phase::Deleted => Self::Deleting,
        }
    }
}

/// Whether nothing runs in it.
fn is_played(view: &AgentView) -> bool {
    view.provider == ProviderName::Simulated
}

/// Whether it woke so lately that whoever comes here comes to see that: a
/// sandbox is often up before the page that shows it.
fn woke_just_now(view: &AgentView) -> bool {
    let asked = view.boot.marks().first().map(|mark| mark.at);
    view.phase == Phase::Running && asked.is_some_and(|at| view.meter.as_of.since(at) < JUST_NOW)
}

/// Whether an agent that was seen waking, or woke just now, is ready and its
/// terminal is still being opened behind the loader, which stays until there is
/// something to see.
fn opening(middle: Memo<Middle>, link: RwSignal<Link>, fresh: bool) -> Memo<bool> {
    let awaited = RwSignal::new(fresh);
    let end = move || {
        awaited.try_set(false);
    };
    Effect::new(move || match middle.get() {
        Middle::Waking => awaited.set(true),
        Middle::Terminal => set_timeout(end, PATIENCE),
        _ => awaited.set(false),
    });
    Effect::new(move || {
        if link.get() == Link::Connected && middle.get() == Middle::Terminal {
            set_timeout(end, LAST_LOOK);
        }
    });
    Memo::new(move |_| middle.get() == Middle::Terminal && awaited.get())
}

#[component]
fn Bench(view: AgentView) -> impl IntoView {
    let (t, act) = (use_strings(), use_act());
    let fresh = woke_just_now(&view);
    let agent = Live::new(view);
    let toaster: Toaster = expect_context();
    let navigate = StoredValue::new(use_navigate());
    let gone = move || {
        toaster.say(t.was_deleted.to_owned());
        navigate.try_with_value(|navigate| navigate("/", Default::default()));
    };
    let look = RwSignal::new(None::<Look>);
    follow(format!("/live/agents/{}", agent.id), move |news| match news {
        News::Agent(view) => agent.take(view),
        News::Gone(_) => gone(),
        News::Look(news) => look.set(news),
        News::Resumed | News::Window(_) => {}
        News::Refused => spawn_local(async move {
            match api::agent(agent.id).await.map_err(|error| error.code) {
                Err(ErrorCode::NotFound) => gone(),
                Err(ErrorCode::Unauthenticated) => browser::leave_for("/sign-in"),
                _ => {}
            }
        }),
    });
    let name = agent.memo(|view| view.name.to_string());
    let can_sleep = agent.memo(|view| matches!(view.phase, Phase::Running));
    let ready = agent.memo(|view| view.phase == Phase::Running);
    let moving = agent.memo(|view| view.moving && view.is_waking() && !is_played(view));
    let sleep = move |_| act.on(agent, api::sleep(agent.id));
    let middle = agent.memo(Middle::of);
    let link = RwSignal::new(Link::Connecting);
    let opening = opening(middle, link, fresh);
    let hidden = Signal::derive(move || opening.get());
    let loads = Memo::new(move |_| middle.get() == Middle::Waking || opening.get());
    let stage = move || match middle.get() {
        Middle::Terminal => view! { <Terminals agent first=link hidden runs=ready /> }.into_any(),
        Middle::Played => view! { <Played /> }.into_any(),
        Middle::Waking => ().into_any(),
        Middle::Fallen(failure) => view! { <Fallen agent failure /> }.into_any(),
        Middle::Saving => view! { <Saving /> }.into_any(),
        Middle::Asleep => view! { <Asleep agent /> }.into_any(),
        Middle::Deleting => view! { <Deleting /> }.into_any(),
    };
    view! {
        <Title text=move || format!("{} · OpenClaw Cloud", name.get()) />
        <main class="page page-wide" id="main">
            <div class="bench">
                <header class="bench-head">
                    <A href="/" attr:class="back" attr:aria-label=t.my_agents>
                        {icon("back")}
                    </A>
                    <h1>{move || name.get()}</h1>
                    <State agent />
                    <p class="visually-hidden" role="status">
                        {move || ready.get().then_some(t.now_ready)}
                    </p>
                    <div class="actions">
                        {move || {
                            can_sleep
                                .get()
                                .then(|| view! {
                                    <button
                                        class="button button-small"
                                        r#type="button"
                                        aria-busy=move || act.busy().then_some("true")
                                        on:click=sleep
                                    >
                                        {icon("moon")}
                                        {t.sleep}
                                    </button>
                                })
                        }} <AgentMenu agent />
                    </div>
                </header>
                <LookNotice agent look />
                <Notices agent />
                <div class="bench-main" data-opening=move || opening.get().then_some("true")>
                    {stage} {move || loads.get().then(|| view! { <Waking agent /> })}
                    {move || moving.get().then(|| view! { <Moving agent /> })}
                </div>
                <aside class="bench-side" aria-label=t.bill_and_sheet tabindex="0">
                    <Receipt agent />
                    <Facts agent />
                </aside>
            </div>
        </main>
    }
    .into_any()
}
