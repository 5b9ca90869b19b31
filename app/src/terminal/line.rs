//! A terminal's line: it connects, resumes where it was cut off, and keeps
//! count of what was drawn and typed.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use domain::id::AgentId;
use domain::wire::{FromViewer, Grid, Resume, ToViewer, close};
use js_sys::Uint8Array;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use xterm_js_rs::{Size, Terminal};

use super::Way;
use super::backoff;
use super::input::Input;
use super::link::Link;
use super::socket::Socket;
use crate::api;
use crate::browser;
use crate::error::{AppError, ErrorCode};

/// Drawn output is acknowledged at once after so many bytes …
const ACK_BYTES: u64 = 32 * 1024;
/// … or after so long.
const ACK_DELAY: Duration = Duration::from_millis(20);
/// Output that a hidden page takes in before it is drawn. Its timers, on which
/// drawing depends, hardly run.
const UNDRAWN: u64 = 8 * 1024 * 1024;
/// Typed bytes in one frame.
const INPUT_FRAME: usize = 32 * 1024;
/// Gestures are told no more often than this, in milliseconds.
const GESTURES: f64 = 5_000.0;
/// A line that is silent for so long is asked, then taken for cut.
const SILENCE: Duration = Duration::from_secs(20);
/// An instance that is going to sleep is not asked again before this.
const STOPPING: Duration = Duration::from_secs(5);
/// Tickets that may be refused in a row before the person is told.
const REFUSALS: u32 = 4;

/// Moves what is on the screen up out of it, and leaves no mode of the program
/// that wrote it: the other screen, the mouse, pasting in brackets, reports of focus.
fn leave_above(rows: u16, cursor_row: u32) -> Vec<u8> {
    let modes = "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[!p";
    let used = usize::try_from(cursor_row).unwrap_or_default() + 1;
    [modes, &format!("\x1b[{rows};1H"), &"\r\n".repeat(used.min(rows.into()))].concat().into_bytes()
}

/// A terminal's line. Dropping it closes it.
pub struct Line {
    agent: AgentId,
    way: Way,
    number: u16,
    /// Names this viewer to the instance: input is counted by it.
    viewer: u64,
    screen: Terminal,
    link: RwSignal<Link>,
    me: Weak<Self>,
    socket: RefCell<Option<Socket>>,
    /// Bytes of output that came, and in which life of the terminal.
    came: Cell<Option<Resume>>,
    /// Counts repaints: what was written before one is not acknowledged after.
    life: Cell<u32>,
    drawn: Cell<u64>,
    acked: Cell<u64>,
    input: RefCell<Input>,
    attempt: Cell<u32>,
    refusals: Cell<u32>,
    /// An instance's own port that did not answer is not tried again.
    relayed: Cell<bool>,
    opened_at: Cell<f64>,
    heard_at: Cell<f64>,
    asked_at: Cell<f64>,
    gesture_at: Cell<f64>,
    timers: RefCell<Timers>,
    /// Counts connections: what an old one still tells is not heard.
    connection: Cell<u32>,
}

#[derive(Default)]
struct Timers {
    retry: Option<TimeoutHandle>,
    ack: Option<TimeoutHandle>,
    watch: Option<TimeoutHandle>,
}

fn after(slot: &mut Option<TimeoutHandle>, delay: Duration, work: impl FnOnce() + 'static) {
    clear(slot);
    *slot = set_timeout_with_handle(work, delay).ok();
}

fn clear(slot: &mut Option<TimeoutHandle>) {
    if let Some(handle) = slot.take() {
        handle.clear();
    }
}

