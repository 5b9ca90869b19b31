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

pub use link::Link;
pub use tabs::Terminals;
