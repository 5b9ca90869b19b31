//! What a demonstration adds to every page: the mark that it is one, and the
//! presenter's panel.

use domain::stage::Look;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::act::{Act, use_act};
use super::icon::icon;
use super::pinza::{Mood, Pinza};
use super::when::use_teller;
use crate::api::{self, Cue, Cued, StageLook};
use crate::browser;
use crate::i18n::{Exact, Lang, use_lang};
use crate::stage::{Looked, Part};

/// The key that shows and hides the panel.
const KEY: &str = "F9";
/// Speeds that are one press away.
const SPEEDS: [u32; 4] = [1, 10, 60, 600];

/// «DEMO», on every page of one and on no other.
#[component]
pub fn DemoMark() -> impl IntoView {
    let Some(part) = Part::of_page() else { return ().into_any() };
    let (lang, teller, Looked(looked)) = (use_lang(), use_teller(), expect_context());
    let t = lang.stage();
    let what = match part {
        Part::Played => t.played,
        Part::Real => t.real,
    };
    let time = move || {
        let look = looked.get().filter(|_| part == Part::Played);
        look.map(|StageLook { look, .. }| format!("{} · {}×", teller.at(look.now, Exact::Minute), look.speed))
    };
    let presents = Memo::new(move |_| looked.with(|look| look.is_some_and(|look| look.presents)));
    view! {
        <aside class="demo-mark" aria-label="DEMO">
            <strong>"DEMO"</strong>
            <span class="demo-what">{what}</span>
            <span class="numerals demo-time">{time}</span>
            {move || presents.get().then(|| view! { <Drawer part /> })}
        </aside>
    }
    .into_any()
}

/// The panel, where it can be put away.
#[component]
fn Drawer(part: Part) -> impl IntoView {
    let t = use_lang().stage();
    let open = RwSignal::new(false);
    let toggle = move || {
        open.update(|open| *open = !*open);
        if open.get_untracked() {
            request_animation_frame(|| browser::focus("#stage-panel"));
        }
    };
    Effect::new(move || {
        let key = window_event_listener(leptos::ev::keydown, move |event| {
            if event.key() == KEY {
                event.prevent_default();
                toggle();
            }
        });
        on_cleanup(move || key.remove());
    });
    view! {
        <button
            class="button button-small"
            r#type="button"
            aria-expanded=move || if open.get() { "true" } else { "false" }
            on:click=move |_| toggle()
        >
            {icon("settings")}
            {t.panel}
            <kbd>{KEY}</kbd>
        </button>
        {move || {
            open.get().then(|| view! { <div class="stage-drawer"><Panel part /></div> })
        }}
    }
    .into_any()
}

