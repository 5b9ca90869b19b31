//! Budgets that hold. Who wants an agent awake passes a turnstile for each
//! budget that it counts against: its owner's, its owner's team's, the fleet's.
//! What is decided on an account's version is committed with the agent, on
//! condition that nobody else passed meanwhile. So of wakes at once, on any
//! number of control planes, each sees what the others took.
//!
//! A person's few agents are counted at each wake. Those of a team or of the
//! fleet are counted when they are looked at, and what is admitted in between is
//! added to what was found: a wake reads one row, however large the fleet.

mod courier;
mod enforce;
mod everybody;
mod service;

use domain::agent::Agent;
use domain::budget::{Account, Budget, Pool, Standing, Subject, reserve};
use domain::id::UserId;
use domain::time::Timestamp;
use domain::usage::Of;

use crate::error::{Error, Result};
use crate::ledger::Ledger;
use crate::store::usage::{Book, View};
use crate::store::{Store, StoreError, Turn};

pub use courier::{Courier, Endpoint};
use everybody::Everybody;

pub(crate) use enforce::{enforce, look_at};
pub use service::Budgets;

/// How often an account is changed anew when others do in between.
const TRIES: u32 = 16;
/// Rows read at once.
const PAGE: u16 = 1000;

/// The turns to wake an agent, or why it may not be; none where nothing has a
/// budget. The agent itself, if it is there already, is not counted.
pub(crate) async fn turns(ledger: &Ledger, agent: &Agent) -> Result<Vec<Turn>> {
    let mut turns = Vec::new();
    for of in subjects(ledger, agent.owner).await? {
        let account = ledger.store.account(&of).await?;
        let Some(account) = account.filter(|account| !account.budget.is_unlimited()) else { continue };
        // Read after the account: what is committed later has another version of it.
        let now = ledger.now();
        let rates = ledger.rates(now);
        let (account, standing) = match (&of, account.pooled(now)) {
            (Subject::Person(owner), _) => (account, person(ledger, *owner, Some(agent), now).await?),
            (_, Some(standing)) => (account, standing),
            (_, None) => {
                let standing = pool(ledger, &of).await?;
                (Account { pool: Some(Pool { at: now, standing }), ..account }, standing)
            }
        };
        match account.admit(&standing, agent.size, reserve(agent, &rates)) {
            Ok(admitted) => turns.push(Turn::Wake(admitted)),
            Err(over) => {
                have_told(ledger, account, &standing, now).await;
                return Err(Error::OverBudget(over));
            }
        }
    }
    Ok(turns)
}

/// Has a person told soon of what they are refused for: what they used since
/// the last look may be news, and when nothing of theirs is awake nobody looks.
async fn have_told(ledger: &Ledger, account: Account, standing: &Standing, now: Timestamp) {
    let is_news = account.noticed(standing.spent, false, now).is_some();
    if !is_news || account.unlooked || !matches!(account.of, Subject::Person(_)) {
        return;
    }
    let account = Account { unlooked: true, ..account };
    match ledger.store.put_account(&account).await {
        // Whoever changed it meanwhile decided on how it stands, too.
        Ok(()) | Err(StoreError::Conflict) => {}
        Err(error) => tracing::warn!(of = %account.of, %error, "a refusal is told with the next look"),
    }
}

/// Whose budgets an owner's agents count against.
async fn subjects(ledger: &Ledger, owner: UserId) -> Result<Vec<Subject>> {
    let team = ledger.store.user(owner).await?.and_then(|user| user.team);
    Ok([Some(Subject::Person(owner)), team.map(Subject::Team), Some(Subject::Fleet)]
        .into_iter()
        .flatten()
        .collect())
}

/// Where an owner stands this month: by the meters of the agents that are there,
/// and by the rollups of those that were deleted, or whose meters a clock took
/// into a later month once: they keep that one's sum alone.
async fn person(ledger: &Ledger, owner: UserId, but: Option<&Agent>, now: Timestamp) -> Result<Standing> {
    let rates = ledger.rates(now);
    let agents = ledger.agents_of(owner).await?;
    let mut standing = Standing::default();
    agents.iter().for_each(|agent| standing.count(agent, &rates, now));
    let itself = but.and_then(|but| agents.iter().find(|agent| agent.id == but.id && agent.is_awake()));
    if let Some(itself) = itself {
        standing.awake -= 1;
        let aside = reserve(itself, &rates);
        standing.reserved = standing.reserved - aside;
    }
    let mut after = None;
    loop {
        let lines = ledger.store.usage(Book::Owner(owner), now.month(), View::Agents, after, PAGE).await?;
        for (line, amount) in &lines {
            let metered =
                |id| agents.iter().any(|agent| agent.id == id && agent.settled.month.0 <= now.month());
            if matches!(line.of, Of::Agent(id) if !metered(id)) {
                standing.spent += amount.cost;
                standing.unpriced |= line.kind.unpriced_ms(*amount) > 0;
            }
        }
        if lines.len() < usize::from(PAGE) {
            return Ok(standing);
        }
        after = lines.last().map(|(line, _)| *line);
    }
}

/// Where all agents of a team or of the fleet stand.
async fn pool(ledger: &Ledger, of: &Subject) -> Result<Standing> {
    Ok(Everybody::read(ledger, &[of]).await?.standing(of))
}

/// Gives a subject a budget in the place of the one it had.
pub(crate) async fn set(store: &dyn Store, of: &Subject, budget: Budget) -> Result<Account> {
    for _ in 0..TRIES {
        let before = store.account(of).await?.unwrap_or_else(|| Account::new(of.clone()));
        // What is admitted without a limit is not counted: the next wake counts anew.
        let account = Account { budget: budget.clone(), unlooked: true, pool: None, ..before };
        match store.put_account(&account).await {
            Ok(()) => return Ok(Account { version: account.version + 1, ..account }),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Contended)
}

/// All accounts there are.
pub(crate) async fn all(store: &dyn Store) -> Result<Vec<Account>> {
    let mut all: Vec<Account> = Vec::new();
    loop {
        let page = store.accounts(all.last().map(|account| &account.of), PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
