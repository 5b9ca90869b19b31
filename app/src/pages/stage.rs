//! The presenter's panel as a page of its own: a phone's remote.

use leptos::prelude::*;
use leptos_meta::Title;

use super::Nothing;
use crate::api;
use crate::components::stage::Panel;
use crate::i18n::use_lang;
use crate::stage::Part;

/// The panel, for the presenter; for anybody else there is no such page.
#[component]
pub fn StagePage() -> impl IntoView {
    let t = use_lang().stage();
    let look = Resource::new_blocking(|| (), |()| api::stage_look());
    let part = Part::of_page();
    let page = move || {
        look.get().map(|look| match (part, look) {
            (Some(part), Ok(look)) if look.presents => view! {
                <Title text=format!("{} · OpenClaw Cloud", t.panel) />
                <main class="page page-narrow" id="main">
                    <h1>{t.panel}</h1>
                    <Panel part />
                </main>
            }
            .into_any(),
            _ => view! { <Nothing /> }.into_any(),
        })
    };
    view! { <Suspense>{page}</Suspense> }.into_any()
}
