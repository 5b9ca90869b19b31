//! The browser's entry: hydrates the page that the server sent.
#![cfg(target_arch = "wasm32")]
