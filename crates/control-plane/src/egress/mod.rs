//! The egress proxy: the only way from a sandbox, which has no network, to the
//! internet. It speaks HTTP's two forms for proxies, `CONNECT` and `http://` in
//! full, on a Unix socket that every sandbox sees. It logs whom an instance
//! reached and what was refused, never a path, header or body.

mod address;
mod gate;
mod lively;
mod policy;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};

use crate::peers::{Peer, Peers, Place};

pub use self::gate::{Refusal, Resolver, SystemResolver};
pub use self::policy::{Allow, Host, HostPattern, InvalidHost, Policy};

use self::gate::Gate;
use self::lively::Lively;

/// Bytes that a request's line and headers may have together.
const HEAD: usize = 8 * 1024;
/// For a request's head to come.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// For a response's head to come: long, since models think before they answer.
const ANSWER_TIME: Duration = Duration::from_secs(600);
/// A connection on which nothing moves for this long is closed.
const SILENCE: Duration = Duration::from_secs(900);

type Body = BoxBody<Bytes, hyper::Error>;

/// Meant for the next hop only (RFC 9110, 7.6.1), and the proxy's own.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// See the module.
pub struct Proxy {
    gate: Gate,
    peers: Arc<Peers>,
}

impl Proxy {
    /// A proxy that asks the system's resolver.
    pub fn new(policy: Policy) -> Arc<Self> {
        Self::with_resolver(policy, Arc::new(SystemResolver::default()))
    }

    pub fn with_resolver(policy: Policy, resolver: Arc<dyn Resolver>) -> Arc<Self> {
        let peers = Peers::new(policy.connections, policy.connections_per_instance);
        Arc::new(Self { gate: Gate::new(policy, resolver), peers })
    }

    /// Serves for ever. Connections go on when this is dropped.
    pub async fn serve(self: Arc<Self>, listener: UnixListener) -> Infallible {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.clone().welcome(stream),
                Err(error) => {
                    // Out of descriptors, most likely: others must close first.
                    tracing::warn!(%error, "the egress proxy can't accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn welcome(self: Arc<Self>, stream: UnixStream) {
        let place = Peer::of(&stream).ok().and_then(|peer| self.peers.admit(peer));
        let Some(place) = place.map(Arc::new) else {
            let full = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            // A courtesy: it is closed either way.
            let _ = stream.try_write(full);
            return;
        };
        tokio::spawn(async move {
            let (stream, pulse) = Lively::new(stream);
            let service = hyper::service::service_fn(move |request| {
                let (proxy, place) = (self.clone(), place.clone());
                async move { Ok::<_, Infallible>(proxy.answer(request, place).await) }
            });
            let serving = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME)
                .max_buf_size(HEAD)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            tokio::select! {
                _ = serving => {}
                () = pulse.stops(SILENCE) => {}
            }
        });
    }

    async fn answer(&self, request: Request<Incoming>, place: Arc<Place>) -> Response<Body> {
        let target = Target::of(request.method(), request.uri());
        let outcome = match &target {
            Ok(target) if request.method() == Method::CONNECT => self.tunnel(request, target, place).await,
            Ok(target) => self.forward(request, target).await,
            Err(refusal) => Err(*refusal),
        };
        let (host, port) = target.map_or((String::new(), 0), |target| (target.authority, target.port));
        match outcome {
            Ok(response) => {
                tracing::debug!(host, port, "an instance reached out");
                response
            }
            Err(refusal) => {
                tracing::info!(host, port, %refusal, "an instance was refused");
                refused(refusal)
            }
        }
    }

    async fn tunnel(
        &self,
        request: Request<Incoming>,
        to: &Target,
        place: Arc<Place>,
    ) -> Result<Response<Body>, Refusal> {
        let (mut there, pulse) = Lively::new(self.gate.open(&to.host, to.port).await?);
        tokio::spawn(async move {
            let _place = place;
            let Ok(here) = hyper::upgrade::on(request).await else { return };
            let mut here = TokioIo::new(here);
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut here, &mut there) => {}
                () = pulse.stops(SILENCE) => {}
            }
        });
        Ok(Response::new(empty()))
    }

    async fn forward(&self, mut request: Request<Incoming>, to: &Target) -> Result<Response<Body>, Refusal> {
        let (there, pulse) = Lively::new(self.gate.open(&to.host, to.port).await?);
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse().map_err(|_| Refusal::Malformed)?;
        strip(request.headers_mut());
        let host = HeaderValue::from_str(&to.authority).map_err(|_| Refusal::Malformed)?;
        request.headers_mut().insert(HOST, host);
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(there)).await;
        let (mut sender, connection) = handshake.map_err(|_| Refusal::Unreachable)?;
        tokio::spawn(async move {
            tokio::select! {
                _ = connection => {}
                () = pulse.stops(SILENCE) => {}
            }
        });
        let answer = tokio::time::timeout(ANSWER_TIME, sender.send_request(request)).await;
        let mut response = answer.map_err(|_| Refusal::TooLate)?.map_err(|_| Refusal::Unreachable)?;
        strip(response.headers_mut());
        Ok(response.map(BodyExt::boxed))
    }
}

/// Where a request wants to go.
struct Target {
    host: Host,
    port: u16,
    /// As it goes into the `Host` header.
    authority: String,
}

impl Target {
    fn of(method: &Method, uri: &Uri) -> Result<Self, Refusal> {
        let authority = uri.authority().ok_or(Refusal::Malformed)?;
        let port = match (uri.scheme_str(), authority.port_u16()) {
            (None, Some(port)) if method == Method::CONNECT => port,
            (Some("http"), port) if method != Method::CONNECT => port.unwrap_or(80),
            _ => return Err(Refusal::Malformed),
        };
        if authority.as_str().contains('@') {
            return Err(Refusal::Malformed);
        }
        let host = authority.host().parse().map_err(|_| Refusal::Malformed)?;
        Ok(Self { host, port, authority: authority.to_string() })
    }
}

/// Takes off what is not for the other side, and what `Connection` names as such.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.map(HeaderName::from_static).into_iter().chain(named) {
        headers.remove(name);
    }
}

fn refused(refusal: Refusal) -> Response<Body> {
    let status = match refusal {
        Refusal::Malformed => StatusCode::BAD_REQUEST,
        Refusal::Port | Refusal::Host | Refusal::Address => StatusCode::FORBIDDEN,
        Refusal::Unknown | Refusal::Unreachable => StatusCode::BAD_GATEWAY,
        Refusal::TooLate => StatusCode::GATEWAY_TIMEOUT,
    };
    let text = Full::from(format!("openclaw egress: {refusal}\n"));
    let mut response = Response::new(text.map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response
}

fn empty() -> Body {
    http_body_util::Empty::new().map_err(|never: Infallible| match never {}).boxed()
}
