//! A client of the server over HTTP, with the headers that it is given.

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Sends requests with some headers.
#[derive(Clone)]
pub struct Client {
    pub port: u16,
    headers: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text()))
    }
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    pub fn at(port: u16) -> Self {
        Self { port, headers: Vec::new() }
    }

    /// The same, at another server.
    #[must_use]
    pub fn to(&self, port: u16) -> Self {
        Self { port, ..self.clone() }
    }

    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, Bytes::new()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.with("content-type", "application/json").send("POST", path, body.into()).await
    }

    pub async fn send(&self, method: &str, path: &str, body: Bytes) -> Reply {
        let (response, _connection) = self.open(method, path, body).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// The answer's head; the body is read as it comes.
    pub async fn open(
        &self,
        method: &str,
        path: &str,
        body: Bytes,
    ) -> (hyper::Response<hyper::body::Incoming>, tokio::task::JoinHandle<()>) {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(async move { drop(connection.await) });
        let mut request = hyper::Request::builder().method(method).uri(path);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            request = request.header("host", format!("127.0.0.1:{}", self.port));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        (sender.send_request(request.body(Full::new(body)).unwrap()).await.unwrap(), connection)
    }
}