impl Line {
    /// A line for `screen`, not connected yet.
    pub fn new(agent: AgentId, way: Way, number: u16, screen: Terminal, link: RwSignal<Link>) -> Rc<Self> {
        Rc::new_cyclic(|me| Self {
            agent,
            way,
            number,
            viewer: browser::random(),
            screen,
            link,
            me: me.clone(),
            socket: RefCell::default(),
            came: Cell::default(),
            life: Cell::default(),
            drawn: Cell::default(),
            acked: Cell::default(),
            input: RefCell::default(),
            attempt: Cell::new(0),
            refusals: Cell::new(0),
            relayed: Cell::new(false),
            opened_at: Cell::new(f64::INFINITY),
            heard_at: Cell::default(),
            asked_at: Cell::new(f64::NEG_INFINITY),
            gesture_at: Cell::new(f64::NEG_INFINITY),
            timers: RefCell::default(),
            connection: Cell::new(0),
        })
    }

    pub fn screen(&self) -> &Terminal {
        &self.screen
    }

    /// Connects, now. It never wakes the agent.
    pub fn connect(&self) {
        clear(&mut self.timers.borrow_mut().retry);
        self.socket.replace(None);
        let attempt = self.attempt.get();
        self.show(if attempt == 0 { Link::Connecting } else { Link::Trying { attempt } });
        let this = self.renewed();
        let (agent, way, me) = (self.agent, self.way, self.me.clone());
        spawn_local(async move {
            let ticket = match way {
                Way::Own => api::connect_terminal(agent).await,
                Way::Look => api::connect_to_look(agent).await,
            };
            if let Some(line) = me.upgrade().filter(|line| line.connection.get() == this) {
                match ticket {
                    Ok(connection) => line.open(connection),
                    Err(AppError { code: ErrorCode::Unauthenticated, .. }) => line.show(Link::Refused),
                    Err(_) => line.retry(),
                }
            }
        });
    }

    /// Connects at once if it waits for that.
    pub fn hurry(&self) {
        if matches!(self.link.try_get_untracked(), Some(Link::Cut { .. })) {
            self.connect();
        }
    }

    /// Another life for a terminal whose program ended.
    pub fn renew(&self) {
        self.came.set(None);
        // What ended the last one must not end the next.
        self.input.replace(Input::default());
        self.attempt.set(0);
        self.connect();
    }

    fn show(&self, link: Link) {
        self.link.try_set(link);
    }

    /// Starts another connection's count.
    fn renewed(&self) -> u32 {
        let next = self.connection.get().wrapping_add(1);
        self.connection.set(next);
        next
    }

    fn open(&self, connection: api::Connection) {
        let reached = |url: &String| url.starts_with("wss:") || browser::is_at_loopback();
        let direct = connection.direct.filter(|url| !self.relayed.get() && reached(url));
        let is_direct = direct.is_some();
        let url = direct.unwrap_or_else(|| browser::socket_url(&connection.relay));
        let this = self.renewed();
        let heard = move |me: &Weak<Self>| me.upgrade().filter(|line| line.connection.get() == this);
        let (opened, message, closed) = (self.me.clone(), self.me.clone(), self.me.clone());
        let ticket = connection.ticket;
        let socket = Socket::open(
            &url,
            move || {
                if let Some(line) = heard(&opened) {
                    line.hello(&ticket);
                }
            },
            move |bytes| {
                if let Some(line) = heard(&message) {
                    line.take(&bytes);
                }
            },
            move |code| {
                if let Some(line) = heard(&closed) {
                    line.closed(code, is_direct);
                }
            },
        );
        match socket {
            Some(socket) => drop(self.socket.replace(Some(socket))),
            None => self.retry(),
        }
    }

    fn hello(&self, ticket: &str) {
        let hello = FromViewer::Hello {
            viewer: self.viewer,
            terminal: self.number,
            grid: self.grid(),
            resume: self.came.get(),
            ticket,
        };
        self.send(&hello);
    }

    fn grid(&self) -> Grid {
        let size = self.screen.size();
        let bounded = |cells: u32| u16::try_from(cells).unwrap_or(u16::MAX).clamp(1, domain::wire::GRID_MAX);
        Grid { cols: bounded(size.cols), rows: bounded(size.rows) }
    }

