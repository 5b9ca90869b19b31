//! What the instance serves, on the sockets that it was given.

mod http;
mod stream;
mod viewer;

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;

use crate::confine::Socket;
use crate::gate::Gate;
use crate::save::Saver;
use crate::terminal::Terminals;
use crate::usage::Usage;

pub use stream::Stream;

/// Connections that one socket has at a time, terminals among them.
const CONNECTIONS: usize = 128;
/// How long a request's head may take.
const HEAD: Duration = Duration::from_secs(5);
/// How long a connection may be there without becoming a terminal.
const REQUESTS: Duration = Duration::from_secs(30);
/// The most that a request's head may hold, in bytes.
const HEAD_MAX: usize = 16 * 1024;

/// What requests are answered from.
pub struct Instance {
    pub gate: Gate,
    pub terminals: Terminals,
    pub usage: Usage,
    pub saver: Arc<Saver>,
}

/// Who is on the other side of a connection, and its place among them.
#[derive(Clone)]
pub struct Peer {
    by_relay: bool,
    _place: Arc<OwnedSemaphorePermit>,
}

impl Peer {
    /// No browser has the way to that socket: its relay checks the `Origin`.
    pub fn by_relay(&self) -> bool {
        self.by_relay
    }
}

/// A socket to serve on.
pub struct Listener {
    listener: Kind,
    by_relay: bool,
    tls: Option<TlsAcceptor>,
}

enum Kind {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Listener {
    /// With `tls`, browsers' connections are encrypted.
    pub fn new(socket: Socket, tls: Option<TlsAcceptor>) -> std::io::Result<Self> {
        let by_relay = !matches!(socket, Socket::Direct(_));
        let tls = tls.filter(|_| !by_relay);
        let listener = match socket {
            Socket::Unix(socket) => {
                let listener = std::os::unix::net::UnixListener::from(socket);
                listener.set_nonblocking(true)?;
                Kind::Unix(UnixListener::from_std(listener)?)
            }
            Socket::Direct(socket) | Socket::Relayed(socket) => {
                let listener = std::net::TcpListener::from(socket);
                listener.set_nonblocking(true)?;
                Kind::Tcp(TcpListener::from_std(listener)?)
            }
        };
        Ok(Self { listener, by_relay, tls })
    }

    async fn accept(&self) -> std::io::Result<Stream> {
        match &self.listener {
            Kind::Unix(listener) => Ok(Stream::Unix(listener.accept().await?.0)),
            Kind::Tcp(listener) => {
                let stream = listener.accept().await?.0;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
        }
    }
}

/// Serves for ever.
pub async fn serve(instance: Arc<Instance>, listener: Listener) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok(stream) => {
                let peer = Peer { by_relay: listener.by_relay, _place: Arc::new(place) };
                let (instance, tls) = (Arc::clone(&instance), listener.tls.clone());
                tokio::spawn(async move {
                    let Some(stream) = secured(stream, tls).await else { return };
                    let service =
                        service_fn(|request| http::answer(Arc::clone(&instance), peer.clone(), request));
                    let connection = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .header_read_timeout(HEAD)
                        .max_buf_size(HEAD_MAX)
                        .serve_connection(TokioIo::new(stream), service)
                        .with_upgrades();
                    // Whatever breaks it off is the other side's affair.
                    let _ = tokio::time::timeout(REQUESTS, connection).await;
                });
            }
            Err(error) => {
                // Out of descriptors, most likely: some will be given back.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// The stream as it is, or encrypted if the other side can do that.
async fn secured(stream: Stream, tls: Option<TlsAcceptor>) -> Option<Stream> {
    match (stream, tls) {
        (Stream::Tcp(stream), Some(tls)) => {
            let secured = tokio::time::timeout(HEAD, tls.accept(stream)).await;
            Some(Stream::Tls(Box::new(secured.ok()?.ok()?)))
        }
        (stream, _) => Some(stream),
    }
}
