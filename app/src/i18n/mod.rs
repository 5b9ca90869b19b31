//! The console's two languages. A text that one of them lacks does not build.

mod access;
mod amounts;
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

pub use amounts::{Unread, count, dollars};
pub use people::PeopleStrings;
pub use strings::Strings;

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    Es,
    En,
}

impl Lang {
    pub const ALL: [Self; 2] = [Self::Es, Self::En];
    /// The cookie that keeps a person's choice.
    pub const COOKIE: &str = "lang";

    /// The word of `lang="…"` and of the cookie.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::En => "en",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.as_str() == word)
    }

    /// Its texts.
    pub const fn strings(self) -> &'static Strings {
        match self {
            Self::Es => &es::STRINGS,
            Self::En => &en::STRINGS,
        }
    }

    /// The best of ours for an `Accept-Language`; Spanish where it names none.
    pub fn accepted(header: &str) -> Self {
        let mut best = (Self::Es, 0.0f32);
        for wish in header.split(',') {
            let (tag, quality) = wish.split_once(";q=").unwrap_or((wish, "1"));
            let primary = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
            let quality = quality.trim().parse().unwrap_or(0.0);
            if let Some(lang) = Self::from_word(&primary)
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
            chosen.unwrap_or_else(|| {
                Self::accepted(&request_header(http::header::ACCEPT_LANGUAGE).unwrap_or_default())
            })
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
        assert_eq!(Lang::accepted("en-GB,en;q=0.9,es;q=0.8"), Lang::En);
        assert_eq!(Lang::accepted("de, es-MX;q=0.7, en;q=0.3"), Lang::Es);
        assert_eq!(Lang::accepted("fr,EN;q=0.1"), Lang::En);
        assert_eq!(Lang::accepted("de"), Lang::Es);
        assert_eq!(Lang::accepted("en;q=x,;;"), Lang::Es);
    }
}
