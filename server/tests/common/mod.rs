//! The real programs, started as an operator starts them, on a port and a
//! folder of their own.
#![allow(dead_code, clippy::unwrap_used)]

pub mod client;
pub mod cloud;
pub mod enclosed;
pub mod fleet;
pub mod terminal;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use serde_json::{Value, json};
use tempfile::TempDir;

pub use client::{Client, Reply};

/// How long anything may take that is waited for, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A running server. Its sandboxes end with it.
pub struct Server {
    child: Child,
    pub port: u16,
    /// The one-time secret of the printed link.
    pub link: String,
    pub folder: Arc<TempDir>,
    /// All that it wrote to stderr, over its restarts.
    pub log: Arc<Mutex<String>>,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl Server {
    pub fn start(args: &[&str]) -> Self {
        Self::start_with(args, Vec::new())
    }

    pub fn start_with(args: &[&str], env: Vec<(String, String)>) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        // Sandboxes run as users of their own and have to pass through.
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        site(folder.path());
        let args = args.iter().map(ToString::to_string).collect();
        Self::on(folder, 0, Arc::default(), args, env)
    }

    fn on(
        folder: Arc<TempDir>,
        port: u16,
        log: Arc<Mutex<String>>,
        args: Vec<String>,
        env: Vec<(String, String)>,
    ) -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_openclaw-cloud"));
        let agent = program.with_file_name("openclaw-agent");
        assert!(agent.exists(), "build the agent first: cargo build -p agent");
        let mut child = Command::new(program)
            .arg("serve")
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .arg("--data")
            .arg(folder.path().join("data"))
            .arg("--site")
            .arg(folder.path().join("site"))
            .args(&args)
            .env("OPENCLAW_CLOUD_LOG", "debug,hyper=info")
            .envs(env.iter().cloned())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let written = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stderr.read(&mut buffer) {
                written.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut port, mut link) = (0, String::new());
        while link.is_empty() {
            let line =
                lines.next().unwrap_or_else(|| panic!("the server ended: {}", log.lock().unwrap())).unwrap();
            if let Some(address) = line.strip_prefix("listening on http://127.0.0.1:") {
                port = address.parse().unwrap();
                // There a link is for who asks for one.
                if args.iter().any(|arg| arg == "aws") {
                    break;
                }
            } else if let Some((_, secret)) = line.split_once("/sign-in#") {
                link = secret.to_owned();
            }
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port, link, folder, log, args, env }
    }

    /// SIGKILL, as a crash or an impatient operator does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, as an operator does, and waits until it has.
    pub fn stop(&mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    /// Starts again on the same folder and port, after [`Server::kill`].
    pub fn restart(&mut self) {
        let again = Self::on(
            Arc::clone(&self.folder),
            self.port,
            Arc::clone(&self.log),
            self.args.clone(),
            self.env.clone(),
        );
        let mut old = std::mem::replace(self, again);
        // Killed before: its sandboxes go on.
        old.args.clear();
        std::mem::forget(old);
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A one-time link's secret for another person.
    pub fn link_for(&self, name: &str) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_openclaw-cloud"))
            .args(["user", "add", name, "--data"])
            .arg(self.data())
            .args(["--origin", &format!("http://127.0.0.1:{}", self.port)])
            .envs(self.env.iter().cloned())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.trim().split_once("/sign-in#").unwrap().1.to_owned()
    }

    /// Signs the owner in.
    pub async fn owner(&self) -> Person {
        if self.link.is_empty() {
            return self.person("owner").await;
        }
        self.sign_in(&self.link).await
    }

    /// Adds a person and signs them in.
    pub async fn person(&self, name: &str) -> Person {
        self.sign_in(&self.link_for(name)).await
    }

    async fn sign_in(&self, link: &str) -> Person {
        let nobody = self.nobody();
        let reply = nobody.post("/api/console/sign_in", &json!({ "token": link })).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let cookie = reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let browser = nobody.with("cookie", &cookie);
        let reply = browser.post("/api/console/create_token", &json!({ "name": "tests" })).await;
        let secret = reply.json()["secret"].as_str().unwrap().to_owned();
        let api = nobody.with("authorization", &format!("Bearer {secret}"));
        Person { browser, api, cookie, secret }
    }

    pub fn nobody(&self) -> Client {
        Client::at(self.port)
    }

    /// Waits until it wrote that.
    pub async fn until_told(&self, words: &str) {
        self.until_told_after(0, words).await;
    }

    /// The same, after so many bytes of its log.
    pub async fn until_told_after(&self, offset: usize, words: &str) {
        let told = async {
            while !self.log.lock().unwrap()[offset..].contains(words) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, told).await.unwrap_or_else(|_| panic!("nobody was told: {words}"));
    }

    /// Instances that really run: the sandboxes' main processes.
    pub fn running(&self) -> Vec<i32> {
        let marker = self.data().join("instances");
        let marker = marker.to_str().unwrap();
        processes()
            .into_iter()
            .filter(|(_, environment)| environment.contains(marker))
            .map(|(pid, _)| pid)
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log.lock().unwrap();
            let lines: Vec<_> = log.lines().filter(|line| !line.contains("DEBUG")).collect();
            eprintln!("the server's last words:\n{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        for instance in read_dir(&self.data().join("instances")) {
            end_sandbox(&instance);
        }
    }
}

