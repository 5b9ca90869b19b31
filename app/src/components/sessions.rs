//! The reader's sessions, on the settings page.

use leptos::prelude::*;

use super::act::use_act;
use super::form::TakeBack;
use super::icon::icon;
use super::when::use_teller;
use crate::api::{self, SessionView};
use crate::browser;
use crate::i18n::use_strings;

#[component]
pub fn Sessions(sessions: Vec<SessionView>) -> impl IntoView {
    let (t, act) = (use_strings(), use_act());
    let p = t.people;
    let sessions = RwSignal::new(sessions);
    let alone = move || sessions.with(|all| all.iter().all(|session| session.this));
    let end = move |_| {
        act.run(api::end_other_sessions(), move |()| {
            sessions.update(|sessions| sessions.retain(|session| session.this));
        });
    };
    view! {
        <section class="panel" aria-labelledby="sessions-title">
            <h2 id="sessions-title">{p.sessions}</h2>
            <p class="soft">{p.sessions_text}</p>
            <ul class="list">
                <For each=move || sessions.get() key=|session| session.id let:session>
                    <Session session sessions />
                </For>
            </ul>
            <Show when=move || !alone()>
                <div class="actions">
                    <button
                        class="button button-danger"
                        r#type="button"
                        aria-busy=move || act.busy().then_some("true")
                        on:click=end
                    >
                        {p.end_others}
                    </button>
                </div>
            </Show>
        </section>
    }
    .into_any()
}

#[component]
fn Session(session: SessionView, sessions: RwSignal<Vec<SessionView>>) -> impl IntoView {
    let (t, act, teller) = (use_strings(), use_act(), use_teller());
    let p = t.people;
    let SessionView { id, how, browser, created_at, seen_at, this } = session;
    let browser = if browser.is_empty() { p.unknown_browser.to_owned() } else { browser };
    let label = (p.end_session_of)(&browser);
    let facts = move || (p.session_facts)(p.how(how), &teller.day(created_at), &teller.day(seen_at));
    let end = move || {
        act.run(api::end_session(id), move |()| {
            if this {
                return browser::leave_for("/sign-in");
            }
            sessions.update(|sessions| sessions.retain(|session| session.id != id));
        });
    };
    view! {
        <li>
            {icon(if this { "user" } else { "clock" })}
            <div>
                <strong>{browser}</strong>
                {this.then(|| view! { " " <span class="estimate">{p.this_session}</span> })}
                <div class="small soft">{facts}</div>
            </div>
            <TakeBack act word=p.end_session label press=end />
        </li>
    }
    .into_any()
}
