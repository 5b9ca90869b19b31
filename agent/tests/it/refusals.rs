use std::time::{Duration, Instant};

use domain::id::Generation;
use domain::protocol::instance;
use domain::ticket::{Scope, Ticket, TicketSigner};
use domain::time::Timestamp;
use domain::wire::{FromViewer, HELLO_MAX, VIEWER_FRAME_MAX, close};
use futures::SinkExt as _;
use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::Message;

use crate::support::control::ORIGIN;
use crate::support::viewer::{GRID, Got, open, open_direct, receive, send};
use crate::support::{Daemon, PATIENCE, Viewer};

async fn answer_to(daemon: &Daemon, ticket: &str) -> Got {
    let mut socket = open(daemon).await;
    send(&mut socket, &FromViewer::Hello { viewer: 1, terminal: 0, grid: GRID, resume: None, ticket }).await;
    receive(&mut socket).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_ticket_is_refused_and_makes_no_terminal() {
    let daemon = Daemon::ready().await;
    let control = &daemon.control;
    let right = |change: &dyn Fn(&mut domain::ticket::Claims)| control.ticket_with(Scope::Terminal, change);
    let forged: Ticket = TicketSigner::new(&[6; 32]).sign(&domain::ticket::Claims {
        scope: Scope::Terminal,
        instance: control.instance,
        expires_at: Timestamp(i64::MAX),
        nonce: [1; 16],
    });
    let wrong = [
        forged,
        control.ticket(Scope::Control),
        control.ticket(Scope::Instance),
        right(&|claims| claims.expires_at = agent::gate::now()),
        right(&|claims| claims.instance.generation = Generation(4)),
        right(&|claims| claims.instance.agent = domain::id::AgentId::from_random([8; 10])),
    ];
    for ticket in &wrong {
        assert_eq!(answer_to(&daemon, ticket.expose()).await, Got::Closed(close::REFUSED));
    }
    for text in ["", "x", "ñ", &"A".repeat(900)] {
        assert_eq!(answer_to(&daemon, text).await, Got::Closed(close::REFUSED));
    }
    assert_eq!(daemon.activity().await.terminals, 0);
    let log = daemon.output();
    assert!(wrong.iter().all(|ticket| !log.contains(&ticket.expose()[..20])));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_thousand_replays_none_is_accepted() {
    let daemon = Daemon::ready().await;
    let ticket = daemon.control.ticket(Scope::Terminal);
    assert!(matches!(answer_to(&daemon, ticket.expose()).await, Got::Welcome { .. }));
    for _ in 0..3 {
        assert_eq!(answer_to(&daemon, ticket.expose()).await, Got::Closed(close::REFUSED));
    }
    // The rest over one connection each of plain commands, which are quicker.
    let ticket = daemon.control.ticket(Scope::Control);
    let first = daemon.request(Method::POST, instance::KEEP_AWAKE, Some(ticket.expose()), "").await;
    assert_eq!(first.0, StatusCode::NO_CONTENT);
    let mut stream = tokio::net::UnixStream::connect(daemon.socket()).await.unwrap();
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: instance\r\nAuthorization: Bearer {}\r\nContent-Length: 0\r\n\r\n",
        instance::KEEP_AWAKE,
        ticket.expose()
    );
    let mut answers = vec![0; 4096];
    for _ in 0..10_000 {
        stream.write_all(request.as_bytes()).await.unwrap();
        let count = stream.read(&mut answers).await.unwrap();
        assert!(
            answers[..count].starts_with(b"HTTP/1.1 401 "),
            "{:?}",
            String::from_utf8_lossy(&answers[..count])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_need_a_ticket_of_their_own() {
    let daemon = Daemon::ready().await;
    for (method, path) in [
        (Method::GET, instance::ACTIVITY),
        (Method::POST, instance::SAVE),
        (Method::POST, instance::KEEP_AWAKE),
        (Method::POST, instance::IDLE_WARNING),
    ] {
        let terminal = daemon.control.ticket(Scope::Terminal);
        for ticket in [None, Some("nonsense"), Some(terminal.expose())] {
            let (status, _) = daemon.request(method.clone(), path, ticket, "").await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
        }
        let other = if method == Method::GET { Method::POST } else { Method::GET };
        let (status, _) = daemon.command(other, path, "").await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    assert_eq!(daemon.request(Method::GET, "/nothing", None, "").await.0, StatusCode::NOT_FOUND);
    assert_eq!(daemon.request(Method::GET, instance::HEALTH, None, "").await.0, StatusCode::OK);
    let huge = "x".repeat(10_000_000);
    let (status, _) = daemon.command(Method::POST, instance::IDLE_WARNING, &huge[..2000]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _) = daemon.command(Method::POST, instance::IDLE_WARNING, "{\"sleeps_in_ms\":-1}").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_of_the_console_come_in_directly() {
    let daemon = Daemon::ready().await;
    for origin in [None, Some("http://evil.example"), Some("null"), Some("http://127.0.0.1:77001")] {
        assert_eq!(open_direct(&daemon, origin).await.err(), Some(403), "{origin:?}");
    }
    assert!(open_direct(&daemon, Some(ORIGIN)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_messages_get_their_close_codes() {
    let daemon = Daemon::ready().await;
    let cases: [(Message, u16); 5] = [
        (Message::Binary(vec![1; HELLO_MAX + 1].into()), close::TOO_LARGE),
        (Message::Binary(vec![1; VIEWER_FRAME_MAX + 1].into()), close::TOO_LARGE),
        (Message::Binary(vec![0xff; 10].into()), close::MALFORMED),
        (Message::Text("hello".into()), close::MALFORMED),
        (Message::Binary(FromViewer::Ping { nonce: 1 }.encode().into()), close::MALFORMED),
    ];
    for (message, code) in cases {
        let mut socket = open(&daemon).await;
        socket.send(message.clone()).await.unwrap();
        assert_eq!(receive(&mut socket).await, Got::Closed(code), "{:?}", message.len());
    }
    // The same, and more, from one who was let in.
    let ticket = daemon.control.ticket(Scope::Terminal);
    let hello =
        FromViewer::Hello { viewer: 9, terminal: 0, grid: GRID, resume: None, ticket: ticket.expose() };
    let cases: [(Vec<u8>, u16); 5] = [
        (hello.encode(), close::MALFORMED),
        (FromViewer::Ack { offset: u64::MAX }.encode(), close::MALFORMED),
        (FromViewer::Input { offset: 5, bytes: b"x" }.encode(), close::MALFORMED),
        (Vec::new(), close::MALFORMED),
        (vec![2; VIEWER_FRAME_MAX + 1], close::TOO_LARGE),
    ];
    for (bytes, code) in cases {
        let mut viewer = Viewer::new(&daemon, u64::from(code), 0).await;
        viewer.socket.send(Message::Binary(bytes.into())).await.unwrap();
        loop {
            match viewer.next().await {
                Got::Closed(got) => break assert_eq!(got, code),
                Got::Gone => panic!("no code, {code} was due"),
                _ => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_shown_out_after_two_seconds() {
    let daemon = Daemon::ready().await;
    let mut socket = open(&daemon).await;
    let since = Instant::now();
    assert_eq!(receive(&mut socket).await, Got::Closed(close::TIMEOUT));
    assert!((1.9..3.0).contains(&since.elapsed().as_secs_f64()), "{:?}", since.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_dribbles_or_swells_is_cut_off() {
    let daemon = Daemon::ready().await;
    let mut slow = tokio::net::UnixStream::connect(daemon.socket()).await.unwrap();
    let mut large = tokio::net::UnixStream::connect(daemon.socket()).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ").await.unwrap();
    let head = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: {}", "a".repeat(64 * 1024));
    // It may be closed before all is written.
    let _ = large.write_all(head.as_bytes()).await;
    for stream in [&mut large, &mut slow] {
        let mut rest = Vec::new();
        let ended =
            tokio::time::timeout(Duration::from_secs(8).min(PATIENCE), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "it is still open");
    }
}
