//! What stands around every page of somebody who is signed in.

use leptos::prelude::*;
use leptos_router::components::{A, Outlet, Redirect};

use super::act::use_act;
use super::concerns::{LooksAtMine, provide_concerns, use_concerns};
use super::icon::icon;
use super::switches::{LangSwitch, ThemeSwitch};
use crate::api::{self, Me};
use crate::browser;
use crate::error::ErrorCode;
use crate::i18n::use_strings;
use crate::pages::fleet::provide_bulk;
use crate::pages::{FaultPage, lazy};
use crate::stage::{walk, watch_stage};

/// Who is signed in; there on every page in the house.
#[derive(Clone, Copy)]
struct Signed(StoredValue<Option<Me>>);

/// Who is signed in.
///
/// # Panics
/// Outside of the house.
pub fn use_me() -> Me {
    let Signed(me) = expect_context();
    me.get_value().expect("pages in the house are shown once it is known who is signed in")
}

/// The pages of somebody who is signed in; anybody else is led to the door.
#[component]
pub fn House() -> impl IntoView {
    let signed = Signed(StoredValue::new(None));
    provide_context(signed);
    let concerned = provide_concerns();
    provide_bulk();
    let me = Resource::new_blocking(|| (), |()| api::me());
    let page = move || {
        me.get().map(|me| match me {
            Ok(me) => {
                signed.0.set_value(Some(me.clone()));
                concerned.take(me.concerns.clone());
                if me.sees_fleet {
                    lazy::fetch_soon();
                }
                view! {
                    <Frame me=Some(me)>
                        <Outlet />
                    </Frame>
                }
                .into_any()
            }
            Err(error) if error.code == ErrorCode::Unauthenticated => {
                view! { <Redirect path="/sign-in" /> }.into_any()
            }
            Err(error) => view! { <FaultPage error /> }.into_any(),
        })
    };
    view! { <Suspense>{page}</Suspense> }.into_any()
}

/// Top bar, page, foot.
#[component]
pub fn Frame(
    /// Who is signed in.
    me: Option<Me>,
    children: Children,
) -> impl IntoView {
    let t = use_strings();
    if me.is_some() {
        watch_stage();
        walk();
        use_concerns().watch();
    }
    view! {
        <div class="house">
            <a class="skip" href="#main">
                {t.skip}
            </a>
            <header class="topbar">
                <a class="brand" href="/">
                    <svg class="brand-mark" aria-hidden="true">
                        <use href="/icons.svg#mark" />
                    </svg>
                    " OpenClaw "
                    <span class="brand-cloud">"Cloud"</span>
                </a>
                {me.clone().map(|me| view! { <nav class="rooms" aria-label=t.rooms>{rooms(&me)}</nav> })}
                <LangSwitch />
                <ThemeSwitch />
                {me.clone().map(|me| view! { <Account me /> })}
            </header>
            {me.is_some().then(|| view! { <LooksAtMine /> })}
            {children()}
            <footer class="footer">
                <span>"OpenClaw Cloud " {env!("CARGO_PKG_VERSION")}</span>
                <span>{t.promise_free}</span>
            </footer>
        </div>
    }
    .into_any()
}

/// Where somebody may go: in the top bar, or in the menu where that has no room.
fn rooms(me: &Me) -> impl IntoView + use<> {
    let t = use_strings();
    let room = |allowed: bool, href: &'static str, symbol, name: &'static str| {
        allowed.then(|| view! { <A href exact={href == "/"}>{icon(symbol)} {name}</A> })
    };
    [
        room(true, "/", "cup", t.my_agents),
        room(true, "/spend", "receipt", t.lang.spend().title),
        room(me.sees_fleet, "/fleet", "mug", t.fleet),
        room(me.manages_people, "/budgets", "hourglass", t.lang.budgets().title),
        room(me.manages_people, "/people", "user", t.people.people),
        room(me.reads_audit, "/audit", "shield", t.people.audit),
    ]
    .into_any()
}

#[component]
fn Account(me: Me) -> impl IntoView {
    let (t, act) = (use_strings(), use_act());
    let letter: String = me.name.as_str().chars().take(1).flat_map(char::to_uppercase).collect();
    let leave = move |_| act.run(api::sign_out(), |()| browser::leave_for("/sign-in"));
    view! {
        <details class="menu">
            <summary aria-label=t.account>
                <span class="avatar" aria-hidden="true">
                    {letter}
                </span>
            </summary>
            <div class="menu-list">
                <p class="menu-note">{me.name.to_string()}</p>
                <nav class="menu-rooms" aria-label=t.rooms>
                    {rooms(&me)}
                </nav>
                <A href="/settings">{icon("settings")} {t.settings}</A>
                <button r#type="button" on:click=leave>
                    {icon("leave")}
                    {t.sign_out}
                </button>
            </div>
        </details>
    }
    .into_any()
}
