//! The bindings, one to one with xterm's typings. They are structural: nothing is
//! imported when the page starts, all of it comes with [`Module`].

use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement};

#[wasm_bindgen(inline_js = "export const importModule = (url) => import(url);")]
extern "C" {
    /// `import()`, which is syntax and no function that could be bound.
    #[wasm_bindgen(js_name = importModule)]
    pub fn import_module(url: &str) -> Promise;
}

#[wasm_bindgen]
extern "C" {
    /// What `js/xterm.js` exports. The classes are for `Reflect::construct`.
    #[derive(Debug, Clone)]
    pub type Module;
    #[wasm_bindgen(method, getter, js_name = Terminal)]
    pub fn terminal_class(this: &Module) -> Function;
    #[wasm_bindgen(method, getter, js_name = FitAddon)]
    pub fn fit_class(this: &Module) -> Function;
    #[wasm_bindgen(method, getter, js_name = WebglAddon)]
    pub fn webgl_class(this: &Module) -> Function;
    #[wasm_bindgen(method, getter, js_name = SearchAddon)]
    pub fn search_class(this: &Module) -> Function;
    #[wasm_bindgen(method, getter, js_name = SerializeAddon)]
    pub fn serialize_class(this: &Module) -> Function;
    #[wasm_bindgen(method, js_name = linksAddon)]
    pub fn links_addon(this: &Module) -> Addon;
    #[wasm_bindgen(method, js_name = linkHandler)]
    pub fn link_handler(this: &Module) -> JsValue;
    #[wasm_bindgen(method, js_name = clipboardAddon)]
    pub fn clipboard_addon(this: &Module) -> Addon;
    #[wasm_bindgen(method, js_name = useUnicode11)]
    pub fn use_unicode11(this: &Module, terminal: &Terminal);
    #[wasm_bindgen(method, js_name = webglIsFast)]
    pub fn webgl_is_fast(this: &Module) -> bool;
    #[wasm_bindgen(method, js_name = copyOnKeys)]
    pub fn copy_on_keys(this: &Module, terminal: &Terminal);
    #[wasm_bindgen(method, js_name = themeOf)]
    pub fn theme_of(this: &Module, element: &Element) -> Theme;
    #[wasm_bindgen(method, js_name = fontsReady)]
    pub fn fonts_ready(this: &Module, family: &str, size: f64) -> Promise;
}

#[wasm_bindgen]
extern "C" {
    /// `ITheme`: colours by name, made by [`Module::theme_of`].
    #[derive(Debug, Clone)]
    pub type Theme;

    /// `ITerminalOptions`.
    #[derive(Debug, Clone)]
    #[wasm_bindgen(extends = js_sys::Object)]
    pub type TerminalOptions;
    #[wasm_bindgen(method, setter, js_name = allowProposedApi)]
    pub fn set_allow_proposed_api(this: &TerminalOptions, allow: bool);
    #[wasm_bindgen(method, setter, js_name = cursorBlink)]
    pub fn set_cursor_blink(this: &TerminalOptions, blink: bool);
    #[wasm_bindgen(method, setter, js_name = cursorStyle)]
    pub fn set_cursor_style(this: &TerminalOptions, style: &str);
    #[wasm_bindgen(method, setter, js_name = disableStdin)]
    pub fn set_disable_stdin(this: &TerminalOptions, disable: bool);
    #[wasm_bindgen(method, setter, js_name = fontFamily)]
    pub fn set_font_family(this: &TerminalOptions, family: &str);
    #[wasm_bindgen(method, setter, js_name = fontSize)]
    pub fn set_font_size(this: &TerminalOptions, pixels: f64);
    #[wasm_bindgen(method, setter, js_name = lineHeight)]
    pub fn set_line_height(this: &TerminalOptions, times: f64);
    #[wasm_bindgen(method, setter, js_name = linkHandler)]
    pub fn set_link_handler(this: &TerminalOptions, handler: &JsValue);
    #[wasm_bindgen(method, setter, js_name = macOptionIsMeta)]
    pub fn set_mac_option_is_meta(this: &TerminalOptions, meta: bool);
    #[wasm_bindgen(method, setter, js_name = minimumContrastRatio)]
    pub fn set_minimum_contrast_ratio(this: &TerminalOptions, ratio: f64);
    #[wasm_bindgen(method, setter, js_name = screenReaderMode)]
    pub fn set_screen_reader_mode(this: &TerminalOptions, on: bool);
    #[wasm_bindgen(method, setter)]
    pub fn set_scrollback(this: &TerminalOptions, lines: u32);
    #[wasm_bindgen(method, setter)]
    pub fn set_theme(this: &TerminalOptions, theme: &Theme);
}

