//! What is left of the month's budget, day by day.

use domain::budget::Budget;
use domain::money::NanoDollars;
use domain::spend::Report;
use domain::time::Day;
use leptos::prelude::*;

use crate::i18n::use_lang;

const WIDTH: i64 = 600;
const HEIGHT: i64 = 100;

/// The day on which what is left is used up, if all days are as the forecast has them.
fn runs_out(report: &Report, limit: NanoDollars) -> Option<Day> {
    let forecast = report.forecast?;
    if forecast.likely <= limit {
        return None;
    }
    let left = report.month.next().start().since(report.as_of).as_millis();
    let rest = u128::try_from((forecast.likely - report.total.cost).0).ok().filter(|rest| *rest > 0)?;
    let until = left * u128::try_from((limit - report.total.cost).0.max(0)).ok()? / rest;
    let at = report.as_of.after(std::time::Duration::from_millis(u64::try_from(until).ok()?));
    Some(at.day())
}

/// Nothing where there is no budget.
#[component]
pub fn Burndown(report: StoredValue<Report>) -> impl IntoView {
    let lang = use_lang();
    let t = lang.spend();
    let Some(limit) = report.with_value(|report| report.limit) else { return ().into_any() };
    let report = report.get_value();
    // What the limit was in another month is not known.
    if report.as_of < report.month.start() || report.as_of >= report.month.next().start() {
        return ().into_any();
    }
    let left = NanoDollars((limit - report.total.cost).0.max(0));
    let budget = Budget { month: Some(limit), ..Budget::default() };
    let percent = budget.used(report.total.cost).unwrap_or(0);
    let days = &report.days;
    let count = i64::try_from(days.len()).unwrap_or(31);
    let passed = usize::try_from(report.as_of.day().0 - report.month.start().day().0 + 1).unwrap_or(0);
    let y = |rest: NanoDollars| {
        HEIGHT
            - i64::try_from(i128::from(rest.0.max(0)) * i128::from(HEIGHT) / i128::from(limit.0).max(1))
                .unwrap_or(0)
    };
    let mut rest = limit;
    let mut points = vec![format!("0,{}", y(limit))];
    for (day, cost) in (1i64..).zip(days.iter().take(passed)) {
        rest = rest - *cost;
        points.push(format!("{},{}", day * WIDTH / count, y(rest)));
    }
    let unknown = (report.unpriced_ms > 0)
        .then(|| view! { <p class="spend-unknown">{(t.unpriced)(&lang.hours(report.unpriced_ms))}</p> });
    let outlook = match runs_out(&report, limit) {
        // Of what has no price nothing can be foreseen.
        _ if report.unpriced_ms > 0 => None,
        Some(day) => Some((t.budget_runs_out)(&lang.date(day.start()))),
        None => report.forecast.map(|_| t.budget_lasts.to_owned()),
    };
    let level = match percent {
        100.. => "spent",
        80.. => "near",
        _ => "well",
    };
    let (left, limit) = (lang.sum(left), lang.sum(limit));
    view! {
        <section class="panel spend-part burndown" aria-labelledby="budget-title" data-level=level>
            <div class="burndown-words">
                <h2 id="budget-title">{t.budget}</h2>
                <p class="burndown-left">{(t.budget_left)(&left, &limit)}</p>
                <p class="soft">{(t.budget_used)(&lang.percent(percent))}</p>
                {unknown}
                {outlook.map(|text| view! { <p>{text}</p> })}
            </div>
            <svg
                viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                preserveAspectRatio="none"
                role="img"
                aria-label=(t.budget_chart)(&left, &limit)
            >
                <line class="burndown-even" x1="0" y1="0" x2=WIDTH.to_string() y2=HEIGHT.to_string() />
                <polyline class="burndown-line" points=points.join(" ") />
            </svg>
        </section>
    }
    .into_any()
}
