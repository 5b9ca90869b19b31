//! What a pseudo-terminal does without anything around it.

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Keys in one measurement.
pub const ECHOES: usize = 3_000;

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

/// From a byte written to the same byte read, of a raw `cat`; sorted.
pub fn bare_echo() -> Vec<Duration> {
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

/// `cat` of a file, in MB/s.
pub fn bare_bulk(file: &std::path::Path) -> f64 {
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
