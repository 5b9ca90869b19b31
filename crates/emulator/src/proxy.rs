//! A network that fails on demand, between whoever asks and the emulator: answers
//! that are lost after the work was done, and refusals in each service's own
//! words. It counts what is asked, and what DynamoDB says that it cost.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::operation::Operation;

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is done, and the connection ends before the answer.
    AnswerLost,
    /// It is not done, and the connection ends.
    Cut,
    /// It is not done; the service says this error instead.
    Refused { status: u16, code: String },
    /// It is not done; this is said instead, with that status, as JSON.
    Answered(u16, String),
    /// It is not done, and a machine in between says 503 in HTML.
    Unavailable,
    /// It is not done, and nothing is ever said.
    Silence,
    /// It is done after that time.
    Slow(Duration),
}

/// An error with status 400.
pub fn refusal(code: &str) -> Fault {
    Fault::Refused { status: 400, code: code.to_owned() }
}

/// A transaction cancelled by its second part.
pub fn cancelled(code: &str) -> Fault {
    let told = serde_json::json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": [{ "Code": "None" }, { "Code": code, "Message": "in a test" }],
    });
    Fault::Answered(400, told.to_string())
}

#[derive(Default)]
struct Plan {
    /// For the next requests of an operation.
    next: VecDeque<(&'static str, Fault)>,
    /// For all others of it.
    always: HashMap<&'static str, Fault>,
    /// For those of them that name somebody.
    of: HashMap<String, (&'static str, Fault)>,
    seen: BTreeMap<String, u64>,
    costs: Vec<(String, Option<f64>)>,
}

impl Plan {
    /// What befalls all requests like this one.
    fn befalls(&self, operation: &str, head: &http::request::Parts, body: &Bytes) -> Option<Fault> {
        let named = |whose: &str| {
            head.uri.to_string().contains(whose)
                || body.windows(whose.len()).any(|part| part == whose.as_bytes())
        };
        let of = self.of.iter().find(|(whose, (of, _))| *of == operation && named(whose));
        of.map(|(_, (_, fault))| fault).or_else(|| self.always.get(operation)).cloned()
    }
}

/// Ends when it is dropped, with all connections.
pub struct Proxy {
    pub endpoint: String,
    plan: Arc<Mutex<Plan>>,
    _serving: JoinSet<()>,
}

impl Proxy {
    /// Before an emulator, `http://host:port`.
    ///
    /// # Panics
    /// There is no port to listen on.
    pub async fn start(emulator: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let endpoint = format!("http://{}", listener.local_addr().expect("it listens"));
        let emulator: Arc<str> = emulator.trim_start_matches("http://").into();
        let plan = Arc::new(Mutex::new(Plan::default()));
        let mut serving = JoinSet::new();
        let shared = Arc::clone(&plan);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                connections.spawn(serve(stream, Arc::clone(&emulator), Arc::clone(&shared)));
            }
        });
        Self { endpoint, plan, _serving: serving }
    }

    /// Befalls the next request of an operation, after those planned before.
    pub fn next(&self, operation: &'static str, fault: Fault) {
        self.plan().next.push_back((operation, fault));
    }

    /// Befalls every request of an operation.
    pub fn always(&self, operation: &'static str, fault: Fault) {
        self.plan().always.insert(operation, fault);
    }

    /// Befalls every request of an operation that has this word in its address
    /// or body: an agent's id. Takes the place of what befell its requests so far.
    pub fn always_of(&self, whose: &str, operation: &'static str, fault: Fault) {
        self.plan().of.insert(whose.to_owned(), (operation, fault));
    }

    /// Nothing befalls these any more.
    pub fn heal_of(&self, whose: &str) {
        self.plan().of.remove(whose);
    }

    /// Nothing befalls any more.
    pub fn heal(&self) {
        let mut plan = self.plan();
        plan.of.clear();
        plan.next.clear();
        plan.always.clear();
    }

    /// How many requests of an operation came.
    pub fn seen(&self, operation: &str) -> u64 {
        self.plan().seen.get(operation).copied().unwrap_or(0)
    }

    /// The requests that came since this was asked last, by operation.
    pub fn count(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.plan().seen)
    }

    /// The requests that were done since this was asked last, each with its
    /// request units, where the emulator says them.
    pub fn costs(&self) -> Vec<(String, Option<f64>)> {
        std::mem::take(&mut self.plan().costs)
    }

    /// The operations that something is still to befall.
    pub fn planned(&self) -> Vec<&'static str> {
        self.plan().next.iter().map(|(operation, _)| *operation).collect()
    }

    /// Whether all that was planned befell.
    pub fn done(&self) -> bool {
        self.plan().next.is_empty()
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().expect("no holder panics")
    }
}

