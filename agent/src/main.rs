//! The data plane's daemon; see the library.

use std::process::ExitCode;

use agent::journal::Journal;
use agent::{config, confine, run};
use domain::protocol::env;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

fn main() -> ExitCode {
    // First of all: until then the tenant could look in.
    if let Err(error) = confine::hide() {
        eprintln!("openclaw-agent: it can't be hidden from the tenant: {error}");
        return ExitCode::FAILURE;
    }
    let level = std::env::var("OPENCLAW_LOG").ok().and_then(|level| level.parse().ok());
    let log =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false).with_target(false);
    tracing_subscriber::registry()
        .with(log.with_filter(level.unwrap_or(LevelFilter::INFO)))
        .with(std::env::var_os(env::JOURNAL).map(|_| Journal.with_filter(LevelFilter::INFO)))
        .init();
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("openclaw-agent: {message}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), String> {
    // SAFETY: `main` has started no thread.
    let config = unsafe { config::Config::take_from_environment() }.map_err(|error| error.to_string())?;
    // SAFETY: nothing else was opened, and who started this gave the sockets away.
    let sockets = unsafe { confine::take_listeners(config.listeners) };
    let sockets = sockets.map_err(|error| format!("the listening sockets: {error}"))?;
    confine::adopt_orphans().map_err(|error| format!("adopting orphans: {error}"))?;
    tracing::info!(target: "agent", instance = %config.instance, landlock = config.landlock, "begins");
    if let Some(tenant) = config.tenant {
        tenant.move_in(&config.home).map_err(|error| format!("{}: {error}", env::TENANT))?;
        // A change of user may have undone it.
        confine::hide().map_err(|error| format!("it can't be hidden from the tenant: {error}"))?;
    }
    if let Some(abi) = config.landlock {
        confine::restrict_files(&config.home, abi).map_err(|error| format!("Landlock: {error}"))?;
    }
    // One thread: an echo passes through two tasks, and waking another thread
    // for each would take longer than both. What blocks has threads of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build();
    let runtime = runtime.map_err(|error| format!("the runtime: {error}"))?;
    let outcome = runtime.block_on(run::run(config, sockets)).map_err(|error| error.to_string());
    // A thread that still saves has nobody to save for.
    runtime.shutdown_background();
    outcome
}
