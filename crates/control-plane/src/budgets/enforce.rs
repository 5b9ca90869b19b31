//! The look at what was spent, again and again.

use std::collections::BTreeSet;

use domain::agent::Agent;
use domain::budget::{Account, Pool, Standing, Subject, is_awake};
use domain::id::{AgentId, UserId};
use domain::lifecycle::Observation;

use super::{PAGE, all, members, person, pool};
use crate::error::{Error, Result};
use crate::ledger::{Ledger, settled};
use crate::store::{Shard, StoreError};

/// Tells of what was used, and saves and puts to sleep the agents of budgets
/// that are used up: of these owners, of teams and the fleet, and of whoever was
/// given another budget. Nothing is stopped unsaved, and nothing deleted. With
/// `sends` a notice goes out besides being shown.
pub(crate) async fn enforce(ledger: &Ledger, owners: &BTreeSet<UserId>, sends: bool) -> Result<()> {
    for owner in owners {
        look_at(ledger, &Subject::Person(*owner), sends).await;
    }
    for account in all(&*ledger.store).await? {
        if !matches!(account.of, Subject::Person(_)) || account.unlooked {
            look_at(ledger, &account.of, sends).await;
        }
    }
    Ok(())
}

/// The same of one budget. One that can't be looked at does not keep the others
/// from holding.
pub(crate) async fn look_at(ledger: &Ledger, of: &Subject, sends: bool) {
    let looked = async {
        let Some(account) = ledger.store.account(of).await? else { return Ok(()) };
        let now = ledger.now();
        let (account, standing) = match of {
            Subject::Person(owner) => (account, person(ledger, *owner, None, now).await?),
            of => {
                let standing = pool(ledger, of, now).await?;
                (Account { pool: Some(Pool { at: now, standing }), ..account }, standing)
            }
        };
        look(ledger, account, standing, sends).await
    };
    if let Err(error) = looked.await {
        tracing::error!(%of, %error, "the budget of {of} was not looked at");
    }
}

/// Writes down how an account stands, and acts on it.
async fn look(ledger: &Ledger, account: Account, standing: Standing, sends: bool) -> Result<()> {
    let told = account.noticed(standing.spent, sends, ledger.now());
    if told.is_some() || account.pool.is_some() || account.unlooked {
        let looked = Account { unlooked: false, ..told.clone().unwrap_or_else(|| account.clone()) };
        match ledger.store.put_account(&looked).await {
            Ok(()) => {}
            // Somebody passed the turnstile; the next look tells it.
            Err(StoreError::Conflict) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(percent) = told.as_ref().and_then(|told| told.notices.last()).map(|notice| notice.percent) {
        tracing::warn!(of = %account.of, percent, "{}: {percent} % of the month's budget is used", account.of);
    }
    if account.budget.used(standing.spent).is_some_and(|used| used >= 100) {
        for agent in awake(ledger, &account.of).await? {
            match settled(ledger.observe(agent, Observation::BudgetSpent).await) {
                Ok(_) | Err(Error::Illegal(_)) => {}
                Err(error) => {
                    tracing::error!(%agent, %error, "agent {agent}: over budget and not asleep")
                }
            }
        }
    }
    Ok(())
}

/// The agents of a subject that are awake.
async fn awake(ledger: &Ledger, of: &Subject) -> Result<Vec<AgentId>> {
    let ids = |agents: &[Agent]| -> Vec<AgentId> {
        agents.iter().filter(|agent| is_awake(agent)).map(|agent| agent.id).collect()
    };
    if let Subject::Person(owner) = of {
        return Ok(ids(&ledger.store.agents_of(*owner, None, PAGE).await?));
    }
    let members = members(ledger, of).await?;
    let holds = |owner: UserId| members.as_ref().is_none_or(|members| members.contains(&owner));
    let mut awake = Vec::new();
    for shard in Shard::all() {
        let mut after = None;
        loop {
            let page = ledger.store.fleet(shard, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            let wanted = page.iter().filter(|summary| holds(summary.owner) && summary.is_awake());
            awake.extend(wanted.map(|summary| summary.id));
        }
    }
    Ok(awake)
}