fn read_dir(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default()
}

/// The id of the process that bubblewrap's status names as the sandbox's first.
pub fn sandbox_pid(instance: &Path) -> Option<i32> {
    let status = std::fs::read_to_string(instance.join("status.json")).ok()?;
    let line = status.lines().find(|line| line.contains("child-pid"))?;
    serde_json::from_str::<Value>(line).ok()?["child-pid"].as_i64()?.try_into().ok()
}

/// Kills what is left of a sandbox: the end of its first process ends it all.
pub fn end_sandbox(instance: &Path) {
    if let Some(pid) = sandbox_pid(instance) {
        let _ = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
        // Who looks right after must not find it still going.
        let (process, since) = (PathBuf::from(format!("/proc/{pid}")), Instant::now());
        while process.exists() && since.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn processes() -> Vec<(i32, String)> {
    let ids = read_dir(Path::new("/proc"));
    ids.iter()
        .filter_map(|path| {
            let pid = path.file_name()?.to_str()?.parse().ok()?;
            let line = std::fs::read(path.join("cmdline")).ok()?;
            Some((pid, String::from_utf8_lossy(&line).into_owned()))
        })
        .collect()
}

/// What a server says that will not start with that environment.
pub fn refused_to_serve(env: &[(String, String)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_openclaw-cloud"))
        .args(["serve", "--listen", "127.0.0.1:0", "--site"])
        .arg(site(folder.path()))
        .envs(env.iter().cloned())
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder of browser's files that names them all.
pub fn site(folder: &Path) -> PathBuf {
    let site = folder.join("site");
    std::fs::create_dir_all(site.join("pkg")).unwrap();
    let manifest =
        json!({"frontend.js": "f.js", "frontend.wasm": "f.wasm", "main.css": "m.css", "xterm.js": "x.js"});
    std::fs::write(site.join("manifest.json"), manifest.to_string()).unwrap();
    site
}

/// Somebody with a session and an API token.
#[derive(Clone)]
pub struct Person {
    pub browser: Client,
    pub api: Client,
    pub cookie: String,
    pub secret: String,
}

impl Person {
    /// The same, with another cookie beside the session's.
    #[must_use]
    pub fn with_cookie(&self, cookie: &str) -> Self {
        Self {
            browser: self.browser.with("cookie", cookie),
            api: self.api.with("cookie", cookie),
            cookie: format!("{}; {cookie}", self.cookie),
            secret: self.secret.clone(),
        }
    }

    pub async fn spawn(&self, name: &str) -> String {
        let reply = self.api.post("/api/v1/agents/spawn", &json!({ "name": name, "size": "nano" })).await;
        assert_eq!(reply.status, 202, "{}", reply.text());
        assert_eq!(reply.json()["phase"], "pending");
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    pub async fn agent(&self, id: &str) -> Value {
        self.api.get(&format!("/api/v1/agents/{id}")).await.json()
    }

    /// Waits until the agent is in that phase, and gives it.
    pub async fn until(&self, id: &str, phase: &str) -> Value {
        self.until_so(id, phase, |agent| agent["phase"] == phase).await
    }

    /// Waits until that run of the agent can be used.
    pub async fn until_runs(&self, id: &str, generation: u32) -> Value {
        let so = |agent: &Value| agent["phase"] == "running" && agent["generation"] == generation;
        self.until_so(id, "such run", so).await
    }

    pub async fn until_so(&self, id: &str, what: &str, so: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        let mut pause = Duration::from_millis(20);
        loop {
            let agent = self.agent(id).await;
            if so(&agent) {
                return agent;
            }
            assert!(started.elapsed() < PATIENCE, "no {what}, but {agent:#}");
            tokio::time::sleep(pause).await;
            // An emulator of AWS answers a few hundred times a second.
            pause = (pause * 5 / 4).min(Duration::from_millis(250));
        }
    }

    /// All that has happened to the agent.
    pub async fn events_so_far(&self, id: &str) -> Vec<Value> {
        let last = self.browser.post("/api/console/agent", &json!({ "id": id })).await.json()["last_event"]
            .as_u64()
            .unwrap();
        let events = terminal::sse_events(self, id, None, usize::try_from(last).unwrap()).await;
        events.into_iter().map(|(_, event)| event).collect()
    }

    /// Waits until the agent has something by that name, and gives the agent.
    pub async fn until_some(&self, id: &str, name: &str) -> Value {
        let started = Instant::now();
        loop {
            let agent = self.agent(id).await;
            if !agent[name].is_null() {
                return agent;
            }
            assert!(started.elapsed() < PATIENCE, "no {name}: {agent:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn delete(&self, id: &str) -> Reply {
        self.api.send("DELETE", &format!("/api/v1/agents/{id}"), Bytes::new()).await
    }

    pub async fn until_gone(&self, id: &str) {
        let gone = async {
            while self.api.get(&format!("/api/v1/agents/{id}")).await.status != 404 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, gone).await.expect("it goes");
    }

    pub async fn act(&self, id: &str, verb: &str) -> Reply {
        self.api.post(&format!("/api/v1/agents/{id}/{verb}"), &Value::Null).await
    }
}
