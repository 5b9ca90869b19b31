//! The module, fetched when it is first needed.

use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Element;

use crate::options::Options;
use crate::sys::{self, Theme};
use crate::terminal::Terminal;
use crate::{Error, words};

/// xterm and its addons, loaded. Cloning copies a reference.
#[derive(Debug, Clone)]
pub struct Module(pub(crate) sys::Module);

/// Fetches the bundle of `js/xterm.js` from `url` (absolute, or from the root). The
/// browser keeps it: another call for the same address costs nothing.
///
/// # Errors
/// [`Error::Load`] when it can't be fetched or run.
pub async fn load(url: &str) -> Result<Module, Error> {
    let namespace =
        JsFuture::from(sys::import_module(url)).await.map_err(|thrown| Error::Load(words(&thrown)))?;
    Ok(Module(namespace.unchecked_into()))
}

impl Module {
    /// A terminal with fit, links, the clipboard (write only), copying by keys, and
    /// Unicode 11's widths. It shows nothing until [`Terminal::open`].
    ///
    /// # Errors
    /// [`Error::Refused`] when xterm rejects an option.
    pub fn terminal(&self, options: &Options) -> Result<Terminal, Error> {
        Terminal::new(self, options)
    }

    /// The theme that the custom properties `--term-*` make at `element`: ask again
    /// when the page's theme changes, and give it to [`Terminal::set_theme`].
    pub fn theme_of(&self, element: &Element) -> Theme {
        self.0.theme_of(element)
    }

    /// Waits until the face is there, since xterm measures its cells when it opens.
    /// `family` as in CSS, `size` in CSS pixels.
    pub async fn fonts_ready(&self, family: &str, size: f64) {
        // Resolves whether or not the face could be had: then the next one is used.
        let _ = JsFuture::from(self.0.fonts_ready(family, size)).await;
    }
}

/// `new class(...arguments)`.
pub(crate) fn construct<T: JsCast>(class: &Function, argument: Option<&JsValue>) -> Result<T, Error> {
    let arguments = argument.map_or_else(Array::new, Array::of1);
    Reflect::construct(class, &arguments)
        .map(JsCast::unchecked_into)
        .map_err(|thrown| Error::Refused(words(&thrown)))
}
