//! The health tiles, which filter by state, and the rest of the filter.

use std::time::Duration;

use domain::agent::ProviderName;
use domain::fleet::{Group, Sort, Trouble};
use domain::price::Basis;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

use super::View;
use super::table::SORTED;
use crate::components::house::use_me;
use crate::components::icon::icon;
use crate::i18n::{use_lang, use_strings};

/// A search is asked when no letter has come for so long.
const TYPED: Duration = Duration::from_millis(150);

fn symbol(group: Group) -> &'static str {
    match group {
        Group::Awake => "cup",
        Group::Booting => "dawn",
        Group::Asleep => "moon",
        Group::Failed => "alert",
        Group::Deleting => "trash",
    }
}

fn sign(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Stuck => "hourglass",
        Trouble::Interrupted => "bolt",
        Trouble::Unsaved => "save",
    }
}

/// How many agents are how, and how many want a look. Pressing one shows these alone.
#[component]
pub fn Tiles(view: View) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let f = lang.fleet();
    let tiles = Group::ALL.into_iter().zip(t.groups).map(move |(group, name)| {
        let chosen = Memo::new(move |_| view.query.get().state == Some(group));
        let count = Memo::new(move |_| lang.count(view.health.get().of(group).into()));
        // Seldom is one being deleted.
        let idle = move || group == Group::Deleting && !chosen.get() && view.health.get().deleting == 0;
        let press = move |_| {
            let wanted = (!chosen.get_untracked()).then_some(group);
            view.ask(|query| query.state = wanted);
        };
        view! {
            <button
                class="tile"
                r#type="button"
                hidden=idle
                aria-pressed=move || if chosen.get() { "true" } else { "false" }
                on:click=press
            >
                <span class="tile-name">{icon(symbol(group))} {name}</span>
                <span class="tile-count">{move || count.get()}</span>
            </button>
        }
    });
    let troubles = Trouble::ALL.map(move |trouble| {
        let chosen = Memo::new(move |_| view.query.get().trouble == Some(trouble));
        let some = Memo::new(move |_| view.health.get().with(trouble) > 0);
        let count = Memo::new(move |_| lang.count(view.health.get().with(trouble).into()));
        let press = move |_| {
            let wanted = (!chosen.get_untracked()).then_some(trouble);
            view.ask(|query| query.trouble = wanted);
        };
        // What is so now needs no span.
        let span = (trouble != Trouble::Stuck).then(|| view! { <span class="tile-span">{f.day}</span> });
        view! {
            <button
                class="tile"
                r#type="button"
                data-some=move || some.get().then_some("true")
                aria-pressed=move || if chosen.get() { "true" } else { "false" }
                on:click=press
            >
                <span class="tile-name">{icon(sign(trouble))} {f.trouble(trouble)}</span>
                <span class="tile-count">{move || count.get()} " " {span}</span>
            </button>
        }
    });
    view! {
        <div class="tiles">
            {tiles.collect_view()}
            {troubles}
        </div>
    }
    .into_any()
}

/// Does it when it has not been asked for again for a moment.
fn settled(work: impl Fn(String) + Copy + Send + Sync + 'static) -> impl Fn(String) + Copy {
    let timer = StoredValue::new(None::<TimeoutHandle>);
    on_cleanup(move || {
        if let Some(Some(timer)) = timer.try_get_value() {
            timer.clear();
        }
    });
    move |text: String| {
        if let Some(before) = timer.get_value() {
            before.clear();
        }
        timer.set_value(set_timeout_with_handle(move || work(text.clone()), TYPED).ok());
    }
}

#[component]
pub fn Filter(view: View) -> impl IntoView {
    let (lang, t, me) = (use_lang(), use_strings(), use_me());
    let asked = view.query.get_untracked();
    let search = settled(move |text| view.ask(|query| query.text = text));
    let owner = settled(move |text| {
        let text = text.trim().to_owned();
        view.ask(|query| query.owner = (!text.is_empty()).then_some(text));
    });
    let team = settled(move |text| {
        let text = text.trim().to_owned();
        view.ask(|query| query.team = (!text.is_empty()).then_some(text));
    });
    let provider = move |event: leptos::ev::Event| {
        let word = event_target_value(&event);
        let chosen = ProviderName::ALL.into_iter().find(|name| name.as_str() == word);
        view.ask(|query| query.provider = chosen);
    };
    let sort = move |event: leptos::ev::Event| {
        let word = event_target_value(&event);
        if let Some(sort) = Sort::ALL.into_iter().find(|sort| sort.as_str() == word) {
            view.ask(|query| (query.sort, query.falling) = (sort, false));
        }
    };
    let providers = ProviderName::ALL.map(|name| {
        let chosen = move || view.query.get().provider == Some(name);
        view! {
            <option value=name.as_str() selected=chosen>
                {lang.provider(name)}
            </option>
        }
    });
    let by_team = (Sort::Team, lang.fleet().team);
    let sorts = SORTED.map(|(sort, column)| (sort, t.columns[column])).into_iter().chain([by_team]);
    let sorts = sorts.map(|(sort, name)| {
        let chosen = move || view.query.get().sort == sort;
        view! {
            <option value=sort.as_str() selected=chosen>
                {name}
            </option>
        }
    });
    let count = move || {
        let (total, all) = (view.total.get(), view.health.get().agents);
        (t.shown_of)(&lang.count(total.into()), &lang.count(all.into()))
    };
    view! {
        <form class="fleet-filter" role="search" aria-label=t.filter on:submit=|event| event.prevent_default()>
            <input
                class="input"
                r#type="search"
                name="q"
                aria-label=t.search_agents
                placeholder=t.search_agents
                autocomplete="off"
                value=asked.text
                on:input=move |event| search(event_target_value(&event))
            />
            <input
                class="input"
                name="owner"
                aria-label=t.owner
                placeholder=t.owner
                autocomplete="off"
                value=asked.owner.unwrap_or_default()
                on:input=move |event| owner(event_target_value(&event))
            />
            <input
                class="input"
                name="team"
                aria-label=lang.fleet().team
                placeholder=lang.fleet().team
                autocomplete="off"
                value=asked.team.unwrap_or_default()
                on:input=move |event| team(event_target_value(&event))
            />
            <select class="select" name="provider" aria-label=t.columns[3] on:change=provider>
                <option value="" selected=move || view.query.get().provider.is_none()>
                    {t.any_provider}
                </option>
                {providers}
            </select>
            <select class="select fleet-sort" name="sort" aria-label=t.sort_by on:change=sort>
                {sorts.collect_view()}
            </select>
            <span class="soft small" role="status">{count}</span>
            {(me.basis == Basis::Estimate).then(|| view! { <span class="estimate">{t.estimate}</span> })}
        </form>
    }
    .into_any()
}
