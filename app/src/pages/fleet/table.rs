//! The list: as long as the fleet to the scroll bar, as short as a window to
//! the browser.

use std::time::Duration;

use domain::fleet::Sort;
use leptos::html::Div;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

use super::row::RowLine;
use super::{Line, STEP, View, WINDOW};
use crate::components::house::use_me;
use crate::i18n::use_strings;

/// What the list is sorted by, with its column in `columns`.
pub const SORTED: [(Sort, usize); 9] = [
    (Sort::Name, 0),
    (Sort::Owner, 1),
    (Sort::State, 2),
    (Sort::Provider, 3),
    (Sort::Tier, 4),
    (Sort::Boot, 6),
    (Sort::Idle, 7),
    (Sort::Rate, 8),
    (Sort::Cost, 9),
];
/// A row's height in pixels, and how many are in view, until they were measured.
const ROW: f64 = 48.0;
const IN_VIEW: u32 = 20;
/// Windows are asked for so far apart at least: a bar that is dragged passes many
/// that nobody wants.
const ASKED: Duration = Duration::from_millis(100);

/// Where the window is wanted that shows a row first, with a step of room behind
/// and all that is left ahead.
fn wanted(first: u32, in_view: u32, rises: bool) -> u32 {
    let ahead = u32::from(WINDOW).saturating_sub(in_view + 2 * STEP).max(STEP);
    first.saturating_sub(if rises { ahead } else { STEP }) / STEP * STEP
}

#[component]
pub fn Table(view: View) -> impl IntoView {
    let (t, me) = (use_strings(), use_me());
    let scroller = NodeRef::<Div>::new();
    let height = RwSignal::new(ROW);
    let in_view = StoredValue::new(IN_VIEW);
    let first = StoredValue::new(0);
    // Whatever is measured makes the browser lay the page out: not while it scrolls.
    let measure = move || {
        let Some(scroller) = scroller.get_untracked() else { return };
        if let Ok(Some(row)) = scroller.query_selector(".fleet-row")
            && let Ok(row) = row.dyn_into::<web_sys::HtmlElement>()
            && row.offset_height() > 0
        {
            height.set(row.offset_height().into());
            in_view.set_value((f64::from(scroller.client_height()) / height.get_untracked()) as u32 + 1);
        }
    };
    let some = Memo::new(move |_| view.lines.with(|lines| !lines.is_empty()));
    Effect::new(move || {
        some.track();
        measure();
    });
    Effect::new(move || {
        let resized = window_event_listener(leptos::ev::resize, move |_| measure());
        on_cleanup(move || resized.remove());
    });
    let look = move || {
        let Some(scroller) = scroller.get_untracked() else { return };
        let (before, now) =
            (first.get_value(), (f64::from(scroller.scroll_top()) / height.get_untracked()) as u32);
        first.set_value(now);
        let from = wanted(now, in_view.get_value(), now < before);
        if now != before && view.from.get_untracked() != from {
            view.from.set(from);
        }
    };
    let waits = StoredValue::new(None::<TimeoutHandle>);
    on_cleanup(move || {
        if let Some(Some(timer)) = waits.try_get_value() {
            timer.clear();
        }
    });
    let scrolled = move |_| {
        if waits.get_value().is_some() {
            return;
        }
        look();
        let again = move || {
            waits.set_value(None);
            look();
        };
        waits.set_value(set_timeout_with_handle(again, ASKED).ok());
    };
    Effect::new(move || {
        // Another filter: from the top.
        view.query.track();
        if let Some(scroller) = scroller.get() {
            scroller.set_scroll_top(0);
        }
    });
    let px = move |rows: u32| format!("{}px", f64::from(rows) * height.get());
    let above = move || px(view.offset.get());
    let below = move || {
        let held = u32::try_from(view.lines.with(Vec::len)).unwrap_or(u32::MAX);
        px(view.total.get().saturating_sub(view.offset.get()).saturating_sub(held))
    };
    let rows = move || view.total.get() + 1;
    let row = move |index: ReadSignal<usize>, line: Line| view! { <RowLine view line index /> };
    let manages = me.manages_fleet;
    let none = move || (view.total.get() == 0).then(|| view! { <p class="fleet-none">{t.no_match}</p> });
    view! {
        <div class="fleet-scroll" node_ref=scroller tabindex="0" role="region" aria-label=t.agents on:scroll=scrolled>
            <div class="fleet-table" class:fleet-readonly=!manages role="table" aria-label=t.agents aria-rowcount=rows>
                <div role="rowgroup">
                    <div class="fleet-head" role="row" aria-rowindex="1">
                        {manages.then(|| view! { <div role="columnheader"><AllInView view /></div> })}
                        {heads(view)}
                    </div>
                </div>
                <div class="fleet-body" role="rowgroup" style:padding-top=above style:padding-bottom=below>
                    <ForEnumerate
                        each=move || view.lines.get()
                        key=|line| line.key
                        children=row
                    />
                </div>
            </div>
            {none}
        </div>
    }
    .into_any()
}

/// The columns' heads; those that sort are buttons.
fn heads(view: View) -> Vec<AnyView> {
    let t = use_strings();
    let head = |(column, name): (usize, &'static str)| {
        let Some((sort, _)) = SORTED.into_iter().find(|sorted| sorted.1 == column) else {
            return view! { <div role="columnheader" data-column=column>{name}</div> }.into_any();
        };
        let order = Memo::new(move |_| {
            let query = view.query.get();
            match (query.sort == sort, query.falling) {
                (false, _) => "none",
                (true, false) => "ascending",
                (true, true) => "descending",
            }
        });
        let press = move |_| {
            let falling = order.get_untracked() == "ascending";
            view.ask(|query| (query.sort, query.falling) = (sort, falling));
        };
        view! {
            <div role="columnheader" data-column=column aria-sort=move || order.get()>
                <button class="fleet-sorter" r#type="button" on:click=press>
                    {name}
                </button>
            </div>
        }
        .into_any()
    };
    t.columns.into_iter().enumerate().map(head).collect()
}

#[component]
fn AllInView(view: View) -> impl IntoView {
    let t = use_strings();
    let all = Memo::new(move |_| {
        let chosen = view.chosen.get();
        view.lines.with(|lines| !lines.is_empty() && lines.iter().all(|line| chosen.contains(&line.id())))
    });
    let press = move |_| {
        let wanted = !all.get_untracked();
        let ids: Vec<_> = view.lines.with_untracked(|lines| lines.iter().map(Line::id).collect());
        view.chosen.update(|chosen| {
            for id in ids {
                if wanted {
                    chosen.insert(id);
                } else {
                    chosen.remove(&id);
                }
            }
        });
    };
    view! {
        <label class="fleet-pick">
            <input r#type="checkbox" aria-label=t.select_shown prop:checked=move || all.get() on:change=press />
        </label>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_all_that_is_in_view_and_half_a_screen_ahead() {
        for in_view in [6, 17, 24, 36] {
            for first in 0..300 {
                for rises in [false, true] {
                    let from = wanted(first, in_view, rises);
                    let (above, below) = (first - from, from + u32::from(WINDOW) - first);
                    assert!(above >= STEP.min(first) && below >= in_view, "{first} {in_view}: {from}");
                    let ahead = if rises { above } else { below - in_view };
                    let half = (in_view / 2).min(u32::from(WINDOW).saturating_sub(in_view + 2 * STEP));
                    assert!(ahead >= half.min(first), "{first} {in_view} {rises}: {ahead}");
                }
            }
        }
    }
}
