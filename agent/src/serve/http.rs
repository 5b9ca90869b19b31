//! Requests. All but the health check carry a ticket: commands in a header, a
//! terminal in its first message.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::protocol::{IdleWarning, ShowOut, instance};
use domain::ticket::Scope;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::stream::Stream;
use super::{Instance, Peer, viewer};

const BODY_MAX: usize = 1024;
const BODY_PATIENCE: Duration = Duration::from_secs(5);

type Answer = Response<Full<Bytes>>;

/// Answers one request; `peer` is kept as long as the connection lives.
pub async fn answer(
    instance: Arc<Instance>,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    Ok(route(instance, peer, request).await.unwrap_or_else(|refusal| refusal))
}

async fn route(instance: Arc<Instance>, peer: Peer, request: Request<Incoming>) -> Result<Answer, Answer> {
    let path = request.uri().path().to_owned();
    let allowed = match path.as_str() {
        instance::HEALTH | instance::ACTIVITY | instance::TERMINAL => Method::GET,
        instance::IDLE_WARNING | instance::KEEP_AWAKE | instance::SAVE | instance::SHOW_OUT => Method::POST,
        _ => return Err(plain(StatusCode::NOT_FOUND, "there is no such thing here\n")),
    };
    if *request.method() != allowed {
        let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "not by that method\n");
        let value = HeaderValue::from_str(allowed.as_str()).expect("a method's name is a value");
        refusal.headers_mut().insert(header::ALLOW, value);
        return Err(refusal);
    }
    match path.as_str() {
        instance::HEALTH => return Ok(plain(StatusCode::OK, "ok\n")),
        instance::TERMINAL => return upgrade(instance, peer, request),
        _ => {}
    }
    authorize(&instance, request.headers())?;
    match path.as_str() {
        instance::ACTIVITY => {
            let activity = instance.usage.activity(&instance.terminals);
            let body = serde_json::to_vec(&activity).expect("numbers and text are JSON");
            let mut answer = Response::new(Full::new(body.into()));
            answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            return Ok(answer);
        }
        instance::IDLE_WARNING => {
            let warning: IdleWarning = serde_json::from_slice(&body(request).await?)
                .map_err(|_| plain(StatusCode::UNPROCESSABLE_ENTITY, "that is no warning\n"))?;
            instance.usage.warn(warning);
        }
        instance::KEEP_AWAKE => instance.usage.used(),
        instance::SHOW_OUT => {
            let out: ShowOut = serde_json::from_slice(&body(request).await?)
                .map_err(|_| plain(StatusCode::UNPROCESSABLE_ENTITY, "that is nobody\n"))?;
            instance.gate.show_out(out.holder);
        }
        _ => {
            instance.saver.start();
            return Ok(plain(StatusCode::ACCEPTED, ""));
        }
    }
    Ok(plain(StatusCode::NO_CONTENT, ""))
}

#[expect(clippy::result_large_err, reason = "an answer is made once and sent at once")]
fn authorize(instance: &Instance, headers: &HeaderMap) -> Result<(), Answer> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let ticket = value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    instance.gate.admit(ticket, Scope::Control).map_err(|refused| {
        tracing::info!(%refused, "a command was refused");
        let mut refusal = plain(StatusCode::UNAUTHORIZED, &format!("{refused}\n"));
        refusal.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        refusal
    })
}

async fn body(request: Request<Incoming>) -> Result<Bytes, Answer> {
    let read = Limited::new(request.into_body(), BODY_MAX).collect();
    match tokio::time::timeout(BODY_PATIENCE, read).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(plain(StatusCode::PAYLOAD_TOO_LARGE, "that is too much\n")),
        Err(_) => Err(plain(StatusCode::REQUEST_TIMEOUT, "that took too long\n")),
    }
}

/// Opens a WebSocket, if the page it comes from may.
#[expect(clippy::result_large_err, reason = "an answer is made once and sent at once")]
fn upgrade(instance: Arc<Instance>, peer: Peer, mut request: Request<Incoming>) -> Result<Answer, Answer> {
    let headers = request.headers();
    let allowed = match headers.get(header::ORIGIN) {
        Some(origin) => instance.gate.allows(origin.as_bytes()),
        // The control plane's relay has checked it.
        None => peer.by_relay(),
    };
    if !allowed {
        return Err(plain(StatusCode::FORBIDDEN, "no page of that origin may open a terminal\n"));
    }
    let says = |name: header::HeaderName, word: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let accept = key.and_then(|key| HeaderValue::from_str(&key).ok());
    let (true, true, true, Some(accept)) = (
        says(header::CONNECTION, "upgrade"),
        says(header::UPGRADE, "websocket"),
        says(header::SEC_WEBSOCKET_VERSION, "13"),
        accept,
    ) else {
        let mut refusal = plain(StatusCode::UPGRADE_REQUIRED, "a WebSocket is served here\n");
        refusal.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        refusal.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return Err(refusal);
    };
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(upgraded) = upgraded.await
            && let Ok(parts) = upgraded.downcast::<TokioIo<Stream>>()
        {
            viewer::view(&instance, &peer, parts.io.into_inner(), parts.read_buf).await;
        }
        drop(peer);
    });
    let mut answer = plain(StatusCode::SWITCHING_PROTOCOLS, "");
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(answer)
}

fn plain(status: StatusCode, text: &str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())));
    *answer.status_mut() = status;
    answer
}