#[wasm_bindgen]
extern "C" {
    /// `Terminal`.
    #[derive(Debug, Clone)]
    pub type Terminal;
    #[wasm_bindgen(method)]
    pub fn open(this: &Terminal, parent: &HtmlElement);
    #[wasm_bindgen(method)]
    pub fn write(this: &Terminal, bytes: &Uint8Array, done: &Function);
    #[wasm_bindgen(method)]
    pub fn paste(this: &Terminal, text: &str);
    #[wasm_bindgen(method)]
    pub fn focus(this: &Terminal);
    #[wasm_bindgen(method)]
    pub fn blur(this: &Terminal);
    #[wasm_bindgen(method)]
    pub fn reset(this: &Terminal);
    #[wasm_bindgen(method)]
    pub fn clear(this: &Terminal);
    #[wasm_bindgen(method)]
    pub fn resize(this: &Terminal, cols: u32, rows: u32);
    #[wasm_bindgen(method, js_name = scrollToBottom)]
    pub fn scroll_to_bottom(this: &Terminal);
    #[wasm_bindgen(method, js_name = hasSelection)]
    pub fn has_selection(this: &Terminal) -> bool;
    #[wasm_bindgen(method, js_name = getSelection)]
    pub fn get_selection(this: &Terminal) -> String;
    #[wasm_bindgen(method, js_name = selectAll)]
    pub fn select_all(this: &Terminal);
    #[wasm_bindgen(method, js_name = clearSelection)]
    pub fn clear_selection(this: &Terminal);
    #[wasm_bindgen(method, catch, js_name = loadAddon)]
    pub fn load_addon(this: &Terminal, addon: &Addon) -> Result<(), JsValue>;
    #[wasm_bindgen(method)]
    pub fn dispose(this: &Terminal);
    #[wasm_bindgen(method, getter)]
    pub fn cols(this: &Terminal) -> u32;
    #[wasm_bindgen(method, getter)]
    pub fn rows(this: &Terminal) -> u32;
    #[wasm_bindgen(method, getter)]
    pub fn buffer(this: &Terminal) -> Buffers;

    pub type Buffers;
    #[wasm_bindgen(method, getter)]
    pub fn normal(this: &Buffers) -> Buffer;

    pub type Buffer;
    #[wasm_bindgen(method, getter, js_name = cursorY)]
    pub fn cursor_y(this: &Buffer) -> u32;
    #[wasm_bindgen(method, getter)]
    pub fn options(this: &Terminal) -> TerminalOptions;

    #[wasm_bindgen(method, js_name = onData)]
    pub fn on_data(this: &Terminal, listener: &Function) -> Disposable;
    #[wasm_bindgen(method, js_name = onBinary)]
    pub fn on_binary(this: &Terminal, listener: &Function) -> Disposable;
    #[wasm_bindgen(method, js_name = onResize)]
    pub fn on_resize(this: &Terminal, listener: &Function) -> Disposable;
    #[wasm_bindgen(method, js_name = onBell)]
    pub fn on_bell(this: &Terminal, listener: &Function) -> Disposable;
    #[wasm_bindgen(method, js_name = onTitleChange)]
    pub fn on_title_change(this: &Terminal, listener: &Function) -> Disposable;
    #[wasm_bindgen(method, js_name = onSelectionChange)]
    pub fn on_selection_change(this: &Terminal, listener: &Function) -> Disposable;

    /// What `onResize` tells and `proposeDimensions` answers.
    pub type Dimensions;
    #[wasm_bindgen(method, getter)]
    pub fn cols(this: &Dimensions) -> f64;
    #[wasm_bindgen(method, getter)]
    pub fn rows(this: &Dimensions) -> f64;

    /// `IDisposable`.
    #[derive(Debug, Clone)]
    pub type Disposable;
    #[wasm_bindgen(method)]
    pub fn dispose(this: &Disposable);
}

#[wasm_bindgen]
extern "C" {
    /// `ITerminalAddon`.
    #[derive(Debug, Clone)]
    pub type Addon;
    #[wasm_bindgen(method)]
    pub fn dispose(this: &Addon);

    #[derive(Debug, Clone)]
    #[wasm_bindgen(extends = Addon)]
    pub type FitAddon;
    #[wasm_bindgen(method)]
    pub fn fit(this: &FitAddon);
    #[wasm_bindgen(method, js_name = proposeDimensions)]
    pub fn propose_dimensions(this: &FitAddon) -> Option<Dimensions>;

    #[derive(Debug, Clone)]
    #[wasm_bindgen(extends = Addon)]
    pub type WebglAddon;
    #[wasm_bindgen(method, js_name = onContextLoss)]
    pub fn on_context_loss(this: &WebglAddon, listener: &Function) -> Disposable;

    #[derive(Debug, Clone)]
    #[wasm_bindgen(extends = Addon)]
    pub type SearchAddon;
    #[wasm_bindgen(method, js_name = findNext)]
    pub fn find_next(this: &SearchAddon, term: &str) -> bool;
    #[wasm_bindgen(method, js_name = findPrevious)]
    pub fn find_previous(this: &SearchAddon, term: &str) -> bool;

    #[derive(Debug, Clone)]
    #[wasm_bindgen(extends = Addon)]
    pub type SerializeAddon;
    #[wasm_bindgen(method)]
    pub fn serialize(this: &SerializeAddon) -> String;
}
