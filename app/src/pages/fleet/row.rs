//! A line of the list.

use std::time::Duration;

use domain::fleet::Row;
use domain::money::Rate;
use domain::price::Basis;
use domain::time::Timestamp;
use leptos::prelude::*;

use super::{Line, View};
use crate::components::house::use_me;
use crate::components::state::StateWord;
use crate::i18n::{Lang, use_lang, use_strings};

const MINUTE: Duration = Duration::from_secs(60);

/// How long it has been, by a clock that counts seconds, since a row came.
fn passed(second: u32, came: f64) -> Duration {
    Duration::from_secs_f64((f64::from(second) - came / 1000.0).max(0.0))
}

#[component]
pub fn RowLine(view: View, line: Line, index: ReadSignal<usize>) -> impl IntoView {
    let (lang, t, me) = (use_lang(), use_strings(), use_me());
    let seen: RwSignal<(Row, f64)> = line.seen.into();
    let id = move || seen.with_untracked(|(row, _)| row.id);
    let words =
        move |read: fn(Lang, &Row) -> String| Memo::new(move |_| seen.with(|(row, _)| read(lang, row)));
    let name = words(|_, row| row.name.to_string());
    let owner = words(|_, row| row.owner.to_string());
    let team = words(|_, row| row.team.as_ref().map_or_else(String::new, ToString::to_string));
    let provider = words(|lang, row| lang.provider(row.provider).to_owned());
    let tier = words(|lang, row| row.tier.map_or("–", |tier| lang.level(tier)).to_owned());
    let run = words(|_, row| row.generation.0.to_string());
    let boot = words(|lang, row| {
        row.boot.map_or_else(|| "–".to_owned(), |ms| lang.took(Duration::from_millis(ms.into())))
    });
    let rate = words(|lang, row| match row.basis {
        Basis::Unpriced => lang.fleet().unknown.to_owned(),
        Basis::Billed | Basis::Estimate => lang.rate(row.rate),
    });
    let cost = Memo::new(move |_| {
        seen.with(|(row, came)| match row.month {
            None => lang.fleet().unknown.to_owned(),
            // Only what costs something now is counted on each second.
            Some(month) if row.rate == Rate::ZERO => lang.money(month, 4),
            Some(month) => lang.money(month + row.rate.over(passed(view.second.get(), *came)), 4),
        })
    });
    // What is told in minutes is looked at each minute.
    let since = move |(row, came): &(Row, f64), earlier: Timestamp| {
        view.minute.track();
        let now = row.as_of.after(passed(view.second.get_untracked(), *came));
        let span = now.since(earlier);
        if span < MINUTE {
            view.second.track();
        }
        lang.unused(span)
    };
    let idle = Memo::new(move |_| seen.with(|seen| since(seen, seen.0.last_use)));
    let stuck = Memo::new(move |_| seen.with(|seen| seen.0.stuck_since.map(|at| since(seen, at))));
    let late = move || {
        stuck.get().map(|span| view! { <span class="fleet-stuck">{(lang.fleet().stuck_for)(&span)}</span> })
    };
    let state = Memo::new(move |_| seen.with(|(row, _)| row.state.as_str()));
    let mark = |unknown: bool| unknown.then(|| Basis::Unpriced.as_str());
    let rate_mark = Memo::new(move |_| seen.with(|(row, _)| mark(row.basis == Basis::Unpriced)));
    let cost_mark = Memo::new(move |_| seen.with(|(row, _)| mark(row.month.is_none())));
    let of_team = move || {
        let team = team.get();
        (!team.is_empty()).then(|| view! { <span class="fleet-team">{team}</span> })
    };
    let shown = Memo::new(move |_| seen.with(|(row, _)| row.id));
    let chosen = Memo::new(move |_| view.chosen.with(|chosen| chosen.contains(&shown.get())));
    let pick = move |_| {
        view.chosen.update(|chosen| {
            if !chosen.remove(&id()) {
                chosen.insert(id());
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
                <button class="fleet-name" r#type="button" on:click=move |_| view.open.set(Some(id()))>
                    {move || name.get()}
                </button>
            </div>
            <div role="cell" data-column="1">{move || owner.get()} " " {of_team}</div>
            <div role="cell" data-column="2"><StateWord state /> {late}</div>
            <div role="cell" data-column="3">{move || provider.get()}</div>
            <div role="cell" data-column="4">{move || tier.get()}</div>
            <div role="cell" data-column="5" class="numerals">{move || run.get()}</div>
            <div role="cell" data-column="6" class="numerals">{move || boot.get()}</div>
            <div role="cell" data-column="7" class="numerals">{move || idle.get()}</div>
            <div role="cell" data-column="8" class="numerals" data-basis=move || rate_mark.get()>{move || rate.get()}</div>
            <div role="cell" data-column="9" class="numerals" data-basis=move || cost_mark.get()>{move || cost.get()}</div>
        </div>
    }
    .into_any()
}