/// One connection: its requests go on over one of its own.
async fn serve(stream: TcpStream, emulator: Arc<str>, plan: Arc<Mutex<Plan>>) {
    let behind = Arc::new(tokio::sync::Mutex::new(Behind { emulator, open: None }));
    let service = service_fn(move |request| answer(request, Arc::clone(&behind), Arc::clone(&plan)));
    let _ = stream.set_nodelay(true);
    // A lost answer ends the connection, and that is an error to the server.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    behind: Arc<tokio::sync::Mutex<Behind>>,
    plan: Arc<Mutex<Plan>>,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let operation = Operation::of(&head, &body);
    let fault = {
        let mut plan = plan.lock().expect("no holder panics");
        *plan.seen.entry(operation.name.clone()).or_default() += 1;
        let planned = plan.next.iter().position(|(of, _)| *of == operation.name);
        match planned {
            Some(planned) => plan.next.remove(planned).map(|(_, fault)| fault),
            None => plan.befalls(&operation.name, &head, &body),
        }
    };
    let done = || async {
        let (answer, units) = behind.lock().await.forward(head, body, &operation).await?;
        plan.lock().expect("no holder panics").costs.push((operation.name.clone(), units));
        Ok(answer)
    };
    match fault {
        None => done().await,
        Some(Fault::Slow(time)) => {
            tokio::time::sleep(time).await;
            done().await
        }
        Some(Fault::AnswerLost) => {
            done().await?;
            Err(io::Error::other("the answer is lost"))
        }
        Some(Fault::Cut) => Err(io::Error::other("the connection ends")),
        Some(Fault::Refused { status, code }) => {
            let (kind, body) = operation.service.error(&code);
            Ok(said(status, kind, body))
        }
        Some(Fault::Answered(status, body)) => Ok(said(status, "application/x-amz-json-1.0", body)),
        Some(Fault::Unavailable) => Ok(said(503, "text/html", "<h1>503</h1>".to_owned())),
        Some(Fault::Silence) => std::future::pending().await,
    }
}

fn said(status: u16, kind: &str, body: String) -> Response<Full<Bytes>> {
    let answer = Response::builder().status(status).header("content-type", kind).body(body.into());
    answer.expect("status and type are right")
}

/// The way to the emulator.
struct Behind {
    emulator: Arc<str>,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Behind {
    /// The emulator's answer, and what it says the request cost.
    async fn forward(
        &mut self,
        mut head: http::request::Parts,
        body: Bytes,
        operation: &Operation,
    ) -> io::Result<(Response<Full<Bytes>>, Option<f64>)> {
        let body = if operation.tells_cost() { asking_cost(&mut head.headers, &body) } else { body };
        let request = Request::from_parts(head, Full::new(body));
        let answer = match self.open().await?.try_send_request(request).await {
            Ok(answer) => answer,
            Err(mut error) => {
                self.open = None;
                // The emulator had ended the connection before it came.
                let Some(request) = error.take_message() else {
                    return Err(io::Error::other(error.into_error()));
                };
                self.open().await?.send_request(request).await.map_err(io::Error::other)?
            }
        };
        let (mut head, body) = answer.into_parts();
        head.headers.remove("transfer-encoding");
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let units = if operation.tells_cost() { units(&body) } else { None };
        Ok((Response::from_parts(head, body.into()), units))
    }

    async fn open(&mut self) -> io::Result<&mut SendRequest<Full<Bytes>>> {
        // One that the emulator ended meanwhile is of no use.
        let ready = match self.open.as_mut() {
            Some(open) => open.ready().await.is_ok(),
            None => false,
        };
        if !ready {
            let stream = TcpStream::connect(&*self.emulator).await?;
            stream.set_nodelay(true)?;
            let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
            let (sender, connection) = handshake.map_err(io::Error::other)?;
            tokio::spawn(connection);
            self.open = Some(sender);
        }
        self.open.as_mut().ok_or_else(|| io::Error::other("no connection"))
    }
}

/// DynamoDB says what a request cost if it is asked.
fn asking_cost(headers: &mut HeaderMap, body: &Bytes) -> Bytes {
    let Ok(mut asked) = serde_json::from_slice::<Value>(body) else { return body.clone() };
    asked["ReturnConsumedCapacity"] = "TOTAL".into();
    headers.remove("content-length");
    asked.to_string().into()
}

fn units(body: &Bytes) -> Option<f64> {
    let told: Value = serde_json::from_slice(body).ok()?;
    let of = |table: &Value| table["CapacityUnits"].as_f64();
    match &told["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().map(of).sum(),
        table => of(table),
    }
}
