//! The list: as long as the fleet to the scroll bar, as short as a window to
//! the browser.

use std::time::Duration;

use domain::fleet::{Row, Sort};
use domain::money::NanoDollars;
use domain::price::Basis;
use domain::time::Timestamp;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;

use super::{Line, STEP, View};
use crate::components::house::use_me;
use crate::components::state::StateWord;
use crate::i18n::{use_lang, use_strings};

/// What the list is sorted by, with its column in `columns`.
pub const SORTED: [(Sort, usize); 8] = [
    (Sort::Name, 0),
    (Sort::Owner, 1),
    (Sort::State, 2),
    (Sort::Provider, 3),
    (Sort::Boot, 5),
    (Sort::Idle, 6),
    (Sort::Rate, 7),
    (Sort::Cost, 8),
];
/// A row's height in pixels until one was measured.
const ROW: f64 = 48.0;

#[component]
pub fn Table(view: View) -> impl IntoView {
    let (t, me) = (use_strings(), use_me());
    let scroller = NodeRef::<Div>::new();
    let height = RwSignal::new(ROW);
    let look = move || {
        let Some(scroller) = scroller.get_untracked() else { return };
        if let Ok(Some(row)) = scroller.query_selector(".fleet-row")
            && let Ok(row) = row.dyn_into::<web_sys::HtmlElement>()
            && row.offset_height() > 0
        {
            height.set(row.offset_height().into());
        }
        // The window begins a step above what is in view.
        let first = (f64::from(scroller.scroll_top()) / height.get_untracked()) as u32;
        let from = first.saturating_sub(STEP) / STEP * STEP;
        if view.from.get_untracked() != from {
            view.from.set(from);
        }
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
        <div class="fleet-scroll" node_ref=scroller tabindex="0" role="region" aria-label=t.agents on:scroll=move |_| look()>
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
                        key=|line| line.id
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
        view.lines.with(|lines| !lines.is_empty() && lines.iter().all(|line| chosen.contains(&line.id)))
    });
    let press = move |_| {
        let wanted = !all.get_untracked();
        let ids: Vec<_> = view.lines.with_untracked(|lines| lines.iter().map(|line| line.id).collect());
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

#[component]
fn RowLine(view: View, line: Line, index: ReadSignal<usize>) -> impl IntoView {
    let (lang, t, me) = (use_lang(), use_strings(), use_me());
    let id = line.id;
    let seen = line.seen;
    let first = seen.with_untracked(|(row, _)| row.clone());
    let memo = {
        let seen = seen.clone();
        move |read: fn(&Row) -> String| {
            let seen = seen.clone();
            Memo::new(move |_| seen.with(|(row, _)| read(row)))
        }
    };
    let name = memo(|row| row.name.to_string());
    let run = memo(|row| row.generation.0.to_string());
    let state = {
        let seen = seen.clone();
        Memo::new(move |_| seen.with(|(row, _)| row.state.as_str()))
    };
    let unpriced = {
        let seen = seen.clone();
        Memo::new(move |_| seen.with(|(row, _)| row.basis == Basis::Unpriced))
    };
    let unknown = move || unpriced.get().then_some("unpriced");
    let timed = move |read: Reading| {
        let seen = seen.clone();
        Memo::new(move |_| {
            let now = f64::from(view.second.get()) * 1000.0;
            seen.with(|(row, at)| {
                let more = Duration::from_secs_f64(((now - at).max(0.0)) / 1000.0);
                read(lang, row, row.as_of.after(more), row.month + row.rate.over(more))
            })
        })
    };
    let boot = timed(|lang, row, _, _| {
        row.boot.map_or_else(|| "–".to_owned(), |ms| lang.took(Duration::from_millis(ms.into())))
    });
    let idle = timed(|lang, row, now, _| lang.unused(now.since(row.last_use)));
    let rate = timed(|lang, row, _, _| match row.basis {
        Basis::Unpriced => lang.fleet().unknown.to_owned(),
        Basis::Billed | Basis::Estimate => lang.rate(row.rate),
    });
    let cost = timed(|lang, row, _, month| match row.basis {
        Basis::Unpriced => lang.fleet().unknown.to_owned(),
        Basis::Billed | Basis::Estimate => lang.money(month, 4),
    });
    let stuck = timed(|lang, row, now, _| match row.stuck_since {
        Some(since) => (lang.fleet().stuck_for)(&lang.unused(now.since(since))),
        None => String::new(),
    });
    let late = move || {
        let words = stuck.get();
        (!words.is_empty()).then(|| view! { <span class="fleet-stuck">{words}</span> })
    };
    let chosen = Memo::new(move |_| view.chosen.with(|chosen| chosen.contains(&id)));
    let pick = move |_| {
        view.chosen.update(|chosen| {
            if !chosen.remove(&id) {
                chosen.insert(id);
            }
        });
    };
    let place = move || view.offset.get() as usize + index.get() + 2;
    let label = move || (t.select)(&name.get());
    view! {
        <div class="fleet-row" role="row" aria-rowindex=place data-chosen=move || chosen.get().then_some("true")>
            {me.manages_fleet.then(|| view! {
                <div role="cell">
                    <label class="fleet-pick">
                        <input r#type="checkbox" aria-label=label prop:checked=move || chosen.get() on:change=pick />
                    </label>
                </div>
            })}
            <div role="cell" data-column="0">
                <button class="fleet-name" r#type="button" on:click=move |_| view.open.set(Some(id))>
                    {move || name.get()}
                </button>
            </div>
            <div role="cell" data-column="1">{first.owner.to_string()}</div>
            <div role="cell" data-column="2"><StateWord state /> {late}</div>
            <div role="cell" data-column="3">{lang.provider(first.provider)}</div>
            <div role="cell" data-column="4" class="numerals">{move || run.get()}</div>
            <div role="cell" data-column="5" class="numerals">{move || boot.get()}</div>
            <div role="cell" data-column="6" class="numerals">{move || idle.get()}</div>
            <div role="cell" data-column="7" class="numerals" data-basis=unknown>{move || rate.get()}</div>
            <div role="cell" data-column="8" class="numerals" data-basis=unknown>{move || cost.get()}</div>
        </div>
    }
    .into_any()
}

/// A text of a row at a moment, with this month's cost by then.
type Reading = fn(crate::i18n::Lang, &Row, Timestamp, NanoDollars) -> String;
