//! The console: pages, components, and the server functions behind them. It
//! renders on the server (`ssr`) and lives on in the browser (`hydrate`).

// What only a browser runs is compiled on the server too, where nothing calls it.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
#![recursion_limit = "256"]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
mod assets;
mod browser;
mod components;
mod error;
pub mod i18n;
mod live;
mod pages;
mod reader;
mod root;
mod shell;
mod stage;
mod terminal;
mod theme;

#[cfg(feature = "ssr")]
pub use api::Stage;
pub use assets::Assets;
pub use error::{AppError, ErrorCode};
pub use root::App;
pub use shell::shell;
pub use stage::Part;
