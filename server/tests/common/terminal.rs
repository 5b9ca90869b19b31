//! A viewer of a terminal, as the browser's is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::wire::{FromViewer, Grid, Resume, ToViewer};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::{PATIENCE, Person};

const GRID: Grid = Grid { cols: 80, rows: 24 };

/// A page load each: the same viewer that comes twice takes its own place over.
static NEXT_VIEWER: AtomicU64 = AtomicU64::new(100);

pub struct Terminal {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub epoch: u64,
    /// Offset of the next byte of output.
    pub offset: u64,
    input: u64,
    /// All that was drawn.
    pub screen: String,
    /// The close code, once closed.
    pub closed: Option<u16>,
}

/// A ticket for the person's agent.
pub async fn ticket(who: &Person, id: &str) -> String {
    let reply = who.act(id, "tickets").await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["ticket"].as_str().unwrap().to_owned()
}

/// Opens the relay's WebSocket; the HTTP status when it is refused.
pub async fn open(
    who: &Person,
    id: &str,
    origin: &str,
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, u16> {
    open_at(who, &format!("ws://127.0.0.1:{}/agents/{id}/terminal", who.browser.port), origin).await
}

/// The same at any address.
async fn open_at(
    who: &Person,
    url: &str,
    origin: &str,
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, u16> {
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("cookie", who.cookie.parse().unwrap());
    request.headers_mut().insert("origin", origin.parse().unwrap());
    // Without Nagle's delay, as browsers connect.
    match connect_async_with_config(request, None, true).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

impl Terminal {
    pub async fn connect(who: &Person, id: &str) -> Self {
        let viewer = NEXT_VIEWER.fetch_add(1, Ordering::Relaxed);
        Self::resume(who, id, viewer, None).await
    }

    pub async fn resume(who: &Person, id: &str, viewer: u64, resume: Option<Resume>) -> Self {
        let origin = format!("http://127.0.0.1:{}", who.browser.port);
        let ticket = ticket(who, id).await;
        let socket = open(who, id, &origin).await.unwrap();
        let mut terminal =
            Self { socket, epoch: 0, offset: 0, input: 0, screen: String::new(), closed: None };
        terminal.hello(viewer, resume, &ticket).await;
        while terminal.epoch == 0 {
            terminal.turn().await;
            assert_eq!(terminal.closed, None);
        }
        terminal
    }

    /// A terminal by a ticket, at the address that goes with it.
    pub async fn at(who: &Person, url: &str, ticket: &str) -> Self {
        let mut terminal = Self::at_once(who, url, ticket).await;
        while terminal.epoch == 0 {
            terminal.turn().await;
            assert_eq!(terminal.closed, None);
        }
        terminal
    }

    /// The same, whatever is answered.
    pub async fn at_once(who: &Person, url: &str, ticket: &str) -> Self {
        let origin = format!("http://127.0.0.1:{}", who.browser.port);
        let socket = open_at(who, url, &origin).await.unwrap();
        let mut terminal =
            Self { socket, epoch: 0, offset: 0, input: 0, screen: String::new(), closed: None };
        terminal.hello(NEXT_VIEWER.fetch_add(1, Ordering::Relaxed), None, ticket).await;
        terminal
    }

    /// Sends a first message and nothing else.
    pub async fn with_ticket(who: &Person, id: &str, ticket: &str) -> Self {
        let origin = format!("http://127.0.0.1:{}", who.browser.port);
        let socket = open(who, id, &origin).await.unwrap();
        let mut terminal =
            Self { socket, epoch: 0, offset: 0, input: 0, screen: String::new(), closed: None };
        terminal.hello(9, None, ticket).await;
        terminal
    }

    async fn hello(&mut self, viewer: u64, resume: Option<Resume>, ticket: &str) {
        self.send(&FromViewer::Hello { viewer, terminal: 0, grid: GRID, resume, ticket }).await;
    }

    pub async fn send(&mut self, frame: &FromViewer<'_>) {
        let _ = self.socket.send(Message::binary(frame.encode())).await;
    }

    pub async fn raw(&mut self, bytes: Vec<u8>) {
        let _ = self.socket.send(Message::binary(bytes)).await;
    }

    pub async fn kind(&mut self, text: &str) {
        let offset = self.input;
        self.input += text.len() as u64;
        self.send(&FromViewer::Input { offset, bytes: text.as_bytes() }).await;
    }

    /// Takes one frame.
    pub async fn turn(&mut self) {
        let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a frame in time");
        let bytes = match message {
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Close(frame))) => {
                self.closed = Some(frame.map_or(1005, |frame| frame.code.into()));
                return;
            }
            Some(Ok(_)) => return,
            Some(Err(_)) | None => {
                self.closed.get_or_insert(1006);
                return;
            }
        };
        match ToViewer::decode(&bytes).unwrap() {
            ToViewer::Welcome { epoch, offset, input_offset, .. } => {
                (self.epoch, self.offset, self.input) = (epoch, offset, input_offset);
            }
            ToViewer::Repaint { bytes } => self.screen.push_str(&String::from_utf8_lossy(bytes)),
            ToViewer::Output { offset, bytes } => {
                assert_eq!(offset, self.offset, "no gap, no double");
                self.offset += bytes.len() as u64;
                self.screen.push_str(&String::from_utf8_lossy(bytes));
                let offset = self.offset;
                self.send(&FromViewer::Ack { offset }).await;
            }
            _ => {}
        }
    }

    /// Runs a command and waits for `wanted` to be drawn after it.
    pub async fn run(&mut self, command: &str, wanted: &str) {
        self.screen.clear();
        self.kind(&format!("{command}\r")).await;
        self.until(wanted).await;
    }

    pub async fn until(&mut self, wanted: &str) {
        while !self.screen.contains(wanted) {
            assert_eq!(self.closed, None, "closed before {wanted:?}: {}", self.screen);
            self.turn().await;
        }
    }

    /// The close code with which the other side ends it.
    pub async fn close_code(mut self) -> u16 {
        let closing = async {
            while self.closed.is_none() {
                self.turn().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), closing).await.expect("it closes");
        self.closed.unwrap()
    }
}

/// An SSE stream's lines as they come.
pub async fn sse_events(who: &Person, id: &str, last: Option<u64>, count: usize) -> Vec<(u64, Value)> {
    use http_body_util::BodyExt as _;
    let mut api = who.api.clone();
    if let Some(last) = last {
        api = api.with("last-event-id", &last.to_string());
    }
    let path = format!("/api/v1/agents/{id}/events");
    let (response, connection) = api.open("GET", &path, Vec::new().into()).await;
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    let (mut text, mut events) = (String::new(), Vec::new());
    while events.len() < count {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await.expect("an event in time");
        text.push_str(&String::from_utf8_lossy(frame.unwrap().unwrap().data_ref().unwrap()));
        while let Some((event, rest)) = text.split_once("\n\n") {
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name).map(str::trim));
            if let (Some(seq), Some(data)) = (field("id:"), field("data:")) {
                events.push((seq.parse().unwrap(), serde_json::from_str(data).unwrap()));
            }
            text = rest.to_owned();
        }
    }
    connection.abort();
    events
}
