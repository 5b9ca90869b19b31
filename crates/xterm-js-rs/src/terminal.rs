//! A terminal and all that lives as long as it does.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Function, Uint8Array};
use wasm_bindgen::closure::{Closure, WasmClosure};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlElement;

use crate::disposable::Disposable;
use crate::module::{Module, construct};
use crate::options::Options;
use crate::sys::{self, Theme};
use crate::{Error, words};

/// Columns and rows of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub cols: u32,
    pub rows: u32,
}

impl Size {
    /// None while the host has no layout: then xterm's sums give no whole number.
    fn of(dimensions: &sys::Dimensions) -> Option<Self> {
        let whole = |cells: f64| (cells.is_finite() && cells >= 1.0).then_some(cells as u32);
        Some(Self { cols: whole(dimensions.cols())?, rows: whole(dimensions.rows())? })
    }
}

/// What draws the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renderer {
    Dom,
    Webgl,
}

type Done = Box<dyn FnOnce()>;

/// A terminal. Dropping it disposes of it, its addons and its listeners.
pub struct Terminal {
    raw: sys::Terminal,
    module: Module,
    fit: sys::FitAddon,
    search: OnceCell<sys::SearchAddon>,
    serialize: OnceCell<sys::SerializeAddon>,
    renderer: Rc<Cell<Renderer>>,
    context_loss: RefCell<Option<Disposable>>,
    /// What waits for its bytes to be parsed. xterm calls back in the order of the
    /// writes, so one JavaScript function serves them all.
    waiting: Rc<RefCell<VecDeque<Done>>>,
    parsed: Function,
}

impl Terminal {
    pub(crate) fn new(module: &Module, options: &Options) -> Result<Self, Error> {
        let options: JsValue = options.to_js(&module.0).into();
        let raw: sys::Terminal = construct(&module.0.terminal_class(), Some(&options))?;
        let fit: sys::FitAddon = construct(&module.0.fit_class(), None)?;
        for addon in [&fit, &module.0.links_addon(), &module.0.clipboard_addon()] {
            load_addon(&raw, addon)?;
        }
        module.0.use_unicode11(&raw);
        module.0.copy_on_keys(&raw);

        let waiting = Rc::new(RefCell::new(VecDeque::<Done>::new()));
        let queue = Rc::clone(&waiting);
        let parsed = Closure::<dyn Fn()>::new(move || {
            let done = queue.borrow_mut().pop_front();
            if let Some(done) = done {
                done();
            }
        });
        Ok(Self {
            raw,
            module: module.clone(),
            fit,
            search: OnceCell::new(),
            serialize: OnceCell::new(),
            renderer: Rc::new(Cell::new(Renderer::Dom)),
            context_loss: RefCell::new(None),
            waiting,
            // Left to the garbage collector: xterm may call once more after its end.
            parsed: parsed.into_js_value().unchecked_into(),
        })
    }

    /// Shows it in `host`, which must be in the page and laid out.
    pub fn open(&self, host: &HtmlElement) {
        self.raw.open(host);
    }

    /// Draws with WebGL from now on, if there is a graphics card for it; goes back to
    /// the DOM by itself when the browser takes the context away. Call it after `open`.
    pub fn use_webgl(&self) -> Renderer {
        if self.renderer.get() == Renderer::Dom && self.module.0.webgl_is_fast() {
            // Not an error: the DOM's renderer does all the same, more slowly.
            let _ = self.start_webgl();
        }
        self.renderer.get()
    }

    fn start_webgl(&self) -> Result<(), Error> {
        let addon: sys::WebglAddon = construct(&self.module.0.webgl_class(), None)?;
        let (renderer, lost) = (Rc::clone(&self.renderer), addon.clone());
        let listener = Closure::<dyn Fn()>::new(move || {
            lost.dispose();
            renderer.set(Renderer::Dom);
        });
        let heard = addon.on_context_loss(function(&listener));
        if let Err(error) = load_addon(&self.raw, &addon) {
            heard.dispose();
            addon.dispose();
            return Err(error);
        }
        self.renderer.set(Renderer::Webgl);
        self.context_loss.replace(Some(Disposable::new(heard, listener)));
        Ok(())
    }

    /// What draws it at present.
    pub fn renderer(&self) -> Renderer {
        self.renderer.get()
    }

    /// Takes in output. `parsed` is called once all of `bytes` has been parsed: the
    /// moment to give the sender new credit. It is not called if the terminal ends before.
    pub fn write(&self, bytes: &[u8], parsed: impl FnOnce() + 'static) {
        self.write_array(&Uint8Array::from(bytes), parsed);
    }

    /// As [`write`](Self::write), for bytes that are JavaScript's already (those of a
    /// socket): they are not copied, and must not be changed until `parsed`.
    pub fn write_array(&self, bytes: &Uint8Array, parsed: impl FnOnce() + 'static) {
        self.waiting.borrow_mut().push_back(Box::new(parsed));
        self.raw.write(bytes, &self.parsed);
    }

    /// Fits columns and rows to the host; says what they are now.
    pub fn fit(&self) -> Size {
        self.fit.fit();
        self.size()
    }

    /// What [`fit`](Self::fit) would make of it; none while the host has no layout.
    pub fn proposed(&self) -> Option<Size> {
        self.fit.propose_dimensions().as_ref().and_then(Size::of)
    }

    pub fn size(&self) -> Size {
        Size { cols: self.raw.cols(), rows: self.raw.rows() }
    }

    /// The cursor's row on the screen, from 0, of the buffer that scrolls.
    pub fn cursor_row(&self) -> u32 {
        self.raw.buffer().normal().cursor_y()
    }

