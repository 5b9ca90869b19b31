//! Commands beside `serve`.

use std::io::Write as _;

use anyhow::Context as _;
use control_plane::aws::{Account, Finding, State};
use control_plane::budgets::Budgets;
use control_plane::store::dynamodb::TablePrefix;
use control_plane::{Identity, embedded};
use domain::access::Access;
use domain::budget::{Budget, Delivery, Notice, Subject};
use futures::TryStreamExt as _;

use crate::config::{
    AddUser, BudgetCommand, Doctor, Engine, ExportAudit, Ledger, SetAccess, SetRole, SetTeam, SignOut,
    WhoseBudget,
};
use crate::serve::{ADDRESS, sign_in_link};

/// Prints a one-time link. Works while a server runs: they share the ledger.
pub async fn add_user(options: AddUser) -> anyhow::Result<()> {
    let identity = options.ledger.identity().await?;
    let origin = match options.origin {
        Some(origin) => origin,
        None if options.ledger.engine == Engine::Aws => {
            anyhow::bail!("name the console's address with --origin")
        }
        None => {
            let data = options.ledger.data.folder()?;
            let known = std::fs::read_to_string(data.join(ADDRESS)).unwrap_or_default();
            let known = known.trim().to_owned();
            anyhow::ensure!(
                !known.is_empty(),
                "no server ran here yet: name the console's address with --origin"
            );
            known
        }
    };
    let user = identity.ensure_user(&options.name, options.role.unwrap_or_default()).await?;
    if let Some(role) = options.role {
        identity.set_role(&user.name, role).await?;
    }
    anyhow::ensure!(
        user.is_let_in(),
        "{} is kept out: let them in first, with `openclaw-cloud user open`",
        user.name
    );
    let link = identity.link_person(&user).await?;
    println!("sign-in link for {}: {}", user.name, sign_in_link(&origin, link.expose()));
    Ok(())
}

/// Gives a person another role. Works while a server runs.
pub async fn set_role(options: SetRole) -> anyhow::Result<()> {
    let user = options.ledger.identity().await?.set_role(&options.name, options.role).await?;
    println!("{} is {} now", user.name, user.role);
    Ok(())
}

/// Puts a person in a team, or in none. Works while a server runs.
pub async fn set_team(options: SetTeam) -> anyhow::Result<()> {
    let user = options.ledger.identity().await?.set_team(&options.name, options.team).await?;
    match user.team {
        Some(team) => println!("{} is in {team} now", user.name),
        None => println!("{} is in no team now", user.name),
    }
    Ok(())
}

/// Ends all sessions of a person. Works while a server runs.
pub async fn sign_out(options: SignOut) -> anyhow::Result<()> {
    options.ledger.identity().await?.sign_out_everywhere(&options.name).await?;
    println!("{} is signed out everywhere", options.name);
    Ok(())
}

/// Keeps a person out, or lets them in again. Works while a server runs, which
/// puts their agents to sleep.
pub async fn set_access(options: SetAccess, access: Access) -> anyhow::Result<()> {
    let user = options.ledger.identity().await?.set_access(&options.name, access).await?;
    match access {
        Access::Open => println!("{} may come in", user.name),
        Access::Closed => println!("{} is kept out, and their agents go to sleep", user.name),
    }
    Ok(())
}

/// Prints the audit log.
pub async fn export_audit(options: ExportAudit) -> anyhow::Result<()> {
    let identity = options.ledger.identity().await?;
    let mut entries = std::pin::pin!(identity.audit().since(options.since));
    let mut out = std::io::stdout().lock();
    while let Some(entry) = entries.try_next().await? {
        serde_json::to_writer(&mut out, &entry)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

impl Ledger {
    async fn identity(&self) -> anyhow::Result<Identity> {
        match self.engine {
            Engine::Embedded => Ok(embedded::identity(&self.data.folder()?)?),
            Engine::Aws => Ok(Account::find().await?.identity(self.prefix()?).await?),
        }
    }

    async fn budgets(&self) -> anyhow::Result<Budgets> {
        match self.engine {
            Engine::Embedded => Ok(embedded::budgets(&self.data.folder()?)?),
            Engine::Aws => Ok(Account::find().await?.budgets(self.prefix()?).await?),
        }
    }

    pub fn prefix(&self) -> anyhow::Result<TablePrefix> {
        Ok(self.tables.as_deref().context("--tables is missing")?.parse()?)
    }
}

/// Shows or sets a budget. Works while a server runs.
pub async fn budget(command: BudgetCommand) -> anyhow::Result<()> {
    let (whose, at, budget) = match command {
        BudgetCommand::Show { whose, ledger } => (whose, ledger, None),
        BudgetCommand::Set { whose, month, awake, sizes, ledger } => {
            let sizes = (!sizes.is_empty()).then_some(sizes);
            (whose, ledger, Some(Budget { month, awake, sizes }))
        }
    };
    let budgets = at.budgets().await?;
    let of = match whose {
        WhoseBudget { name: Some(name), .. } => budgets.person(&name).await?,
        WhoseBudget { team: Some(team), .. } => Subject::Team(team),
        WhoseBudget { .. } => Subject::Fleet,
    };
    let account = match budget {
        Some(budget) => Some(budgets.set(of, budget).await?),
        None => budgets.get(&of).await?,
    };
    let Some(account) = account else {
        println!("there is no budget");
        return Ok(());
    };
    let Budget { month, awake, sizes } = account.budget;
    let or_none = |limit: Option<String>| limit.unwrap_or_else(|| "no limit".to_owned());
    let sizes = sizes.map(|sizes| sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    println!("a month: {}", or_none(month.map(|month| format!("${}", month.to_decimal(2)))));
    println!("awake at once: {}", or_none(awake.map(|awake| awake.to_string())));
    println!("sizes: {}", or_none(sizes));
    for Notice { month, percent, at, delivery, .. } in account.notices {
        let sent = match delivery {
            None => String::new(),
            Some(Delivery::Waiting { tries, .. }) => format!(", to be sent, tried {tries} times"),
            Some(Delivery::Sent { at }) => format!(", sent {at}"),
            Some(Delivery::Dead { at, why }) => format!(", given up {at}: {why}"),
        };
        println!("{at}: {percent} % of {month}{sent}");
    }
    Ok(())
}

/// Makes the ledger's tables in the account.
pub async fn create_tables(prefix: &str) -> anyhow::Result<()> {
    let prefix: TablePrefix = prefix.parse().context("--tables")?;
    Account::find().await?.create_tables(&prefix).await?;
    println!("the ledger's tables are there: {prefix}…");
    Ok(())
}

/// Prints what an AWS installation lacks, with the mend for each miss.
pub async fn doctor(options: Doctor) -> anyhow::Result<()> {
    let installation = options.aws.whole(false)?;
    let found = Account::find().await?.examine(&installation, options.principal.as_deref()).await;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print(&found);
    }
    let bad = found.iter().filter(|finding| finding.state == State::Bad).count();
    anyhow::ensure!(bad == 0, "{bad} to be mended");
    Ok(())
}

fn print(found: &[Finding]) {
    let mut subject = "";
    for Finding { subject: about, state, text, mend } in found {
        let mark = match state {
            State::Good => "✓",
            State::Doubtful => "!",
            State::Bad => "✗",
        };
        let about = if *about == subject { "" } else { about };
        println!("{about:12} {mark} {text}");
        if let Some(mend) = mend {
            println!("{:12}   → {mend}", "");
        }
        subject = if about.is_empty() { subject } else { about };
    }
}
