//! How boots go: in all, and phase by phase.

use std::time::Duration;

use domain::boot::BootPhase;
use domain::fleet::Spans;
use leptos::prelude::*;

use super::View;
use crate::components::icon::icon;
use crate::i18n::{use_lang, use_strings};

/// The last day's boots; opened it shows where their time goes.
#[component]
pub fn Boots(view: View) -> impl IntoView {
    let lang = use_lang();
    let f = lang.fleet();
    let boot = Memo::new(move |_| view.health.with(|health| health.boot));
    let took = move |read: fn(Spans) -> u32| {
        boot.get().map_or_else(|| "–".to_owned(), |spans| lang.took(ms(read(spans))))
    };
    view! {
        <details class="fleet-boots">
            <summary>
                {icon("dawn")}
                <strong>{f.boots}</strong>
                <span>{f.usual} " " <b class="numerals">{move || took(|spans| spans.p50)}</b></span>
                <span>{f.slow} " " <b class="numerals">{move || took(|spans| spans.p95)}</b></span>
                <span class="soft small">{f.day}</span>
            </summary>
            {move || match boot.get() {
                Some(_) => view! { <Phases view /> }.into_any(),
                None => view! { <p class="soft small">{f.boots_none}</p> }.into_any(),
            }}
        </details>
    }
    .into_any()
}

#[component]
fn Phases(view: View) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let f = lang.fleet();
    let rows = move || {
        let phases = view.health.with(|health| health.phases);
        let slowest = phases.iter().flatten().map(|spans| spans.p95).max().unwrap_or(1).max(1);
        let share = move |took: u32| format!("{:.1}%", f64::from(took) / f64::from(slowest) * 100.0);
        let row = move |(index, spans): (usize, Spans)| {
            view! {
                <tr>
                    <th scope="row">{t.phases[index]}</th>
                    <td class="fleet-spans">
                        <svg class="waterfall-bar" aria-hidden="true">
                            <rect class="slow" width=share(spans.p95) height="100%" />
                            <rect width=share(spans.p50) height="100%" />
                        </svg>
                    </td>
                    <td class="numerals">{lang.took(ms(spans.p50))}</td>
                    <td class="numerals">{lang.took(ms(spans.p95))}</td>
                </tr>
            }
        };
        let known = BootPhase::ALL.iter().zip(phases).enumerate();
        known.filter_map(|(index, (_, spans))| Some((index, spans?))).map(row).collect_view()
    };
    view! {
        <table class="fleet-phases">
            <caption class="visually-hidden">{f.boots_by_phase}</caption>
            <thead>
                <tr>
                    <th scope="col">{f.phase}</th>
                    <td></td>
                    <th scope="col">{f.usual}</th>
                    <th scope="col">{f.slow}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn ms(span: u32) -> Duration {
    Duration::from_millis(span.into())
}
