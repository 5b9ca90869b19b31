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
mod service;

use std::collections::BTreeSet;

use domain::agent::Agent;
use domain::budget::{Account, Budget, Pool, Standing, Subject, is_awake, reserve};
use domain::id::UserId;
use domain::name::Name;
use domain::time::Timestamp;
use domain::usage::Of;

use crate::error::{Error, Result};
use crate::fleet::AGENTS_MAX;
use crate::ledger::Ledger;
use crate::spend::Spend;
use crate::store::usage::{Book, View};
use crate::store::{Shard, Store, StoreError, Turn};

pub use courier::{Courier, Endpoint};
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
        let Some(account) = ledger.store.account(&of).await? else { continue };
        // Read after the account: what is committed later has another version of it.
        let now = ledger.now();
        let rates = ledger.rates(now);
        let (account, standing) = match (&of, account.pooled(now)) {
            (Subject::Person(owner), _) => (account, person(ledger, *owner, Some(agent), now).await?),
            (_, Some(standing)) => (account, standing),
            (_, None) => {
                let standing = pool(ledger, &of, now).await?;
                (Account { pool: Some(Pool { at: now, standing }), ..account }, standing)
            }
        };
        let admitted =
            account.admit(&standing, agent.size, reserve(agent, &rates)).map_err(Error::OverBudget)?;
        turns.push(Turn(admitted));
    }
    Ok(turns)
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
/// and by the rollups of those that were deleted.
async fn person(ledger: &Ledger, owner: UserId, but: Option<&Agent>, now: Timestamp) -> Result<Standing> {
    let rates = ledger.rates(now);
    let limit = u16::try_from(AGENTS_MAX).unwrap_or(u16::MAX);
    let agents = ledger.store.agents_of(owner, None, limit).await?;
    let mut standing = Standing::default();
    agents.iter().for_each(|agent| standing.count(agent, &rates, now));
    let itself = but.and_then(|but| agents.iter().find(|agent| agent.id == but.id && is_awake(agent)));
    if let Some(itself) = itself {
        standing.awake -= 1;
        let aside = reserve(itself, &rates);
        standing.reserved = standing.reserved - aside;
    }
    let mut after = None;
    loop {
        let lines = ledger.store.usage(Book::Owner(owner), now.month(), View::Agents, after, PAGE).await?;
        for (line, amount) in &lines {
            let there = |id| agents.iter().any(|agent| agent.id == id);
            if matches!(line.of, Of::Agent(id) if !there(id)) {
                standing.spent += amount.cost;
            }
        }
        if lines.len() < usize::from(PAGE) {
            return Ok(standing);
        }
        after = lines.last().map(|(line, _)| *line);
    }
}

/// Where all agents of a team or of the fleet stand.
async fn pool(ledger: &Ledger, of: &Subject, now: Timestamp) -> Result<Standing> {
    let mut standing = Standing::default();
    let rates = ledger.rates(now);
    let members = members(ledger, of).await?;
    let holds = |owner: UserId| members.as_ref().is_none_or(|members| members.contains(&owner));
    for shard in Shard::all() {
        let mut after = None;
        loop {
            let page = ledger.store.fleet(shard, after, PAGE).await?;
            for summary in page.iter().filter(|summary| holds(summary.owner)) {
                if summary.is_awake() {
                    let expected = || rates.expected(summary.size, summary.provider).rate;
                    let rate = summary.open.map_or_else(expected, |(_, rate)| rate);
                    standing.awake += 1;
                    standing.reserved += rate.over(domain::budget::RESERVE);
                }
            }
            let Some(last) = page.last() else { break };
            after = Some(last.id);
        }
    }
    let spend = Spend::new(ledger.store.clone(), ledger.clock.clone());
    for (line, amount) in spend.owners_of_fleet(now.month()).await? {
        if matches!(line.of, Of::Owner(owner) if holds(owner)) {
            standing.spent += amount.cost;
        }
    }
    Ok(standing)
}

/// The people of a team; nothing for everybody.
async fn members(ledger: &Ledger, of: &Subject) -> Result<Option<BTreeSet<UserId>>> {
    let team = match of {
        Subject::Fleet => return Ok(None),
        Subject::Person(owner) => return Ok(Some(BTreeSet::from([*owner]))),
        Subject::Team(team) => team,
    };
    let mut members = BTreeSet::new();
    let mut after: Option<Name> = None;
    loop {
        let page = ledger.store.people(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(Some(members)) };
        after = Some(last.user.name.clone());
        let in_team = page.iter().filter(|listed| listed.user.team.as_ref() == Some(team));
        members.extend(in_team.map(|listed| listed.user.id));
    }
}

/// Gives a subject a budget in the place of the one it had.
pub(crate) async fn set(store: &dyn Store, of: &Subject, budget: Budget) -> Result<Account> {
    for _ in 0..TRIES {
        let before = store.account(of).await?.unwrap_or_else(|| Account::new(of.clone()));
        let account = Account { budget: budget.clone(), unlooked: true, ..before };
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
