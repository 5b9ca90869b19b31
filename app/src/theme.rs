//! Light, dark, or as the system is.

/// A theme that a person chose; none chosen follows the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    /// The cookie that keeps the choice.
    pub const COOKIE: &str = "theme";

    /// The word of the cookie and of `data-theme`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Light, Self::Dark].into_iter().find(|theme| theme.as_str() == word)
    }

    /// The choice of whoever reads this page: on the server from the request,
    /// in the browser from the page that the server made of it.
    pub fn chosen() -> Option<Self> {
        #[cfg(feature = "ssr")]
        return crate::api::request_cookie(Self::COOKIE).as_deref().and_then(Self::from_word);
        #[cfg(not(feature = "ssr"))]
        return crate::browser::page_attribute("data-theme").as_deref().and_then(Self::from_word);
    }
}
