//! `openclaw-cloud`: the control plane with its console.

#![cfg_attr(test, allow(clippy::unwrap_used))]
// Pages are types as deep as their markup.
#![recursion_limit = "512"]

mod api;
mod commands;
mod config;
mod export;
mod instances;
mod listener;
mod logbook;
#[cfg(test)]
mod matrix;
mod reconcile;
mod serve;
mod site;
mod spend;
mod stage;
mod state;
mod web;

use clap::Parser as _;
use domain::access::Access;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use config::{AuditCommand, AwsCommand, Cli, Command, UserCommand};

fn main() -> anyhow::Result<()> {
    // SAFETY: no thread was started yet.
    unsafe { config::file::apply(std::env::args_os()) }?;
    let cli = Cli::parse();
    let wanted = EnvFilter::try_from_env("OPENCLAW_CLOUD_LOG")
        .unwrap_or_else(|_| "warn,openclaw_cloud=info,control_plane=info".into());
    let log = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(log.with_filter(wanted))
        .with(logbook::Recorder.with_filter(LevelFilter::INFO))
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Serve(options) => serve::serve(*options).await,
            Command::User(UserCommand::Add(options)) => commands::add_user(options).await,
            Command::User(UserCommand::Role(options)) => commands::set_role(options).await,
            Command::User(UserCommand::Team(options)) => commands::set_team(options).await,
            Command::User(UserCommand::SignOut(options)) => commands::sign_out(options).await,
            Command::User(UserCommand::Close(options)) => commands::set_access(options, Access::Closed).await,
            Command::User(UserCommand::Open(options)) => commands::set_access(options, Access::Open).await,
            Command::Audit(AuditCommand::Export(options)) => commands::export_audit(options).await,
            Command::Budget(command) => commands::budget(command).await,
            Command::Spend(command) => spend::run(command).await,
            Command::Doctor(options) => commands::doctor(*options).await,
            Command::Aws(AwsCommand::CreateTables { tables }) => commands::create_tables(&tables).await,
        }
    });
    // Blocking work (a repository's write) ends by itself or with the process.
    runtime.shutdown_background();
    outcome
}
