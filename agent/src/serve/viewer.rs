//! One viewer's WebSocket.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use domain::wire::{FromViewer, Grid, HELLO_MAX, Malformed, Resume, ToViewer, VIEWER_FRAME_MAX, close};
use futures::{Sink as _, Stream as _, StreamExt as _};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{Instance, Peer, Stream};
use crate::gate::Guest;
use crate::save::Stage;
use crate::terminal::{Next, Part, Terminal, WAITING};

/// How long a connection may take to say who it is.
const HELLO: Duration = Duration::from_secs(2);
/// An acknowledgement of input waits so long for output to travel with.
const INPUT_ACK: Duration = Duration::from_millis(10);
/// A viewer that is silent for so long is asked whether it is there; after
/// twice that it is not.
const SILENCE: Duration = Duration::from_secs(45);
/// The terminal that its owner lets somebody look into: their first.
const SHOWN: u16 = 0;
/// How long the other side may take to take the close code.
const PARTING: Duration = Duration::from_secs(2);

/// The most that a viewer who reads nothing is owed, in bytes; then it is gone.
const OWED: usize = 1024 * 1024;

type Socket = WebSocketStream<Stream>;

/// Why a connection ends.
struct End {
    code: u16,
    reason: &'static str,
}

/// A connection that is gone gets no close code.
const GONE: End = End { code: 0, reason: "" };

const ASLEEP: End = end(close::STOPPING, "the agent is going to sleep");

const SHOWN_OUT: End = end(close::REFUSED, "the right to be here has ended");

const fn end(code: u16, reason: &'static str) -> End {
    End { code, reason }
}

impl From<Malformed> for End {
    fn from(_: Malformed) -> Self {
        end(close::MALFORMED, "that is no frame for here and now")
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => {
                end(close::TOO_LARGE, "that frame is too large")
            }
            Error::Protocol(_) | Error::Utf8(_) => end(close::MALFORMED, "that is no WebSocket"),
            _ => GONE,
        }
    }
}

/// Serves one viewer from its first message to its going.
pub async fn view(instance: &Instance, peer: &Peer, stream: Stream, read: Bytes) {
    let config = WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(64 * 1024)
        .max_write_buffer_size(OWED)
        .max_message_size(Some(VIEWER_FRAME_MAX))
        .max_frame_size(Some(VIEWER_FRAME_MAX));
    let mut socket =
        WebSocketStream::from_partially_read(stream, read.into(), Role::Server, Some(config)).await;
    let Err(end) = welcome_and_serve(instance, peer, &mut socket).await;
    if end.code != GONE.code {
        let frame = CloseFrame { code: CloseCode::from(end.code), reason: end.reason.into() };
        let parting = async {
            socket.close(Some(frame)).await?;
            // The other side's answer, so that the code is not lost in a reset.
            while socket.next().await.transpose()?.is_some() {}
            Ok::<_, Error>(())
        };
        let _ = timeout(PARTING, parting).await;
    }
}

async fn welcome_and_serve(instance: &Instance, peer: &Peer, socket: &mut Socket) -> Result<Infallible, End> {
    let hello = timeout(HELLO, hello(instance, socket));
    let hello = hello.await.map_err(|_| end(close::TIMEOUT, "no first message in time"))??;
    if hello.guest.looks && !peer.by_relay() {
        // Where it could not be cut off.
        return Err(end(close::REFUSED, "the ticket was refused"));
    }
    let stage = instance.saver.stage();
    if *stage.borrow() != Stage::Serving {
        return Err(ASLEEP);
    }
    let terminal = if hello.guest.looks {
        let there = instance.terminals.get(hello.terminal).filter(|_| hello.terminal == SHOWN);
        there.ok_or(end(close::NO_TERMINAL, "there is no such terminal"))?
    } else {
        instance.terminals.open(hello.terminal, hello.grid).map_err(|error| {
            tracing::warn!(%error, "a terminal was refused");
            end(close::NO_TERMINAL, "no room for another terminal")
        })?
    };
    let part = if hello.guest.looks { Part::Looks } else { Part::Uses };
    if part == Part::Uses {
        terminal.resize(hello.grid);
    }
    let attached = terminal.attach(hello.viewer, part, hello.resume);
    let here = Here { terminal: &terminal, slot: attached.slot };
    let mut viewer = Viewer {
        instance,
        socket,
        terminal: &terminal,
        slot: here.slot,
        name: hello.viewer,
        guest: hello.guest,
        shown: None,
        wake: attached.wake,
        stage,
        sleeps_at: instance.usage.sleeps_at(),
        warned: false,
        dirty: false,
        given: terminal.given(hello.viewer),
        given_since: None,
        heard: Instant::now(),
        asked: false,
    };
    let mut frames = attached.frames.into_iter();
    if let Some(welcome) = frames.next() {
        viewer.send(welcome)?;
    }
    viewer.show_size()?;
    for frame in frames {
        viewer.send(frame)?;
    }
    viewer.serve().await
}

