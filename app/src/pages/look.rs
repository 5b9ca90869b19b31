//! Somebody's terminal, for who was let look into it.

use domain::id::AgentId;
use domain::look::{Look, State};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::{FaultPage, Nothing};
use crate::api::{self, Sight};
use crate::components::act::use_act;
use crate::components::icon::icon;
use crate::error::{AppError, ErrorCode};
use crate::i18n::use_strings;
use crate::live::{News, follow};
use crate::terminal::{Link, Watched};

/// The page.
#[component]
pub fn LookPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).and_then(|id| id.parse().ok()));
    let look = Resource::new_blocking(
        move || id.get(),
        |id: Option<AgentId>| async move {
            let id = id.ok_or(AppError::new(ErrorCode::NotFound))?;
            api::look_of(id).await?.ok_or(AppError::new(ErrorCode::NotFound))
        },
    );
    let sight = Resource::new_blocking(
        move || id.get(),
        |id: Option<AgentId>| async move {
            api::fleet_agent(id.ok_or(AppError::new(ErrorCode::NotFound))?, None).await
        },
    );
    let found = move || {
        let (look, sight) = (look.get()?, sight.get()?);
        let both = || Ok((look?, sight?));
        Some(both())
    };
    let page = move || {
        found().map(|found: Result<(Look, Sight), AppError>| match found {
            Ok((look, sight)) => view! { <Looking look sight /> }.into_any(),
            Err(error) if matches!(error.code, ErrorCode::NotFound | ErrorCode::Forbidden) => {
                view! { <Nothing /> }.into_any()
            }
            Err(error) => view! { <FaultPage error /> }.into_any(),
        })
    };
    view! { <Suspense>{page}</Suspense> }.into_any()
}

#[component]
fn Looking(look: Look, sight: Sight) -> impl IntoView {
    let (t, act) = (use_strings(), use_act());
    let p = t.people;
    let agent = look.agent;
    let state = RwSignal::new(look.state);
    let link = RwSignal::new(Link::Connecting);
    follow(format!("/live/looks/{agent}"), move |news| match news {
        News::Look(news) => state.set(news.map_or(State::Over, |look| look.state)),
        News::Refused => state.set(State::Over),
        _ => {}
    });
    let title = (p.looking_at)(sight.view.name.as_str(), sight.owner.as_str());
    let heading = title.clone();
    let end = move |_| act.run(api::end_look(agent), move |()| state.set(State::Over));
    let body = move || match state.get() {
        State::Open => view! { <Watched agent link /> }.into_any(),
        State::Asked => view! { <p role="status">{p.asked}</p> }.into_any(),
        State::Over => view! { <p role="status">{p.look_over}</p> }.into_any(),
    };
    view! {
        <Title text=format!("{title} · OpenClaw Cloud") />
        <main class="page page-wide" id="main">
            <div class="page-head">
                <div>
                    <h1>{heading}</h1>
                    <p class="page-lead">{p.looking_text}</p>
                </div>
                {move || {
                    (state.get() != State::Over)
                        .then(|| view! {
                            <button
                                class="button button-danger"
                                r#type="button"
                                aria-busy=move || act.busy().then_some("true")
                                on:click=end
                            >
                                {icon("close")}
                                {p.stop_looking}
                            </button>
                        })
                }}
            </div>
            <div class="watched">{body}</div>
        </main>
    }
    .into_any()
}
