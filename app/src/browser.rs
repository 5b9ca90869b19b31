//! What pages ask of the browser. Called in effects and handlers, which a
//! server never runs; only [`now`] and [`is_here`] answer there too.

use domain::time::Timestamp;
use leptos::prelude::{document, window};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;

/// A year, in seconds: how long a choice of language or theme is kept.
const KEPT: u32 = 365 * 24 * 3600;

/// Whether this runs in a browser.
pub const fn is_here() -> bool {
    cfg!(target_arch = "wasm32")
}

/// Milliseconds since the page began, by a clock that nobody sets; 0 on a server.
pub fn now() -> f64 {
    if !is_here() {
        return 0.0;
    }
    window().performance().map_or(0.0, |performance| performance.now())
}

/// How many minutes the reader's clock is ahead of UTC at an instant.
pub fn minutes_ahead(at: Timestamp) -> i32 {
    // Behind is what a browser counts, in whole minutes.
    -(js_sys::Date::new(&(at.0 as f64).into()).get_timezone_offset() as i32)
}

/// An attribute of `<html>`.
pub fn page_attribute(name: &str) -> Option<String> {
    document().document_element()?.get_attribute(name)
}

/// Sets an attribute of `<html>`, or takes it away.
pub fn set_page_attribute(name: &str, value: Option<&str>) {
    let Some(page) = document().document_element() else { return };
    // Neither fails for a name that is one.
    let _ = match value {
        Some(value) => page.set_attribute(name, value),
        None => page.remove_attribute(name),
    };
}

/// What `<meta name=…>` says.
pub fn meta(name: &str) -> Option<String> {
    document().query_selector(&format!("meta[name={name}]")).ok()??.get_attribute("content")
}

/// Keeps a choice for a year, or forgets it.
pub fn set_cookie(name: &str, value: Option<&str>) {
    let age = if value.is_some() { KEPT } else { 0 };
    let cookie = format!("{name}={}; Path=/; Max-Age={age}; SameSite=Lax", value.unwrap_or_default());
    if let Ok(document) = document().dyn_into::<web_sys::HtmlDocument>() {
        let _ = document.set_cookie(&cookie);
    }
}

/// Gives the keyboard to the first element that a CSS selector finds.
pub fn focus(selector: &str) {
    if let Ok(Some(element)) = document().query_selector(selector)
        && let Ok(element) = element.dyn_into::<web_sys::HtmlElement>()
    {
        let _ = element.focus();
    }
}

/// Whether what a CSS selector finds has the keyboard.
pub fn has_focus(selector: &str) -> bool {
    document().active_element().is_some_and(|element| element.matches(selector).unwrap_or_default())
}

/// A cookie that pages may read.
pub fn cookie(name: &str) -> Option<String> {
    let cookies = document().dyn_into::<web_sys::HtmlDocument>().ok()?.cookie().ok()?;
    cookies.split(';').find_map(|cookie| {
        let (key, value) = cookie.trim().split_once('=')?;
        (key == name).then(|| value.to_owned())
    })
}

/// Loads the page anew, as the server makes it now.
pub fn reload() {
    let _ = window().location().reload();
}

/// Leaves for another page, loaded from the server.
pub fn leave_for(path: &str) {
    let _ = window().location().replace(path);
}

/// What stands behind `#` in the address; it is erased from there and from
/// the history.
pub fn take_fragment() -> Option<String> {
    let location = window().location();
    let fragment = location.hash().ok()?;
    let fragment = fragment.strip_prefix('#').filter(|text| !text.is_empty())?.to_owned();
    if let (Ok(history), Ok(path)) = (window().history(), location.pathname()) {
        let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&path));
    }
    Some(fragment)
}

/// Puts a text on the clipboard, where the browser allows it.
pub async fn copy(text: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    // Missing on a page that came without encryption from another computer.
    if clipboard.is_undefined() {
        return false;
    }
    wasm_bindgen_futures::JsFuture::from(clipboard.write_text(text)).await.is_ok()
}

/// Whether the keyboard is at something that the selector finds.
pub fn is_at(selector: &str) -> bool {
    document().active_element().is_some_and(|element| matches!(element.matches(selector), Ok(true)))
}

/// Whether the page is in the background.
pub fn is_hidden() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Hidden
}

/// Random, from the browser's own source.
pub fn random() -> u64 {
    let mut bytes = [0; 8];
    let filled = window().crypto().and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes));
    match filled {
        Ok(_) => u64::from_le_bytes(bytes),
        // It names a viewer, it guards nothing.
        Err(_) => now().to_bits(),
    }
}

/// Whether the page was loaded from the machine that the browser runs on.
pub fn is_at_loopback() -> bool {
    window().location().hostname().is_ok_and(|host| matches!(&*host, "localhost" | "127.0.0.1" | "[::1]"))
}

/// `path` as a WebSocket's address on this site.
pub fn socket_url(path: &str) -> String {
    let location = window().location();
    let scheme = if location.protocol().is_ok_and(|protocol| protocol == "https:") { "wss" } else { "ws" };
    format!("{scheme}://{}{path}", location.host().unwrap_or_default())
}

/// Something a tab remembers until it is closed.
pub fn remembered(key: &str) -> Option<String> {
    window().session_storage().ok()??.get_item(key).ok()?
}

/// Has this tab remember something.
pub fn remember(key: &str, value: &str) {
    if let Ok(Some(storage)) = window().session_storage() {
        let _ = storage.set_item(key, value);
    }
}

/// Something that this browser keeps.
pub fn kept(key: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(key).ok()?
}

/// Has this browser keep something.
pub fn keep(key: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(key, value);
    }
}

/// Hears when the system goes light or dark, until it is dropped.
pub struct SystemTheme {
    query: web_sys::MediaQueryList,
    changed: Closure<dyn Fn()>,
}

/// Calls `changed` when the system goes light or dark.
pub fn on_system_theme(changed: impl Fn() + 'static) -> Option<SystemTheme> {
    let query = window().match_media("(prefers-color-scheme: dark)").ok()??;
    let changed = Closure::<dyn Fn()>::new(changed);
    query.add_event_listener_with_callback("change", changed.as_ref().unchecked_ref()).ok()?;
    Some(SystemTheme { query, changed })
}

impl Drop for SystemTheme {
    fn drop(&mut self) {
        let changed = self.changed.as_ref().unchecked_ref();
        let _ = self.query.remove_event_listener_with_callback("change", changed);
    }
}
