//! What a terminal starts with.

use wasm_bindgen::JsCast;

use crate::sys::{self, TerminalOptions, Theme};

/// The cursor's shape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CursorStyle {
    #[default]
    Block,
    Bar,
    Underline,
}

impl CursorStyle {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Bar => "bar",
            Self::Underline => "underline",
        }
    }
}

/// Options of a terminal; what is not here is as xterm has it.
#[derive(Debug, Clone)]
pub struct Options {
    /// As in CSS.
    pub font_family: String,
    /// CSS pixels.
    pub font_size: f64,
    /// Times the font's own height, 1 or more.
    pub line_height: f64,
    /// Lines kept above the screen.
    pub scrollback: u32,
    pub cursor: CursorStyle,
    pub cursor_blink: bool,
    /// Colours of programs are moved apart to this contrast at least, 1 to 21.
    pub minimum_contrast: f64,
    /// A hidden copy of the screen that screen readers can read; costs some speed.
    pub screen_reader: bool,
    pub theme: Option<Theme>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            font_family: "\"JetBrains Mono\", ui-monospace, Menlo, Consolas, \"DejaVu Sans Mono\", monospace"
                .to_owned(),
            font_size: 14.0,
            line_height: 1.2,
            scrollback: 5_000,
            cursor: CursorStyle::default(),
            cursor_blink: false,
            minimum_contrast: 1.0,
            screen_reader: false,
            theme: None,
        }
    }
}

impl Options {
    pub(crate) fn to_js(&self, module: &sys::Module) -> TerminalOptions {
        let options: TerminalOptions = js_sys::Object::new().unchecked_into();
        // Choosing the width table counts as proposed.
        options.set_allow_proposed_api(true);
        options.set_link_handler(&module.link_handler());
        options.set_font_family(&self.font_family);
        options.set_font_size(self.font_size);
        options.set_line_height(self.line_height);
        options.set_scrollback(self.scrollback);
        options.set_cursor_style(self.cursor.as_str());
        options.set_cursor_blink(self.cursor_blink);
        options.set_minimum_contrast_ratio(self.minimum_contrast);
        options.set_screen_reader_mode(self.screen_reader);
        if let Some(theme) = &self.theme {
            options.set_theme(theme);
        }
        options
    }
}
