//! The pages and where they are.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{Lazy, SsrMode, path};

use crate::components::house::House;
use crate::components::menus::close_menus;
use crate::components::stage::DemoMark;
use crate::components::toasts::{Toasts, provide_toasts};
use crate::components::when::provide_clock;
use crate::i18n::{Lang, provide_lang};
use crate::live::provide_pulse;
use crate::pages::{AgentPage, AgentsPage, LostPage, SignInPage, lazy};
use crate::stage::provide_stage;
use crate::theme::Theme;

/// A theme that was chosen, for the switches that show and change it.
#[derive(Clone, Copy)]
pub struct ChosenTheme(pub RwSignal<Option<Theme>>);

/// The console.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_lang(Lang::of_reader());
    provide_context(ChosenTheme(RwSignal::new(Theme::chosen())));
    provide_clock();
    provide_pulse();
    provide_stage();
    provide_toasts();
    close_menus();
    view! {
        <DemoMark />
        <Router>
            <Routes fallback=|| LostPage().into_any()>
                <Route path=path!("/sign-in") view=|| SignInPage().into_any() ssr=SsrMode::Async />
                <ParentRoute path=path!("") view=|| House().into_any() ssr=SsrMode::Async>
                    <Route path=path!("") view=|| AgentsPage().into_any() ssr=SsrMode::Async />
                    <Route path=path!("agents/:id") view=|| AgentPage().into_any() ssr=SsrMode::Async />
                    <Route path=path!("fleet") view={Lazy::<lazy::Fleet>::new()} ssr=SsrMode::Async />
                    <Route path=path!("spend") view={Lazy::<lazy::Spend>::new()} ssr=SsrMode::Async />
                    <Route path=path!("budgets") view={Lazy::<lazy::Budgets>::new()} ssr=SsrMode::Async />
                    <Route path=path!("agents/:id/look") view={Lazy::<lazy::Look>::new()} ssr=SsrMode::Async />
                    <Route path=path!("people") view={Lazy::<lazy::People>::new()} ssr=SsrMode::Async />
                    <Route path=path!("audit") view={Lazy::<lazy::Audit>::new()} ssr=SsrMode::Async />
                    <Route path=path!("stage") view={Lazy::<lazy::Stage>::new()} ssr=SsrMode::Async />
                    <Route path=path!("settings") view={Lazy::<lazy::Settings>::new()} ssr=SsrMode::Async />
                </ParentRoute>
            </Routes>
        </Router>
        <Toasts />
    }
    .into_any()
}
