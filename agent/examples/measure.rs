//! Measures the terminal's way against a bare pseudo-terminal, in one run:
//! `measure <openclaw-agent>`. Prints one JSON object a line.
#![allow(clippy::unwrap_used, dead_code)]

#[path = "../tests/it/support/mod.rs"]
#[allow(dead_code)]
mod support;

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use domain::wire::{FromViewer, ToViewer};
use futures::{SinkExt as _, StreamExt as _};
use support::{Control, Daemon, Viewer};
use tokio_tungstenite::tungstenite::Message;

const ECHOES: usize = 3_000;

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
            report(if direct { "echo direct" } else { "echo over the Unix socket" }, &echo, &raw_echo);
            viewer.types("\x03\n").await;
        }
        let mut viewer = open(&daemon, true, 2).await;
        let cpu = cpu(&daemon);
        let (took, bytes) = bulk(&mut viewer, file.path()).await;
        let cpu = self::cpu(&daemon) - cpu;
        println!(
            "{{\"bulk_mb_s\":{:.1},\"raw_mb_s\":{raw_bulk:.1},\"ratio\":{:.3},\"cpu_s_per_gb\":{:.2},\"lost\":{}}}",
            bytes as f64 / took / 1e6,
            bytes as f64 / took / 1e6 / raw_bulk,
            cpu / (bytes as f64 / 1e9),
            (size + size / line.len()) as i64 - bytes as i64,
        );
        viewer.types("\n").await;
        println!("{{\"ctrl_c_ms\":{:?},\"reader\":\"5 MB/s\"}}", ctrl_c(&mut viewer).await);
        let mut noisy = open(&daemon, true, 20).await;
        let mut quiet = open(&daemon, true, 21).await;
        noisy.types("yes 0123456789012345678901234567890123456789\n").await;
        let flood = tokio::spawn(async move {
            loop {
                noisy.next().await;
                noisy.seen.clear();
            }
        });
        report("echo beside a flood", &echo(&mut quiet).await, &raw_echo);
        flood.abort();
        let mut more = Vec::new();
        let before = memory(&daemon);
        for number in 3..13 {
            let mut viewer = open(&daemon, true, number).await;
            viewer.listens(Duration::from_millis(200)).await;
            more.push(viewer);
        }
        println!(
            "{{\"rss_base_kib\":{base},\"rss_now_kib\":{before},\"kib_a_session\":{:.1}}}",
            (memory(&daemon) - before) as f64 / 10.0
        );
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

fn report(name: &str, took: &[Duration], raw: &[Duration]) {
    let at = |all: &[Duration], part: f64| all[((all.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e6;
    println!(
        "{{\"name\":\"{name}\",\"p50_us\":{:.0},\"p99_us\":{:.0},\"raw_p50_us\":{:.0},\"raw_p99_us\":{:.0},\"ratio\":{:.2}}}",
        at(took, 0.5),
        at(took, 0.99),
        at(raw, 0.5),
        at(raw, 0.99),
        at(took, 0.5) / at(raw, 0.5)
    );
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

/// A shell's command on a bare pseudo-terminal.
fn bare(command: &str) -> (std::fs::File, std::process::Child) {
    use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = openpt(flags).expect("a pseudo-terminal");
    unlockpt(&ours).expect("a pseudo-terminal");
    let theirs = ioctl_tiocgptpeer(&ours, flags).expect("a pseudo-terminal");
    let end = |fd: &OwnedFd| std::process::Stdio::from(fd.try_clone().expect("a descriptor"));
    let child = std::process::Command::new("sh")
        .args(["-c", command])
        .stdin(end(&theirs))
        .stdout(end(&theirs))
        .stderr(end(&theirs))
        .spawn()
        .expect("a shell");
    (ours.into(), child)
}

fn bare_echo() -> Vec<Duration> {
    let (mut terminal, mut child) = bare("stty raw -echo; exec cat");
    std::thread::sleep(Duration::from_millis(300));
    let mut took: Vec<Duration> = (0..ECHOES)
        .map(|_| {
            let since = Instant::now();
            terminal.write_all(b"x").expect("it goes on");
            terminal.read_exact(&mut [0]).expect("it goes on");
            since.elapsed()
        })
        .collect();
    child.kill().expect("it runs");
    child.wait().expect("it ran");
    took.sort();
    took
}

fn bare_bulk(file: &std::path::Path) -> f64 {
    let (mut terminal, mut child) = bare(&format!("cat {}; printf '\\0'; sleep 1", file.display()));
    let (since, mut bytes, mut buffer) = (Instant::now(), 0, vec![0; 32 * 1024]);
    loop {
        let count = terminal.read(&mut buffer).expect("it goes on");
        bytes += count;
        if buffer[..count].contains(&0) {
            break;
        }
    }
    let took = since.elapsed().as_secs_f64();
    child.kill().expect("it runs");
    child.wait().expect("it ran");
    bytes as f64 / took / 1e6
}
