//! A boot, each phase as a bar from its begin to the next.

use std::time::Duration;

use domain::boot::BootPhase;
use domain::view::AgentView;
use leptos::prelude::*;

use crate::i18n::{Lang, Strings};

/// The latest boot, as far as it came. A table: the bars are for eyes, begin
/// and span for everybody.
pub fn waterfall(view: &AgentView, lang: Lang, t: &'static Strings) -> AnyView {
    let f = lang.fleet();
    let marks = view.boot.marks();
    let Some(asked) = marks.first().map(|mark| mark.at) else { return ().into_any() };
    let end = match marks.last() {
        Some(last) if last.phase == BootPhase::Ready => last.at,
        // It goes on, or ended where it failed.
        _ if view.is_waking() => view.meter.as_of,
        _ => view.phase_since,
    };
    let whole = end.since(asked).as_millis().max(1) as f64;
    let share = |span: Duration| format!("{:.2}%", span.as_millis() as f64 / whole * 100.0);
    let rows = marks.iter().filter(|mark| mark.phase != BootPhase::Ready).map(|mark| {
        let span = view.boot.took(mark.phase).unwrap_or_else(|| end.since(mark.at));
        let began = mark.at.since(asked);
        view! {
            <tr>
                <th scope="row">{t.phases[mark.phase as usize]}</th>
                <td class="waterfall-cell">
                    <svg class="waterfall-bar" aria-hidden="true">
                        <rect x=share(began) width=share(span) height="100%" />
                    </svg>
                </td>
                <td>{lang.took(began)}</td>
                <td>{lang.took(span)}</td>
            </tr>
        }
    });
    view! {
        <table class="waterfall">
            <thead>
                <tr>
                    <th scope="col">{f.phase}</th>
                    <td class="waterfall-cell"></td>
                    <th scope="col">{f.began}</th>
                    <th scope="col">{f.took}</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
    .into_any()
}
