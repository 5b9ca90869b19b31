//! The browser's files, named by their content.

/// Where each of the browser's files is, from the root of the site.
#[derive(Debug, Clone)]
pub struct Assets {
    /// The module that starts [`Assets::frontend_wasm`].
    pub frontend_js: String,
    pub frontend_wasm: String,
    pub css: String,
    /// The terminal, fetched only where one is shown.
    pub xterm_js: String,
}
