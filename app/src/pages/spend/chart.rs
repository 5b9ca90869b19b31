//! The days as stacked bars, and the same as a table. Bars are drawn by the
//! server in a picture that stretches; words stand beside it as text, so that
//! they keep their size.

use domain::money::NanoDollars;
use domain::spend::{Forecast, Report, Series, Slice};
use domain::time::Day;
use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::prelude::*;

use super::Kept;
use super::sheet::unpriced;
use crate::components::spawn::size_name;
use crate::i18n::{Lang, use_lang};

/// Units of the picture: days are this wide.
const WIDTH: usize = 20;
const BAR: usize = 14;
const HEIGHT: u64 = 1000;

/// What a band is called.
pub fn band(lang: Lang, slice: &Slice) -> String {
    let t = lang.spend();
    match slice {
        Slice::Provider(provider, basis) => t.priced(lang.provider(*provider), *basis),
        Slice::Option(purchase, basis) => t.priced(t.purchase(*purchase), *basis),
        Slice::Size(size) => size_name(*size, lang.strings()).to_owned(),
        Slice::Team(Some(team)) => team.to_string(),
        Slice::Team(None) => t.no_team.to_owned(),
        Slice::Rest => t.rest.to_owned(),
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not below it.
fn round_up(nanos: i64) -> i64 {
    let mut power = 1i64;
    loop {
        for step in [1, 2, 5] {
            let value = power.saturating_mul(step);
            if value >= nanos || value == i64::MAX {
                return value;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// How high an amount stands.
fn high(amount: NanoDollars, top: i64) -> u64 {
    u64::try_from(i128::from(amount.0.max(0)) * i128::from(HEIGHT) / i128::from(top.max(1))).unwrap_or(0)
}

/// What a day that is to come may cost: the forecast, spread over what is left.
fn expected(forecast: Option<Forecast>, spent: NanoDollars, left: usize) -> Option<NanoDollars> {
    let left = i64::try_from(left).ok().filter(|left| *left > 0)?;
    Some(NanoDollars((forecast?.likely - spent).0.max(0) / left))
}

/// The days of a month.
#[component]
pub fn Chart(report: StoredValue<Report>, kept: Kept) -> impl IntoView {
    let lang = use_lang();
    let t = lang.spend();
    let Report {
        month,
        as_of,
        total,
        unpriced_ms,
        series,
        forecast,
        days: totals,
        unpriced_days: unknown,
        ..
    } = report.get_value();
    if series.is_empty() {
        return view! { <p class="fleet-none">{t.nothing_yet}</p> }.into_any();
    }
    let count = totals.len();
    let today =
        usize::try_from(as_of.before(std::time::Duration::from_millis(1)).day().0 - month.start().day().0);
    let today = today.unwrap_or(0).min(count - 1);
    let coming = expected(forecast.filter(|_| unpriced_ms == 0), total.cost, count - 1 - today);
    let most = totals.iter().copied().chain(coming).max().unwrap_or_default();
    let top = round_up(most.0);
    let bars = (0..count).map(|day| bar(&series, day, top)).collect_view();
    let ahead = coming.map(|amount| {
        let height = high(amount, top);
        let days = (today + 1..count).map(|day| {
            let x = day * WIDTH + (WIDTH - BAR) / 2;
            view! {
                <rect
                    class="bar-ahead"
                    x=x.to_string()
                    y=(HEIGHT - height).to_string()
                    width=BAR.to_string()
                    height=height.to_string()
                />
            }
        });
        days.collect_view()
    });
    let chosen = move || kept.day.get().filter(|(of, _)| *of == month).map(|(_, day)| day.min(count - 1));
    let read = Memo::new(move |_| chosen().unwrap_or(today));
    let choose = move |day: usize| kept.day.set(Some((month, day.min(count - 1))));
    let reading = StoredValue::new(
        (0..count)
            .map(|day| sentence(lang, &series, month.start().day(), day, (totals[day], unknown[day])))
            .collect::<Vec<_>>(),
    );
    let said = move || reading.with_value(|all| all[read.get()].clone());
    let pressed = move |event: KeyboardEvent| {
        let day = read.get_untracked();
        let to = match event.key().as_str() {
            "ArrowRight" | "ArrowUp" => day + 1,
            "ArrowLeft" | "ArrowDown" => day.saturating_sub(1),
            "Home" => 0,
            "End" => count - 1,
            _ => return,
        };
        event.prevent_default();
        choose(to);
    };
    let plot = NodeRef::<leptos::html::Div>::new();
    let pointed = move |event: PointerEvent| {
        if let Some(plot) = plot.get_untracked() {
            // The picture lets pointers through: the place is the plot's own.
            let part = f64::from(event.offset_x()) / f64::from(plot.offset_width().max(1));
            choose((part.clamp(0.0, 1.0) * count as f64) as usize);
        }
    };
    let ticks =
        [4i64, 3, 2, 1, 0].map(|quarter| view! { <span>{lang.tick(NanoDollars(top * quarter / 4))}</span> });
    let labels = (1..=count).map(|day| {
        let shown = day == 1 || day % 5 == 0;
        view! { <span data-shown=shown.to_string()>{day}</span> }
    });
    let legend = series.iter().enumerate().map(|(index, series)| {
        view! {
            <li>
                <span class=format!("swatch band-{index}") aria-hidden="true"></span>
                {band(lang, &series.of)}
                <span class="numerals" data-basis=unpriced(series.unpriced_ms)>
                    {lang.told(series.total.cost, series.unpriced_ms)}
                </span>
            </li>
        }
    });
    let ahead_named = coming.map(|_| {
        view! {
            <li>
                <span class="swatch swatch-ahead" aria-hidden="true"></span>
                {t.expected}
            </li>
        }
    });
    let name = (t.chart)(&lang.month(month), &lang.told(total.cost, unpriced_ms));
    view! {
        <figure class="chart" aria-label=name>
            <div class="chart-frame">
                <div class="chart-ticks" aria-hidden="true">{ticks.into_iter().collect_view()}</div>
                <div
                    class="chart-plot"
                    node_ref=plot
                    tabindex="0"
                    role="slider"
                    aria-label=t.look_at_days
                    aria-valuemin="1"
                    aria-valuemax=count.to_string()
                    aria-valuenow=move || (read.get() + 1).to_string()
                    aria-valuetext=said
                    on:keydown=pressed
                    on:pointermove=pointed
                >
                    <svg viewBox=format!("0 0 {} {HEIGHT}", count * WIDTH) preserveAspectRatio="none" aria-hidden="true">
                        <rect
                            class="chart-here"
                            x=move || (read.get() * WIDTH).to_string()
                            width=WIDTH.to_string()
                            height=HEIGHT.to_string()
                        />
                        {ahead}
                        {bars}
                    </svg>
                </div>
                <div class="chart-labels" aria-hidden="true">{labels.collect_view()}</div>
            </div>
            <p class="chart-said" aria-hidden="true">{said}</p>
            <ul class="legend">{legend.collect_view()} {ahead_named}</ul>
            <Table
                series=series.clone()
                totals=totals.clone()
                unknown=unknown.clone()
                first=month.start().day()
                open=kept.table
            />
        </figure>
    }
    .into_any()
}

fn bar(series: &[Series], day: usize, top: i64) -> impl IntoView + use<> {
    let mut under = NanoDollars::ZERO;
    let mut parts = Vec::new();
    for (index, series) in series.iter().enumerate() {
        let base = high(under, top);
        under += series.days[day];
        let height = high(under, top) - base;
        if height > 0 {
            parts.push(view! {
                <rect
                    class=format!("band-{index}")
                    x=(day * WIDTH + (WIDTH - BAR) / 2).to_string()
                    y=(HEIGHT - base - height).to_string()
                    width=BAR.to_string()
                    height=height.to_string()
                />
            });
        }
    }
    parts
}

/// A day in words, with the bands it has.
fn sentence(
    lang: Lang,
    series: &[Series],
    first: Day,
    day: usize,
    (total, unpriced_ms): (NanoDollars, u64),
) -> String {
    let date = lang.date(Day(first.0 + i64::try_from(day).unwrap_or(0)).start());
    let parts: Vec<String> = series
        .iter()
        .filter(|series| series.days[day] > NanoDollars::ZERO || series.unpriced_days[day] > 0)
        .map(|series| {
            let sum = lang.told(series.days[day], series.unpriced_days[day]);
            format!("{} {sum}", band(lang, &series.of))
        })
        .collect();
    let total = lang.told(total, unpriced_ms);
    if parts.len() < 2 {
        format!("{date}: {total}")
    } else {
        format!("{date}: {total} ({})", parts.join(", "))
    }
}

#[component]
fn Table(
    series: Vec<Series>,
    totals: Vec<NanoDollars>,
    unknown: Vec<u64>,
    first: Day,
    open: RwSignal<bool>,
) -> impl IntoView {
    let lang = use_lang();
    let t = lang.spend();
    let head =
        series.iter().map(|series| view! { <th scope="col">{band(lang, &series.of)}</th> }).collect_view();
    let cell = |cost: NanoDollars, unpriced_ms: u64| {
        view! {
            <td class="numerals" data-basis=unpriced(unpriced_ms)>
                {lang.told(cost, unpriced_ms)}
            </td>
        }
    };
    let days = totals.iter().zip(&unknown).enumerate();
    let used = days.filter(|(_, (total, unknown))| **total > NanoDollars::ZERO || **unknown > 0);
    let rows = used.map(|(day, (total, unknown))| {
        let date = lang.date(Day(first.0 + i64::try_from(day).unwrap_or(0)).start());
        let cells = series.iter().map(|series| cell(series.days[day], series.unpriced_days[day]));
        view! {
            <tr>
                <th scope="row">{date}</th>
                {cells.collect_view()}
                {cell(*total, *unknown)}
            </tr>
        }
    });
    let toggled = move |event| open.set(event_target::<web_sys::Element>(&event).has_attribute("open"));
    view! {
        <details class="chart-table" open=open.get_untracked() on:toggle=toggled>
            <summary>{t.as_table}</summary>
            <div class="chart-table-scroll" tabindex="0" role="group" aria-label=t.by_day>
                <table>
                    <thead>
                        <tr>
                            <th scope="col">{t.day}</th>
                            {head}
                            <th scope="col">{t.total}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_tick_is_a_round_figure_above_all_bars() {
        assert_eq!([0, 1, 3, 5, 6, 10, 11, 49, 51].map(round_up), [1, 1, 5, 5, 10, 10, 20, 50, 100]);
        assert!(round_up(i64::MAX) >= i64::MAX - 1);
    }

    #[test]
    fn bars_fill_the_picture_and_no_more() {
        assert_eq!(high(NanoDollars(5), 5), HEIGHT);
        assert_eq!(high(NanoDollars(0), 0), 0);
        assert_eq!(high(NanoDollars(-1), 5), 0);
    }
}
