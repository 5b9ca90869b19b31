//! Pages beside the main way. Their code is one chunk, fetched when the first of
//! them is shown: who only wakes an agent does not wait for it.

use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::LazyRoute;

use crate::error::{AppError, ErrorCode};

use super::{
    AuditPage, BudgetsPage, FaultPage, FleetPage, LookPage, PeoplePage, SettingsPage, SpendPage, StagePage,
};

/// Fetches their code before it is wanted.
pub fn fetch_soon() {
    Effect::new(|| {
        leptos::task::spawn_local(async {
            // One that can't be had now is fetched when it is wanted.
            let _ = preload().await;
        });
    });
}

macro_rules! pages {
    ($($name:ident => $page:ident),* $(,)?) => {
        enum Page {
            $($name),*
        }

        #[wasm_split(beside, wasm_split_path = leptos::wasm_split, fallible, preload(preload))]
        fn beside(page: Page) -> Result<AnyView, SplitLoaderError> {
            Ok(match page {
                $(Page::$name => $page().into_any()),*
            })
        }

        $(
            pub struct $name;

            impl LazyRoute for $name {
                fn data() -> Self {
                    Self
                }

                async fn view(_: Self) -> AnyView {
                    // The console may be newer than the page, or away.
                    beside(Page::$name).await.unwrap_or_else(|_| {
                        view! { <FaultPage error=AppError::new(ErrorCode::Offline) /> }.into_any()
                    })
                }

                async fn preload() {
                    // Shown as a fault when the page is.
                    let _ = preload().await;
                }
            }
        )*
    };
}

pages! {
    Audit => AuditPage,
    Budgets => BudgetsPage,
    Fleet => FleetPage,
    Look => LookPage,
    People => PeoplePage,
    Settings => SettingsPage,
    Spend => SpendPage,
    Stage => StagePage,
}
