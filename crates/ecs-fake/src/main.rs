//! The fake as a program, for tests in other languages and for development:
//! prints its endpoint as the first line and serves until it is asked to end.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use ecs_fake::{Config, Delays, EventTarget, Fake, Settings};
use tokio::signal::unix::{SignalKind, signal};

/// A fake of Amazon ECS whose Fargate tasks are processes of this machine.
#[derive(Parser)]
#[command(name = "ecs-fake", version)]
struct Options {
    /// Where the API listens.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// The account's twelve digits.
    #[arg(long, default_value = "111122223333")]
    account: String,
    /// A cluster that is there from the start.
    #[arg(long, default_value = "default")]
    cluster: String,
    /// A RegisterTaskDefinition request in a JSON file, made at the start. May be repeated.
    #[arg(long, value_name = "FILE")]
    task_definition: Vec<PathBuf>,
    /// An SQS queue that gets tasks' events.
    #[arg(long, value_name = "URL", conflicts_with = "callback")]
    queue_url: Option<String>,
    /// A URL that gets each event by POST.
    #[arg(long, value_name = "URL")]
    callback: Option<String>,
    /// A path that every task has of its own. May be repeated.
    #[arg(long, value_name = "PATH")]
    own_path: Vec<String>,
    /// Where tasks' folders are kept; a temporary folder if not given.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// How long tasks take to start and stop.
    #[arg(long, value_enum, default_value_t = Pace::Instant)]
    pace: Pace,
    /// Of all randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What runs in a container whose definition names no command, after `--`.
    #[arg(last = true)]
    program: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Pace {
    /// At once.
    Instant,
    /// As on Fargate, 16 to 50 seconds.
    Fargate,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let options = Options::parse();
    let mut settings = Settings::default();
    if let Pace::Fargate = options.pace {
        settings.delays = Delays::fargate();
    }
    let events = match (options.queue_url, options.callback) {
        (Some(url), _) => EventTarget::Queue { url },
        (None, Some(url)) => EventTarget::Callback { url },
        (None, None) => EventTarget::Nowhere,
    };
    let definitions = options.task_definition.iter().map(|path| {
        let text = std::fs::read(path).with_context(|| format!("{}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{}", path.display()))
    });
    let (mut end, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let fake = Fake::start(Config {
        listen: options.listen,
        region: options.region,
        account: options.account,
        cluster: options.cluster,
        task_definitions: definitions.collect::<anyhow::Result<_>>()?,
        program: options.program,
        own_paths: options.own_path,
        folder: options.folder,
        events,
        seed: options.seed,
        settings,
        ..Config::default()
    })
    .await?;
    println!("{}", fake.endpoint());
    tokio::select! {
        _ = end.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
