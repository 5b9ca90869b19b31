//! Nothing found, or our fault.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::house::Frame;
use crate::components::pinza::{Mood, Pinza};
use crate::error::AppError;
use crate::i18n::use_strings;

/// A page that is not there.
#[component]
pub fn LostPage() -> impl IntoView {
    view! {
        <Frame me=None>
            <Nothing />
        </Frame>
    }
    .into_any()
}

/// What an agent's page shows when there is no such agent, inside the house.
#[component]
pub fn Nothing() -> impl IntoView {
    let t = use_strings();
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text=format!("{} · OpenClaw Cloud", t.lost_title) />
        <main class="lost" id="main">
            <Pinza mood=Mood::Failed id="lost" />
            <p class="lost-code">"404"</p>
            <h1>{t.lost_title}</h1>
            <p>{t.lost_text}</p>
            <div class="actions">
                <a class="button button-primary" href="/" rel="external">
                    {t.see_my_agents}
                </a>
            </div>
        </main>
    }
    .into_any()
}

/// Something of ours failed. The document's status says so too.
#[component]
pub fn FaultPage(error: AppError) -> impl IntoView {
    let t = use_strings();
    view! {
        <Title text=format!("{} · OpenClaw Cloud", t.fault_title) />
        <main class="lost" id="main">
            <Pinza mood=Mood::Failed id="fault" />
            <h1>{t.fault_title}</h1>
            <p>{t.fault_text}</p>
            {error.detail.map(|request| view! { <p class="small soft">{(t.request_number)(&request)}</p> })}
            <div class="actions">
                <a class="button button-primary" href="/" rel="external">
                    {t.try_again}
                </a>
            </div>
        </main>
    }
    .into_any()
}
