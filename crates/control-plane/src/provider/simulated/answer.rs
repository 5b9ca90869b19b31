//! What an instance answers when it is dialed: the instances' own HTTP, over a
//! stream in memory.

use std::convert::Infallible;
use std::sync::Arc;

use domain::protocol::{Activity, instance};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;

use super::House;
use super::life::Life;
use crate::provider::Connection;

/// What the stream holds each way, in bytes.
const BUFFER: usize = 16 * 1024;

/// A stream to the instance. It is the control plane's and its relay's alone.
pub(super) fn connection(house: &Arc<House>, life: Arc<Life>) -> Connection {
    let (here, there) = tokio::io::duplex(BUFFER);
    let house = Arc::clone(house);
    tokio::spawn(async move {
        let service = hyper::service::service_fn(|request: Request<Incoming>| {
            let answer = answer(&house, &life, &request);
            async { Ok::<_, Infallible>(answer) }
        });
        let serving =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(there), service);
        // The caller closes it when it has its answer.
        let _ = serving.await;
    });
    Box::new(here)
}

fn answer(house: &Arc<House>, life: &Arc<Life>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, instance::HEALTH) => status(StatusCode::OK),
        (&Method::GET, instance::ACTIVITY) => {
            let idle_for_ms = u64::try_from(life.unused_for(house).as_millis()).unwrap_or(u64::MAX);
            let activity = Activity { idle_for_ms, busy: None, terminals: 1, viewers: 0 };
            serde_json::to_vec(&activity).map_or_else(
                |_| status(StatusCode::INTERNAL_SERVER_ERROR),
                |body| Response::new(Full::new(body.into())),
            )
        }
        (&Method::POST, instance::IDLE_WARNING) => status(StatusCode::NO_CONTENT),
        (&Method::POST, instance::KEEP_AWAKE) => {
            life.touch(house);
            status(StatusCode::NO_CONTENT)
        }
        (&Method::POST, instance::SAVE) => {
            let (house, life) = (Arc::clone(house), Arc::clone(life));
            tokio::spawn(async move { life.asked_to_save(&house).await });
            status(StatusCode::ACCEPTED)
        }
        // Nothing runs that a terminal could show.
        (&Method::GET, instance::TERMINAL) => status(StatusCode::NOT_IMPLEMENTED),
        _ => status(StatusCode::NOT_FOUND),
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}