    fn send(&self, frame: &FromViewer<'_>) {
        if let Some(socket) = &*self.socket.borrow() {
            socket.send(&frame.encode());
        }
    }

    fn take(&self, bytes: &Uint8Array) {
        self.heard_at.set(browser::now());
        let frame = bytes.to_vec();
        match ToViewer::decode(&frame) {
            Ok(ToViewer::Welcome { epoch, offset, input_offset, .. }) => {
                self.welcome(epoch, offset, input_offset)
            }
            Ok(ToViewer::Repaint { bytes }) => self.screen.write(bytes, || ()),
            Ok(ToViewer::Output { offset, bytes }) => self.output(offset, bytes),
            Ok(ToViewer::InputAck { offset }) => self.input.borrow_mut().arrived(offset),
            Ok(ToViewer::Exited { code }) => {
                self.cut();
                self.show(Link::Ended { code });
            }
            // The page hears of both by its feed.
            Ok(ToViewer::IdleWarning { .. } | ToViewer::Pong { .. }) => {}
            Ok(ToViewer::Size(Grid { cols, rows })) => {
                self.screen.resize(Size { cols: cols.into(), rows: rows.into() });
            }
            Err(_) => self.retry(),
        }
    }

    fn welcome(&self, epoch: u64, offset: u64, input_offset: u64) {
        let before = self.came.get();
        if before != Some(Resume { epoch, offset }) {
            // Not where it was cut off: what follows is drawn on a clean screen.
            self.life.set(self.life.get().wrapping_add(1));
            match before {
                // Another run of the agent: what was on the screen is above.
                Some(before) if before.epoch != epoch => {
                    self.screen.write(&leave_above(self.grid().rows, self.screen.cursor_row()), || ());
                }
                Some(_) => self.screen.reset(),
                None => {}
            }
        }
        self.came.set(Some(Resume { epoch, offset }));
        self.drawn.set(offset);
        self.acked.set(offset);
        {
            let mut input = self.input.borrow_mut();
            if before.is_some_and(|before| before.epoch != epoch) {
                *input = Input::default();
            }
            input.resume(input_offset);
            let (offset, waiting) = input.waiting();
            self.send_input(offset, waiting);
        }
        self.refusals.set(0);
        self.opened_at.set(browser::now());
        self.show(Link::Connected);
        self.watch();
    }

    fn output(&self, offset: u64, bytes: &[u8]) {
        let Some(came) = self.came.get().filter(|came| came.offset == offset) else {
            // A gap: the next connection asks for what is missing.
            return self.retry();
        };
        let end = offset + bytes.len() as u64;
        self.came.set(Some(Resume { offset: end, ..came }));
        let (me, life) = (self.me.clone(), self.life.get());
        self.screen.write(bytes, move || {
            if let Some(line) = me.upgrade().filter(|line| line.life.get() == life) {
                line.drew(end);
            }
        });
        if browser::is_hidden() && end.saturating_sub(self.drawn.get()) <= UNDRAWN {
            self.acknowledge(end);
        }
    }

    fn drew(&self, end: u64) {
        self.drawn.set(self.drawn.get().max(end));
        let owed = self.drawn.get().saturating_sub(self.acked.get());
        if owed >= ACK_BYTES {
            self.acknowledge(self.drawn.get());
        } else if owed > 0 && self.timers.borrow().ack.is_none() {
            let me = self.me.clone();
            after(&mut self.timers.borrow_mut().ack, ACK_DELAY, move || {
                if let Some(line) = me.upgrade() {
                    line.acknowledge(line.drawn.get());
                }
            });
        }
    }

    fn acknowledge(&self, offset: u64) {
        clear(&mut self.timers.borrow_mut().ack);
        if offset > self.acked.get() {
            self.acked.set(offset);
            self.send(&FromViewer::Ack { offset });
        }
    }

