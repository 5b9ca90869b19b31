//! AWS for tests: ministack, one a test program. It is started by the first test that asks,
//! on a free port, and ended with the program however that ends.

mod operation;
pub mod proxy;

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use rustix::process::{Signal, set_parent_process_death_signal};

const PROGRAM: &str = "ministack";
/// It is a Python program with ninety services: a second when the machine is idle.
const PATIENCE: Duration = Duration::from_secs(60);

/// The keys that may do everything where [`guarded`] answers.
pub const ROOT: (&str, &str) = ("test", "test");

/// Where one answers that lets anybody do anything.
pub fn endpoint() -> &'static str {
    static ENDPOINT: OnceLock<String> = OnceLock::new();
    ENDPOINT.get_or_init(|| open("false"))
}

/// Where one answers that holds everybody but [`ROOT`] to their policies.
pub fn guarded() -> &'static str {
    static ENDPOINT: OnceLock<String> = OnceLock::new();
    ENDPOINT.get_or_init(|| open("true"))
}

fn open(guard: &'static str) -> String {
    // A port that is free now may be somebody else's a moment later.
    let port = (0..5).find_map(|_| start(guard)).expect("the emulator starts on some port");
    format!("http://127.0.0.1:{port}")
}

fn start(guard: &'static str) -> Option<u16> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.expect("a port is free").port();
    let ended = run(port, guard);
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        match ended.try_recv() {
            Err(_) if healthy(port) => return Some(port),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
            Ok(Ok(status)) => {
                eprintln!("{PROGRAM} on port {port} ended: {status}");
                return None;
            }
            Ok(Err(error)) => panic!(
                "no AWS to test with ({PROGRAM}: {error}): run script/bootstrap test, and source script/env"
            ),
        }
    }
    panic!("{PROGRAM} did not answer within {PATIENCE:?}");
}

/// Runs it; says when it ended. The kernel ends a child with the thread that
/// made it, so that thread lives as long as the child.
fn run(port: u16, guard: &'static str) -> mpsc::Receiver<io::Result<ExitStatus>> {
    let (tell, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let mut command = Command::new(PROGRAM);
        command.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", port.to_string()).env("AUTH", guard);
        command.env("AWS_ACCESS_KEY_ID", ROOT.0).env("AWS_SECRET_ACCESS_KEY", ROOT.1);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // SAFETY: one system call, which may be made between fork and exec.
        unsafe { command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::TERM))?)) };
        // Nobody listens any more once it was healthy.
        let _ = tell.send(command.status());
    });
    ended
}

fn healthy(port: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream
            .write_all(b"GET /_ministack/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok::<_, io::Error>(answer)
    };
    ask().is_ok_and(|answer| &answer == b"HTTP/1.1 200")
}
