//! Looking into somebody's terminal: what its owner is told and answers, and
//! where it is asked for.

use domain::id::AgentId;
use domain::look::{Look, Seen, State, Step};
use domain::name::Name;
use leptos::prelude::*;
use leptos_router::components::A;

use super::act::use_act;
use super::concerns::use_concerns;
use super::house::use_me;
use super::icon::icon;
use crate::api;
use crate::i18n::use_strings;
use crate::live::{Live, News, follow};

/// For the owner: who asks to look, and who looks now.
#[component]
pub fn LookNotice(agent: Live, look: RwSignal<Option<Look>>) -> impl IntoView {
    let now = Memo::new(move |_| {
        let under_way = look.get()?;
        let state = under_way.state_at(agent.now());
        (state != State::Over).then(|| (state, under_way.seen(), under_way.name.to_string()))
    });
    view! {
        <div class="bench-notices">
            {move || {
                now.get()
                    .map(|(state, seen, name)| match state {
                        State::Open => view! { <Looked agent=agent.id seen name of=None /> }.into_any(),
                        _ => view! { <Asked agent=agent.id seen name of=None /> }.into_any(),
                    })
            }}
        </div>
    }
    .into_any()
}

/// Which agent it is about, where that is not the page's own.
fn which(agent: AgentId, of: Option<Name>) -> impl IntoView {
    of.map(|of| view! { " · " <A href=format!("/agents/{agent}")>{of.to_string()}</A> })
}

/// Somebody asks to look.
#[component]
pub fn Asked(
    agent: AgentId,
    seen: Seen,
    /// Who asks.
    name: String,
    /// The agent's name, where the page is not the agent's.
    of: Option<Name>,
) -> impl IntoView {
    let (t, act, concerns) = (use_strings(), use_act(), use_concerns());
    let p = t.people;
    let answer = move |step| act.run(api::answer_look(agent, seen, step), move |()| concerns.ask());
    view! {
        <div class="banner" data-state="warning" role="alert">
            {icon("user")}
            <p class="banner-text">
                <strong>{(p.asks)(&name)}</strong>
                {which(agent, of)}
                " "
                {p.asks_text}
            </p>
            <div class="actions">
                <button
                    class="button button-small"
                    r#type="button"
                    aria-busy=move || act.busy().then_some("true")
                    on:click=move |_| answer(Step::Decline)
                >
                    {p.decline}
                </button>
                <button
                    class="button button-small button-primary"
                    r#type="button"
                    aria-busy=move || act.busy().then_some("true")
                    on:click=move |_| answer(Step::Accept)
                >
                    {p.accept}
                </button>
            </div>
        </div>
    }
    .into_any()
}

/// Somebody looks.
#[component]
pub fn Looked(
    agent: AgentId,
    seen: Seen,
    /// Who looks.
    name: String,
    /// The agent's name, where the page is not the agent's.
    of: Option<Name>,
) -> impl IntoView {
    let (t, act, concerns) = (use_strings(), use_act(), use_concerns());
    let p = t.people;
    let cut = move |_| act.run(api::answer_look(agent, seen, Step::End), move |()| concerns.ask());
    view! {
        <div class="banner" data-state="failed" role="alert">
            {icon("user")}
            <p class="banner-text">
                <strong>{(p.is_looking)(&name)}</strong>
                {which(agent, of)}
            </p>
            <button
                class="button button-small button-danger"
                r#type="button"
                aria-busy=move || act.busy().then_some("true")
                on:click=cut
            >
                {icon("close")}
                {p.cut}
            </button>
        </div>
    }
    .into_any()
}

/// For who may ask: the wish to look into somebody's agent, and how it fares.
/// The reader's own needs no asking.
#[component]
pub fn AskToLook(agent: AgentId, owner: String) -> impl IntoView {
    let me = use_me();
    let may = me.looks_into_terminals && owner != me.name.as_str();
    may.then(|| view! { <Asking agent /> }).into_any()
}

#[component]
fn Asking(agent: AgentId) -> impl IntoView {
    let (t, act) = (use_strings(), use_act());
    let p = t.people;
    let look = RwSignal::new(None::<Look>);
    Effect::new(move || {
        leptos::task::spawn_local(async move {
            if let Ok(found) = api::look_of(agent).await {
                look.try_set(found);
            }
        });
    });
    let ask = move |_| act.run(api::ask_to_look(agent), move |asked| look.set(Some(asked)));
    let state = Memo::new(move |_| look.with(|look| look.as_ref().map(|look| look.state)));
    let body = move || match state.get() {
        Some(State::Asked | State::Open) => view! { <Fares agent look /> }.into_any(),
        _ => view! {
            <p class="small soft">{p.ask_text}</p>
            <button
                class="button button-small"
                r#type="button"
                aria-busy=move || act.busy().then_some("true")
                on:click=ask
            >
                {icon("terminal")}
                {p.ask_to_look}
            </button>
        }
        .into_any(),
    };
    view! {
        <section class="stack" aria-label=p.ask_to_look>
            {body}
        </section>
    }
    .into_any()
}

/// A request that was made, followed.
#[component]
fn Fares(agent: AgentId, look: RwSignal<Option<Look>>) -> impl IntoView {
    let (t, act) = (use_strings(), use_act());
    let p = t.people;
    follow(format!("/live/looks/{agent}"), move |news| match news {
        News::Look(news) => look.set(news),
        // Over before it was asked for.
        News::Refused => look.set(None),
        _ => {}
    });
    let end = move |_| act.run(api::end_look(agent), move |()| look.set(None));
    let is_open = move || look.with(|look| look.as_ref().is_some_and(|look| look.state == State::Open));
    view! {
        <p role="status">{move || (!is_open()).then_some(p.asked)}</p>
        <div class="actions">
            <button class="button button-small" r#type="button" on:click=end>
                {move || if is_open() { p.stop_looking } else { p.withdraw_ask }}
            </button>
            {move || {
                is_open()
                    .then(|| view! {
                        <A href=format!("/agents/{agent}/look") attr:class="button button-small button-primary">
                            {icon("terminal")}
                            {p.look_now}
                        </A>
                    })
            }}
        </div>
    }
    .into_any()
}
