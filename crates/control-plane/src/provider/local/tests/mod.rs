//! The local provider on this machine, with real sandboxes. The agent is a
//! script here: these are the provider's rules, whatever runs as PID 1.

mod isolation;
mod lifetime;
mod limits;
mod ordinary;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::id::InstanceId;
use tokio::sync::mpsc;

use super::*;
use crate::provider::conformance::{instance, spec};
use crate::provider::{Direct, EventKind, Exit, ProviderEvent};

/// No step of a test takes longer on any machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// An agent that keeps the conformance suite's promise.
const GREETER: &str = r#"exec python3 -c '
import os, selectors, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
ready = selectors.DefaultSelector()
for number in range(3, 3 + int(os.environ["OPENCLAW_LISTEN_FDS"])):
    ready.register(socket.socket(fileno=number), selectors.EVENT_READ)
count = 0
while True:
    for key, _ in ready.select():
        count += 1
        stream, _ = key.fileobj.accept()
        stream.sendall(b"!" * count)
        stream.close()
'"#;

/// An agent that waits until it is asked to end.
const WAITER: &str = "trap 'exit 0' TERM; touch ~/ready; while :; do sleep 1000 & wait $!; done";

/// A provider in a data folder of its own.
struct Room {
    provider: LocalProvider,
    events: mpsc::Receiver<ProviderEvent>,
    config: LocalConfig,
    data: Data,
}

impl Room {
    async fn new(script: &str) -> Self {
        Self::with(script, Cgroups::Use).await
    }

    async fn with(script: &str, cgroups: Cgroups) -> Self {
        let data = Data(tempfile::tempdir().unwrap());
        let config = config(data.path(), script, cgroups);
        let (provider, events) = open(&config).await;
        Self { provider, events, config, data }
    }

    /// The server dies and comes back.
    async fn restart(self) -> Self {
        let Self { provider, events, config, data } = self;
        drop((provider, events));
        let (provider, events) = open(&config).await;
        Self { provider, events, config, data }
    }

    async fn launch(&self, instance: InstanceId) {
        self.provider.launch(&spec(instance, Direct::RelayOnly)).await.unwrap();
    }

    fn folder(&self, instance: InstanceId) -> PathBuf {
        self.data.path().join("instances").join(instance.file_name())
    }

    /// Waits for a file in the instance's home and reads it.
    async fn told(&self, instance: InstanceId, file: &str) -> String {
        let path = self.folder(instance).join("home").join(file);
        eventually(|| fs::read_to_string(&path).ok()).await
    }

    async fn exit(&mut self) -> (InstanceId, Exit) {
        let event = tokio::time::timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap();
        let EventKind::Exited(exit) = event.kind else { panic!("{event:?}") };
        (event.instance, exit)
    }

    /// Ends and removes all, and finds that nothing is left of it.
    async fn close(self) {
        for observed in self.provider.list().await.unwrap() {
            self.provider.stop(&observed.instance).await.unwrap();
            let folder = self.folder(observed.instance);
            let group = Folder::at(folder.clone()).spec().unwrap().group;
            self.provider.forget(&observed.instance).await.unwrap();
            assert!(!folder.exists());
            assert!(group.is_none_or(|group| group.doors().is_err()), "the cgroup is left");
        }
    }
}

/// A data folder; what still runs of it when a test fails ends with it.
struct Data(tempfile::TempDir);

impl Data {
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        for folder in fs::read_dir(self.path().join("instances")).unwrap() {
            let process = Folder::at(folder.unwrap().path()).process();
            if let Some(handle) = process.and_then(|process| process.open()) {
                process::signal(handle, Signal::KILL).unwrap();
            }
        }
    }
}

fn config(data: &Path, script: &str, cgroups: Cgroups) -> LocalConfig {
    LocalConfig {
        data: data.to_owned(),
        program: AgentProgram { path: "/bin/bash".into(), args: vec!["-c".into(), script.into()] },
        bwrap: "bwrap".into(),
        grace: Duration::from_secs(3),
        cgroups,
    }
}

async fn open(config: &LocalConfig) -> (LocalProvider, mpsc::Receiver<ProviderEvent>) {
    let (tell, events) = mpsc::channel(64);
    (LocalProvider::open(config.clone(), tell).await.unwrap(), events)
}

async fn eventually<T>(mut seen: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(value) = seen() {
            return value;
        }
        assert!(since.elapsed() < PATIENCE, "it never came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The host's processes whose command line holds `marker`.
fn processes(marker: &str) -> Vec<String> {
    let of = |entry: fs::DirEntry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(marker).then_some(line)
    };
    fs::read_dir("/proc").unwrap().filter_map(|entry| of(entry.ok()?)).collect()
}