/// What the presenter may have happen.
#[component]
pub fn Panel(
    /// Which part the page shows.
    part: Part,
) -> impl IntoView {
    let (lang, act, Looked(looked)) = (use_lang(), use_act(), expect_context());
    let t = lang.stage();
    let done = RwSignal::new(None::<Cued>);
    let give = move |cue| give(act, cue, part, done, looked);
    let speed = Memo::new(move |_| looked.with(|look| look.map_or(1, |seen| seen.look.speed)));
    let press = move |event: KeyboardEvent| {
        let Some(cue) = cue_of(&event.key(), speed.get_untracked()) else { return };
        event.prevent_default();
        give(cue);
    };
    let cue = move |cue, key: &'static str, symbol, name| {
        view! {
            <button class="button" r#type="button" disabled=move || act.busy() on:click=move |_| give(cue)>
                {icon(symbol)}
                {name}
                <kbd>{key}</kbd>
            </button>
        }
    };
    let fast = move |times| {
        view! {
            <button
                class="button button-small"
                r#type="button"
                aria-pressed=move || if speed.get() == times { "true" } else { "false" }
                on:click=move |_| give(Cue::Speed(times))
            >
                {format!("{times}×")}
            </button>
        }
    };
    let shown = move |one: Part, name| {
        view! {
            <button
                class="button button-small"
                r#type="button"
                aria-pressed=if one == part { "true" } else { "false" }
                on:click=move |_| one.choose()
            >
                {name}
            </button>
        }
    };
    let outcome = move || done.get().map(|done| (t.done)(done.agents));
    let link = move || {
        let agent = done.get()?.agent.filter(|_| part == Part::Played)?;
        Some(view! { <a href=format!("/agents/{agent}")>{t.see_it}</a> })
    };
    view! {
        <section class="stage" id="stage-panel" tabindex="-1" aria-label=t.panel on:keydown=press>
            <p class="small soft">{t.panel_lead}</p>
            <Figures looked lang />
            <div class="stage-cues" role="group" aria-label=t.cues>
                {cue(Cue::WakeOne, "1", "cup", t.wake_one)}
                {cue(Cue::Interrupt, "2", "bolt", t.interrupt)}
                {cue(Cue::SleepAll, "3", "moon", t.sleep_all)}
                {cue(Cue::Burst, "4", "plus", t.burst)}
                {cue(Cue::SpendBudget, "5", "receipt", t.spend_budget)}
            </div>
            <p class="stage-done" role="status">
                {outcome}
                " "
                {link}
            </p>
            <div class="stage-row" role="group" aria-label=t.speed>
                <span class="small soft">{t.speed}</span>
                {SPEEDS.map(fast).collect_view()}
            </div>
            <div class="stage-row" role="group" aria-label=t.show>
                <span class="small soft">{t.show}</span>
                {shown(Part::Played, t.show_played)}
                {shown(Part::Real, t.show_real)}
            </div>
            <div class="stage-row">
                {cue(Cue::Reset, "0", "refresh", t.reset)}
                <span class="small soft stage-keys">{t.keys}</span>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Figures(looked: RwSignal<Option<StageLook>>, lang: Lang) -> impl IntoView {
    let t = lang.stage();
    let figure = move |name, read: fn(Look, Lang) -> String| {
        let value = move || looked.get().map_or_else(|| "–".to_owned(), |seen| read(seen.look, lang));
        view! {
            <div>
                <dt>{name}</dt>
                <dd class="numerals">{value}</dd>
            </div>
        }
    };
    view! {
        <dl class="stage-figures">
            {figure(t.awake, |look, lang| lang.count(look.awake as u64))}
            {figure(t.waking, |look, lang| lang.count(look.waking as u64))}
            {figure(t.asleep, |look, lang| lang.count(look.asleep as u64))}
            {figure(t.failed, |look, lang| lang.count(look.failed as u64))}
            {figure(t.an_hour, |look, lang| lang.rate(look.rate))}
            {figure(t.this_month, |look, lang| lang.money(look.month, 2))}
        </dl>
    }
    .into_any()
}

/// In the terminal's place, where nothing runs.
#[component]
pub fn Played() -> impl IntoView {
    let t = use_lang().stage();
    view! {
        <section class="scene">
            <Pinza mood=Mood::Awake id="played" />
            <h2>{t.played_title}</h2>
            <p>{t.played_text}</p>
        </section>
    }
    .into_any()
}

fn give(act: Act, cue: Cue, part: Part, done: RwSignal<Option<Cued>>, looked: RwSignal<Option<StageLook>>) {
    act.run(api::stage_cue(cue), move |cued| match cue {
        // Others see that with their next look. Real agents have begun nothing anew.
        Cue::Reset if part == Part::Played => browser::reload(),
        // The next press reckons with it, and does not wait for the next look.
        Cue::Speed(speed) => looked.update(|seen| {
            if let Some(seen) = seen {
                seen.look.speed = speed;
            }
        }),
        _ => done.set(Some(cued)),
    });
}

/// What a key in the panel has happen.
fn cue_of(key: &str, speed: u32) -> Option<Cue> {
    Some(match key {
        "1" => Cue::WakeOne,
        "2" => Cue::Interrupt,
        "3" => Cue::SleepAll,
        "4" => Cue::Burst,
        "5" => Cue::SpendBudget,
        "0" => Cue::Reset,
        "+" => Cue::Speed(SPEEDS.into_iter().find(|times| *times > speed)?),
        "-" | "−" => Cue::Speed(SPEEDS.into_iter().rfind(|times| *times < speed)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_give_cues_and_the_speed_stays_within_its_steps() {
        assert_eq!(cue_of("2", 1), Some(Cue::Interrupt));
        assert_eq!([cue_of("+", 1), cue_of("+", 600)], [Some(Cue::Speed(10)), None]);
        assert_eq!([cue_of("-", 600), cue_of("-", 1)], [Some(Cue::Speed(60)), None]);
        assert_eq!(cue_of("x", 1), None);
    }
}
