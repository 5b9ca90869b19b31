//! «Auditoría»: what was done by right of a role, and what was refused. The
//! filter is in the address.

use domain::audit::{Actor, Entry, Kind, Outcome};
use domain::name::Name;
use domain::time::Month;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use super::{FaultPage, Nothing};
use crate::api::{self, Told};
use crate::components::icon::icon;
use crate::components::when::When;
use crate::error::ErrorCode;
use crate::i18n::{Exact, use_lang, use_strings};

/// The month of the first entry there can be.
const FIRST: Month = Month { year: 2026, month: 11 };
/// What the address asks for.
#[derive(Debug, Clone, Default, PartialEq)]
struct Asked {
    month: Option<Month>,
    person: String,
    act: String,
}

/// The page.
#[component]
pub fn AuditPage() -> impl IntoView {
    let p = use_strings().people;
    let params = use_query_map();
    let asked = Memo::new(move |_| {
        params.with(|params| Asked {
            month: params.get("month").and_then(|month| month.parse().ok()),
            person: params.get("person").unwrap_or_default(),
            act: params.get("act").unwrap_or_default(),
        })
    });
    let found = Resource::new_blocking(
        move || asked.get(),
        |asked: Asked| api::audit(asked.month, asked.person, asked.act),
    );
    let page = move || {
        found.get().map(|found| match found {
            Ok(told) => view! { <Log told asked=asked.get() /> }.into_any(),
            Err(error) if error.code == ErrorCode::Forbidden => view! { <Nothing /> }.into_any(),
            Err(error) => view! { <FaultPage error /> }.into_any(),
        })
    };
    view! {
        <Title text=format!("{} · OpenClaw Cloud", p.audit) />
        <Suspense>{page}</Suspense>
    }
    .into_any()
}

#[component]
fn Log(told: Told, asked: Asked) -> impl IntoView {
    let p = use_strings().people;
    let Told { month, entries, lookers, more, last } = told;
    let export = |format: &str| {
        let month = month.to_string();
        let asked = [("month", &*month), ("person", &asked.person), ("act", &asked.act), ("format", format)];
        let asked = asked.into_iter().map(|(key, value)| (key, value.to_owned()));
        format!("/audit/export{}", asked.collect::<ParamsMap>().to_query_string())
    };
    let (csv, json) = (export("csv"), export("json"));
    let none = entries.is_empty();
    let rows = entries.into_iter().map(|entry| {
        let looker = entry.act.looker().and_then(|user| lookers.get(&user).cloned());
        view! { <Line entry looker /> }
    });
    let rows = rows.collect_view();
    view! {
        <main class="page" id="main">
            <div class="page-head">
                <div>
                    <h1>{p.audit}</h1>
                    <p class="page-lead">{p.audit_lead}</p>
                </div>
                <div class="actions">
                    <a class="button button-small" href=csv rel="external" download>
                        {icon("save")}
                        {p.export_csv}
                    </a>
                    <a class="button button-small" href=json rel="external" download>
                        {icon("save")}
                        {p.export_json}
                    </a>
                </div>
            </div>
            <Filter asked month last />
            <div class="roll roll-audit" role="table" aria-label=p.audit>
                <div class="roll-head" role="row">
                    <span role="columnheader">{p.when}</span>
                    <span role="columnheader">{p.who}</span>
                    <span role="columnheader">{p.what}</span>
                    <span role="columnheader">{p.result}</span>
                </div>
                {rows}
            </div>
            {none.then(|| view! { <p class="soft" role="status">{p.no_entries}</p> })}
            {more.then(|| view! { <p class="small soft">{p.more_entries}</p> })}
        </main>
    }
    .into_any()
}

/// A form that is sent as the address: it works before the page lives too.
#[component]
fn Filter(asked: Asked, month: Month, last: Month) -> impl IntoView {
    let (lang, p) = (use_lang(), use_strings().people);
    let months = std::iter::successors(Some(last), |month| Some(month.previous()))
        .take_while(|month| *month >= FIRST)
        .map(|one| {
            view! {
                <option value=one.to_string() selected=one == month>
                    {one.to_string()}
                </option>
            }
        })
        .collect_view();
    let acts = Kind::ALL.iter().map(|kind| {
        view! {
            <option value=kind.as_str() selected=kind.as_str() == asked.act>
                {lang.kind(*kind)}
            </option>
        }
    });
    let acts = acts.collect_view();
    view! {
        <form class="fleet-filter" role="search" aria-label=p.filter method="get" action="/audit">
            <select class="select" name="month" aria-label=p.month>
                {months}
            </select>
            <input
                class="input"
                name="person"
                aria-label=p.person
                placeholder=p.person
                autocomplete="off"
                value=asked.person
            />
            <select class="select" name="act" aria-label=p.act>
                <option value="" selected=asked.act.is_empty()>
                    {p.any_act}
                </option>
                {acts}
            </select>
            <button class="button" r#type="submit">
                {icon("search")}
                {p.filter}
            </button>
        </form>
    }
    .into_any()
}

#[component]
fn Line(
    entry: Entry,
    /// Who had asked to look, where it answers that.
    looker: Option<Name>,
) -> impl IntoView {
    let (lang, p) = (use_lang(), use_strings().people);
    let who = match &entry.actor {
        Actor::Person { name, .. } => name.to_string(),
        Actor::CommandLine => p.command_line.to_owned(),
    };
    let to = lang.whom(&entry.act);
    let agent = entry.act.agent().map(|agent| agent.to_string());
    let detail = lang.detail(&entry.act, looker.as_ref());
    let untold = (entry.untold > 0).then(|| (lang.access().untold)(&lang.count(entry.untold.into())));
    let state = match entry.outcome {
        Outcome::Allowed => "allowed",
        Outcome::Refused => "refused",
        Outcome::Failed => "failed",
    };
    view! {
        <div class="roll-row" role="row">
            <span role="cell" data-column="when" class="soft">
                <When at=entry.at to=Exact::Minute />
            </span>
            <strong role="cell" data-column="who">{who}</strong>
            <span role="cell" data-column="what">
                {lang.kind(entry.act.kind())}
                {to.map(|to| view! { ": " <strong>{to}</strong> })}
                {agent.map(|agent| view! { " " <code class="small">{agent}</code> })}
                {(!detail.is_empty()).then(|| view! { " " <span class="soft">{detail}</span> })}
                {untold.map(|untold| view! { " " <span class="soft">{untold}</span> })}
            </span>
            <span role="cell" data-column="outcome" class="outcome" data-outcome=state>
                {p.outcome(entry.outcome)}
            </span>
        </div>
    }
    .into_any()
}