    /// What the person typed.
    pub fn typed(&self, bytes: &[u8]) {
        if self.way == Way::Look {
            return;
        }
        let place = self.input.borrow_mut().typed(bytes);
        if let Some(place) = place
            && self.link.try_get_untracked() == Some(Link::Connected)
        {
            self.send_input(place.start, bytes);
        }
    }

    fn send_input(&self, offset: u64, bytes: &[u8]) {
        let mut offset = offset;
        for chunk in bytes.chunks(INPUT_FRAME) {
            self.send(&FromViewer::Input { offset, bytes: chunk });
            offset += chunk.len() as u64;
        }
    }

    /// Gives the screen the size of its place; one that looks has the terminal's.
    pub fn fit(&self) {
        if self.way == Way::Own {
            self.screen.fit();
        }
    }

    /// The screen has another size.
    pub fn resized(&self) {
        if self.way == Way::Own && self.link.try_get_untracked() == Some(Link::Connected) {
            self.send(&FromViewer::Resize(self.grid()));
        }
    }

    /// The person did something that types nothing.
    pub fn gesture(&self) {
        let now = browser::now();
        if self.way == Way::Own && now - self.gesture_at.get() >= GESTURES {
            self.gesture_at.set(now);
            self.send(&FromViewer::Gesture);
        }
    }

    /// The selection changed. That it went says nothing of the person: it goes
    /// by itself when the screen's size changes.
    pub fn selected(&self) {
        if self.screen.has_selection() {
            self.gesture();
        }
    }

    /// Asks a line whether it is there; one that did not answer the last time
    /// is cut. Not by the clock: a hidden page's timers run late.
    fn watch(&self) {
        let me = self.me.clone();
        after(&mut self.timers.borrow_mut().watch, SILENCE, move || {
            let Some(line) = me.upgrade() else { return };
            if line.asked_at.get() > line.heard_at.get() {
                line.retry();
            } else {
                line.asked_at.set(browser::now());
                line.send(&FromViewer::Ping { nonce: line.connection.get() });
                line.watch();
            }
        });
    }

    fn closed(&self, code: u16, direct: bool) {
        if direct && self.opened_at.get().is_infinite() {
            self.relayed.set(true);
        }
        match code {
            close::NO_TERMINAL => return self.refuse(),
            // It goes to sleep: the page hears so in a moment, and takes this away.
            close::STOPPING => return self.retry_after(STOPPING),
            close::REFUSED => {
                self.refusals.set(self.refusals.get() + 1);
                if self.refusals.get() >= REFUSALS {
                    return self.refuse();
                }
            }
            _ => {}
        }
        self.retry();
    }

    fn refuse(&self) {
        self.cut();
        self.show(Link::Refused);
    }

    /// Lets go of the connection; nothing of it is heard or awaited any more.
    fn cut(&self) {
        self.renewed();
        self.socket.replace(None);
        let mut timers = self.timers.borrow_mut();
        clear(&mut timers.watch);
        clear(&mut timers.ack);
    }

    fn retry(&self) {
        self.retry_after(Duration::ZERO);
    }

    fn retry_after(&self, least: Duration) {
        self.cut();
        let held = browser::now() - self.opened_at.replace(f64::INFINITY);
        if held >= backoff::HELD.as_secs_f64() * 1000.0 {
            self.attempt.set(0);
        }
        let attempt = self.attempt.get().saturating_add(1);
        self.attempt.set(attempt);
        let pause = least + backoff::pause(attempt, browser::is_hidden(), browser::random());
        self.show(Link::Cut { attempt, at: browser::now() + pause.as_secs_f64() * 1000.0 });
        let me = self.me.clone();
        after(&mut self.timers.borrow_mut().retry, pause, move || {
            if let Some(line) = me.upgrade() {
                line.connect();
            }
        });
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let timers = self.timers.get_mut();
        for slot in [&mut timers.retry, &mut timers.ack, &mut timers.watch] {
            clear(slot);
        }
    }
}