/// What is kept of a `Hello`.
struct Hello {
    viewer: u64,
    terminal: u16,
    grid: Grid,
    resume: Option<Resume>,
    guest: Guest,
}

/// The first message, its ticket checked before anything is made for it.
async fn hello(instance: &Instance, socket: &mut Socket) -> Result<Hello, End> {
    loop {
        match socket.next().await.ok_or(GONE)?? {
            Message::Binary(bytes) if bytes.len() > HELLO_MAX => {
                return Err(end(close::TOO_LARGE, "that first message is too large"));
            }
            Message::Binary(bytes) => {
                let FromViewer::Hello { viewer, terminal, grid, resume, ticket } =
                    FromViewer::decode(&bytes)?
                else {
                    return Err(Malformed::Kind.into());
                };
                return match instance.gate.admit_viewer(ticket) {
                    Ok(guest) => Ok(Hello { viewer, terminal, grid, resume, guest }),
                    Err(refused) => {
                        tracing::info!(%refused, "a viewer was refused");
                        Err(end(close::REFUSED, "the ticket was refused"))
                    }
                };
            }
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Text(_) | Message::Frame(_) => return Err(Malformed::Kind.into()),
            Message::Close(_) => return Err(GONE),
        }
    }
}

/// Takes the viewer out of its terminal, however its connection ends.
struct Here<'a> {
    terminal: &'a Terminal,
    slot: u64,
}

impl Drop for Here<'_> {
    fn drop(&mut self) {
        self.terminal.detach(self.slot);
    }
}

struct Viewer<'a> {
    instance: &'a Instance,
    socket: &'a mut Socket,
    terminal: &'a Terminal,
    slot: u64,
    name: u64,
    guest: Guest,
    /// The terminal's size that one who looks was told.
    shown: Option<Grid>,
    wake: Arc<Notify>,
    stage: watch::Receiver<Stage>,
    sleeps_at: watch::Receiver<Option<Instant>>,
    /// It was told that the agent will sleep.
    warned: bool,
    /// Something was given to the socket and not flushed.
    dirty: bool,
    /// Input that was acknowledged, in bytes.
    given: u64,
    /// Since when there is more to acknowledge.
    given_since: Option<Instant>,
    heard: Instant,
    asked: bool,
}

/// What the socket did.
enum Step {
    Message(Message),
    Flushed,
}

