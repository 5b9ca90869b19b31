//! Whether terminals keep a copy of their screen that screen readers can read.
//! It costs some speed, so it is asked for.

/// The cookie that keeps the choice: `1`, or not there.
pub const COOKIE: &str = "reader";

/// The choice of whoever reads this page.
pub fn is_wanted() -> bool {
    #[cfg(feature = "ssr")]
    let cookie = crate::api::request_cookie(COOKIE);
    #[cfg(not(feature = "ssr"))]
    let cookie = crate::browser::cookie(COOKIE);
    cookie.as_deref() == Some("1")
}
