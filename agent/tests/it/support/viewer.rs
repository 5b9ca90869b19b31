use std::time::Duration;

use bytes::Bytes;
use domain::ticket::Scope;
use domain::wire::{FromViewer, Grid, Resume, ToViewer};
use futures::{SinkExt as _, StreamExt as _};
use http::header;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::control::ORIGIN;
use super::{Daemon, PATIENCE};

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub type Socket = WebSocketStream<Box<dyn Stream>>;

pub const GRID: Grid = Grid { cols: 80, rows: 24 };

/// What a viewer got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    Welcome {
        terminal: u16,
        epoch: u64,
        offset: u64,
        input_offset: u64,
        window: u32,
    },
    Repaint(Vec<u8>),
    Output {
        offset: u64,
        bytes: Vec<u8>,
    },
    InputAck(u64),
    Exited(i32),
    IdleWarning(u32),
    Pong(u32),
    Size(Grid),
    Closed(u16),
    /// Without a close code.
    Gone,
}

/// A viewer that checks every offset it sees.
pub struct Viewer {
    pub socket: Socket,
    pub name: u64,
    pub epoch: u64,
    /// Offset of the next byte of output.
    pub offset: u64,
    pub input: u64,
    pub acked_input: u64,
    /// All output that was seen, repaints apart.
    pub seen: Vec<u8>,
    pub repaints: Vec<Vec<u8>>,
    /// Output is acknowledged as it comes.
    pub draws: bool,
}

/// Opens a WebSocket over the Unix socket, as the relay does.
pub async fn open(daemon: &Daemon) -> Socket {
    open_over(Box::new(UnixStream::connect(daemon.socket()).await.unwrap()), None).await.unwrap()
}

/// Opens a WebSocket as a page does.
pub async fn open_direct(daemon: &Daemon, origin: Option<&str>) -> Result<Socket, u16> {
    let stream = TcpStream::connect(daemon.tcp).await.unwrap();
    stream.set_nodelay(true).unwrap();
    open_over(Box::new(stream), origin).await
}

async fn open_over(stream: Box<dyn Stream>, origin: Option<&str>) -> Result<Socket, u16> {
    let mut request = "ws://instance/terminal".into_client_request().unwrap();
    if let Some(origin) = origin {
        request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
    }
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

pub async fn send(socket: &mut Socket, frame: &FromViewer<'_>) {
    socket.send(Message::Binary(frame.encode().into())).await.unwrap();
}

pub async fn receive(socket: &mut Socket) -> Got {
    let message = timeout(PATIENCE, socket.next()).await.expect("nothing comes");
    match message {
        Some(Ok(Message::Binary(bytes))) => decode(&bytes),
        Some(Ok(Message::Close(Some(CloseFrame { code, .. })))) => Got::Closed(code.into()),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Box::pin(receive(socket)).await,
        _ => Got::Gone,
    }
}

fn decode(bytes: &Bytes) -> Got {
    match ToViewer::decode(bytes).unwrap() {
        ToViewer::Welcome { terminal, epoch, offset, input_offset, window } => {
            Got::Welcome { terminal, epoch, offset, input_offset, window }
        }
        ToViewer::Repaint { bytes } => Got::Repaint(bytes.to_vec()),
        ToViewer::Output { offset, bytes } => Got::Output { offset, bytes: bytes.to_vec() },
        ToViewer::InputAck { offset } => Got::InputAck(offset),
        ToViewer::Exited { code } => Got::Exited(code),
        ToViewer::IdleWarning { sleeps_in_ms } => Got::IdleWarning(sleeps_in_ms),
        ToViewer::Pong { nonce } => Got::Pong(nonce),
        ToViewer::Size(grid) => Got::Size(grid),
    }
}

impl Viewer {
    /// Opens terminal `terminal` as a new viewer.
    pub async fn new(daemon: &Daemon, name: u64, terminal: u16) -> Self {
        Self::with(open(daemon).await, daemon, name, terminal, None).await
    }

    pub async fn direct(daemon: &Daemon, name: u64, terminal: u16) -> Self {
        let socket = open_direct(daemon, Some(ORIGIN)).await.unwrap();
        Self::with(socket, daemon, name, terminal, None).await
    }

    pub async fn with(
        mut socket: Socket,
        daemon: &Daemon,
        viewer: u64,
        terminal: u16,
        resume: Option<Resume>,
    ) -> Self {
        let ticket = daemon.control.ticket(Scope::Terminal);
        let hello = FromViewer::Hello { viewer, terminal, grid: GRID, resume, ticket: ticket.expose() };
        send(&mut socket, &hello).await;
        let Got::Welcome { epoch, offset, input_offset, window, .. } = receive(&mut socket).await else {
            panic!("no welcome: {}", daemon.output())
        };
        assert_eq!(window, 128 * 1024);
        Self {
            socket,
            name: viewer,
            epoch,
            offset,
            input: input_offset,
            acked_input: input_offset,
            seen: Vec::new(),
            repaints: Vec::new(),
            draws: true,
        }
    }

    /// Comes back after a cut, as the same viewer.
    pub async fn again(self, daemon: &Daemon, terminal: u16) -> Self {
        let resume = Some(Resume { epoch: self.epoch, offset: self.offset });
        drop(self.socket);
        let new = Self::with(open(daemon).await, daemon, self.name, terminal, resume).await;
        Self { seen: self.seen, repaints: self.repaints, draws: self.draws, ..new }
    }

    pub async fn send(&mut self, frame: FromViewer<'_>) {
        send(&mut self.socket, &frame).await;
    }

    pub async fn types(&mut self, text: &str) {
        let offset = self.input;
        self.input += text.len() as u64;
        self.send(FromViewer::Input { offset, bytes: text.as_bytes() }).await;
    }

    /// Takes the next message, and checks that output goes on where it was.
    pub async fn next(&mut self) -> Got {
        let got = receive(&mut self.socket).await;
        match &got {
            Got::Output { offset, bytes } => {
                assert_eq!(*offset, self.offset, "a gap or a double");
                self.offset += bytes.len() as u64;
                self.seen.extend_from_slice(bytes);
                if self.draws {
                    self.send(FromViewer::Ack { offset: self.offset }).await;
                }
            }
            Got::Welcome { offset, .. } => self.offset = *offset,
            Got::Repaint(bytes) => self.repaints.push(bytes.clone()),
            Got::InputAck(offset) => self.acked_input = *offset,
            _ => {}
        }
        got
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Reads on until `text` was seen in the output.
    pub async fn sees(&mut self, text: &str) {
        let mut searched = 0;
        while memchr::memmem::find(&self.seen[searched..], text.as_bytes()).is_none() {
            searched = self.seen.len().saturating_sub(text.len());
            let got = self.next().await;
            assert!(
                !matches!(got, Got::Closed(_) | Got::Gone),
                "{got:?} before {text:?}; seen: {:?}",
                self.text()
            );
        }
    }

    /// Reads what comes within a moment.
    pub async fn listens(&mut self, moment: Duration) {
        let until = tokio::time::Instant::now() + moment;
        while tokio::time::timeout_at(until, self.next()).await.is_ok() {}
    }
}
