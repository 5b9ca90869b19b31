//! What every request goes through.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;

use crate::state::{Origins, Proxies, Shown};

/// The most that a request of a person or program may hold, in bytes.
const BODY_MAX: usize = 64 * 1024;
/// How much of what is too much is read and thrown away. An answer is lost to
/// who is still sending when the connection closes.
const DISCARDED_MAX: usize = 32 * 1024 * 1024;
/// How long a request's body may take.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// Refuses a `Host` that is not ours: a page whose name was pointed at this
/// address must not speak with the rights of a signed-in browser.
pub async fn known_host(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| origins.names(host)) {
        return next.run(request).await;
    }
    (StatusCode::MISDIRECTED_REQUEST, "the console is not reached by this name; see --origin\n")
        .into_response()
}

/// Refuses who comes past our proxies: they could say any address.
pub async fn through_proxy(State(shown): State<Shown>, request: Request, next: Next) -> Response {
    if shown.by(request.headers()) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "the console is not reached here\n").into_response()
}

/// Notes where a request came from, for whoever slows down what is tried there.
pub async fn address(State(proxies): State<Proxies>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip());
    if let Some(address) = proxies.address(peer, request.headers()) {
        request.extensions_mut().insert(app::api::Address(address));
    }
    next.run(request).await
}

/// Has a request whole before anything looks at it, or refuses it: too large, too slow, broken off.
pub async fn small_body(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, mut body) = request.into_parts();
    let reading = async {
        let (mut held, mut length) = (Vec::new(), 0_usize);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            length = length.saturating_add(data.len());
            if length <= BODY_MAX {
                held.extend_from_slice(&data);
            } else if length > DISCARDED_MAX {
                break;
            }
        }
        Ok::<_, axum::Error>((length <= BODY_MAX).then_some(held))
    };
    let (status, why) = match tokio::time::timeout(BODY_PATIENCE, reading).await {
        Ok(Ok(Some(held))) => return next.run(Request::from_parts(parts, Body::from(held))).await,
        Ok(Ok(None)) => (StatusCode::PAYLOAD_TOO_LARGE, "a request holds 64 KiB at most\n"),
        Ok(Err(_)) => (StatusCode::BAD_REQUEST, "the request broke off\n"),
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "the request did not come to its end in 30 s\n"),
    };
    (status, why).into_response()
}

/// Headers that every answer has. Pages bring a wider policy of their own.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let always: [(HeaderName, &str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    // What a person sees is theirs; only files named by their content are kept.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
