//! HTTP over the control plane's Unix socket, with a bounded patience for its
//! restarts.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, SizeHint};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout_at};

/// How long one request may take, all its tries together.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Between tries: the first pause, doubled up to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// Connections kept open for the next request.
const KEPT: usize = 4;

/// Speaks HTTP with the control plane.
pub struct Client {
    socket: PathBuf,
    idle: Mutex<Vec<SendRequest<Parts>>>,
}

/// Why a request had no good answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// It could not be reached or broke off, time and again.
    #[error("the control plane does not answer: {0}")]
    Unreachable(String),
    /// It answered that it would not.
    #[error("the control plane answered {status}: {text}")]
    Refused { status: StatusCode, text: String },
    #[error("the control plane's answer makes no sense: {0}")]
    Senseless(String),
}

impl Failure {
    /// What was answered, if anything.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// A request that can be sent again.
#[derive(Debug, Clone)]
pub struct Ask {
    pub method: Method,
    pub path: String,
    /// Header `Authorization`, without the word before the token.
    pub token: Option<String>,
    pub range: Option<(u64, u64)>,
    pub body: Vec<Bytes>,
    /// The most that the answer may hold, in bytes.
    pub answer_max: usize,
}

impl Client {
    pub fn new(socket: PathBuf) -> Self {
        Self { socket, idle: Mutex::default() }
    }

    /// Sends until there is an answer that more trying won't change.
    ///
    /// # Errors
    /// [`Failure`] for an answer other than 2xx, or none within `patience`.
    pub async fn ask(&self, ask: &Ask, patience: Duration) -> Result<Bytes, Failure> {
        let deadline = Instant::now() + patience;
        let mut pause = PAUSES.0;
        loop {
            let late = || Failure::Unreachable("it took too long".to_owned());
            let failure = match timeout_at(deadline, self.once(ask)).await.unwrap_or_else(|_| Err(late())) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let passing = match failure.status() {
                // The disk's being full is told by 507 and does not pass.
                Some(status) => status.is_server_error() && status != StatusCode::INSUFFICIENT_STORAGE,
                None => matches!(failure, Failure::Unreachable(_)),
            };
            if !passing || Instant::now() + pause >= deadline {
                return Err(failure);
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    async fn once(&self, ask: &Ask) -> Result<Bytes, Failure> {
        let unreachable = |error: &dyn std::fmt::Display| Failure::Unreachable(error.to_string());
        let mut sender = self.connection().await?;
        let answer = sender.send_request(request(ask)?).await.map_err(|error| unreachable(&error))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ask.answer_max).collect().await;
        let body = body.map_err(|error| unreachable(&error))?.to_bytes();
        let mut idle = self.idle.lock().expect("no holder panics");
        if !sender.is_closed() && idle.len() < KEPT {
            idle.push(sender);
        }
        drop(idle);
        if status.is_success() {
            return Ok(body);
        }
        let text: String = String::from_utf8_lossy(&body).chars().take(300).collect();
        Err(Failure::Refused { status, text })
    }

    async fn connection(&self) -> Result<SendRequest<Parts>, Failure> {
        loop {
            let kept = self.idle.lock().expect("no holder panics").pop();
            let Some(mut kept) = kept else { break };
            if kept.ready().await.is_ok() {
                return Ok(kept);
            }
        }
        let stream = UnixStream::connect(&self.socket).await;
        let stream = stream.map_err(|error| Failure::Unreachable(error.to_string()))?;
        let made = handshake(TokioIo::new(stream)).await;
        let (sender, connection) = made.map_err(|error| Failure::Unreachable(error.to_string()))?;
        tokio::spawn(async move {
            // What breaks it off is told to whoever waits for an answer.
            let _ = connection.await;
        });
        Ok(sender)
    }
}

fn request(ask: &Ask) -> Result<Request<Parts>, Failure> {
    let mut request = Request::builder()
        .method(ask.method.clone())
        .uri(&ask.path)
        .header(header::HOST, "control")
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = &ask.token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some((first, last)) = ask.range {
        request = request.header(header::RANGE, format!("bytes={first}-{last}"));
    }
    request
        .body(Parts(ask.body.iter().cloned().collect()))
        .map_err(|error| Failure::Senseless(error.to_string()))
}

/// A body in several pieces, of known length, copied nowhere.
pub struct Parts(VecDeque<Bytes>);

impl Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|part| Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|part| part.len() as u64).sum())
    }
}
