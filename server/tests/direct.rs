//! Terminals at the instance itself, on the AWS engine: by TLS at a name made
//! from its address, with the same ticket as by the relay.
#![allow(clippy::unwrap_used)]

mod common;

use std::net::Ipv4Addr;
use std::sync::Arc;

use common::Person;
use common::cloud::{Cloud, free_port};
use domain::wire::{FromViewer, Grid, ToViewer, close};
use ecs_fake::Settings;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

const GRID: Grid = Grid { cols: 80, rows: 24 };

struct House {
    server: common::Server,
    connector: TlsConnector,
    _cloud: Cloud,
}

/// A console whose agents browsers reach by themselves.
async fn house() -> House {
    let mut cloud = Cloud::start(Settings::default()).await;
    let made = rcgen::generate_simple_self_signed(["*.agents.test".to_owned()]).unwrap();
    let url = format!("wss://{{ipv4}}.agents.test:{}", free_port());
    cloud.env.extend([
        ("OPENCLAW_CLOUD_DIRECT_URL".to_owned(), url),
        ("OPENCLAW_CLOUD_DIRECT_CERTIFICATE".to_owned(), made.cert.pem()),
        ("OPENCLAW_CLOUD_DIRECT_KEY".to_owned(), made.signing_key.serialize_pem()),
    ]);
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    House { server: cloud.server(&[]), connector: TlsConnector::from(Arc::new(config)), _cloud: cloud }
}

impl House {
    /// The TLS stream to where the console says that the terminal is, as a
    /// resolver of such names would lead there.
    async fn reach(&self, url: &str) -> TlsStream<TcpStream> {
        let (host, rest) = url.strip_prefix("wss://").unwrap().split_once(':').unwrap();
        let address: Ipv4Addr = host.split('.').next().unwrap().replace('-', ".").parse().unwrap();
        let port: u16 = rest.split('/').next().unwrap().parse().unwrap();
        let stream = TcpStream::connect((address, port)).await.unwrap();
        self.connector.connect(ServerName::try_from(host.to_owned()).unwrap(), stream).await.unwrap()
    }

    async fn open(&self, url: &str, origin: &str) -> Result<WebSocketStream<TlsStream<TcpStream>>, u16> {
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        match tokio_tungstenite::client_async(request, self.reach(url).await).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(refusal)) => Err(refusal.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }
}

async fn way(who: &Person, id: &str) -> (String, String) {
    let reply = who.browser.post("/api/console/connect_terminal", &json!({ "id": id })).await.json();
    let text = |name: &str| reply[name].as_str().unwrap().to_owned();
    (text("direct"), text("ticket"))
}

async fn next(socket: &mut WebSocketStream<TlsStream<TcpStream>>) -> Result<Vec<u8>, u16> {
    loop {
        let message = tokio::time::timeout(common::PATIENCE, socket.next()).await.unwrap();
        match message.unwrap().unwrap() {
            Message::Binary(bytes) => return Ok(bytes.to_vec()),
            Message::Close(frame) => return Err(frame.unwrap().code.into()),
            _ => {}
        }
    }
}

fn hello(ticket: &str) -> Message {
    let hello = FromViewer::Hello { viewer: 7, terminal: 0, grid: GRID, resume: None, ticket };
    Message::binary(hello.encode())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_at_the_instance_itself() {
    let house = house().await;
    let owner = house.server.owner().await;
    let id = owner.spawn("directo").await;
    owner.until(&id, "running").await;
    let (url, ticket) = way(&owner, &id).await;
    let origin = format!("http://127.0.0.1:{}", house.server.port);
    let page = owner.browser.get("/").await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("connect-src 'self' wss://*.agents.test:"), "{policy}");

    let mut socket = house.open(&url, &origin).await.unwrap();
    socket.send(hello(&ticket)).await.unwrap();
    let typed = b"echo four$((2+2))\n";
    socket.send(Message::binary(FromViewer::Input { offset: 0, bytes: typed }.encode())).await.unwrap();
    let mut drawn = String::new();
    while !drawn.contains("four4") {
        let frame = next(&mut socket).await.unwrap();
        if let Ok(ToViewer::Output { bytes, .. } | ToViewer::Repaint { bytes }) = ToViewer::decode(&frame) {
            drawn.push_str(&String::from_utf8_lossy(bytes));
        }
    }

    // Once is once, another agent's ticket is another's, and another page's visit none.
    let mut again = house.open(&url, &origin).await.unwrap();
    again.send(hello(&ticket)).await.unwrap();
    assert_eq!(next(&mut again).await, Err(close::REFUSED));
    let other = owner.spawn("otro").await;
    owner.until(&other, "running").await;
    let (_, foreign) = way(&owner, &other).await;
    let mut stranger = house.open(&url, &origin).await.unwrap();
    stranger.send(hello(&foreign)).await.unwrap();
    assert_eq!(next(&mut stranger).await, Err(close::REFUSED));
    assert_eq!(house.open(&url, "https://evil.example").await.unwrap_err(), 403);
    assert_eq!(house.open(&url.replace("/terminal", "/activity"), &origin).await.unwrap_err(), 401);
    // The relay goes on beside it.
    common::terminal::Terminal::connect(&owner, &id).await.run("echo five$((2+3))", "five5").await;
}
