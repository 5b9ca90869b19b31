//! The document around every page, and the policy that it is under.

use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::assets::Assets;
use crate::i18n::Lang;
use crate::root::App;
use crate::stage::{Part, show_of_page};
use crate::theme::Theme;

/// What the page does before it lives.
const EARLY: &str = include_str!("early.js");

/// The whole document.
pub fn shell(assets: Assets) -> impl IntoView {
    let nonce = leptos::nonce::use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
    #[cfg(feature = "ssr")]
    policy(&nonce);
    let start = format!(
        "import start,{{hydrate}} from '{}';await start({{module_or_path:'{}'}});\
         dispatchEvent(new Event('hydrating'));await hydrate();dispatchEvent(new Event('hydrated'));",
        assets.frontend_js, assets.frontend_wasm
    );
    view! {
        <!DOCTYPE html>
        <html lang=Lang::of_reader().as_str() data-theme=Theme::chosen().map(Theme::as_str) data-demo=Part::of_page().map(Part::as_str) data-show=show_of_page()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <link rel="stylesheet" href=assets.css />
                <link rel="modulepreload" href=assets.frontend_js />
                <link
                    rel="preload"
                    href=assets.frontend_wasm
                    r#as="fetch"
                    r#type="application/wasm"
                    crossorigin="anonymous"
                />
                <link rel="icon" href="/favicon.svg" r#type="image/svg+xml" />
                <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
                <link rel="manifest" href="/manifest.webmanifest" />
                <meta name="theme-color" content="#f4ecdf" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#10141c" media="(prefers-color-scheme: dark)" />
                <meta name="color-scheme" content="light dark" />
                <meta name="xterm" content=assets.xterm_js />
                <MetaTags />
                <script nonce=nonce.clone() inner_html=EARLY></script>
                <script r#type="module" nonce=nonce inner_html=start></script>
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// Only our own code runs, and only what a page shows is fetched. The terminal
/// writes style attributes; instances may be reached by themselves.
#[cfg(feature = "ssr")]
fn policy(nonce: &str) {
    let Some(response) = use_context::<leptos_axum::ResponseOptions>() else { return };
    let direct = crate::api::direct_source();
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; \
         connect-src 'self' {direct}; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
         frame-ancestors 'none'; form-action 'self'"
    );
    if let Ok(policy) = http::HeaderValue::from_str(&policy) {
        response.insert_header(http::header::CONTENT_SECURITY_POLICY, policy);
    }
}
