//! A screen written as output: what a blank terminal of the same size must be
//! sent to look and behave the same.

use std::fmt::Write as _;

use alacritty_terminal::event::EventListener;
use alacritty_terminal::grid::{Cursor, Dimensions as _, Grid};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{Term, TermMode};
use alacritty_terminal::vte::ansi::{CharsetIndex, Color, CursorShape, NamedColor, StandardCharset};

/// Draws a terminal; see [`super::screen::Screen::draw`].
pub fn draw<L: EventListener>(term: &mut Term<L>, title: Option<&str>, most: usize) -> Vec<u8> {
    let mode = *term.mode();
    let mut out = String::from("\x1bc");
    if let Some(title) = title {
        let clean: String = title.chars().filter(|c| !c.is_control()).take(256).collect();
        let _ = write!(out, "\x1b]2;{clean}\x07");
    }
    if mode.contains(TermMode::ALT_SCREEN) {
        let alternate = term.grid().clone();
        let keyboard = mode & TermMode::KITTY_KEYBOARD_PROTOCOL;
        term.swap_alt();
        let mut primary = term.grid().clone();
        // Going in again clears the alternate screen and drops what the primary one had saved.
        term.swap_alt();
        *term.grid_mut() = alternate;
        lines(&mut out, &primary, most.saturating_sub(screen_bound(&primary)));
        // The cursor that leaving the alternate screen brings back.
        primary.cursor = primary.saved_cursor.clone();
        cursor(&mut out, &primary, &primary.cursor);
        out.push_str("\x1b[?1049h");
        screen(&mut out, term.grid());
        modes(&mut out, mode, term, keyboard);
    } else {
        lines(&mut out, term.grid(), most);
        modes(&mut out, mode, term, mode & TermMode::KITTY_KEYBOARD_PROTOCOL);
    }
    out.into_bytes()
}

/// More than a screen may take when it is written.
fn screen_bound(grid: &Grid<Cell>) -> usize {
    grid.columns() * grid.screen_lines() * 8
}

/// The screen's lines with as many before as there is room for, each by writing
/// on, so that the older ones come to stand above the screen.
fn lines(out: &mut String, grid: &Grid<Cell>, most: usize) {
    let mut rows = Vec::new();
    let mut size = 0;
    for line in (grid.topmost_line().0..=grid.bottommost_line().0).rev() {
        let mut row = String::new();
        let wraps = write_row(&mut row, grid, Line(line), Column(grid.columns()));
        size += row.len() + 2;
        if line < 0 && size > most {
            break;
        }
        rows.push((row, wraps));
    }
    while let Some((row, wraps)) = rows.pop() {
        out.push_str(&row);
        // Writing on reaches the next line only if something is written there.
        let goes_on = wraps && rows.last().is_some_and(|(next, _)| !next.is_empty());
        if !goes_on && !rows.is_empty() {
            out.push_str("\r\n");
        }
    }
    out.push_str("\x1b[m");
}

/// The screen's lines, each at its place.
fn screen(out: &mut String, grid: &Grid<Cell>) {
    out.push_str("\x1b[m\x1b(B\x1b)B\x1b[2J");
    for line in 0..grid.screen_lines() {
        let mut row = String::new();
        write_row(&mut row, grid, Line(line.cast_signed() as i32), Column(grid.columns()));
        if !row.is_empty() {
            let _ = write!(out, "\x1b[{};1H{row}", line + 1);
        }
    }
    out.push_str("\x1b[m");
}

