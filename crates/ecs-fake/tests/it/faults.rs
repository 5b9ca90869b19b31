//! Faults that a test asks for.

use std::time::{Duration, Instant};

use ecs_fake::{Fault, Operation};
use http::Method;
use serde_json::json;

use crate::client::{PATIENT, call, fake, request, request_with, run, send};

#[tokio::test]
async fn the_next_calls_go_wrong_as_asked_in_order() {
    let fake = fake(PATIENT).await;
    for (fault, kind, status) in [
        (Fault::Throttling, "ThrottlingException", 400),
        (Fault::AccessDenied, "AccessDeniedException", 400),
        (Fault::Server, "ServerException", 500),
        (Fault::ExpiredToken, "ExpiredTokenException", 400),
        (Fault::ClockSkew, "InvalidSignatureException", 400),
        (Fault::UnrecognizedClient, "UnrecognizedClientException", 400),
        (
            Fault::Error { kind: "BlockedException".into(), status: 400, message: "blocked".into() },
            "BlockedException",
            400,
        ),
    ] {
        fake.inject(Operation::RunTask, fault, 2);
        for _ in 0..2 {
            let refused = call(&fake, "RunTask", request()).await.unwrap_err();
            assert_eq!((refused.kind.as_str(), refused.status), (kind, status));
        }
    }
    assert!(fake.tasks().is_empty());
    run(&fake).await;
    assert_eq!(fake.calls().of(Operation::RunTask).throttled, 2);
    assert_eq!(fake.calls().of(Operation::RunTask).failed, 12);
    fake.inject(Operation::RunTask, Fault::Server, 9);
    fake.heal();
    run(&fake).await;
}

#[tokio::test]
async fn an_answer_may_be_lost_though_the_thing_was_done() {
    let fake = fake(PATIENT).await;
    let asked = request_with(json!({"clientToken": "t"}));
    fake.inject(Operation::RunTask, Fault::DoneAndServer, 1);
    assert_eq!(call(&fake, "RunTask", asked.clone()).await.unwrap_err().status, 500);
    for (fault, launches) in [(Fault::Cut, 1), (Fault::DoneAndCut, 2)] {
        fake.inject(Operation::RunTask, fault, 1);
        let headers = [
            ("x-amz-target", "AmazonEC2ContainerServiceV20141113.RunTask"),
            ("authorization", "AWS4-HMAC-SHA256 Credential=AKIA"),
        ];
        assert!(send(&fake, Method::POST, "/", &headers, request().to_string()).await.is_err());
        assert_eq!(fake.launches().len(), launches);
    }
    let answer = call(&fake, "RunTask", asked).await.unwrap();
    assert_eq!(answer["tasks"][0]["taskArn"], json!(fake.launches()[0].task_arn));
    assert_eq!(fake.launches().len(), 2);
}

#[tokio::test]
async fn slow_and_unavailable() {
    let fake = fake(PATIENT).await;
    fake.inject(Operation::ListTasks, Fault::Slow(150), 1);
    let began = Instant::now();
    call(&fake, "ListTasks", json!({})).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(150));
    fake.inject(Operation::ListTasks, Fault::Unavailable, 1);
    let headers = [
        ("x-amz-target", "AmazonEC2ContainerServiceV20141113.ListTasks"),
        ("authorization", "AWS4-HMAC-SHA256 Credential=AKIA"),
    ];
    let (status, ..) = send(&fake, Method::POST, "/", &headers, "{}".into()).await.unwrap();
    assert_eq!(status, 503);
}

#[tokio::test]
async fn who_does_not_sign_or_asks_for_what_is_not_there_is_refused() {
    let fake = fake(PATIENT).await;
    let signed = ("authorization", "AWS4-HMAC-SHA256 Credential=AKIA");
    let target = |operation: &str| format!("AmazonEC2ContainerServiceV20141113.{operation}");
    for (headers, body, kind) in [
        (vec![("x-amz-target", target("ListTasks"))], "{}", "MissingAuthenticationTokenException"),
        (
            vec![("x-amz-target", target("Fly")), (signed.0, signed.1.into())],
            "{}",
            "UnknownOperationException",
        ),
        (vec![(signed.0, signed.1.into())], "{}", "UnknownOperationException"),
        (
            vec![("x-amz-target", target("ListTasks")), (signed.0, signed.1.into())],
            "{",
            "SerializationException",
        ),
        (
            vec![("x-amz-target", target("ListTasks")), (signed.0, signed.1.into())],
            "[]",
            "SerializationException",
        ),
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (status, _, answer) = send(&fake, Method::POST, "/", &headers, body.into()).await.unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!((status, &answer["__type"]), (400, &json!(kind)));
    }
}
