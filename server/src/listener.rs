//! Serves a router on a socket, within bounds: how many connections there are,
//! of all and of one peer, and how long a request's head may take.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use control_plane::peers::{Peer, Peers, Place};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use placed::Placed;

mod placed;

/// The most that a request's head may hold, in bytes.
const HEAD_MAX: usize = 64 * 1024;

/// What one socket bears.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections open at once.
    pub connections: usize,
    /// Of them, one peer's.
    pub each: usize,
    /// How long a request's head may take, and how long a connection may wait for the next.
    pub head: Duration,
}

/// A connection whose other side is known.
pub trait Guest: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    fn peer(&self) -> io::Result<Peer>;

    /// Where it comes from, on a network.
    fn address(&self) -> Option<SocketAddr>;
}

impl Guest for TcpStream {
    fn peer(&self) -> io::Result<Peer> {
        Ok(Peer::at(self.peer_addr()?.ip()))
    }

    fn address(&self) -> Option<SocketAddr> {
        self.peer_addr().ok()
    }
}

impl Guest for UnixStream {
    fn peer(&self) -> io::Result<Peer> {
        Peer::of(self)
    }

    fn address(&self) -> Option<SocketAddr> {
        None
    }
}

/// Serves until `stop`, and then until what is under way has ended.
pub async fn serve<L>(mut listener: L, router: Router, bounds: Bounds, stop: CancellationToken)
where
    L: Listener<Io: Guest>,
{
    let peers = Peers::new(bounds.connections, bounds.each);
    // Once: a router that is served as it is builds all of its routes anew for
    // each connection, 700 KB of them.
    let router = router.with_state::<()>(());
    let open = TaskTracker::new();
    while let Some((stream, _)) = stop.run_until_cancelled(listener.accept()).await {
        let place = stream.peer().ok().and_then(|peer| peers.admit(peer));
        let Some(place) = place else {
            tracing::debug!("a connection is one too many");
            continue;
        };
        open.spawn(connection(stream, place, router.clone(), bounds.head, stop.clone()));
    }
    drop(listener);
    open.close();
    open.wait().await;
}

async fn connection<S: Guest>(
    stream: S,
    place: Place,
    router: Router,
    head: Duration,
    stop: CancellationToken,
) {
    let address = stream.address();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        if let Some(address) = address {
            request.extensions_mut().insert(ConnectInfo(address));
        }
        router.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(Placed::new(stream, place)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // Whatever breaks it off is the other side's affair.
    if stop.run_until_cancelled(connection.as_mut()).await.is_none() {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}
