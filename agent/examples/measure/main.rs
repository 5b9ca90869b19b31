//! Measures the terminal's way against a bare pseudo-terminal, in one run:
//! `measure <openclaw-agent>`. Prints a line a figure: what, value, goal.
#![allow(clippy::unwrap_used, dead_code)]

mod bare;
#[path = "../../tests/it/support/mod.rs"]
#[allow(dead_code)]
mod support;

use std::time::{Duration, Instant};

use bare::{ECHOES, bare_bulk, bare_echo};
use domain::wire::{FromViewer, ToViewer};
use futures::{SinkExt as _, StreamExt as _};
use support::{Control, Daemon, Viewer};
use tokio_tungstenite::tungstenite::Message;

fn main() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let line =
        "\x1b[32mñandú \x1b[1;34m日本語\x1b[0m 0123456789 abcdefghijklmnopqrstuvwxyz \x1b[31m!\x1b[m\n";
    let size = 135_000_000 / line.len() * line.len();
    std::fs::write(file.path(), line.repeat(size / line.len())).expect("room for 135 MB");
    let raw_echo = bare_echo();
    let raw_bulk = bare_bulk(file.path());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let daemon = Daemon::ready_with(&Control::start()).await;
        let base = memory(&daemon);
        for direct in [true, false] {
            let mut viewer = open(&daemon, direct, 1).await;
            let echo = echo(&mut viewer).await;
            report(
                if direct { "direct echo" } else { "echo over the Unix socket" },
                "≤ 2.0",
                &echo,
                &raw_echo,
            );
            viewer.types("\x03\n").await;
        }
        let mut viewer = open(&daemon, true, 2).await;
        let cpu = cpu(&daemon);
        let (took, bytes) = bulk(&mut viewer, file.path()).await;
        let cpu = self::cpu(&daemon) - cpu;
        let mb_s = bytes as f64 / took / 1e6;
        println!("bare cat of 135 MB\t{raw_bulk:.0} MB/s\t-");
        println!("direct cat of 135 MB\t{mb_s:.0} MB/s\t-");
        println!("direct cat ÷ bare\t{:.2}\t≥ 0.95", mb_s / raw_bulk);
        println!("bytes lost of it\t{}\t0", (size + size / line.len()).abs_diff(bytes));
        println!("processor for it\t{:.1} s a GB\t≤ 6", cpu / (bytes as f64 / 1e9));
        viewer.types("\n").await;
        let ctrl_c = ctrl_c(&mut viewer).await;
        let (median, worst) = (ctrl_c[ctrl_c.len() / 2], ctrl_c[ctrl_c.len() - 1]);
        println!(
            "Ctrl-C to prompt in a flood, reader at 5 MB/s, p50 / worst\t{median} / {worst} ms\t≤ 60 ms"
        );
        let mut noisy = open(&daemon, true, 20).await;
        let mut quiet = open(&daemon, true, 21).await;
        noisy.types("yes 0123456789012345678901234567890123456789\n").await;
        let flood = tokio::spawn(async move {
            loop {
                noisy.next().await;
                noisy.seen.clear();
            }
        });
        report("echo beside a flood", "-", &echo(&mut quiet).await, &raw_echo);
        flood.abort();
        let mut more = Vec::new();
        let before = memory(&daemon);
        for number in 3..13 {
            let mut viewer = open(&daemon, true, number).await;
            viewer.listens(Duration::from_millis(200)).await;
            more.push(viewer);
        }
        println!("daemon's memory, no terminal\t{base} KiB\t≤ 4096 KiB");
        println!("memory a terminal\t{:.1} KiB\t≤ 64 KiB", (memory(&daemon) - before) as f64 / 10.0);
    });
}

async fn open(daemon: &Daemon, direct: bool, terminal: u16) -> Viewer {
    let name = u64::from(terminal) << 1 | u64::from(direct);
    if direct {
        Viewer::direct(daemon, name, terminal).await
    } else {
        Viewer::new(daemon, name, terminal).await
    }
}

