//! Nobody takes all the connections there are, or keeps one for nothing.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

/// As `serve` has them, with room for a busy machine.
const BY_INSTANCE: usize = 48;
const HEAD: Duration = Duration::from_secs(30);
const HEAD_BY_INSTANCE: Duration = Duration::from_secs(15);
const ROOM: Duration = Duration::from_secs(20);

fn control(server: &Server) -> PathBuf {
    let found = walk(server.data()).into_iter().find(|path| path.ends_with("control.sock"));
    found.expect("instances ask there")
}

fn walk(folder: PathBuf) -> Vec<PathBuf> {
    let entries: Vec<_> =
        std::fs::read_dir(folder).map(|entries| entries.flatten().collect()).unwrap_or_default();
    entries
        .into_iter()
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(entry.path()),
            _ => vec![entry.path()],
        })
        .collect()
}

/// Waits until the server closes it; how long that took.
async fn closed(mut stream: impl tokio::io::AsyncRead + Unpin, since: Instant) -> Duration {
    let _ = stream.read_to_end(&mut Vec::new()).await;
    since.elapsed()
}

/// Whether it is still open a moment later.
async fn is_open(stream: &mut UnixStream) -> bool {
    tokio::time::timeout(Duration::from_millis(300), stream.read_u8()).await.is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_instance_does_not_keep_the_others_from_the_control_plane() {
    let server = Server::start(&[]);
    let socket = control(&server);
    let started = Instant::now();
    let mut mine = Vec::new();
    for _ in 0..BY_INSTANCE {
        mine.push(UnixStream::connect(&socket).await.unwrap());
    }
    let mut beyond = UnixStream::connect(&socket).await.unwrap();
    assert!(!is_open(&mut beyond).await, "one more than it may have");
    assert!(is_open(&mut mine[0]).await);

    // Another has its own, and boots meanwhile.
    let owner = server.owner().await;
    let id = owner.spawn("otro").await;
    owner.until(&id, "running").await;

    // What says nothing makes room.
    let mut slow = mine.pop().unwrap();
    slow.write_all(b"POST /v1/report HTTP/1.1\r\nhost: ").await.unwrap();
    let took = closed(slow, started).await;
    assert!(took < HEAD_BY_INSTANCE + ROOM, "it took {took:?}");
    for stream in mine {
        closed(stream, started).await;
    }
    assert!(is_open(&mut UnixStream::connect(&socket).await.unwrap()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_come_ends() {
    let server = Server::start(&[]);
    let (feed, _connection) =
        server.owner().await.browser.open("GET", "/live/agents", Vec::new().into()).await;
    let mut slow = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    let started = Instant::now();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: ").await.unwrap();
    let took = closed(slow, started).await;
    assert!((HEAD..HEAD + ROOM).contains(&took), "it took {took:?}");
    // What was asked goes on.
    let mut feed = feed.into_body();
    let beat = async { while let Some(Ok(_)) = http_body_util::BodyExt::frame(&mut feed).await {} };
    assert!(tokio::time::timeout(Duration::from_secs(1), beat).await.is_err(), "a feed ended");
}
