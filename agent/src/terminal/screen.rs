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
const HISTORY: usize = 1_000;
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
        let length =
            inner.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':')).unwrap_or(inner.len());
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

#[cfg(test)]
mod tests {
    use super::*;
    use alacritty_terminal::term::cell::Flags;
    use proptest::prelude::*;

    const GRID: Grid = Grid { cols: 20, rows: 6 };

    fn screen(bytes: &[u8]) -> Screen {
        let mut screen = Screen::new(GRID);
        screen.advance(bytes);
        screen
    }

    /// What programs put out: text, and sequences of all kinds that change what
    /// is shown. No wide characters: half of one may be overwritten, and then
    /// terminals do not agree what is left. An accent comes with its letter: the
    /// ink of a blank, which a later accent would show, is not drawn.
    fn piece() -> impl Strategy<Value = String> {
        let n = 0..9_u16;
        prop_oneof![
            8 => "([ a-zñé]|[a-z]\u{301}){0,30}",
            4 => Just("\r\n".to_owned()),
            2 => prop::sample::select(vec!["\r", "\n", "\t", "\x08", "\x1b7", "\x1b8", "\x1bM", "\x1bD", "\x1b(0", "\x1b(B"])
                .prop_map(str::to_owned),
            4 => (n.clone(), prop::sample::select("ABCDGHJKLMPSTX@d".chars().collect::<Vec<_>>()))
                .prop_map(|(n, end)| format!("\x1b[{n}{end}")),
            2 => (n.clone(), n.clone()).prop_map(|(row, column)| format!("\x1b[{row};{column}H")),
            4 => prop::sample::select(vec![
                "0", "1", "2;3", "4", "4:3", "7", "9", "31", "44", "97", "38;5;200", "48;2;1;2;3", "58;5;9", "39;49",
            ]).prop_map(|attributes| format!("\x1b[{attributes}m")),
            2 => (
                prop::sample::select(vec!["?1049", "?25", "?1", "?7", "?2004", "?1000", "?1002", "?1006", "4", "20"]),
                prop::bool::ANY,
            ).prop_map(|(mode, on)| format!("\x1b[{mode}{}", if on { 'h' } else { 'l' })),
            1 => n.prop_map(|n| format!("\x1b]8;;http://{n}\x1b\\link\x1b]8;;\x1b\\")),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_drawn_looks_and_goes_on_like_the_original(
            pieces in prop::collection::vec(piece(), 0..60),
            more in prop::collection::vec(piece(), 0..10),
        ) {
            let mut original = screen(pieces.concat().as_bytes());
            let drawn = original.draw(usize::MAX);
            let mut copy = screen(&drawn);
            prop_assert_eq!(shown(&copy), shown(&original), "{:?}", String::from_utf8_lossy(&drawn));
            prop_assert_eq!(copy.term.mode(), original.term.mode());
            let more = more.concat();
            // What can't be asked of the parser is not drawn: a saved cursor
            // of the other screen, and what a tab stop was set to.
            if !more.contains("\x1b8") && !more.contains("?1049") && !pieces.concat().contains("?1049") {
                original.advance(more.as_bytes());
                copy.advance(more.as_bytes());
                prop_assert_eq!(shown(&copy), shown(&original));
            }
        }

        #[test]
        fn wide_characters_are_drawn_where_they_were(lines in prop::collection::vec("[ a日本👍ñ]{0,50}", 0..12)) {
            let mut original = screen(lines.join("\r\n").as_bytes());
            let copy = screen(&original.draw(usize::MAX));
            prop_assert_eq!(shown(&copy), shown(&original));
        }

        #[test]
        fn a_flood_passed_over_shows_the_same_screen(
            flood in prop::collection::vec("(\x1b\\[3[0-7]m)?[ a-z]{0,30}(\x1b\\[m)?", 60..80),
            after in prop::collection::vec("[ a-zñ]{0,30}", 12..20),
            cut in 0usize..200,
        ) {
            let flood = flood.join("\r\n");
            let after = after.join("\r\n") + "\r\nprompt> ";
            prop_assume!(flood.is_char_boundary(cut));
            prop_assert!(scrolls_away(after.as_bytes(), GRID) && is_plain(flood.as_bytes()));
            let mut skimmed = screen(b"before");
            skimmed.skim(&flood.as_bytes()[..cut]);
            skimmed.skim(&flood.as_bytes()[cut..]);
            skimmed.advance(after.as_bytes());
            let whole = screen(format!("before{flood}{after}").as_bytes());
            prop_assert_eq!(shown(&skimmed), shown(&whole));
        }

        #[test]
        fn no_bytes_and_no_size_panic(bytes: Vec<u8>, cols in 1u16..300, rows in 1u16..300, most in 0usize..5000) {
            let mut screen = screen(&bytes);
            screen.resize(Grid { cols, rows });
            screen.advance(&bytes);
            screen.draw(most);
        }
    }

    /// Everything that can be seen: each cell with its attributes, and the cursor.
    fn shown(screen: &Screen) -> (Vec<String>, String) {
        let grid = screen.term.grid();
        let cells = grid.display_iter().map(|at| {
            let cell = at.cell;
            let line = Flags::INVERSE | Flags::ALL_UNDERLINES | Flags::STRIKEOUT;
            let char = if cell.c == '\t' { ' ' } else { cell.c };
            let blank = char == ' ' && !cell.flags.intersects(line) && cell.zerowidth().is_none();
            // Of a blank only its ground is seen.
            let ink = (!blank).then_some((cell.fg, cell.flags - Flags::WRAPLINE, cell.underline_color()));
            format!("{:?} {char:?} {ink:?} {:?} {:?}", at.point, cell.bg, cell.zerowidth())
        });
        let cursor = &grid.cursor;
        let cursor = format!("{:?} {:?} {:?}", cursor.point, cursor.template.fg, cursor.template.flags);
        (cells.collect(), cursor)
    }

    #[test]
    fn a_drawing_is_bounded_and_keeps_the_newest_lines() {
        let mut screen = screen((0..5_000).map(|n| format!("line {n}\r\n")).collect::<String>().as_bytes());
        let drawn = String::from_utf8(screen.draw(2_000)).unwrap();
        assert!(
            drawn.len() < 2_200 && drawn.contains("line 4999\r\n") && drawn.contains("line 4900\r\n"),
            "{drawn}"
        );
    }
}
