//! What the house said of an agent lately.

use domain::agent::ProviderName;
use domain::id::AgentId;
use domain::journal::{Journal, Line, Stream, Weight};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api;
use crate::components::errors;
use crate::components::when::When;
use crate::error::AppError;
use crate::i18n::{Exact, use_lang, use_strings};

/// Asked for again whenever something happened to the agent, and when somebody asks.
#[component]
pub fn Said(id: AgentId, provider: ProviderName, happened: Memo<Option<u64>>) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let j = lang.journal();
    let said = RwSignal::new(None::<Result<Journal, AppError>>);
    let ask = move || {
        spawn_local(async move {
            let journal = api::fleet_journal(id).await;
            said.try_set(Some(journal));
        });
    };
    Effect::new(move || {
        happened.track();
        ask();
    });
    let body = move || match said.get() {
        None => view! { <p role="status">{t.loading}</p> }.into_any(),
        Some(Err(error)) => view! { <p role="alert">{errors::words(&error, t)}</p> }.into_any(),
        Some(Ok(journal)) => view! {
            {journal.elsewhere.map(|stream| view! { <Elsewhere stream /> })}
            <Lines lines=journal.lines />
        }
        .into_any(),
    };
    let simulated = provider == ProviderName::Simulated;
    view! {
        <section aria-labelledby="journal-title">
            <div class="journal-head">
                <h3 id="journal-title">{j.title}</h3>
                <button class="button button-small button-quiet" r#type="button" on:click=move |_| ask()>
                    {j.again}
                </button>
            </div>
            <p class="soft small">{j.lead}</p>
            {simulated.then(|| view! { <p class="soft small">{j.simulated}</p> })}
            {body}
        </section>
    }
    .into_any()
}

#[component]
fn Lines(lines: Vec<Line>) -> impl IntoView {
    let lang = use_lang();
    let j = lang.journal();
    if lines.is_empty() {
        return view! { <p class="soft small">{j.none}</p> }.into_any();
    }
    let line = move |line: Line| {
        let weight = (line.weight != Weight::Info).then(|| view! { <b>{j.weight(line.weight)}</b> " " });
        view! {
            <li data-weight=(line.weight == Weight::Error).then_some("error")>
                <When at=line.at to=Exact::Second />
                <span class="soft">{j.speaker(line.by)}</span>
                <span>{weight} {line.text}</span>
            </li>
        }
    };
    // The latest first, as in the timeline.
    view! {
        <div class="journal" tabindex="0" role="group" aria-labelledby="journal-title">
            <ol>{lines.into_iter().rev().map(line).collect_view()}</ol>
        </div>
    }
    .into_any()
}

#[component]
fn Elsewhere(stream: Stream) -> impl IntoView {
    let lang = use_lang();
    let j = lang.journal();
    let name = match stream.name {
        Some(name) => view! { <code>{name}</code> }.into_any(),
        None => view! { <span class="soft">{j.stream_unknown}</span> }.into_any(),
    };
    view! {
        <p class="small">{j.elsewhere}</p>
        <dl class="journal-stream small">
            <dt>{j.group}</dt>
            <dd><code>{stream.group}</code></dd>
            <dt>{j.stream}</dt>
            <dd>{name}</dd>
        </dl>
        {stream.url.map(|url| view! {
            <p><a href=url target="_blank" rel="noreferrer">{j.open}</a></p>
        })}
    }
    .into_any()
}
