//! The console's two languages. A text that one of them lacks does not build.

mod access;
mod amounts;
mod audit;
mod budgets;
mod concerns;
mod en;
mod es;
mod fleet;
mod format;
mod journal;
mod people;
mod spend;
mod stage;
mod strings;
mod upkeep;

use leptos::prelude::{provide_context, use_context};

pub use amounts::{EXAMPLE, Unread, count, dollars};
pub use format::{Clock, Exact};
pub use people::PeopleStrings;
pub use strings::Strings;

/// A language of the console, and how its numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// As in Spain and the south of America: `$12.345,67`.
    Es,
    /// The same Spanish with the numbers of the rest of America: `$12,345.67`.
    EsPoint,
    En,
}

/// Where Spanish has a point before its decimals: CLDR's `es_419`, without the
/// regions that it excepts.
const POINT: [&str; 14] =
    ["419", "BR", "BZ", "CU", "DO", "GT", "HN", "MX", "NI", "PA", "PE", "PR", "SV", "US"];

impl Lang {
    pub const ALL: [Self; 3] = [Self::Es, Self::EsPoint, Self::En];
    /// The cookie that keeps a person's choice.
    pub const COOKIE: &str = "lang";

    /// The word of `lang="…"` and of the cookie.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::EsPoint => "es-419",
            Self::En => "en",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.as_str() == word)
    }

    /// The language alone, as it is chosen: how numbers are written goes by the region.
    #[must_use]
    pub const fn spoken(self) -> Self {
        match self {
            Self::Es | Self::EsPoint => Self::Es,
            Self::En => Self::En,
        }
    }

    /// What a language tag stands for here: `es-MX`, `en`.
    fn of_tag(tag: &str) -> Option<Self> {
        let tag = tag.to_ascii_uppercase();
        let mut parts = tag.split('-');
        match parts.next()? {
            "ES" if parts.any(|part| POINT.contains(&part)) => Some(Self::EsPoint),
            "ES" => Some(Self::Es),
            "EN" => Some(Self::En),
            _ => None,
        }
    }

    /// Its texts.
    pub const fn strings(self) -> &'static Strings {
        match self {
            Self::Es | Self::EsPoint => &es::STRINGS,
            Self::En => &en::STRINGS,
        }
    }

    /// The best of ours for an `Accept-Language`, and of the language that was
    /// chosen, where one was; Spanish where neither names any.
    pub fn wished(chosen: Option<Self>, header: &str) -> Self {
        let mut best = (chosen.unwrap_or(Self::Es), 0.0f32);
        for wish in header.split(',') {
            let (tag, quality) = wish.split_once(";q=").unwrap_or((wish, "1"));
            let quality = quality.trim().parse().unwrap_or(0.0);
            if let Some(lang) = Self::of_tag(tag.trim())
                && chosen.is_none_or(|chosen| chosen.spoken() == lang.spoken())
                && quality > best.1
            {
                best = (lang, quality);
            }
        }
        best.0
    }

    /// The language of whoever reads this page: on the server from the
    /// request, in the browser from the page that the server made of it.
    pub fn of_reader() -> Self {
        #[cfg(feature = "ssr")]
        {
            use crate::api::{request_cookie, request_header};
            let chosen = request_cookie(Self::COOKIE).as_deref().and_then(Self::from_word);
            Self::wished(chosen, &request_header(http::header::ACCEPT_LANGUAGE).unwrap_or_default())
        }
        #[cfg(not(feature = "ssr"))]
        crate::browser::page_attribute("lang").as_deref().and_then(Self::from_word).unwrap_or(Self::Es)
    }
}

/// Gives this language to all that is below.
pub fn provide_lang(lang: Lang) {
    provide_context(lang);
}

/// The language here.
pub fn use_lang() -> Lang {
    use_context().unwrap_or(Lang::Es)
}

/// The texts here.
pub fn use_strings() -> &'static Strings {
    use_lang().strings()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_gets_the_language_they_like_best_of_ours() {
        let wished = |header| Lang::wished(None, header);
        assert_eq!(wished("en-GB,en;q=0.9,es;q=0.8"), Lang::En);
        assert_eq!(wished("de, es-AR;q=0.7, en;q=0.3"), Lang::Es);
        assert_eq!(wished("fr,EN;q=0.1"), Lang::En);
        assert_eq!(wished("de"), Lang::Es);
        assert_eq!(wished("en;q=x,;;"), Lang::Es);
    }

    #[test]
    fn spanish_has_the_numbers_of_the_readers_region() {
        let wished = |header| Lang::wished(None, header);
        for point in ["es-MX,es;q=0.9", "es-419", "es-us", "es-Latn-PE", "en;q=0.2,es-DO;q=0.4"] {
            assert_eq!(wished(point), Lang::EsPoint, "{point}");
        }
        for comma in ["es", "es-ES", "es-AR", "es-CL", "es-CO", "es-CR", "es-BO", "es,es-MX;q=0.9"] {
            assert_eq!(wished(comma), Lang::Es, "{comma}");
        }
    }

    #[test]
    fn who_chose_a_language_keeps_their_regions_numbers() {
        assert_eq!(Lang::wished(Some(Lang::Es), "en-US,es-MX;q=0.5"), Lang::EsPoint);
        assert_eq!(Lang::wished(Some(Lang::Es), "en-GB"), Lang::Es);
        assert_eq!(Lang::wished(Some(Lang::En), "es-MX,es;q=0.9"), Lang::En);
    }

    #[test]
    fn a_page_says_its_language_to_itself() {
        for lang in Lang::ALL {
            assert_eq!(Lang::from_word(lang.as_str()), Some(lang));
            assert!(Lang::of_tag(lang.as_str()) == Some(lang), "{lang:?} is a tag too");
        }
    }
}
