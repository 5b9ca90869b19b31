//! The agent's terminals: tabs, each with a screen and a line to the instance.

mod backoff;
mod input;
#[cfg(target_arch = "wasm32")]
mod line;
mod link;
#[cfg(target_arch = "wasm32")]
mod mount;
mod screen;
mod search;
#[cfg(target_arch = "wasm32")]
mod socket;
mod tabs;
mod veil;

/// Has the terminal's module fetched where one will soon be wanted, so that it
/// is there by then. Failing is no news yet.
pub fn foresee() {
    #[cfg(target_arch = "wasm32")]
    leptos::prelude::Effect::new(|| {
        leptos::task::spawn_local(async {
            let _ = xterm_js_rs::load(&crate::browser::meta("xterm").unwrap_or_default()).await;
        });
    });
}

/// Whose terminal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "a server draws no terminal"))]
enum Way {
    Own,
    /// Somebody else's, who lets the reader look.
    Look,
}

pub use link::Link;
pub use screen::Watched;
pub use tabs::Terminals;
