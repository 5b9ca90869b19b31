//! Whose right has ended is shown out; who looks changes nothing.

use domain::protocol::instance;
use domain::ticket::{Holder, Scope, Ticket};
use domain::wire::{FromViewer, Grid, close};
use http::{Method, StatusCode};

use crate::support::control::ORIGIN;
use crate::support::viewer::{GRID, Got, Socket, open, open_direct, receive, send};
use crate::support::{Daemon, Viewer};

fn ticket_of(daemon: &Daemon, scope: Scope, holder: u8) -> Ticket {
    let random = Holder::new([holder; 8]).nonce(agent::gate::random());
    daemon.control.ticket_with(scope, |claims| claims.nonce = random)
}

async fn come(socket: Socket, ticket: &Ticket) -> (Socket, Got) {
    come_to(socket, 0, ticket).await
}

async fn come_to(mut socket: Socket, terminal: u16, ticket: &Ticket) -> (Socket, Got) {
    let hello =
        FromViewer::Hello { viewer: 77, terminal, grid: SMALL, resume: None, ticket: ticket.expose() };
    send(&mut socket, &hello).await;
    let got = receive(&mut socket).await;
    (socket, got)
}

const SMALL: Grid = Grid { cols: 20, rows: 5 };

async fn show_out(daemon: &Daemon, holder: u8) {
    let body = serde_json::json!({ "holder": Holder::new([holder; 8]) }).to_string();
    let (status, _) = daemon.command(Method::POST, instance::SHOW_OUT, &body).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_right_has_ended_goes_and_comes_in_by_no_ticket_and_nobody_else_does() {
    let daemon = Daemon::ready().await;
    let (mut gone, welcome) = come(open(&daemon).await, &ticket_of(&daemon, Scope::Terminal, 1)).await;
    assert!(matches!(welcome, Got::Welcome { .. }));
    let (outstanding, others) =
        (ticket_of(&daemon, Scope::Terminal, 1), ticket_of(&daemon, Scope::Terminal, 2));
    let mut stays = Viewer::new(&daemon, 5, 0).await;
    show_out(&daemon, 1).await;
    let code = loop {
        if let Got::Closed(code) = receive(&mut gone).await {
            break code;
        }
    };
    assert_eq!(code, close::REFUSED);
    assert_eq!(come(open(&daemon).await, &outstanding).await.1, Got::Closed(close::REFUSED));
    assert!(matches!(come(open(&daemon).await, &others).await.1, Got::Welcome { .. }));
    stays.types("echo four$((2+2))\n").await;
    stays.sees("four4").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_makes_nothing_sets_no_size_and_types_nothing() {
    let daemon = Daemon::ready().await;
    let look = || ticket_of(&daemon, Scope::Look, 3);
    // There is nothing to look at, and looking makes nothing.
    assert_eq!(come(open(&daemon).await, &look()).await.1, Got::Closed(close::NO_TERMINAL));
    assert_eq!(daemon.activity().await.terminals, 0);
    let mut owner = Viewer::new(&daemon, 5, 0).await;
    owner.types("echo four$((2+2))\n").await;
    owner.sees("four4").await;
    // By the relay alone.
    let direct = open_direct(&daemon, Some(ORIGIN)).await.unwrap();
    assert_eq!(come(direct, &look()).await.1, Got::Closed(close::REFUSED));

    // The first terminal is shown, and no other.
    let mut second = Viewer::new(&daemon, 6, 1).await;
    second.types("echo six$((3+3))\n").await;
    second.sees("six6").await;
    assert_eq!(come_to(open(&daemon).await, 1, &look()).await.1, Got::Closed(close::NO_TERMINAL));

    let (mut socket, welcome) = come(open(&daemon).await, &look()).await;
    assert!(matches!(welcome, Got::Welcome { .. }));
    assert_eq!(receive(&mut socket).await, Got::Size(GRID));
    send(&mut socket, &FromViewer::Resize(SMALL)).await;
    send(&mut socket, &FromViewer::Input { offset: 0, bytes: b"echo taken$((3+3))\n" }).await;
    send(&mut socket, &FromViewer::Ping { nonce: 9 }).await;
    while receive(&mut socket).await != Got::Pong(9) {}
    owner.types("echo $(tput cols)x$(tput lines)\n").await;
    owner.sees(&format!("{}x{}", GRID.cols, GRID.rows)).await;
    assert!(!owner.text().contains("taken"), "{}", owner.text());
    // It is told when its owner's window changes.
    let grid = Grid { cols: 100, rows: 30 };
    owner.send(FromViewer::Resize(grid)).await;
    owner.types("echo five$((2+3))\n").await;
    owner.sees("five5").await;
    while receive(&mut socket).await != Got::Size(grid) {}
}