    pub fn resize(&self, size: Size) {
        self.raw.resize(size.cols, size.rows);
    }

    /// What the person types and the terminal answers by itself, as text.
    pub fn on_data(&self, heard: impl FnMut(String) + 'static) -> Disposable {
        self.listen(Closure::<dyn FnMut(String)>::new(heard), sys::Terminal::on_data)
    }

    /// What the terminal answers in bytes that are no text (some mouse reports).
    pub fn on_binary(&self, mut heard: impl FnMut(Vec<u8>) + 'static) -> Disposable {
        // Each character stands for one byte.
        let listener = Closure::<dyn FnMut(String)>::new(move |text: String| {
            heard(text.chars().map(|c| c as u8).collect())
        });
        self.listen(listener, sys::Terminal::on_binary)
    }

    /// Columns or rows have changed.
    pub fn on_resize(&self, mut heard: impl FnMut(Size) + 'static) -> Disposable {
        let listener = Closure::<dyn FnMut(sys::Dimensions)>::new(move |now: sys::Dimensions| {
            if let Some(size) = Size::of(&now) {
                heard(size);
            }
        });
        self.listen(listener, sys::Terminal::on_resize)
    }

    /// A program rang the bell.
    pub fn on_bell(&self, heard: impl FnMut() + 'static) -> Disposable {
        self.listen(Closure::<dyn FnMut()>::new(heard), sys::Terminal::on_bell)
    }

    /// A program named the window. Untrusted text.
    pub fn on_title_change(&self, heard: impl FnMut(String) + 'static) -> Disposable {
        self.listen(Closure::<dyn FnMut(String)>::new(heard), sys::Terminal::on_title_change)
    }

    pub fn on_selection_change(&self, heard: impl FnMut() + 'static) -> Disposable {
        self.listen(Closure::<dyn FnMut()>::new(heard), sys::Terminal::on_selection_change)
    }

    fn listen<F: WasmClosure + ?Sized + 'static>(
        &self,
        listener: Closure<F>,
        event: fn(&sys::Terminal, &Function) -> sys::Disposable,
    ) -> Disposable {
        Disposable::new(event(&self.raw, function(&listener)), listener)
    }

    pub fn focus(&self) {
        self.raw.focus();
    }

    pub fn blur(&self) {
        self.raw.blur();
    }

    /// Types `text` in, bracketed where the program asked for that.
    pub fn paste(&self, text: &str) {
        self.raw.paste(text);
    }

    /// What is selected; empty when nothing is.
    pub fn selection(&self) -> String {
        self.raw.get_selection()
    }

    pub fn has_selection(&self) -> bool {
        self.raw.has_selection()
    }

    pub fn select_all(&self) {
        self.raw.select_all();
    }

    pub fn clear_selection(&self) {
        self.raw.clear_selection();
    }

    /// Empties screen, scrollback and modes, as before a repaint from the start.
    pub fn reset(&self) {
        self.raw.reset();
    }

    /// Empties the scrollback and keeps the prompt's line.
    pub fn clear(&self) {
        self.raw.clear();
    }

    pub fn scroll_to_bottom(&self) {
        self.raw.scroll_to_bottom();
    }

    /// Selects the next match of `term` below; says whether there is one.
    ///
    /// # Errors
    /// [`Error::Refused`] when the addon can't be loaded.
    pub fn find_next(&self, term: &str) -> Result<bool, Error> {
        Ok(addon(&self.search, &self.raw, &self.module.0.search_class())?.find_next(term))
    }

    /// Selects the next match of `term` above; says whether there is one.
    ///
    /// # Errors
    /// [`Error::Refused`] when the addon can't be loaded.
    pub fn find_previous(&self, term: &str) -> Result<bool, Error> {
        Ok(addon(&self.search, &self.raw, &self.module.0.search_class())?.find_previous(term))
    }

    /// Screen and scrollback as the sequences that would paint them.
    ///
    /// # Errors
    /// [`Error::Refused`] when the addon can't be loaded.
    pub fn serialize(&self) -> Result<String, Error> {
        Ok(addon(&self.serialize, &self.raw, &self.module.0.serialize_class())?.serialize())
    }

    pub fn set_theme(&self, theme: &Theme) {
        self.raw.options().set_theme(theme);
    }

    /// CSS pixels. Fit again after it.
    pub fn set_font_size(&self, pixels: f64) {
        self.raw.options().set_font_size(pixels);
    }

    pub fn set_screen_reader(&self, on: bool) {
        self.raw.options().set_screen_reader_mode(on);
    }

    /// Whether typing is refused, as while its line is down.
    pub fn set_read_only(&self, read_only: bool) {
        self.raw.options().set_disable_stdin(read_only);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.raw.dispose();
        // What waits may hold on to whoever owns this terminal.
        self.waiting.borrow_mut().clear();
    }
}

/// The function that JavaScript sees of a closure.
fn function<F: ?Sized>(closure: &Closure<F>) -> &Function {
    closure.as_ref().unchecked_ref()
}

fn load_addon(terminal: &sys::Terminal, addon: &sys::Addon) -> Result<(), Error> {
    terminal.load_addon(addon).map_err(|thrown| Error::Refused(words(&thrown)))
}

/// An addon that is loaded the first time it is used.
fn addon<'a, T: JsCast + AsRef<sys::Addon>>(
    cell: &'a OnceCell<T>,
    terminal: &sys::Terminal,
    class: &Function,
) -> Result<&'a T, Error> {
    if let Some(addon) = cell.get() {
        return Ok(addon);
    }
    let addon: T = construct(class, None)?;
    load_addon(terminal, addon.as_ref())?;
    Ok(cell.get_or_init(|| addon))
}
