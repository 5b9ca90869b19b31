//! The screen's state, from which a viewer that lost its place is drawn one.
//!
//! Parsing costs more than everything else that output goes through, so only
//! what leaves the ring is parsed, and of a flood only what is still seen.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alacritty_terminal::event::{Event, EventListener};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::{Processor, Timeout};
use domain::wire::Grid;

use super::draw;

/// Lines above the screen that are kept to be drawn.
const HISTORY: usize = 2_000;
/// With so many lines after it, whatever a screen shows has scrolled away.
const LINES_PER_ROW: usize = 2;

/// Follows a terminal's output.
pub struct Screen {
    term: Term<Listener>,
    parser: Processor<Never>,
    title: Arc<Mutex<Option<String>>>,
    /// Text was passed over: what the screen shows is no more, and a line's
    /// rest comes next.
    stale: bool,
}

impl Screen {
    pub fn new(grid: Grid) -> Self {
        let title = Arc::default();
        let config = Config { scrolling_history: HISTORY, kitty_keyboard: true, ..Config::default() };
        let term = Term::new(config, &Size(grid), Listener(Arc::clone(&title)));
        Self { term, parser: Processor::new(), title, stale: false }
    }

    /// Follows output.
    pub fn advance(&mut self, mut bytes: &[u8]) {
        if self.stale {
            // The rest of a line that was passed over, perhaps of a sequence.
            let line = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
            self.parser.advance(&mut self.term, &attributes(&bytes[..line]));
            if line == bytes.len() {
                return;
            }
            bytes = &bytes[line..];
            self.parser.advance(&mut self.term, b"\x1b[H\x1b[2J\x1b[3J");
            self.stale = false;
        }
        self.parser.advance(&mut self.term, bytes);
    }

    /// Follows output whose text nobody will see, because [`scrolls_away`] says
    /// so of what comes after: only the attributes at its end matter.
    pub fn skim(&mut self, mut bytes: &[u8]) {
        if !self.stale {
            // Up to a line's end, so that a sequence that was begun is finished.
            let line = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1);
            self.parser.advance(&mut self.term, &bytes[..line]);
            bytes = &bytes[line..];
        }
        if !bytes.is_empty() {
            self.parser.advance(&mut self.term, &attributes(bytes));
            self.stale = true;
        }
    }

    pub fn resize(&mut self, grid: Grid) {
        self.term.resize(Size(grid));
    }

    /// Output that shows on a blank terminal what shows here, of at most `most`
    /// bytes; the oldest lines give way.
    pub fn draw(&mut self, most: usize) -> Vec<u8> {
        let title = self.title.lock().expect("no holder panics").clone();
        draw::draw(&mut self.term, title.as_deref(), most)
    }
}

/// Whether `after` alone decides what a screen of so many rows shows: it moves
/// everything before off the screen, and only ever writes on.
pub fn scrolls_away(after: &[u8], grid: Grid) -> bool {
    let lines = memchr::memchr_iter(b'\n', after).count();
    lines >= LINES_PER_ROW * usize::from(grid.rows) && is_plain(after)
}

/// Whether there is no sequence in it but attributes.
pub fn is_plain(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"\x1b[?").is_none()
}

/// What sets the attributes that hold at the end: what came after their last
/// reset, as far as that is in the last 4 KiB.
fn attributes(bytes: &[u8]) -> Vec<u8> {
    let mut rest = &bytes[bytes.len().saturating_sub(4096)..];
    let mut found = Vec::new();
    while let Some(start) = memchr::memmem::find(rest, b"\x1b[") {
        rest = &rest[start..];
        let inner = &rest[2..];
        let length = inner.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':')).unwrap_or(inner.len());
        if inner.get(length) == Some(&b'm') {
            if inner[..length].is_empty() || inner[..length].starts_with(b"0") {
                found.clear();
            }
            found.extend_from_slice(&rest[..length + 3]);
        }
        rest = &inner[length..];
    }
    found
}

#[derive(Clone)]
struct Listener(Arc<Mutex<Option<String>>>);

impl EventListener for Listener {
    /// Questions are the viewer's to answer, whose terminal is the real one.
    fn send_event(&self, event: Event) {
        let title = match event {
            Event::Title(title) => Some(title),
            Event::ResetTitle => None,
            _ => return,
        };
        *self.0.lock().expect("no holder panics") = title;
    }
}

struct Size(Grid);

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }
    fn screen_lines(&self) -> usize {
        usize::from(self.0.rows)
    }
    fn columns(&self) -> usize {
        usize::from(self.0.cols).max(alacritty_terminal::term::MIN_COLUMNS)
    }
}

/// Synchronised updates are shown as they come: there is no screen to flicker.
#[derive(Default)]
struct Never;

impl Timeout for Never {
    fn set_timeout(&mut self, _: Duration) {}
    fn clear_timeout(&mut self) {}
    fn pending_timeout(&self) -> bool {
        false
    }
}