impl Viewer<'_> {
    async fn serve(mut self) -> Result<Infallible, End> {
        self.sleeps_at.mark_changed();
        // One timer for all: a new one for each key would wake the runtime's
        // driver each time.
        let mut tick = pin!(sleep_until(self.heard + SILENCE));
        let mut out = pin!(self.instance.gate.until_out(self.guest.holder));
        loop {
            if !self.dirty {
                self.feed()?;
            }
            let reads = self.terminal.waiting() < WAITING;
            if let Some(ack_at) = self.given_since.map(|since| since + INPUT_ACK)
                && ack_at < tick.deadline()
            {
                tick.as_mut().reset(ack_at);
            }
            tokio::select! {
                biased;
                step = step(self.socket, self.dirty, reads) => match step? {
                    Step::Flushed => self.dirty = false,
                    Step::Message(message) => self.take(message)?,
                },
                () = self.wake.notified() => {}
                () = no_longer_served(&mut self.stage) => return Err(ASLEEP),
                () = &mut out => return Err(SHOWN_OUT),
                Ok(()) = self.sleeps_at.changed() => self.warn()?,
                () = &mut tick => {
                    let next = self.tick()?;
                    tick.as_mut().reset(next);
                }
            }
        }
    }

    /// Does what is due by the clock, and says when to look again.
    fn tick(&mut self) -> Result<Instant, End> {
        let now = Instant::now();
        if self.given_since.is_some_and(|since| now >= since + INPUT_ACK) {
            self.ack_input()?;
        }
        if now >= self.heard + SILENCE {
            if self.asked {
                return Err(GONE);
            }
            (self.asked, self.heard) = (true, now);
            self.put(Message::Ping(Bytes::new()))?;
        }
        Ok(self.heard + SILENCE)
    }

    /// Gives the socket what there is for it; only when it has sent the last.
    fn feed(&mut self) -> Result<(), End> {
        self.show_size()?;
        let more = self.terminal.given(self.name) > self.given;
        match self.terminal.next(self.slot) {
            Next::Frames(frames) => {
                if more {
                    self.ack_input()?;
                }
                frames.into_iter().try_for_each(|frame| self.send(frame))
            }
            Next::Exited(code) => {
                self.send(ToViewer::Exited { code }.encode())?;
                Err(end(CloseCode::Normal.into(), "the shell has ended"))
            }
            Next::Replaced => Err(GONE),
            Next::Nothing => {
                if more {
                    self.given_since.get_or_insert_with(Instant::now);
                }
                Ok(())
            }
        }
    }

    /// Tells one who looks how large the terminal is: they set no size.
    fn show_size(&mut self) -> Result<(), End> {
        if !self.guest.looks {
            return Ok(());
        }
        let size = self.terminal.grid();
        if self.shown.replace(size) == Some(size) {
            return Ok(());
        }
        self.send(ToViewer::Size(size).encode())
    }

    fn take(&mut self, message: Message) -> Result<(), End> {
        (self.heard, self.asked) = (Instant::now(), false);
        let bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Text(_) | Message::Frame(_) => return Err(Malformed::Kind.into()),
            Message::Close(_) => return Err(GONE),
        };
        match FromViewer::decode(&bytes)? {
            FromViewer::Input { .. } | FromViewer::Resize(_) | FromViewer::Gesture if self.guest.looks => {}
            FromViewer::Hello { .. } => return Err(Malformed::Kind.into()),
            FromViewer::Input { offset, bytes } => {
                self.terminal.input(self.name, offset, bytes)?;
                if !bytes.is_empty() {
                    self.instance.usage.used();
                }
            }
            FromViewer::Ack { offset } => self.terminal.ack(self.slot, offset)?,
            FromViewer::Resize(grid) => self.terminal.resize(grid),
            FromViewer::Gesture => self.instance.usage.used(),
            FromViewer::Ping { nonce } => self.send(ToViewer::Pong { nonce }.encode())?,
        }
        Ok(())
    }

    fn ack_input(&mut self) -> Result<(), End> {
        (self.given, self.given_since) = (self.terminal.given(self.name), None);
        self.send(ToViewer::InputAck { offset: self.given }.encode())
    }

    fn warn(&mut self) -> Result<(), End> {
        let at = *self.sleeps_at.borrow_and_update();
        if at.is_none() && !self.warned {
            return Ok(());
        }
        self.warned = at.is_some();
        let left = at.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()));
        // 0 takes the warning back, and this one is none.
        let left = u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(u32::from(self.warned));
        self.send(ToViewer::IdleWarning { sleeps_in_ms: left }.encode())
    }

    fn send(&mut self, frame: Vec<u8>) -> Result<(), End> {
        self.put(Message::Binary(frame.into()))
    }

    fn put(&mut self, message: Message) -> Result<(), End> {
        self.dirty = true;
        Ok(Pin::new(&mut *self.socket).start_send(message)?)
    }
}

async fn no_longer_served(stage: &mut watch::Receiver<Stage>) {
    // Its sender lives as long as the instance.
    let _ = stage.wait_for(|stage| *stage != Stage::Serving).await;
}

/// Waits for the next message, and meanwhile sends what was given.
async fn step(socket: &mut Socket, flushes: bool, reads: bool) -> Result<Step, Error> {
    poll_fn(|cx| {
        if reads && let Poll::Ready(message) = Pin::new(&mut *socket).poll_next(cx) {
            return Poll::Ready(message.unwrap_or(Err(Error::ConnectionClosed)).map(Step::Message));
        }
        if flushes && let Poll::Ready(flushed) = Pin::new(&mut *socket).poll_flush(cx) {
            return Poll::Ready(flushed.map(|()| Step::Flushed));
        }
        Poll::Pending
    })
    .await
}