/// One row up to its last cell that shows; says whether it goes on in the next.
fn write_row(out: &mut String, grid: &Grid<Cell>, line: Line, columns: Column) -> bool {
    let row = &grid[line];
    let wraps = row[columns - 1].flags.contains(Flags::WRAPLINE);
    let shown = |column: &usize| wraps || !is_blank(&row[Column(*column)]);
    let end = (0..columns.0).rev().find(shown).map_or(0, |last| last + 1);
    let goes_on =
        line > grid.topmost_line() && grid[Line(line.0 - 1)][columns - 1].flags.contains(Flags::WRAPLINE);
    let mut pen = Pen::default();
    for column in 0..end {
        let cell = &row[Column(column)];
        if cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
            continue;
        }
        pen.take(out, cell);
        // What a tab leaves behind is its mark; it shows as blank.
        out.push(if cell.c.is_control() { ' ' } else { cell.c });
        out.extend(cell.zerowidth().into_iter().flatten());
        if column == 0 && goes_on && cell.bg != Color::Named(NamedColor::Background) {
            // Writing into a new line has filled it with this ground.
            out.push_str("\x1b[m\x1b[K");
            pen.style = None;
        }
    }
    pen.lay_down(out);
    wraps
}

fn is_blank(cell: &Cell) -> bool {
    matches!(cell.c, ' ' | '\t')
        && cell.bg == Color::Named(NamedColor::Background)
        && !cell
            .flags
            .intersects(Flags::INVERSE | Flags::ALL_UNDERLINES | Flags::STRIKEOUT | Flags::WIDE_CHAR_SPACER)
        && cell.zerowidth().is_none()
}

/// The attributes that were last written.
#[derive(Default)]
struct Pen {
    style: Option<(Color, Color, Flags, Option<Color>)>,
    link: Option<String>,
}

impl Pen {
    fn take(&mut self, out: &mut String, cell: &Cell) {
        let flags = cell.flags - (Flags::WRAPLINE | Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER);
        let style = (cell.fg, cell.bg, flags, cell.underline_color());
        let plain = (
            Color::Named(NamedColor::Foreground),
            Color::Named(NamedColor::Background),
            Flags::empty(),
            None,
        );
        if self.style.unwrap_or(plain) != style {
            attributes(out, style);
            self.style = Some(style);
        }
        let link = cell.hyperlink().map(|link| link.uri().to_owned());
        if link != self.link {
            let _ = write!(out, "\x1b]8;;{}\x1b\\", link.as_deref().unwrap_or_default());
            self.link = link;
        }
    }

    fn lay_down(self, out: &mut String) {
        if self.link.is_some() {
            out.push_str("\x1b]8;;\x1b\\");
        }
        if self.style.is_some() {
            out.push_str("\x1b[m");
        }
    }
}

fn attributes(out: &mut String, (fg, bg, flags, underline): (Color, Color, Flags, Option<Color>)) {
    out.push_str("\x1b[0");
    let codes = [
        (Flags::BOLD, "1"),
        (Flags::DIM, "2"),
        (Flags::ITALIC, "3"),
        (Flags::UNDERLINE, "4"),
        (Flags::DOUBLE_UNDERLINE, "4:2"),
        (Flags::UNDERCURL, "4:3"),
        (Flags::DOTTED_UNDERLINE, "4:4"),
        (Flags::DASHED_UNDERLINE, "4:5"),
        (Flags::INVERSE, "7"),
        (Flags::HIDDEN, "8"),
        (Flags::STRIKEOUT, "9"),
    ];
    for (_, code) in codes.iter().filter(|(flag, _)| flags.contains(*flag)) {
        let _ = write!(out, ";{code}");
    }
    color(out, fg, 30);
    color(out, bg, 40);
    if let Some(underline) = underline {
        color(out, underline, 50);
    }
    out.push('m');
}

/// `base` is 30 for the foreground, 40 for the background, 50 for underlines.
fn color(out: &mut String, color: Color, base: u16) {
    let _ = match color {
        Color::Named(name) if (name as u16) < 8 && base < 50 => write!(out, ";{}", base + name as u16),
        Color::Named(name) if (name as u16) < 16 && base < 50 => write!(out, ";{}", base + 52 + name as u16),
        Color::Named(name) if (name as u16) < 16 => write!(out, ";{};5;{}", base + 8, name as u16),
        Color::Named(_) => Ok(()),
        Color::Indexed(index) => write!(out, ";{};5;{index}", base + 8),
        Color::Spec(rgb) => write!(out, ";{};2;{};{};{}", base + 8, rgb.r, rgb.g, rgb.b),
    };
}

