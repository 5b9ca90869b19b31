//! Options. Each can be given as a flag, by its variable, or in a file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::agent::IdleTimeout;
use domain::money::NanoDollars;
use domain::name::Name;
use domain::price::Usd;
use domain::role::Role;
use domain::size::Size;
use domain::tier::TierFloor;
use domain::time::Month;
use http::Uri;

mod aws;
pub mod file;
mod reconcile;

pub use aws::Aws;
pub use reconcile::Reconcile;

/// OpenClaw Cloud: an agent of your own, awake for cents, asleep for nothing.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    /// A TOML file of options by their names, as `bucket = "snapshots"`, but for
    /// secrets. Variables and flags go before it. It is read before the rest is parsed.
    #[arg(long, global = true, env = "OPENCLAW_CLOUD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the console and the control plane.
    Serve(Box<Serve>),
    /// Manages people.
    #[command(subcommand)]
    User(UserCommand),
    /// The log of what was done by right of a role.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Says what a person may spend.
    #[command(subcommand)]
    Budget(BudgetCommand),
    /// Looks into the books of what was spent.
    #[command(subcommand)]
    Spend(SpendCommand),
    /// Prepares an AWS account.
    #[command(subcommand)]
    Aws(AwsCommand),
    /// Looks an installation over, and says the mend for each miss.
    Doctor(Box<Doctor>),
}

#[derive(Debug, Subcommand)]
pub enum AwsCommand {
    /// Makes the ledger's tables, where no template does. What is there is kept.
    CreateTables {
        /// What their names begin with.
        #[arg(long, env = "OPENCLAW_CLOUD_TABLES", value_name = "PREFIX")]
        tables: String,
    },
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// The AWS engine's, with the options that `serve` would have. It changes nothing.
    #[arg(long = "aws", required = true)]
    aws_engine: bool,
    #[command(flatten)]
    pub aws: Aws,
    /// The role whose rights are looked at, when it is not the caller's own:
    /// the console's.
    #[arg(long, value_name = "ARN")]
    pub principal: Option<String>,
    /// Prints JSON: a list of `{subject, state, text, mend}`.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Prints a one-time sign-in link for a person, who is added when new.
    Add(AddUser),
    /// Gives a person another role; what the old one opened ends within a second.
    Role(SetRole),
    /// Puts a person in a team, or without a team's name in none.
    Team(SetTeam),
    /// Ends all sessions, unused links and API tokens of a person, and what is
    /// open by them, within a second.
    SignOut(SignOut),
    /// Keeps a person out: what they have open ends within a second, and their
    /// agents are saved and sleep.
    Close(SetAccess),
    /// Lets a person in again who was kept out.
    Open(SetAccess),
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Prints it as JSON lines, oldest first.
    Export(ExportAudit),
}

#[derive(Debug, Subcommand)]
pub enum BudgetCommand {
    /// Prints a budget, and the notices there were of it.
    Show {
        #[command(flatten)]
        whose: WhoseBudget,
        #[command(flatten)]
        ledger: Ledger,
    },
    /// Sets a budget in the place of the one there was. What is not named is not
    /// limited.
    Set {
        #[command(flatten)]
        whose: WhoseBudget,
        /// Dollars a UTC month, as in 12.50.
        #[arg(long, value_name = "USD", value_parser = dollars)]
        month: Option<NanoDollars>,
        /// Agents awake at once.
        #[arg(long, value_name = "COUNT")]
        awake: Option<u32>,
        /// Sizes that may be started: `nano,small`.
        #[arg(long, value_delimiter = ',')]
        sizes: Vec<Size>,
        #[command(flatten)]
        ledger: Ledger,
    },
}

/// A person, a team, or the whole fleet.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct WhoseBudget {
    /// The person's name.
    pub name: Option<Name>,
    /// A team's instead.
    #[arg(long, value_name = "NAME")]
    pub team: Option<Name>,
    /// That of all agents together.
    #[arg(long)]
    pub fleet: bool,
}

fn endpoint(text: &str) -> Result<Uri, String> {
    let url: Uri = text.parse().map_err(|error: http::uri::InvalidUri| error.to_string())?;
    let known = matches!(url.scheme_str(), Some("https" | "http")) && url.host().is_some();
    if known { Ok(url) } else { Err("an address is https://… or http://…".to_owned()) }
}

fn dollars(text: &str) -> Result<NanoDollars, String> {
    let usd = Usd::try_from(text.to_owned()).map_err(|error| error.to_string())?;
    i64::try_from(usd.0).map(NanoDollars).map_err(|error| error.to_string())
}

