//! Settings: API tokens, looks and language, the session.

use leptos::prelude::*;
use leptos_meta::Title;

use super::FaultPage;
use crate::api::{self, OwnPassword, SessionView, TokenView};
use crate::browser;
use crate::components::act::use_act;
use crate::components::command::Command;
use crate::components::form::{Submit, TakeBack, TextField};
use crate::components::house::use_me;
use crate::components::icon::icon;
use crate::components::password::SetPassword;
use crate::components::sessions::Sessions;
use crate::components::switches::{LangSwitch, ThemeSwitch, choose_theme};
use crate::components::toasts::Toaster;
use crate::components::when::use_teller;
use crate::error::AppError;
use crate::i18n::use_strings;
use crate::reader;
use crate::root::ChosenTheme;

/// What the page shows of its reader.
struct Kept {
    tokens: Vec<TokenView>,
    sessions: Vec<SessionView>,
    password: OwnPassword,
}

/// The settings page.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let t = use_strings();
    let tokens = Resource::new_blocking(|| (), |()| api::tokens());
    let sessions = Resource::new_blocking(|| (), |()| api::sessions());
    let password = Resource::new_blocking(|| (), |()| api::own_password());
    let kept = move || {
        let (tokens, sessions, password) = (tokens.get()?, sessions.get()?, password.get()?);
        let all = || Ok(Kept { tokens: tokens?, sessions: sessions?, password: password? });
        Some(all())
    };
    let page = move || {
        kept().map(|kept: Result<_, AppError>| match kept {
            Ok(kept) => view! { <Settings kept /> }.into_any(),
            Err(error) => view! { <FaultPage error /> }.into_any(),
        })
    };
    view! {
        <Title text=format!("{} · OpenClaw Cloud", t.settings) />
        <Suspense>{page}</Suspense>
    }
    .into_any()
}

#[component]
fn Settings(kept: Kept) -> impl IntoView {
    let (t, act, me) = (use_strings(), use_act(), use_me());
    let ChosenTheme(chosen) = expect_context();
    let leave = move |_| act.run(api::sign_out(), |()| browser::leave_for("/sign-in"));
    view! {
        <main class="page page-narrow" id="main">
            <div class="page-head">
                <h1>{t.settings}</h1>
            </div>
            <Password own=kept.password />
            <Tokens tokens=kept.tokens />
            <section class="panel" aria-labelledby="looks-title">
                <h2 id="looks-title">{t.appearance}</h2>
                <div class="row">
                    <LangSwitch />
                    <ThemeSwitch />
                    <button
                        class="button button-small"
                        r#type="button"
                        aria-pressed=move || if chosen.get().is_none() { "true" } else { "false" }
                        on:click=move |_| choose_theme(chosen, None)
                    >
                        {t.theme_system}
                    </button>
                </div>
            </section>
            <Terminals />
            <Sessions sessions=kept.sessions />
            <section class="panel" aria-labelledby="session-title">
                <h2 id="session-title">{t.session_title}</h2>
                <p class="soft">{(t.signed_in_as)(me.name.as_str())}</p>
                <div class="actions">
                    <button
                        class="button"
                        r#type="button"
                        aria-busy=move || act.busy().then_some("true")
                        on:click=leave
                    >
                        {icon("leave")}
                        {t.sign_out}
                    </button>
                </div>
            </section>
        </main>
    }
    .into_any()
}

#[component]
fn Password(own: OwnPassword) -> impl IntoView {
    let t = use_strings();
    let p = t.people;
    let toaster: Toaster = expect_context();
    let (has, asks_current) = (RwSignal::new(own.is_set), RwSignal::new(own.is_asked));
    let done = move || {
        has.set(true);
        toaster.say(p.password_is_set.to_owned());
    };
    view! {
        <section class="panel" aria-labelledby="password-title">
            <h2 id="password-title">{p.password}</h2>
            <p class="soft">
                {p.password_text} " " {move || (!has.get()).then_some(p.password_none)}
            </p>
            <SetPassword asks_current done />
        </section>
    }
    .into_any()
}

#[component]
fn Terminals() -> impl IntoView {
    let t = use_strings();
    let wanted = RwSignal::new(reader::is_wanted());
    let press = move |_| {
        wanted.update(|wanted| *wanted = !*wanted);
        browser::set_cookie(reader::COOKIE, wanted.get_untracked().then_some("1"));
    };
    view! {
        <section class="panel" aria-labelledby="terminal-title">
            <h2 id="terminal-title">{t.terminal_title}</h2>
            <p class="soft">{t.terminal_keys}</p>
            <label class="check">
                <input r#type="checkbox" prop:checked=move || wanted.get() checked=wanted.get_untracked() on:change=press />
                <span>{t.screen_reader}</span>
            </label>
        </section>
    }
    .into_any()
}

#[component]
fn Tokens(tokens: Vec<TokenView>) -> impl IntoView {
    let (t, act) = (use_strings(), use_act());
    let tokens = RwSignal::new(tokens);
    let name = RwSignal::new(String::new());
    let secret = RwSignal::new(None::<String>);
    let create = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        act.run(api::create_token(name.get_untracked()), move |new| {
            secret.set(Some(new.secret));
            tokens.update(|tokens| tokens.insert(0, new.token));
            name.set(String::new());
        });
    };
    view! {
        <section class="panel" aria-labelledby="tokens-title">
            <h2 id="tokens-title">{t.tokens}</h2>
            <p class="soft">{t.tokens_text}</p>
            <div role="status">{move || secret.get().map(|secret| view! { <Secret secret /> })}</div>
            <form class="panel-form" on:submit=create>
                <TextField id="token-name" label=t.token_for value=name required=true />
                <Submit act word=t.create_token symbol="plus" />
            </form>
            {move || tokens.with(Vec::is_empty).then(|| view! { <p class="small soft">{t.no_tokens}</p> })}
            <ul class="list">
                <For each=move || tokens.get() key=|token| token.id let:token>
                    <Token token tokens />
                </For>
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn Secret(secret: String) -> impl IntoView {
    let t = use_strings();
    view! {
        <div class="secret">
            <strong>{t.token_once}</strong>
            <Command text=secret />
        </div>
    }
    .into_any()
}

#[component]
fn Token(token: TokenView, tokens: RwSignal<Vec<TokenView>>) -> impl IntoView {
    let (t, act, teller) = (use_strings(), use_act(), use_teller());
    let id = token.id;
    let label = format!("{}: {}", t.revoke, token.name);
    let revoke = move || {
        act.run(api::revoke_token(id), move |()| {
            tokens.update(|tokens| tokens.retain(|token| token.id != id));
        });
    };
    view! {
        <li>
            {icon("key")}
            <div>
                <strong>{token.name.to_string()}</strong>
                <div class="small soft">{move || (t.created_on)(&teller.day(token.created_at))}</div>
            </div>
            <TakeBack act word=t.revoke label press=revoke />
        </li>
    }
    .into_any()
}
