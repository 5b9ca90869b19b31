//! A terminal through the console's relay, of the real server and a real
//! sandbox, beside a bare pseudo-terminal in the same run.
#![allow(clippy::unwrap_used)] // It measures or it ends.

#[path = "../../agent/examples/measure/bare.rs"]
mod bare;
#[path = "../tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use bare::{ECHOES, bare_bulk, bare_echo};
use common::Server;
use common::terminal::Terminal;

/// What is read in one piece, in bytes.
const BULK: u64 = 100_000_000;
const LINE: &str = "0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn main() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{LINE}\n").repeat(BULK as usize / (LINE.len() + 1) + 1)).unwrap();
    let (raw_echo, raw_bulk) = (bare_echo(), bare_bulk(file.path()));
    let server = Server::start(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (echo, bulk) = runtime.block_on(through(&server));
    let at = |all: &[Duration], part: f64| all[((all.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    let ratio = at(&echo, 0.5) / at(&raw_echo, 0.5);
    println!("bare echo, p50 / p99\t{:.3} / {:.3} ms\t-", at(&raw_echo, 0.5), at(&raw_echo, 0.99));
    println!("relayed echo, p50 / p99\t{:.3} / {:.3} ms\t-", at(&echo, 0.5), at(&echo, 0.99));
    println!("relayed echo, p50 ÷ bare\t{ratio:.2}\t≤ 3");
    println!("bare cat of 100 MB\t{raw_bulk:.0} MB/s\t-");
    println!("relayed cat of 100 MB\t{bulk:.0} MB/s\t-");
    println!("relayed cat ÷ bare\t{:.2}\t≥ 0.95", bulk / raw_bulk);
}

async fn through(server: &Server) -> (Vec<Duration>, f64) {
    let owner = server.owner().await;
    let wanted = serde_json::json!({ "name": "bench", "size": "large" });
    let id = owner.api.post("/api/v1/agents/spawn", &wanted).await.json()["id"].as_str().unwrap().to_owned();
    owner.until(&id, "running").await;
    let mut terminal = Terminal::connect(&owner, &id).await;
    let write = format!("yes '{LINE}' | head -c {BULK} > big; echo wri''tten");
    terminal.run(&write, "written").await;
    terminal.run("PS1=; stty -echo; echo si''lent", "silent").await;
    // The terminal writes a line's end as two bytes.
    let whole = BULK + BULK / (LINE.len() as u64 + 1);
    let (from, since) = (terminal.offset, Instant::now());
    terminal.kind("cat big\n").await;
    while terminal.offset < from + whole {
        terminal.turn().await;
        terminal.screen.clear();
    }
    let bulk = whole as f64 / since.elapsed().as_secs_f64() / 1e6;

    terminal.run("stty raw; echo ra''w; exec cat", "raw").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut echo = Vec::new();
    for _ in 0..ECHOES {
        let (since, before) = (Instant::now(), terminal.offset);
        terminal.kind("x").await;
        while terminal.offset == before {
            terminal.turn().await;
        }
        echo.push(since.elapsed());
    }
    echo.sort();
    (echo, bulk)
}