#[derive(Debug, Subcommand)]
pub enum SpendCommand {
    /// Rebuilds the rollups from the usage segments and compares, to the
    /// nano-dollar. Fails when anything differs. Works while a server runs.
    Verify {
        #[command(flatten)]
        ledger: Ledger,
        /// One month, `YYYY-MM`: unless told, this one and those before it, back
        /// to twelve in a row without use.
        #[arg(long, value_name = "MONTH")]
        month: Option<Month>,
    },
    /// Compares with AWS's own bill, or with what the provider itself still tells, run
    /// by run. Fails when anything differs.
    Reconcile(Reconcile),
    /// Prints a month's use, a line for each day or hour and agent.
    Export {
        #[command(flatten)]
        ledger: Ledger,
        /// `YYYY-MM`, in UTC; this month unless told.
        #[arg(long, value_name = "MONTH")]
        month: Option<Month>,
        /// What a line is of.
        #[arg(long, default_value = "day")]
        each: Each,
        #[arg(long, default_value = "csv")]
        format: Format,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Each {
    Day,
    Hour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Csv,
    Json,
}

#[derive(Debug, Clone, Args)]
pub struct Data {
    /// Folder of everything that outlives a restart: ledger, keys, snapshots,
    /// running sandboxes. Made when absent.
    #[arg(long, env = "OPENCLAW_CLOUD_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Data {
    pub fn at(folder: PathBuf) -> Self {
        Self { data: Some(folder) }
    }

    /// The folder, if one was named.
    pub fn named(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// The folder, `$XDG_DATA_HOME/openclaw-cloud` unless told.
    pub fn folder(&self) -> anyhow::Result<PathBuf> {
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        let folder = self.data.clone().or_else(|| {
            std::env::var_os("XDG_DATA_HOME")
                .map(PathBuf::from)
                .or_else(home)
                .map(|d| d.join("openclaw-cloud"))
        });
        let folder =
            folder.ok_or_else(|| anyhow::anyhow!("no HOME: say where the data goes, with --data DIR"))?;
        Ok(std::path::absolute(folder)?)
    }
}

#[derive(Debug, Args)]
pub struct AddUser {
    /// The person's name, 1–60 characters.
    pub name: Name,
    /// `user`, `viewer`, `operator` or `admin`: for one who is new `user`
    /// unless told, and one who is there keeps theirs unless told.
    #[arg(long)]
    pub role: Option<Role>,
    #[command(flatten)]
    pub ledger: Ledger,
    /// The console's address, for the link: that of the server which ran last,
    /// unless told.
    #[arg(long)]
    pub origin: Option<String>,
}

#[derive(Debug, Args)]
pub struct SetRole {
    /// The person's name.
    pub name: Name,
    /// `user`, `viewer`, `operator` or `admin`.
    pub role: Role,
    #[command(flatten)]
    pub ledger: Ledger,
}

#[derive(Debug, Args)]
pub struct SetTeam {
    /// The person's name.
    pub name: Name,
    /// The team's name, 1–60 characters.
    pub team: Option<Name>,
    #[command(flatten)]
    pub ledger: Ledger,
}

#[derive(Debug, Args)]
pub struct SignOut {
    /// The person's name.
    pub name: Name,
    #[command(flatten)]
    pub ledger: Ledger,
}

#[derive(Debug, Args)]
pub struct SetAccess {
    /// The person's name.
    pub name: Name,
    #[command(flatten)]
    pub ledger: Ledger,
}

#[derive(Debug, Args)]
pub struct ExportAudit {
    /// From this month on, as in 2026-11; all of it unless told.
    #[arg(long, value_name = "MONTH", default_value_t = control_plane::audit::FIRST)]
    pub since: Month,
    #[command(flatten)]
    pub ledger: Ledger,
}

/// Where the ledger is, for commands beside a server that runs.
#[derive(Debug, Args)]
pub struct Ledger {
    #[arg(long, env = "OPENCLAW_CLOUD_ENGINE", default_value = "embedded")]
    pub engine: Engine,
    /// AWS: what the names of the ledger's tables begin with.
    #[arg(long, env = "OPENCLAW_CLOUD_TABLES", value_name = "PREFIX")]
    pub tables: Option<String>,
    #[command(flatten)]
    pub data: Data,
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Where ledger, snapshots and instances are: on this machine, or in an AWS account.
    #[arg(long, env = "OPENCLAW_CLOUD_ENGINE", default_value = "embedded")]
    pub engine: Engine,
    /// What this process does: `all`, or `web`, pages and the API alone, where
    /// another process of the installation does the rest (AWS only).
    #[arg(long, env = "OPENCLAW_CLOUD_DUTIES", default_value = "all")]
    pub duties: Duties,
    #[command(flatten)]
    pub aws: Aws,
    /// Plays a fleet of 100 agents with a month behind them, and keeps this
    /// machine's beside it; for the stage. It needs no network, is no
    /// installation's, and leaves nothing behind.
    #[arg(long, env = "OPENCLAW_CLOUD_DEMO")]
    pub demo: bool,
    /// With --demo: the same number plays the same fleet.
    #[arg(long, env = "OPENCLAW_CLOUD_DEMO_SEED", default_value = "7", value_name = "NUMBER")]
    pub demo_seed: u64,
    /// With --demo: it gives its own cues, over and over, with nobody there.
    #[arg(long, env = "OPENCLAW_CLOUD_DEMO_LOOP", requires = "demo")]
    pub demo_loop: bool,
    /// With --demo-loop: how long a round of it takes.
    #[arg(
        long,
        env = "OPENCLAW_CLOUD_DEMO_ROUND",
        default_value = "240",
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..=86_400)
    )]
    pub demo_round: u32,
    #[command(flatten)]
    pub data: Data,
    /// Address and port to listen on. Loopback unless told; port 0 takes a free one.
    #[arg(long, env = "OPENCLAW_CLOUD_LISTEN", default_value = "127.0.0.1:7007")]
    pub listen: SocketAddr,
    /// Address that browsers use, when it is not the one listened on (behind a
    /// proxy with TLS, say): `https://agents.example.org`. May be repeated.
    #[arg(long, env = "OPENCLAW_CLOUD_ORIGIN", value_delimiter = ',')]
    pub origin: Vec<String>,
    /// Proxies of yours that a request comes through: each adds an address to
    /// `X-Forwarded-For`, and who tries passwords is told apart by the one that
    /// the first of them saw. 0 takes the connection's own.
    #[arg(long, env = "OPENCLAW_CLOUD_PROXIES", default_value = "0", value_name = "COUNT")]
    pub proxies: u8,
    /// What the first of them shows in `X-Origin-Secret`: who comes without it
    /// comes past them, and is refused.
    #[arg(
        long,
        env = "OPENCLAW_CLOUD_PROXY_SECRET",
        hide_env_values = true,
        value_name = "SECRET",
        requires = "proxies"
    )]
    pub proxy_secret: Option<String>,
    /// Folder of the browser's files, as `script/build` makes it.
    #[arg(long, env = "OPENCLAW_CLOUD_SITE", value_name = "DIR")]
    pub site: PathBuf,
    /// The `openclaw-agent` program; beside this one unless told.
    #[arg(long, env = "OPENCLAW_CLOUD_AGENT", value_name = "FILE")]
    pub agent: Option<PathBuf>,
    /// Seconds without use after which an agent sleeps, 10 to 86,400, for
    /// agents that have no timeout of their own.
    #[arg(long, env = "OPENCLAW_CLOUD_IDLE_TIMEOUT", default_value = "900", value_parser = idle_timeout)]
    pub idle_timeout: IdleTimeout,
    /// Seconds between saves of an agent that runs, each only if something
    /// changed: the most that a sudden end costs. 0 saves only on the way to sleep.
    #[arg(long, env = "OPENCLAW_CLOUD_SAVE_EVERY", default_value = "300", value_name = "SECONDS")]
    pub save_every: u32,
    /// A price book of your own, in TOML: see docs/operations.md. Without it,
    /// the built-in one of us-east-1.
    #[arg(long, env = "OPENCLAW_CLOUD_PRICES", value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// Where notices of budgets are sent besides being shown: a POST of JSON
    /// each. See docs/operations.md.
    #[arg(long, env = "OPENCLAW_CLOUD_NOTIFY_URL", value_name = "URL", value_parser = endpoint)]
    pub notify_url: Option<Uri>,
    /// Sent to it as a bearer token.
    #[arg(
        long,
        env = "OPENCLAW_CLOUD_NOTIFY_SECRET",
        hide_env_values = true,
        value_name = "SECRET",
        requires = "notify_url"
    )]
    pub notify_secret: Option<String>,
    /// The least isolation: `sandbox` takes what the kernel has, `hardened`
    /// refuses to launch without Landlock, seccomp and cgroup limits.
    #[arg(long, env = "OPENCLAW_CLOUD_ISOLATION", default_value = "sandbox")]
    pub isolation: Isolation,
    /// How browsers reach a terminal: through this server, or at a loopback
    /// port of the instance's own (browsers on this machine only).
    #[arg(long, env = "OPENCLAW_CLOUD_TERMINALS", default_value = "relay")]
    pub terminals: Terminals,
    /// Hosts that agents may reach, `example.org` or `*.example.org`. May be
    /// repeated; without any, every public address.
    #[arg(long, env = "OPENCLAW_CLOUD_EGRESS", value_delimiter = ',')]
    pub egress: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    Embedded,
    Aws,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Duties {
    All,
    Web,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Isolation {
    Sandbox,
    Hardened,
}

impl From<Isolation> for TierFloor {
    fn from(isolation: Isolation) -> Self {
        match isolation {
            Isolation::Sandbox => Self::Sandbox,
            Isolation::Hardened => Self::Hardened,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Terminals {
    Relay,
    Direct,
}

fn idle_timeout(text: &str) -> Result<IdleTimeout, String> {
    let secs: u32 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    IdleTimeout::from_secs(secs).map_err(|error| error.to_string())
}
