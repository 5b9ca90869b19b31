//! A network that fails on demand, between the store and the emulator: answers
//! that are lost after the work was done, and refusals in DynamoDB's own words.
//! It also asks of each request what it cost.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is done, and the connection ends before the answer.
    AnswerLost,
    /// It is not done; this is said instead, with status 400.
    Refused(String),
    /// It is not done; this is said instead, with status 200.
    Answered(String),
    /// It is not done, and a machine in between says 503 in HTML.
    Unavailable,
    /// It is not done, and nothing is ever said.
    Silence,
}

/// An error as DynamoDB says it.
pub fn refusal(kind: &str) -> Fault {
    Fault::Refused(
        serde_json::json!({
            "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": "in a test"
        })
        .to_string(),
    )
}

/// A transaction cancelled by its second part.
pub fn cancelled(code: &str) -> Fault {
    Fault::Refused(
        serde_json::json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled",
            "CancellationReasons": [{ "Code": "None" }, { "Code": code, "Message": "in a test" }],
        })
        .to_string(),
    )
}

#[derive(Default)]
struct Plan {
    /// For the next requests of an operation.
    faults: VecDeque<(&'static str, Fault)>,
    /// For all others of it.
    always: Option<(&'static str, Fault)>,
    seen: Vec<String>,
    costs: Vec<(String, Option<f64>)>,
}

pub struct Proxy {
    pub endpoint: String,
    plan: Arc<Mutex<Plan>>,
    _serving: JoinSet<()>,
}

impl Proxy {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let plan = Arc::new(Mutex::new(Plan::default()));
        let mut serving = JoinSet::new();
        let shared = Arc::clone(&plan);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { endpoint, plan, _serving: serving }
    }

    /// Befalls the next request of an operation, after those planned before.
    pub fn next(&self, operation: &'static str, fault: Fault) {
        self.plan.lock().unwrap().faults.push_back((operation, fault));
    }

    /// Befalls every request of an operation.
    pub fn always(&self, operation: &'static str, fault: Fault) {
        self.plan.lock().unwrap().always = Some((operation, fault));
    }

    /// How many requests of an operation came.
    pub fn seen(&self, operation: &str) -> usize {
        self.plan.lock().unwrap().seen.iter().filter(|seen| *seen == operation).count()
    }

    /// The requests that were done since this was asked last, each with its
    /// request units, where the emulator says them.
    pub fn costs(&self) -> Vec<(String, Option<f64>)> {
        std::mem::take(&mut self.plan.lock().unwrap().costs)
    }

    /// Whether all that was planned befell.
    pub fn done(&self) -> bool {
        self.plan.lock().unwrap().faults.is_empty()
    }
}

async fn serve(stream: TcpStream, plan: Arc<Mutex<Plan>>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&plan)));
    // A lost answer ends the connection, and that is an error to the server.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The connection ends without an answer.
type Lost = std::io::Error;

async fn answer(request: Request<Incoming>, plan: Arc<Mutex<Plan>>) -> Result<Response<Full<Bytes>>, Lost> {
    let target = request.headers().get("x-amz-target").unwrap().to_str().unwrap();
    let operation = target.rsplit('.').next().unwrap().to_owned();
    let fault = {
        let mut plan = plan.lock().unwrap();
        plan.seen.push(operation.clone());
        let planned = plan.faults.iter().position(|(of, _)| *of == operation);
        match planned {
            Some(planned) => plan.faults.remove(planned).map(|(_, fault)| fault),
            None => plan.always.as_ref().filter(|(of, _)| *of == operation).map(|(_, fault)| fault.clone()),
        }
    };
    let say = |status, kind, body: String| {
        Ok(Response::builder().status(status).header("content-type", kind).body(body.into()).unwrap())
    };
    match fault {
        None => {
            let (answer, units) = forward(request).await;
            plan.lock().unwrap().costs.push((operation, units));
            Ok(answer)
        }
        Some(Fault::AnswerLost) => {
            let (answer, _) = forward(request).await;
            assert!(answer.status().is_success(), "{operation} was to be done");
            Err(std::io::Error::other("the answer is lost"))
        }
        Some(Fault::Refused(body)) => say(400, "application/x-amz-json-1.0", body),
        Some(Fault::Answered(body)) => say(200, "application/x-amz-json-1.0", body),
        Some(Fault::Unavailable) => say(503, "text/html", "<h1>503</h1>".to_owned()),
        Some(Fault::Silence) => std::future::pending::<Result<_, Lost>>().await,
    }
}

/// The emulator's answer, and what it says the request cost.
async fn forward(request: Request<Incoming>) -> (Response<Full<Bytes>>, Option<f64>) {
    let emulator = emulator::endpoint().strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(emulator).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let (mut head, body) = request.into_parts();
    let mut asked: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
    if !head.headers["x-amz-target"].to_str().unwrap().contains("Describe") {
        asked["ReturnConsumedCapacity"] = "TOTAL".into();
    }
    head.headers.remove("content-length");
    let answer = sender.send_request(Request::from_parts(head, asked.to_string().into())).await.unwrap();
    let (mut head, body) = answer.into_parts();
    head.headers.remove("transfer-encoding");
    let body = body.collect().await.unwrap().to_bytes();
    let told: Value = serde_json::from_slice(&body).unwrap();
    let of = |table: &Value| table["CapacityUnits"].as_f64();
    let units = match &told["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().map(of).sum(),
        table => of(table),
    };
    (Response::from_parts(head, body.into()), units)
}