fn report(name: &str, goal: &str, took: &[Duration], raw: &[Duration]) {
    let at = |all: &[Duration], part: f64| all[((all.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    println!("{name}, p50 / p99\t{:.3} / {:.3} ms\t-", at(took, 0.5), at(took, 0.99));
    println!("{name}, p50 ÷ bare\t{:.2}\t{goal}", at(took, 0.5) / at(raw, 0.5));
}

/// Raw `cat`, one byte at a time.
async fn echo(viewer: &mut Viewer) -> Vec<Duration> {
    viewer.types("stty raw -echo; exec cat\n").await;
    viewer.listens(Duration::from_millis(300)).await;
    let mut took = Vec::new();
    for _ in 0..ECHOES {
        let (since, before) = (Instant::now(), viewer.offset);
        viewer.draws = false;
        viewer.types("x").await;
        while viewer.offset == before {
            viewer.next().await;
        }
        took.push(since.elapsed());
        viewer.send(FromViewer::Ack { offset: viewer.offset }).await;
    }
    took.sort();
    took
}

async fn bulk(viewer: &mut Viewer, file: &std::path::Path) -> (f64, usize) {
    viewer.types("PS1=; stty -echo\n").await;
    viewer.listens(Duration::from_millis(300)).await;
    viewer.types(&format!("printf '\\1'; cat {}; printf '\\0'\n", file.display())).await;
    let (since, mut bytes, mut acked) = (Instant::now(), 0, viewer.offset);
    loop {
        let message = viewer.socket.next().await.expect("it goes on").expect("it goes on").into_data();
        let Ok(ToViewer::Output { offset, bytes: output }) = ToViewer::decode(&message) else { continue };
        let start = output.iter().position(|byte| *byte == 1).map_or(0, |mark| mark + 1);
        bytes = if start > 0 { 0 } else { bytes } + output[start..].len();
        let end = offset + output.len() as u64;
        viewer.offset = end;
        // Not for each message, as a page that is busy drawing.
        if end - acked >= 16 * 1024 || output.last() == Some(&0) {
            acked = end;
            let ack = FromViewer::Ack { offset: acked }.encode();
            viewer.socket.send(Message::Binary(ack.into())).await.expect("it goes on");
        }
        if output.contains(&0) {
            let rest = output.iter().rev().position(|byte| *byte == 0).unwrap_or_default();
            return (since.elapsed().as_secs_f64(), bytes - 1 - rest);
        }
    }
}

/// From the key to the prompt, in milliseconds, sorted: a reader that draws 5 MB/s.
async fn ctrl_c(viewer: &mut Viewer) -> Vec<u64> {
    viewer.types("stty echo; PS1='rea''dy> '\n").await;
    viewer.sees("ready> ").await;
    let mut took = Vec::new();
    for _ in 0..20 {
        viewer.types("yes 0123456789012345678901234567890123456789\n").await;
        let flood = Instant::now();
        while flood.elapsed() < Duration::from_millis(500) {
            draw(viewer).await;
        }
        viewer.seen.clear();
        let since = Instant::now();
        viewer.types("\x03").await;
        while !viewer.seen.ends_with(b"ready> ") {
            draw(viewer).await;
        }
        took.push(since.elapsed().as_millis() as u64);
    }
    took.sort();
    took
}

/// Takes the next message, and acknowledges it after the time it takes to draw.
async fn draw(viewer: &mut Viewer) {
    viewer.draws = false;
    let before = viewer.offset;
    viewer.next().await;
    if viewer.offset > before {
        tokio::time::sleep(Duration::from_nanos((viewer.offset - before) * 200)).await;
        viewer.send(FromViewer::Ack { offset: viewer.offset }).await;
    }
}

fn memory(daemon: &Daemon) -> i64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("a kernel that counts");
    line.split_ascii_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

/// Seconds of CPU, without its children's.
fn cpu(daemon: &Daemon) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", daemon.pid())).expect("it runs");
    let fields: Vec<&str> = stat.rsplit_once(") ").expect("a name").1.split_ascii_whitespace().collect();
    let ticks = |index: usize| fields[index].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) / 100.0
}