/// Puts the cursor where it is, with the attributes that it writes with.
fn cursor(out: &mut String, grid: &Grid<Cell>, cursor: &Cursor<Cell>) {
    let point = cursor.point;
    // Past the last column stands a cursor that has just written there: also
    // where the next letter will not wrap, an accent belongs to that one.
    if cursor.input_needs_wrap {
        let cell = &grid[point.line][point.column];
        let wide = cell.flags.contains(Flags::WIDE_CHAR_SPACER);
        let column = if wide { point.column - 1 } else { point.column };
        let _ = write!(out, "\x1b[{};{}H", point.line.0 + 1, column.0 + 1);
        let mut pen = Pen::default();
        let cell = &grid[point.line][column];
        pen.take(out, cell);
        out.push(cell.c);
        out.extend(cell.zerowidth().into_iter().flatten());
        pen.lay_down(out);
    } else {
        let _ = write!(out, "\x1b[{};{}H", point.line.0 + 1, point.column.0 + 1);
    }
    let pen = &cursor.template;
    attributes(out, (pen.fg, pen.bg, pen.flags, pen.underline_color()));
    for (index, sign) in [(CharsetIndex::G0, '('), (CharsetIndex::G1, ')')] {
        if cursor.charsets[index] == StandardCharset::SpecialCharacterAndLineDrawing {
            let _ = write!(out, "\x1b{sign}0");
        }
    }
}

fn modes<L: EventListener>(out: &mut String, mode: TermMode, term: &Term<L>, keyboard: TermMode) {
    let grid = term.grid();
    let saved = &grid.saved_cursor;
    if saved.point != Default::default() {
        cursor(out, grid, &Cursor { input_needs_wrap: false, ..saved.clone() });
        out.push_str("\x1b7\x1b[m\x1b(B\x1b)B");
    }
    cursor(out, grid, &grid.cursor);
    let switches = [
        (TermMode::APP_CURSOR, "\x1b[?1h"),
        (TermMode::APP_KEYPAD, "\x1b="),
        (TermMode::MOUSE_REPORT_CLICK, "\x1b[?1000h"),
        (TermMode::MOUSE_DRAG, "\x1b[?1002h"),
        (TermMode::MOUSE_MOTION, "\x1b[?1003h"),
        (TermMode::FOCUS_IN_OUT, "\x1b[?1004h"),
        (TermMode::UTF8_MOUSE, "\x1b[?1005h"),
        (TermMode::SGR_MOUSE, "\x1b[?1006h"),
        (TermMode::BRACKETED_PASTE, "\x1b[?2004h"),
        (TermMode::INSERT, "\x1b[4h"),
        (TermMode::LINE_FEED_NEW_LINE, "\x1b[20h"),
    ];
    for (_, switch) in switches.iter().filter(|(flag, _)| mode.contains(*flag)) {
        out.push_str(switch);
    }
    if !mode.contains(TermMode::LINE_WRAP) {
        out.push_str("\x1b[?7l");
    }
    if !keyboard.is_empty() {
        let bits = keyboard.bits() / TermMode::DISAMBIGUATE_ESC_CODES.bits();
        let _ = write!(out, "\x1b[>{bits}u");
    }
    let style = term.cursor_style();
    let number = match style.shape {
        CursorShape::Underline => 3,
        CursorShape::Beam => 5,
        _ => 1,
    };
    if style != Default::default() {
        let _ = write!(out, "\x1b[{} q", if style.blinking { number } else { number + 1 });
    }
    if !mode.contains(TermMode::SHOW_CURSOR) {
        out.push_str("\x1b[?25l");
    }
}
