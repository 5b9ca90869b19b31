//! What the installation costs besides its agents.

use domain::price::Basis;
use domain::spend::{Report, Upkeep as Line};
use leptos::prelude::*;

use crate::i18n::use_lang;

/// Lines of the month's receipt; nothing where there are none.
#[component]
pub fn Upkeep(report: StoredValue<Report>) -> impl IntoView {
    let lang = use_lang();
    let t = lang.upkeep();
    let lines = report.with_value(|report| report.installation.clone());
    if lines.is_empty() {
        return ().into_any();
    }
    // The gateways first: the addresses are theirs.
    let lines = lines.into_iter().rev().map(|Line { item, ms, cost }| {
        let basis = cost.is_none().then_some(Basis::Unpriced.as_str());
        let cost = cost.map_or_else(|| t.unknown.to_owned(), |cost| lang.money(cost, 2));
        view! {
            <div>
                <dt>{(t.of_hours)(t.item(item), &lang.hours(ms))}</dt>
                <dd data-basis=basis>{cost}</dd>
            </div>
        }
    });
    view! {
        <div class="receipt-compare">
            <h3 class="receipt-sub">{t.title}</h3>
            <dl class="receipt-lines">{lines.collect_view()}</dl>
            <p class="receipt-note">{t.note}</p>
        </div>
    }
    .into_any()
}
