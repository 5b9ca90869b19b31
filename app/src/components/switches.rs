//! The switches of language and theme. The language's reloads the page, which
//! the server makes anew; the theme's changes it where it is.

use leptos::prelude::*;

use super::icon::icon;
use crate::browser;
use crate::i18n::{Lang, use_lang, use_strings};
use crate::root::ChosenTheme;
use crate::theme::Theme;

fn choose_lang(lang: Lang) {
    browser::set_cookie(Lang::COOKIE, Some(lang.as_str()));
    browser::reload();
}

/// Sets the theme, none for the system's.
pub fn choose_theme(chosen: RwSignal<Option<Theme>>, theme: Option<Theme>) {
    let word = theme.map(Theme::as_str);
    browser::set_cookie(Theme::COOKIE, word);
    browser::set_page_attribute("data-theme", word);
    chosen.set(theme);
}

/// «ES EN».
#[component]
pub fn LangSwitch() -> impl IntoView {
    let (here, t) = (use_lang(), use_strings());
    let button = move |lang: Lang, name: &'static str, whole: &'static str| {
        view! {
            <button
                r#type="button"
                lang=lang.as_str()
                title=whole
                aria-pressed=if lang == here.spoken() { "true" } else { "false" }
                on:click=move |_| choose_lang(lang)
            >
                {name}
            </button>
        }
    };
    view! {
        <div class="switch" role="group" aria-label=t.language>
            {button(Lang::Es, "ES", "Español")}
            {button(Lang::En, "EN", "English")}
        </div>
    }
    .into_any()
}

/// Light and dark; pressing the one that is chosen goes back to the system's.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let t = use_strings();
    let ChosenTheme(chosen) = expect_context();
    let button = move |theme: Theme, name: &'static str, symbol: &'static str| {
        let press = move |_| {
            let again = chosen.get_untracked() == Some(theme);
            choose_theme(chosen, (!again).then_some(theme));
        };
        view! {
            <button
                r#type="button"
                aria-label=name
                aria-pressed=move || if chosen.get() == Some(theme) { "true" } else { "false" }
                on:click=press
            >
                {icon(symbol)}
            </button>
        }
    };
    view! {
        <div class="switch" role="group" aria-label=t.theme>
            {button(Theme::Light, t.theme_light, "sun")}
            {button(Theme::Dark, t.theme_dark, "night")}
        </div>
    }
    .into_any()
}
