//! Budgets that hold. Who wants an agent awake passes its owner's turnstile: the
//! decision is made on the account's version and on the owner's agents as they
//! are, and committed with the agent on condition that nobody else passed
//! meanwhile. So of wakes at once, on any number of control planes, each sees
//! what the others took.

use std::collections::BTreeSet;

use domain::agent::Agent;
use domain::budget::{Account, Budget, Standing, is_awake, reserve};
use domain::id::UserId;
use domain::lifecycle::Observation;
use domain::time::Timestamp;
use domain::usage::Of;

use crate::error::{Error, Result};
use crate::fleet::AGENTS_MAX;
use crate::ledger::{Ledger, settled};
use crate::store::usage::{Book, View};
use crate::store::{Store, StoreError, Turn};

/// How often an account is changed anew when others do in between.
const TRIES: u32 = 16;
/// Lines of a month read at once; an owner has few agents.
const LINES: u16 = 1000;

/// The turn to wake an agent, or why it may not be; nothing for an owner
/// without a budget. The agent itself, if it is there already, is not counted.
pub(crate) async fn turn(ledger: &Ledger, agent: &Agent) -> Result<Option<Turn>> {
    let Some(account) = ledger.store.account(agent.owner).await? else { return Ok(None) };
    // After the account: what is committed later has another version of it.
    let others: Vec<Agent> = agents(&*ledger.store, agent.owner).await?;
    let now = ledger.now();
    let rates = ledger.rates(now);
    let mut standing = standing(ledger, agent.owner, &others, now).await?;
    if let Some(itself) = others.iter().find(|other| other.id == agent.id && is_awake(other)) {
        standing.awake -= 1;
        let aside = reserve(itself, &rates);
        standing.reserved = standing.reserved - aside;
    }
    account.budget.admits(&standing, agent.size, reserve(agent, &rates)).map_err(Error::OverBudget)?;
    Ok(Some(Turn { owner: agent.owner, version: account.version }))
}

/// Where an owner stands this month: by the meters of the agents that are there,
/// and by the rollups of those that were deleted.
async fn standing(ledger: &Ledger, owner: UserId, agents: &[Agent], now: Timestamp) -> Result<Standing> {
    let rates = ledger.rates(now);
    let mut standing = Standing::default();
    agents.iter().for_each(|agent| standing.count(agent, &rates, now));
    let mut after = None;
    loop {
        let lines = ledger.store.usage(Book::Owner(owner), now.month(), View::Agents, after, LINES).await?;
        for (line, amount) in &lines {
            let there = |id| agents.iter().any(|agent| agent.id == id);
            if matches!(line.of, Of::Agent(id) if !there(id)) {
                standing.spent += amount.cost;
            }
        }
        if lines.len() < usize::from(LINES) {
            return Ok(standing);
        }
        after = lines.last().map(|(line, _)| *line);
    }
}

async fn agents(store: &dyn Store, owner: UserId) -> Result<Vec<Agent>> {
    let limit = u16::try_from(AGENTS_MAX).unwrap_or(u16::MAX);
    Ok(store.agents_of(owner, None, limit).await?)
}

/// Gives an owner a budget in the place of the one they had.
pub(crate) async fn set(store: &dyn Store, owner: UserId, budget: Budget) -> Result<Account> {
    for _ in 0..TRIES {
        let before = store.account(owner).await?.unwrap_or_else(|| Account::new(owner));
        let account = Account { budget: budget.clone(), ..before };
        match store.put_account(&account).await {
            Ok(()) => return Ok(Account { version: account.version + 1, ..account }),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Contended)
}

/// Tells owners of what they used, and saves and puts to sleep the agents of
/// those who used it all. Nothing is stopped unsaved, and nothing deleted.
pub(crate) async fn enforce(ledger: &Ledger, owners: &BTreeSet<UserId>) -> Result<()> {
    for owner in owners {
        let Some(account) = ledger.store.account(*owner).await? else { continue };
        let agents = agents(&*ledger.store, *owner).await?;
        let now = ledger.now();
        let standing = standing(ledger, *owner, &agents, now).await?;
        if let Some(told) = account.noticed(standing.spent, now) {
            match ledger.store.put_account(&told).await {
                Ok(()) => {
                    let percent = told.notices.last().map_or(0, |notice| notice.percent);
                    tracing::warn!(owner = %owner, percent, "{owner} used {percent} % of the month's budget");
                }
                // Somebody passed the turnstile; the next look tells it.
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if account.budget.used(standing.spent).is_some_and(|used| used >= 100) {
            for agent in agents.iter().filter(|agent| is_awake(agent)) {
                match settled(ledger.observe(agent.id, Observation::BudgetSpent).await) {
                    Ok(_) | Err(Error::Illegal(_)) => {}
                    Err(error) => {
                        tracing::error!(agent = %agent.id, %error, "agent {}: over budget and not asleep", agent.id)
                    }
                }
            }
        }
    }
    Ok(())
}
