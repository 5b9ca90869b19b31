//! «Gasto»: a month of money. Drawn on the server; what it is of is in the
//! address.

mod budget;
mod calculator;
mod chart;
mod sheet;
mod upkeep;

use std::time::Duration;

use domain::price::Plan;
use domain::spend::{By, Query, Report, Scope};
use domain::time::Month;
use leptos::leptos_dom::helpers::set_interval_with_handle;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::{use_navigate, use_query_map};
use leptos_router::params::ParamsMap;

use super::{FaultPage, Nothing};
use crate::api;
use crate::browser;
use crate::components::house::use_me;
use crate::components::icon::icon;
use crate::error::ErrorCode;
use crate::i18n::use_lang;

use budget::Burndown;
use calculator::Calculator;
use chart::Chart;
use sheet::{Saved, Sheet, Tops};

/// How often the month is asked for again while it is looked at.
const AGAIN: Duration = Duration::from_secs(30);

/// What whoever looks has made of the page: it is drawn anew while they do.
#[derive(Clone, Copy)]
pub struct Kept {
    /// What the calculator is asked.
    pub plan: RwSignal<Plan>,
    /// The day that is read, counted from 0; the latest unless they chose.
    pub day: RwSignal<Option<(Month, usize)>>,
    /// Whether the days' table is open.
    pub table: RwSignal<bool>,
}

impl Kept {
    fn new() -> Self {
        let (plan, day, table) = (RwSignal::new(Plan::PROPOSAL), RwSignal::new(None), RwSignal::new(false));
        Self { plan, day, table }
    }
}

/// A month of money.
#[component]
pub fn SpendPage() -> impl IntoView {
    let t = use_lang().spend();
    let params = use_query_map();
    let query = Memo::new(move |_| query_of(&params.get()));
    let report = Resource::new_blocking(move || query.get(), api::spend_report);
    let kept = Kept::new();
    Effect::new(move || {
        let again = move || {
            // The page is drawn anew then: not under the hands of who is in it by keyboard or fills something in.
            if !browser::is_hidden()
                && !browser::is_at("main :is(:focus-visible, [role=slider], input, select)")
            {
                report.refetch();
            }
        };
        if let Ok(timer) = set_interval_with_handle(again, AGAIN) {
            on_cleanup(move || timer.clear());
        }
    });
    let page = move || {
        report.get().map(|report| match report {
            Ok(report) => view! { <Spend report query=query.get_untracked() kept /> }.into_any(),
            // Whoever may not see it need not know that it is there.
            Err(error) if error.code == ErrorCode::Forbidden => view! { <Nothing /> }.into_any(),
            Err(error) => view! { <FaultPage error /> }.into_any(),
        })
    };
    view! {
        <Title text=format!("{} · OpenClaw Cloud", t.title) />
        <Transition>{page}</Transition>
    }
    .into_any()
}

fn query_of(params: &ParamsMap) -> Query {
    let pairs: Vec<_> = params.clone().into_iter().collect();
    Query::from_pairs(pairs.iter().map(|(key, value)| (&**key, value.as_str())))
}

/// The address of a page or file about such a month.
fn address(path: &str, query: &Query) -> String {
    let params: ParamsMap = query.pairs().into_iter().collect();
    format!("{path}{}", params.to_query_string())
}

#[component]
fn Spend(report: Report, query: Query, kept: Kept) -> impl IntoView {
    let lang = use_lang();
    let t = lang.spend();
    let lead = if report.scope == Scope::Own { t.lead_own } else { t.lead_fleet };
    let report = StoredValue::new(report);
    view! {
        <main class="page page-wide spend" id="main">
            <div class="page-head">
                <div>
                    <h1>{t.title}</h1>
                    <p class="page-lead">{lead}</p>
                </div>
                <Controls query month=report.with_value(|report| report.month) />
            </div>
            <div class="spend-top">
                <Sheet report />
                <section class="panel spend-days" aria-labelledby="days-title">
                    <div class="spend-days-head">
                        <h2 id="days-title">{t.by_day}</h2>
                        <StackBy query />
                    </div>
                    <Chart report kept />
                </section>
            </div>
            <Burndown report />
            <Saved report />
            <Tops report />
            <Calculator plan=kept.plan />
        </main>
    }
    .into_any()
}

/// Whose month, which, and what to do with it.
#[component]
fn Controls(query: Query, month: Month) -> impl IntoView {
    let (lang, me) = (use_lang(), use_me());
    let t = lang.spend();
    let to = move |month| address("/spend", &Query { month: Some(month), ..query });
    let whose = [(Scope::Own, t.own), (Scope::Fleet, t.fleet)].into_iter().map(move |(of, name)| {
        let current = if query.of == of { Some("page") } else { None };
        let to = address("/spend", &Query { of, ..query });
        view! { <a class="choice" href=to aria-current=current>{name}</a> }
    });
    let file = move |format: &str| {
        let address = address("/spend/export", &Query { month: Some(month), ..query });
        format!("{address}&format={format}")
    };
    let print = |_| {
        let _ = window().print();
    };
    view! {
        <div class="spend-controls">
            {me.sees_fleet.then(|| view! { <nav class="choices" aria-label=t.whose>{whose.collect_view()}</nav> })}
            <nav class="spend-month" aria-label=lang.month(month)>
                <A href=to(month.previous()) attr:class="button button-quiet button-icon" attr:aria-label=t.month_before>
                    {icon("back")}
                </A>
                <span class="spend-month-name">{lang.month(month)}</span>
                <A href=to(month.next()) attr:class="button button-quiet button-icon" attr:aria-label=t.month_after>
                    {icon("go")}
                </A>
            </nav>
            <div class="actions">
                <a class="button button-quiet button-small" href=file("csv") download="" rel="external">{t.export_csv}</a>
                <a class="button button-quiet button-small" href=file("json") download="" rel="external">{t.export_json}</a>
                <button class="button button-quiet button-small" r#type="button" on:click=print>{t.print}</button>
            </div>
        </div>
    }
    .into_any()
}

/// What the days are stacked by.
#[component]
fn StackBy(query: Query) -> impl IntoView {
    let t = use_lang().spend();
    let (navigate, params) = (use_navigate(), use_query_map());
    let choose = move |event| {
        let word = event_target_value(&event);
        let by = By::ALL.into_iter().find(|by| by.as_str() == word).unwrap_or_default();
        // By the address: what it asks for may not be here yet.
        let asked = query_of(&params.get_untracked());
        navigate(&address("/spend", &Query { by, ..asked }), Default::default());
    };
    // A person is in one team alone.
    let offered = By::ALL.into_iter().zip(t.bys);
    let offered = offered.filter(|(by, _)| *by != By::Team || query.of == Scope::Fleet);
    let options =
        offered.map(|(by, name)| view! { <option value=by.as_str() selected=by == query.by>{name}</option> });
    view! {
        <label class="spend-by">
            <span>{t.stack_by}</span>
            <select class="select" name="by" on:change=choose>
                {options.collect_view()}
            </select>
        </label>
    }
    .into_any()
}
