//! HTTP to the control plane, with a bounded patience for its restarts.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, SizeHint};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::config::ControlAddress;

/// How long one request may take, all its tries together.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Between tries: the first pause, doubled up to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// Connections kept open for the next request.
const KEPT: usize = 4;

/// Speaks HTTP with the control plane.
pub struct Client {
    address: ControlAddress,
    tls: OnceLock<TlsConnector>,
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
    pub fn new(address: ControlAddress) -> Self {
        Self { address, tls: OnceLock::new(), idle: Mutex::default() }
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
        let mut sender = self.connection().await?;
        let answer =
            sender.send_request(request(self.host(), ask)?).await.map_err(|error| unreachable(&error))?;
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
        match &self.address {
            ControlAddress::Unix(path) => {
                begin(UnixStream::connect(path).await.map_err(|error| unreachable(&error))?).await
            }
            ControlAddress::Http(authority) => begin(tcp(authority).await?).await,
            ControlAddress::Https(authority) => {
                let host = authority.rsplit_once(':').map_or(authority.as_str(), |(host, _)| host);
                let host = host.trim_matches(['[', ']']).to_owned();
                let name =
                    ServerName::try_from(host).map_err(|error| Failure::Senseless(error.to_string()))?;
                let tls = self.tls()?.connect(name, tcp(authority).await?).await;
                begin(tls.map_err(|error| unreachable(&error))?).await
            }
        }
    }

    fn host(&self) -> &str {
        match &self.address {
            ControlAddress::Unix(_) => "control",
            ControlAddress::Http(authority) | ControlAddress::Https(authority) => authority,
        }
    }

    /// By the system's certificates, read when they are first needed.
    fn tls(&self) -> Result<&TlsConnector, Failure> {
        if let Some(connector) = self.tls.get() {
            return Ok(connector);
        }
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first().map_or("none are installed".to_owned(), ToString::to_string);
            return Err(Failure::Senseless(format!("there are no certificates to trust: {why}")));
        }
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(self.tls.get_or_init(|| TlsConnector::from(Arc::new(config))))
    }
}

fn unreachable(error: &dyn std::fmt::Display) -> Failure {
    Failure::Unreachable(error.to_string())
}

async fn tcp(authority: &str) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(authority).await.map_err(|error| unreachable(&error))?;
    stream.set_nodelay(true).map_err(|error| unreachable(&error))?;
    Ok(stream)
}

async fn begin(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<SendRequest<Parts>, Failure> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(&error))?;
    tokio::spawn(async move {
        // What breaks it off is told to whoever waits for an answer.
        let _ = connection.await;
    });
    Ok(sender)
}

fn request(host: &str, ask: &Ask) -> Result<Request<Parts>, Failure> {
    let mut request = Request::builder()
        .method(ask.method.clone())
        .uri(&ask.path)
        .header(header::HOST, host)
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
