//! A caller of the API, and what most tests start from.

use std::sync::Arc;

use ecs_fake::{Config, Fake, Status, Task, model};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

/// An error's status, `__type` and body.
#[derive(Debug)]
pub struct Refused {
    pub status: u16,
    pub kind: String,
    pub body: Value,
}

/// An error that every operation may give, besides those that the model lists.
const COMMON: [&str; 7] = [
    "ThrottlingException",
    "SerializationException",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "UnrecognizedClientException",
    "UnknownOperationException",
    "MissingAuthenticationTokenException",
];

/// Calls an operation; panics where the answer is none of ECS's.
pub async fn call(fake: &Fake, operation: &str, body: Value) -> Result<Value, Refused> {
    let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
    let headers = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", &target),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIA/20261124/us-east-1/ecs/aws4_request, Signature=0",
        ),
    ];
    let (status, headers, body) = send(fake, Method::POST, "/", &headers, body.to_string()).await.unwrap();
    assert_eq!(headers["content-type"], "application/x-amz-json-1.1");
    assert_eq!(headers["x-amzn-requestid"].len(), 36);
    let body: Value = serde_json::from_slice(&body).unwrap();
    if status == 200 {
        model::check_answer(operation, &body)
            .unwrap_or_else(|misfit| panic!("{operation}: {misfit}: {body:#}"));
        return Ok(body);
    }
    let kind = body["__type"].as_str().unwrap().to_owned();
    assert!(COMMON.contains(&kind.as_str()) || model::lists_error(operation, &kind), "{operation}: {kind}");
    assert!(body["message"].is_string());
    Err(Refused { status, kind, body })
}

pub type Answer = (u16, http::HeaderMap, Vec<u8>);

/// One request on a connection of its own.
pub async fn send(
    fake: &Fake,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Result<Answer, hyper::Error> {
    let authority = fake.endpoint().strip_prefix("http://").unwrap();
    let stream = tokio::net::TcpStream::connect(authority).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", authority);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = sender.send_request(request.body(Full::new(bytes::Bytes::from(body))).unwrap()).await?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Ok((status, headers, answer.into_body().collect().await?.to_bytes().to_vec()))
}

/// The tests' door, with JSON.
pub async fn control(fake: &Fake, method: Method, path: &str, body: Value) -> (u16, Value) {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let json = [("content-type", "application/json")];
    let (status, _, body) = send(fake, method, &format!("/_fake{path}"), &json, text).await.unwrap();
    let text = String::from_utf8(body).unwrap();
    (status, serde_json::from_str(&text).unwrap_or(json!(text)))
}

/// Runs this script as `agent`, where not otherwise said.
pub fn definition(script: &str) -> Value {
    json!({
        "family": "agent",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "512",
        "memory": "2048",
        "taskRoleArn": "arn:aws:iam::111122223333:role/agent",
        "tags": [{"key": "project", "value": "openclaw"}],
        "containerDefinitions": [{
            "name": "agent",
            "image": "agent:1",
            "stopTimeout": 120,
            "entryPoint": ["/bin/sh", "-c"],
            "command": [script],
            "environment": [{"name": "OF_DEFINITION", "value": "yes"}, {"name": "OVERRIDDEN", "value": "no"}],
        }],
    })
}

/// A task that waits for SIGTERM and then ends with 0. It says that it waits.
pub const PATIENT: &str = "trap 'echo asked; kill $!; exit 0' TERM; sleep 600 & echo waits; wait";
/// A task that lets SIGTERM pass.
pub const STUBBORN: &str = "trap 'echo asked' TERM; echo waits; while :; do sleep 600 & wait; done";

/// A fake whose one task definition, `agent`, runs this script.
pub async fn fake(script: &str) -> Fake {
    fake_with(script, |_| {}).await
}

pub async fn fake_with(script: &str, change: impl FnOnce(&mut Config)) -> Fake {
    let mut config = Config { task_definitions: vec![definition(script)], ..Config::default() };
    change(&mut config);
    Fake::start(config).await.unwrap()
}

/// A `RunTask` request on Spot.
pub fn request() -> Value {
    json!({
        "cluster": "default",
        "taskDefinition": "agent",
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1", "subnet-2"]}},
    })
}

/// As [`request`], with other members besides or instead.
pub fn request_with(members: Value) -> Value {
    let mut request = request();
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    request
}

/// Runs one task: its ARN.
pub async fn run(fake: &Fake) -> String {
    let answer = call(fake, "RunTask", request()).await.unwrap();
    answer["tasks"][0]["taskArn"].as_str().unwrap().to_owned()
}

/// Waits until the one task is so.
pub async fn until(fake: &Fake, so: impl Fn(&Task) -> bool) -> Arc<Task> {
    let waited = fake.until(|tasks| tasks.iter().any(|task| so(task)));
    let tasks =
        tokio::time::timeout(std::time::Duration::from_secs(20), waited).await.expect("it never was so");
    tasks.into_iter().find(|task| so(task)).unwrap()
}

/// Waits until a task has printed this and ECS, which hears of it later, says that it runs.
pub async fn printed(fake: &Fake, task: &str, text: &str) {
    for _ in 0..2000 {
        let told = fake.task(task).is_some_and(|task| task.last_status >= Status::Running);
        if told && fake.output(task).is_ok_and(|output| output.contains(text)) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it never printed {text}: {:?}", fake.output(task));
}

pub async fn describe(fake: &Fake, task: &str) -> Value {
    let request = json!({"cluster": "default", "tasks": [task], "include": ["TAGS"]});
    call(fake, "DescribeTasks", request).await.unwrap()
}

pub async fn stop(fake: &Fake, task: &str) -> Value {
    let request = json!({"cluster": "default", "task": task, "reason": "asleep"});
    call(fake, "StopTask", request).await.unwrap()["task"].clone()
}
