use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use domain::protocol::{Activity, env, instance};
use domain::ticket::Scope;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::UnixStream;

use super::control::NONCE;
use super::{Control, PATIENCE, until};

/// A running daemon; killed with all its own when dropped.
pub struct Daemon {
    pub control: Arc<Control>,
    child: Child,
    folder: tempfile::TempDir,
    pub tcp: SocketAddr,
}

impl Daemon {
    /// Starts one in a new home, and waits until it is ready.
    pub async fn ready() -> Self {
        Self::ready_with(&Control::start()).await
    }

    pub async fn ready_with(control: &Arc<Control>) -> Self {
        let daemon = Self::start(control);
        until("ready", || control.is_ready()).await;
        daemon
    }

    pub fn start(control: &Arc<Control>) -> Self {
        Self::start_with(control, |_| {})
    }

    pub fn start_with(control: &Arc<Control>, change: impl FnOnce(&mut Command)) -> Self {
        Self::start_command(control, Command::new(program()), change)
    }

    /// As the first process of a sandbox.
    pub fn start_in_sandbox(control: &Arc<Control>) -> Self {
        let mut command = Command::new("bwrap");
        command
            .args([
                "--unshare-all",
                "--uid",
                "1000",
                "--gid",
                "1000",
                "--as-pid-1",
                "--new-session",
                "--die-with-parent",
            ])
            .args([
                "--ro-bind",
                "/",
                "/",
                "--proc",
                "/proc",
                "--dev",
                "/dev",
                "--tmpfs",
                "/tmp",
                "--tmpfs",
                "/run",
            ])
            .args(["--tmpfs", "/home", "--dir", "/run/openclaw", "--ro-bind"])
            .arg(control.socket().parent().unwrap())
            .args(["/run/openclaw", "--dir", "/home/agent", "--bind", "."])
            .args(["/home/agent", "--setenv", env::HOME, "/home/agent"])
            .args(["--setenv", env::CONTROL, "unix:/run/openclaw/control.sock", "--"])
            .arg(program());
        Self::start_command(control, command, |_| {})
    }

    pub fn start_command(
        control: &Arc<Control>,
        mut command: Command,
        change: impl FnOnce(&mut Command),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        super::open_way(folder.path());
        std::fs::create_dir(folder.path().join("home")).unwrap();
        let unix = std::os::unix::net::UnixListener::bind(folder.path().join("agent.sock")).unwrap();
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        let output = std::fs::File::create(folder.path().join("output")).unwrap();
        command
            .current_dir(folder.path().join("home"))
            .env(env::INSTANCE, control.instance.to_string())
            .env(env::CONTROL, format!("unix:{}", control.socket().display()))
            .env(env::ENROLMENT, NONCE)
            .env(env::LISTEN_FDS, "2")
            .env(env::HOME, folder.path().join("home"))
            .env("SHELL", "/bin/bash")
            .env("OPENCLAW_LOG", "debug")
            .envs(landlock().map(|abi| (env::LANDLOCK, abi.to_string())))
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        change(&mut command);
        let sockets = [OwnedFd::from(unix), OwnedFd::from(tcp)].map(above_ten);
        let numbers = sockets.each_ref().map(|socket| socket.as_raw_fd());
        // SAFETY: dup2 only.
        unsafe {
            command.pre_exec(move || {
                for (number, at) in numbers.iter().zip(3..) {
                    if libc::dup2(*number, at) < 0 {
                        return Err(std::io::Error::last_os_error());
                    }
                }
                Ok(())
            });
        }
        let child = command.spawn().unwrap();
        drop(sockets);
        Self { control: Arc::clone(control), child, folder, tcp: address }
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("agent.sock")
    }

    pub fn output(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("output")).unwrap()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed()).unwrap()
    }

    /// The daemon itself, where a sandbox is around it.
    pub fn inner(&self) -> Pid {
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid())).unwrap();
        Pid::from_raw(children.split_whitespace().next().unwrap().parse().unwrap()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Its exit, once it has one.
    pub async fn exit(&mut self) -> ExitStatus {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(tokio::time::Instant::now() < deadline, "it does not end: {}", self.output());
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// A command of the control plane.
    pub async fn command(&self, method: Method, path: &str, body: &str) -> (StatusCode, Bytes) {
        let ticket = self.control.ticket(Scope::Control);
        self.request(method, path, Some(ticket.expose()), body).await
    }

    pub async fn request(
        &self,
        method: Method,
        path: &str,
        ticket: Option<&str>,
        body: &str,
    ) -> (StatusCode, Bytes) {
        let stream = UnixStream::connect(self.socket()).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "instance");
        if let Some(ticket) = ticket {
            request = request.header(header::AUTHORIZATION, format!("Bearer {ticket}"));
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        let status = answer.status();
        (status, answer.into_body().collect().await.unwrap().to_bytes())
    }

    pub async fn activity(&self) -> Activity {
        let (status, body) = self.command(Method::GET, instance::ACTIVITY, "").await;
        assert_eq!(status, StatusCode::OK);
        serde_json::from_slice(&body).unwrap()
    }
}

/// The kernel's Landlock ABI, where it has one.
fn landlock() -> Option<i64> {
    // SAFETY: with this flag (LANDLOCK_CREATE_RULESET_VERSION) the call takes no attributes.
    let abi = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0usize, 1 as libc::c_uint)
    };
    Some(abi).filter(|abi| *abi > 0)
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Its shells end with their terminals.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let output = self.output();
            let last: Vec<&str> = output.lines().filter(|line| !line.contains("DEBUG websocket")).collect();
            eprintln!("the daemon said:\n{}", last[last.len().saturating_sub(20)..].join("\n"));
        }
    }
}

/// The daemon to run: built along with a test, told to a measurement.
fn program() -> PathBuf {
    let told = std::env::args_os().nth(1).map(PathBuf::from);
    let built = option_env!("CARGO_BIN_EXE_openclaw-agent").map(PathBuf::from);
    built.or(told).expect("the first argument is the daemon's program")
}

/// The same socket where dup2 to 3 and 4 can't hit it.
fn above_ten(socket: OwnedFd) -> OwnedFd {
    rustix::io::fcntl_dupfd_cloexec(&socket, 10).unwrap()
}

/// Whether a file says so.
pub fn says(path: &Path, text: &str) -> bool {
    std::fs::read_to_string(path).is_ok_and(|content| content.contains(text))
}
