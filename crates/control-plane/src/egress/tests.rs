use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Answers what a test says, one list after the other, the last for ever.
struct Scripted {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Resolver for Scripted {
    async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        Ok(self.answers[turn].clone())
    }
}

struct Room {
    resolver: Arc<Scripted>,
    socket: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Room {
    fn new(policy: Policy, answers: &[&[&str]]) -> Self {
        let answers =
            answers.iter().map(|list| list.iter().map(|text| text.parse().unwrap()).collect()).collect();
        let resolver = Arc::new(Scripted { answers, asked: AtomicUsize::new(0) });
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("egress.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(Proxy::with_resolver(policy, resolver.clone()).serve(listener));
        Self { resolver, socket, _folder: folder }
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.socket).await.unwrap()
    }

    /// Sends a request whole and reads until the end.
    async fn ask(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        // A refusal may come before all of it is read.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn status(&self, request: &str) -> u16 {
        let answer = self.ask(request).await;
        answer.split(' ').nth(1).unwrap_or_else(|| panic!("{answer:?}")).parse().unwrap()
    }
}

fn connect(target: &str) -> String {
    format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n")
}

fn get(url: &str) -> String {
    format!(
        "GET {url} HTTP/1.1\r\nHost: wrong.example\r\nConnection: close, X-Private\r\nX-Private: 1\r\nProxy-Authorization: Basic c2VjcmV0\r\nX-Kept: 2\r\n\r\n"
    )
}

/// A server of the operator's own, and policy that let it through.
async fn service() -> (TcpListener, SocketAddr, Policy) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let policy = Policy { allow_addresses: vec![address], ..Policy::default() };
    (listener, address, policy)
}

#[tokio::test]
async fn a_tunnel_carries_bytes_both_ways() {
    let (listener, address, policy) = service().await;
    let room = Room::new(policy, &[&["127.0.0.1"]]);
    let mut here = room.connect().await;
    here.write_all(connect(&format!("operator.example:{}", address.port())).as_bytes()).await.unwrap();
    let (mut there, _) = listener.accept().await.unwrap();
    let mut head = [0; 17];
    here.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK\r\n");
    there.write_all(b"from there").await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"from there") {
        assert_ne!(here.read_buf(&mut seen).await.unwrap(), 0);
    }
    here.write_all(b"from here").await.unwrap();
    here.shutdown().await.unwrap();
    let mut all = String::new();
    there.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "from here");
}

#[tokio::test]
async fn a_plain_request_is_forwarded_without_what_is_the_proxys() {
    let (listener, address, policy) = service().await;
    let room = Room::new(policy, &[&["127.0.0.1"]]);
    let url = format!("http://Operator.example:{}/a/b?c=d", address.port());
    let serving = tokio::spawn(async move {
        let (mut there, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            there.read_buf(&mut seen).await.unwrap();
        }
        there.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nkeep-alive: 5\r\n\r\nhi").await.unwrap();
        String::from_utf8(seen).unwrap().to_lowercase()
    });
    let answer = room.ask(&get(&url)).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\nhi"), "{answer}");
    assert!(!answer.contains("keep-alive"), "{answer}");
    let seen = serving.await.unwrap();
    assert!(seen.starts_with("get /a/b?c=d http/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("host: operator.example:{}\r\n", address.port())), "{seen}");
    assert!(seen.contains("x-kept: 2"), "{seen}");
    assert!(
        !seen.contains("proxy-authorization") && !seen.contains("x-private") && !seen.contains("wrong"),
        "{seen}"
    );
}

#[tokio::test]
async fn what_is_not_public_is_refused_however_it_is_written() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let room = Room::new(Policy { ports: [80, 443, port].into(), ..Policy::default() }, &[&["127.0.0.1"]]);
    for host in [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "localhost",
        "localhost.",
        "2130706433",
        "0x7f.1",
        "rebind.example",
    ] {
        assert_eq!(room.status(&connect(&format!("{host}:{port}"))).await, 403, "{host}");
        assert_eq!(room.status(&get(&format!("http://{host}:{port}/"))).await, 403, "{host}");
    }
    for host in [
        "169.254.169.254",
        "10.0.0.1",
        "192.168.0.1",
        "100.100.100.200",
        "[fd00:ec2::254]",
        "[64:ff9b::a9fe:a9fe]",
    ] {
        assert_eq!(room.status(&get(&format!("http://{host}/latest/meta-data/"))).await, 403, "{host}");
    }
    let accepted = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(accepted.is_err(), "a refused address was connected to");
}

#[tokio::test]
async fn a_name_is_resolved_once_and_only_what_was_judged_is_connected_to() {
    let (listener, address, policy) = service().await;
    // Allowed at first, something else the next time: only the first counts.
    let room = Room::new(policy, &[&["127.0.0.1"], &["10.0.0.1"]]);
    let mut here = room.connect().await;
    here.write_all(connect(&format!("rebind.example:{}", address.port())).as_bytes()).await.unwrap();
    listener.accept().await.unwrap();
    assert_eq!(room.resolver.asked.load(Ordering::SeqCst), 1);
    // The other way round: a public address first never opens the near one.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let policy = Policy { ports: [port].into(), ..Policy::default() };
    let room = Room::new(policy, &[&["10.0.0.1", "127.0.0.1", "::1"], &["127.0.0.1"]]);
    assert_eq!(room.status(&connect(&format!("rebind.example:{port}"))).await, 403);
    assert_eq!(room.resolver.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn ports_and_hosts_are_the_operators() {
    let hosts = Allow::Hosts(vec!["*.allowed.example".parse().unwrap()]);
    let room = Room::new(Policy { hosts, ..Policy::default() }, &[&["10.0.0.1"]]);
    let answer = room.ask(&connect("other.example:443")).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("operator's list"), "{answer}");
    let answer = room.ask(&connect("git.allowed.example:22")).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("port"), "{answer}");
    assert_eq!(room.resolver.asked.load(Ordering::SeqCst), 0);
    let answer = room.ask(&connect("git.allowed.example:443")).await;
    assert!(answer.contains("not on the public internet"), "{answer}");
}

#[tokio::test]
async fn what_is_no_proxys_request_is_refused() {
    let room = Room::new(Policy::default(), &[&["10.0.0.1"]]);
    for request in [
        "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n".to_owned(),
        get("https://a.example/"),
        get("ftp://a.example/"),
        get("http://user:secret@a.example/"),
        connect("a.example"),
        connect("a_b..example:443"),
        connect("a.example:0x1bb"),
        "\x16\x03\x01\x02\r\n\r\n".to_owned(),
    ] {
        assert_eq!(room.status(&request).await, 400, "{request:?}");
    }
    assert_eq!(room.resolver.asked.load(Ordering::SeqCst), 0);
    let long =
        format!("GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(room.status(&long).await, 431);
}

#[tokio::test]
async fn a_full_house_says_so() {
    let room = Room::new(Policy { connections_per_instance: 2, ..Policy::default() }, &[&["10.0.0.1"]]);
    let open = [room.connect().await, room.connect().await];
    // Both are surely in once the third is turned away.
    assert_eq!(room.status(&get("http://a.example/")).await, 503);
    drop(open);
    let mut status = 503;
    while status == 503 {
        status = room.status(&get("http://a.example/")).await;
    }
    assert_eq!(status, 403);
}
