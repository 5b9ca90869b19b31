//! The month's receipt, what was not spent, and who spent most.

use domain::money::NanoDollars;
use domain::price::Basis;
use domain::spend::{Report, Scope, Top};
use domain::usage::Amount;
use leptos::prelude::*;
use leptos_router::components::A;

use super::upkeep::Upkeep;
use crate::components::house::use_me;
use crate::i18n::use_lang;

type Month = StoredValue<Report>;

/// The month as a till receipt.
#[component]
pub fn Sheet(report: Month) -> impl IntoView {
    let lang = use_lang();
    let t = lang.spend();
    let Report { month, as_of, total, estimate, unpriced_ms, forecast, .. } = report.get_value();
    let over = as_of >= month.next().start();
    let line = |name: &'static str, value: String| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
    let an_hour = report.with_value(Report::per_awake_hour);
    // Of what has no price nothing can be foreseen.
    let forecast = forecast.filter(|_| unpriced_ms == 0);
    let outlook = forecast.map(|forecast| {
        let range = (t.between)(&lang.sum(forecast.low), &lang.sum(forecast.high));
        view! {
            <div class="receipt-compare">
                <p>
                    {t.forecast} ": " <strong>{lang.sum(forecast.likely)}</strong>
                </p>
                <p>{range}</p>
                <p class="receipt-note">{t.forecast_how}</p>
            </div>
        }
    });
    let early = (!over && unpriced_ms == 0 && forecast.is_none())
        .then(|| view! { <p class="receipt-note">{t.too_early}</p> });
    let unknown = (unpriced_ms > 0).then(
        || view! { <p class="spend-unknown" role="alert">{(t.unpriced)(&lang.hours(unpriced_ms))}</p> },
    );
    view! {
        <section class="receipt-shell" aria-labelledby="sheet-title">
            <div class="receipt">
                <div class="receipt-head">
                    <h2 id="sheet-title">{lang.month(month)}</h2>
                </div>
                <dl class="receipt-total">
                    <dt>{if over { t.whole_month } else { t.so_far }}</dt>
                    <dd class="spend-total" data-basis=unpriced(unpriced_ms)>{lang.told(total.cost, unpriced_ms)}</dd>
                </dl>
                {unknown}
                <dl class="receipt-lines">
                    {line(t.hours_awake, lang.hours(total.awake_ms))}
                    {an_hour.map(|hour| line(t.per_awake_hour, lang.money(hour, 5)))}
                    {(estimate > NanoDollars::ZERO).then(|| line(t.estimated, lang.sum(estimate)))}
                </dl>
                {outlook}
                {early}
                <Upkeep report />
                <p class="receipt-note">{t.utc}</p>
            </div>
        </section>
    }
    .into_any()
}

/// The mark of a sum that says not all, for it to be red.
pub fn unpriced(unpriced_ms: u64) -> Option<&'static str> {
    (unpriced_ms > 0).then(|| Basis::Unpriced.as_str())
}

/// What other ways would have cost.
#[component]
pub fn Saved(report: Month) -> impl IntoView {
    let lang = use_lang();
    let t = lang.spend();
    let (savings, cost, unpriced_ms) =
        report.with_value(|report| (report.savings, report.total.cost, report.unpriced_ms));
    if savings.agents == 0 {
        return ().into_any();
    }
    // What was dearer than the other way is no saving, and said as it is.
    // With what has no price nothing is compared.
    let all_priced = unpriced_ms == 0;
    let against = |instead: Option<NanoDollars>| {
        instead.filter(|_| all_priced).map(|instead| (instead - cost, instead))
    };
    let tile = |name: &'static str, (saved, instead): (NanoDollars, NanoDollars)| {
        view! {
            <dl class="tile tile-fact">
                <dt class="tile-name">{name}</dt>
                <dd class="tile-count" data-less=(saved < NanoDollars::ZERO).to_string()>{lang.sum(saved)}</dd>
                <dd class="soft small">{(t.instead_of)(&lang.sum(instead))}</dd>
            </dl>
        }
    };
    let lead = match savings.agents {
        1 => t.saved_lead_one.to_owned(),
        agents => (t.saved_lead)(&lang.count(agents.into())),
    };
    view! {
        <section class="spend-part" aria-labelledby="saved-title">
            <h2 id="saved-title">{t.saved}</h2>
            <p class="soft">{lead}</p>
            <div class="tiles">
                {against(savings.always_on).map(|saved| tile(t.saved_asleep, saved))}
                {savings.spot.map(|saved| tile(t.saved_spot, (saved, saved + cost)))}
                {against(Some(savings.t4g_small)).map(|saved| tile(t.saved_t4g, saved))}
            </div>
        </section>
    }
    .into_any()
}

/// Who and what cost most.
#[component]
pub fn Tops(report: Month) -> impl IntoView {
    let (lang, me) = (use_lang(), use_me());
    let t = lang.spend();
    let Report { scope, total, agents, people, .. } = report.get_value();
    if agents.is_empty() {
        return ().into_any();
    }
    let own = scope == Scope::Own;
    let agents = agents.into_iter().map(|Top { id, name, amount, unpriced_ms }| {
        let name = match name {
            Some(name) if own => view! { <A href=format!("/agents/{id}")>{name.to_string()}</A> }.into_any(),
            Some(name) if me.sees_fleet => {
                view! { <A href=format!("/fleet?q={id}")>{name.to_string()}</A> }.into_any()
            }
            Some(name) => name.to_string().into_any(),
            None => t.deleted.into_any(),
        };
        (name, amount, unpriced_ms)
    });
    let people = people.into_iter().map(|Top { name, amount, unpriced_ms, .. }| {
        let name = name.map_or_else(|| t.deleted.to_owned(), |name| name.to_string());
        (name.into_any(), amount, unpriced_ms)
    });
    let (agents, people): (Vec<_>, Vec<_>) = (agents.collect(), people.collect());
    view! {
        <div class="spend-tops">
            <Ranking title=t.top_agents head=t.agent rows=agents total=total.cost />
            {(!people.is_empty())
                .then(|| view! { <Ranking title=t.top_people head=t.person rows=people total=total.cost /> })}
        </div>
    }
    .into_any()
}

#[component]
fn Ranking(
    title: &'static str,
    head: &'static str,
    /// Each with the time that has no price.
    rows: Vec<(AnyView, Amount, u64)>,
    /// Of all, those that are not named too.
    total: NanoDollars,
) -> impl IntoView {
    let lang = use_lang();
    let t = lang.spend();
    let rows = rows.into_iter().map(|(name, amount, unpriced_ms)| {
        let share = u64::try_from(i128::from(amount.cost.0) * 100 / i128::from(total.0).max(1)).unwrap_or(0);
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="numerals">{lang.hours(amount.awake_ms)}</td>
                <td class="numerals" data-basis=unpriced(unpriced_ms)>
                    {lang.told(amount.cost, unpriced_ms)}
                    <svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                        <rect width=share.min(100).to_string() height="4" />
                    </svg>
                </td>
            </tr>
        }
    });
    view! {
        <section class="panel spend-ranking">
            <table>
                <caption>{title}</caption>
                <thead>
                    <tr>
                        <th scope="col">{head}</th>
                        <th scope="col">{t.awake}</th>
                        <th scope="col">{t.cost}</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}
