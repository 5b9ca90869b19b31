//! An AWS account: an emulator, a fake ECS whose tasks are real agents, and a
//! server on the AWS engine.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use ecs_fake::{Config, Delays, EventTarget, Fake, Settings, Span};
use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::{Client, Server};

/// One installation.
pub struct Cloud {
    pub fake: Fake,
    pub bucket: String,
    pub queue: String,
    pub env: Vec<(String, String)>,
    balancer: Balancer,
}

impl Cloud {
    /// A new one, whose ECS behaves so.
    pub async fn start(settings: Settings) -> Self {
        Self::of(emulator::endpoint(), emulator::endpoint(), settings).await
    }

    /// One whose account holds everybody to their policies.
    pub async fn guarded(settings: Settings) -> Self {
        Self::of(emulator::guarded(), emulator::guarded(), settings).await
    }

    /// Sets one of its variables.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// The same, by another way to the emulator.
    pub async fn reached_at(way: &str, settings: Settings) -> Self {
        Self::of(emulator::endpoint(), way, settings).await
    }

    async fn of(endpoint: &str, way: &str, settings: Settings) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("installation-{}", MADE.fetch_add(1, Ordering::Relaxed));
        let emulator = Client::at(endpoint.rsplit(':').next().unwrap().parse().unwrap());
        let scope = |service: &str| {
            let (key, _) = emulator::ROOT;
            let scope = format!("Credential={key}/20261124/us-east-1/{service}/aws4_request");
            format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0")
        };
        let bucket = emulator.with("authorization", &scope("s3"));
        let made = bucket.send("PUT", &format!("/{name}"), Bytes::new()).await;
        assert_eq!(made.status, 200, "{}", made.text());
        let form = emulator.with("content-type", "application/x-www-form-urlencoded");
        let form = form.with("authorization", &scope("sqs"));
        let made = form.send("POST", "/", format!("Action=CreateQueue&QueueName={name}").into()).await;
        assert_eq!(made.status, 200, "{}", made.text());
        let queue = format!("{endpoint}/000000000000/{name}");
        let agent = PathBuf::from(env!("CARGO_BIN_EXE_openclaw-cloud")).with_file_name("openclaw-agent");
        let fake = Fake::start(Config {
            cluster: name.clone(),
            task_definitions: vec![definition("agent", "X86_64"), definition("agent-arm", "ARM64")],
            program: vec![agent.to_str().unwrap().to_owned()],
            own_paths: vec!["/home/agent".to_owned()],
            events: EventTarget::Queue { url: queue.clone() },
            settings,
            ..Config::default()
        })
        .await
        .unwrap();
        let balancer = Balancer::start().await;
        let env = [
            ("AWS_ENDPOINT_URL", way),
            ("AWS_ENDPOINT_URL_ECS", fake.endpoint()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", emulator::ROOT.0),
            ("AWS_SECRET_ACCESS_KEY", emulator::ROOT.1),
            ("OPENCLAW_CLOUD_ENGINE", "aws"),
            ("OPENCLAW_CLOUD_TABLES", &name),
            ("OPENCLAW_CLOUD_BUCKET", &name),
            ("OPENCLAW_CLOUD_AGENT_ROLE", "arn:aws:iam::000000000000:role/agents"),
            ("OPENCLAW_CLOUD_QUEUE", &queue),
            ("OPENCLAW_CLOUD_CLUSTER", &name),
            ("OPENCLAW_CLOUD_TASK_X86", "agent"),
            ("OPENCLAW_CLOUD_TASK_ARM", "agent-arm"),
            ("OPENCLAW_CLOUD_SUBNETS", "subnet-a,subnet-b"),
            ("OPENCLAW_CLOUD_SECURITY_GROUPS", "sg-1"),
            ("OPENCLAW_CLOUD_INSTANCES_URL", &format!("http://127.0.0.1:{}", balancer.port)),
            ("OPENCLAW_CLOUD_TICKET_KEY", &"11".repeat(32)),
            ("OPENCLAW_CLOUD_REPOSITORY_KEY", &"22".repeat(32)),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let cloud = Self { fake, bucket: name, queue, env, balancer };
        cloud.command(&["aws", "create-tables"]);
        cloud
    }

    /// A server of this installation.
    pub fn server(&self, args: &[&str]) -> Server {
        let port = free_port();
        self.balancer.behind.lock().unwrap().push(port);
        let listen = ("OPENCLAW_CLOUD_INSTANCES_LISTEN".to_owned(), format!("127.0.0.1:{port}"));
        let env = [self.env.clone(), vec![listen]].concat();
        Server::start_with(&[&["--engine", "aws"], args].concat(), env)
    }

    /// Whether each run of these was launched once.
    pub fn launched_once(&self, runs: usize) -> bool {
        let launches = self.fake.launches();
        let by: BTreeSet<_> = launches.iter().filter_map(|launch| launch.started_by.clone()).collect();
        (by.len(), launches.len()) == (runs, runs)
    }

    /// Milliseconds that a run of the agent took by its task's own instants.
    pub fn ran(&self, agent: &str, run: u32) -> i64 {
        let id = format!("{agent}/{run}");
        let task = self.fake.tasks().into_iter().find(|task| task.started_by.as_deref() == Some(&id));
        let task = task.unwrap_or_else(|| panic!("no task {id}"));
        task.execution_stopped_at.unwrap().0.0 - task.pull_started_at.unwrap().0.0
    }

    /// What Fargate bills for that run, in nano-dollars: whole seconds, a minute at least.
    pub fn owed(&self, agent: &Value, run: u32) -> i64 {
        let seconds = ((self.ran(agent["id"].as_str().unwrap(), run) + 999) / 1000).max(60);
        agent["cost"]["per_hour"].as_i64().unwrap() * seconds / 3600
    }

    /// One of the program's commands, which has to succeed.
    pub fn command(&self, args: &[&str]) {
        let output = Command::new(env!("CARGO_BIN_EXE_openclaw-cloud"))
            .args(args)
            .envs(self.env.iter().cloned())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A task's life in a second and a half.
pub fn brisk() -> Settings {
    let delays = Delays {
        provisioning: Span::exactly(200),
        pending: Span::exactly(200),
        pull: Span::exactly(500),
        start: Span::exactly(200),
        deactivating: Span::exactly(50),
        deprovisioning: Span::exactly(300),
    };
    Settings { delays, ..Settings::default() }
}

/// What stands before the replicas where instances ask: the first that takes the
/// connection has it.
struct Balancer {
    port: u16,
    behind: Arc<Mutex<Vec<u16>>>,
}

impl Balancer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let behind = Arc::new(Mutex::new(Vec::new()));
        let replicas = Arc::clone(&behind);
        tokio::spawn(async move {
            while let Ok((mut instance, _)) = listener.accept().await {
                let replicas = replicas.lock().unwrap().clone();
                tokio::spawn(async move {
                    for port in replicas {
                        if let Ok(mut replica) = TcpStream::connect(("127.0.0.1", port)).await {
                            let _ = tokio::io::copy_bidirectional(&mut instance, &mut replica).await;
                            return;
                        }
                    }
                });
            }
        });
        Self { port, behind }
    }
}

fn definition(family: &str, architecture: &str) -> Value {
    let mut environment = vec![
        json!({"name": "OPENCLAW_HOME", "value": "/home/agent"}),
        json!({"name": "SHELL", "value": "/bin/bash"}),
    ];
    // Only root starts processes of other users.
    if rustix::process::geteuid().is_root() {
        environment.push(json!({"name": "OPENCLAW_TENANT", "value": "4001:4001"}));
    }
    json!({
        "family": family,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "512",
        "memory": "2048",
        "runtimePlatform": {"cpuArchitecture": architecture, "operatingSystemFamily": "LINUX"},
        "containerDefinitions": [{
            "name": "agent",
            "image": "agent:latest",
            "stopTimeout": 120,
            "environment": environment,
        }],
    })
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
