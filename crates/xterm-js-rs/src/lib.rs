//! [xterm.js](https://xtermjs.org) 6 for Rust in the browser: the terminal and its
//! addons fit, WebGL, search, serialize, links, clipboard and Unicode 11.
//!
//! `js/xterm.js` is bundled into one file of about 100 KB (brotli). [`load`] fetches
//! it the first time a terminal is shown, so no other page pays for it:
//!
//! ```ignore
//! let xterm = xterm_js_rs::load("/pkg/xterm.<hash>.js").await?;
//! xterm.fonts_ready("\"JetBrains Mono\"", 14.0).await;
//! let options = Options { theme: Some(xterm.theme_of(&host)), ..Options::default() };
//! let terminal = xterm.terminal(&options)?;
//! terminal.open(&host);
//! terminal.use_webgl();
//! terminal.fit();
//! let typed = terminal.on_data(move |text| send(text.as_bytes()));
//! terminal.write(&bytes, move || give_credit(len));
//! ```
//!
//! [`sys`] has the bindings as they are; [`Terminal`] keeps what must live as long as
//! the terminal does, and disposes of all of it when dropped. Nothing here is `Send`.
#![cfg(target_arch = "wasm32")]

mod disposable;
mod module;
mod options;
pub mod sys;
mod terminal;

pub use disposable::Disposable;
pub use module::{Module, load};
pub use options::{CursorStyle, Options};
pub use sys::Theme;
pub use terminal::{Renderer, Size, Terminal};

use wasm_bindgen::JsValue;

/// What JavaScript threw, in its words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The module did not arrive or did not run. Trying again may help: browsers
    /// keep the failure of an address, so ask for another (`?retry=1`).
    #[error("the terminal's module did not load: {0}")]
    Load(String),
    /// xterm refused an option or an addon.
    #[error("xterm refused: {0}")]
    Refused(String),
}

/// The message of a thrown value.
fn words(thrown: &JsValue) -> String {
    use wasm_bindgen::JsCast;
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => format!("{thrown:?}"),
    }
}
