//! The dialog that makes an agent, with its price before the click.

use domain::name::Name;
use domain::price::{Basis, Purchase};
use domain::size::Size;
use domain::view::AgentView;
use leptos::prelude::*;

use super::act::use_act;
use super::dialog::{Dialog, DialogHandle};
use super::errors;
use super::form::Submit;
use super::house::use_me;
use super::receipt::basis;
use crate::api;
use crate::browser;
use crate::i18n::{Lang, Strings, use_lang, use_strings};
use crate::terminal;

/// Idle timeouts to choose from, in seconds.
const IDLE: [u32; 7] = [60, 300, 900, 1800, 3600, 14_400, 86_400];

/// What an agent may be called that nobody named.
const NAMES: [&str; 12] = [
    "Cortado",
    "Espresso",
    "Ristretto",
    "Lungo",
    "Moka",
    "Macchiato",
    "Americano",
    "Affogato",
    "Carajillo",
    "Bombón",
    "Romano",
    "Doppio",
];

fn suggestion() -> &'static str {
    NAMES[(browser::random() % NAMES.len() as u64) as usize]
}

/// A size's name.
pub fn size_name(size: Size, t: &Strings) -> &'static str {
    let index = Size::ALL.iter().position(|known| *known == size).unwrap_or_default();
    t.sizes[index]
}

/// CPU and memory of a size, as text.
pub fn size_spec(size: Size, lang: Lang) -> (String, String) {
    let memory = size.memory_mib() * 1000 / 1024;
    (format!("{} vCPU", lang.thousandths(size.cpu_millis())), format!("{} GB", lang.thousandths(memory)))
}

/// The choices of an idle timeout, with `usual` (the fleet's) and `current`
/// among them whatever they are.
#[component]
pub fn IdleSelect(
    #[prop(into)] id: String,
    value: RwSignal<u32>,
    /// The agent's, where it has one.
    #[prop(optional)]
    current: Option<u32>,
) -> impl IntoView {
    let (lang, t) = (use_lang(), use_strings());
    let usual = use_me().idle_timeout;
    let mut choices: Vec<u32> = IDLE.into_iter().chain([usual]).chain(current).collect();
    choices.sort_unstable();
    choices.dedup();
    let options = choices.into_iter().map(|secs| {
        let span = lang.span(secs);
        let text = if secs == usual { (t.usual)(&span) } else { span };
        view! {
            <option value=secs.to_string() selected=secs == current.unwrap_or(usual)>
                {text}
            </option>
        }
    });
    let change = move |event| {
        if let Ok(secs) = event_target_value(&event).parse() {
            value.set(secs);
        }
    };
    view! {
        <select class="select" id=id on:change=change>
            {options.collect_view()}
        </select>
    }
    .into_any()
}

/// The dialog. `made` gets the new agent.
#[component]
pub fn SpawnDialog(made: impl Fn(AgentView) + Copy + 'static, closed: Callback<()>) -> impl IntoView {
    let handle = DialogHandle::new();
    terminal::foresee();
    let (lang, t, act, me) = (use_lang(), use_strings(), use_act(), use_me());
    let usual = me.idle_timeout;
    let suggested = suggestion();
    let name = RwSignal::new(suggested.to_owned());
    // A suggestion gives way to what is typed.
    let give_way = move |event: leptos::ev::FocusEvent| {
        if name.with_untracked(|name| name == suggested) {
            event_target::<web_sys::HtmlInputElement>(&event).select();
        }
    };
    let size = RwSignal::new(Size::default());
    let idle = RwSignal::new(usual);
    let error = RwSignal::new(None::<String>);
    // One a dialog that is filled in, so that a second click is no second agent.
    let key = StoredValue::new(String::new());
    let prices = StoredValue::new(me.prices);
    let rate = move |size| {
        prices.with_value(|prices| {
            prices
                .machine(Purchase::Spot, size)
                .map_or_else(|| lang.fleet().unknown.to_owned(), |rate| lang.rate(rate))
        })
    };

    let submit = move || {
        if name.with_untracked(|name| name.parse::<Name>().is_err()) {
            browser::focus("#spawn-name");
            return error.set(Some(t.error_invalid_name.to_owned()));
        }
        if key.with_value(String::is_empty) {
            key.set_value(format!("{:016x}{:016x}", browser::random(), browser::random()));
        }
        let idle = Some(idle.get_untracked()).filter(|secs| *secs != usual);
        let work = api::spawn_agent(name.get_untracked(), size.get_untracked(), idle, key.get_value());
        error.set(None);
        act.attempt(work, move |outcome| match outcome {
            Ok(view) => {
                handle.close();
                made(view);
            }
            Err(failure) => error.set(Some(errors::words(&failure, t))),
        });
    };
    // What is asked for changed: another request, with a key of its own.
    let renew = move || key.set_value(String::new());

    let cups = Size::ALL.into_iter().map(move |which| {
        let (cpu, memory) = size_spec(which, lang);
        view! {
            <label class=format!("cup cup-{which}")>
                <input
                    r#type="radio"
                    name="size"
                    value=which.as_str()
                    checked=which == Size::default()
                    on:change=move |_| {
                        renew();
                        size.set(which);
                    }
                />
                <svg class="cup-drawing" aria-hidden="true">
                    <use href="/icons.svg#mug" />
                </svg>
                <span class="cup-name">{size_name(which, t)}</span>
                <span class="cup-spec">
                    <span>{cpu}</span>
                    <span>{memory}</span>
                </span>
                <span class="cup-price">{rate(which)}</span>
            </label>
        }
    });
    view! {
        <Dialog handle id="spawn" title=t.new_agent.to_owned() submit closed>
            <div class="field">
                <label for="spawn-name">{t.name}</label>
                <input
                    class="input"
                    id="spawn-name"
                    autofocus
                    autocomplete="off"
                    maxlength=Name::MAX_CHARS.to_string()
                    aria-describedby="spawn-hint spawn-error"
                    aria-invalid=move || if error.get().is_some() { "true" } else { "false" }
                    // There already when the dialog gives it the keyboard, so that it can be selected.
                    value=suggested
                    prop:value=move || name.get()
                    on:focus=give_way
                    on:input=move |event| {
                        renew();
                        name.set(event_target_value(&event));
                    }
                />
                <p class="field-hint" id="spawn-hint">
                    {t.name_hint}
                </p>
                <p class="field-error" id="spawn-error" role="alert">
                    {move || error.get()}
                </p>
            </div>
            <fieldset class="field">
                <legend>{t.size}</legend>
                <div class="cups">{cups.collect_view()}</div>
                <p class="field-hint">{t.fits_openclaw}</p>
            </fieldset>
            <div class="field">
                <label for="spawn-idle">{t.sleeps_unused_for}</label>
                <IdleSelect id="spawn-idle" value=idle />
            </div>
            <div class="dialog-foot">
                <p class="dialog-price">
                    <strong>
                        {move || rate(size.get())} " " <span class="estimate">{basis(me.basis, t)}</span>
                    </strong>
                    <span class="small soft">
                        {match me.basis {
                            Basis::Estimate => t.price_here,
                            Basis::Billed | Basis::Unpriced => t.price_billed,
                        }}
                    </span>
                </p>
                <div class="actions">
                    <button class="button" r#type="button" on:click=move |_| handle.close()>
                        {t.cancel}
                    </button>
                    <Submit act word=t.wake symbol="cup" />
                </div>
            </div>
        </Dialog>
    }
    .into_any()
}
