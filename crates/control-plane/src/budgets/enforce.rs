//! The look at what was spent, again and again.

use std::collections::BTreeSet;

use domain::agent::Agent;
use domain::budget::{Account, Pool, Standing, Subject};
use domain::id::{AgentId, UserId};
use domain::lifecycle::Observation;

use super::everybody::Everybody;
use super::{all, person};
use crate::error::{Error, Result};
use crate::ledger::{Ledger, settled};
use crate::store::StoreError;

/// Tells of what was used, and saves and puts to sleep the agents of budgets
/// that are used up: of these owners, of teams and the fleet, and of whoever was
/// given another budget. Nothing is stopped unsaved, and nothing deleted. With
/// `sends` a notice goes out besides being shown.
pub(crate) async fn enforce(ledger: &Ledger, owners: &BTreeSet<UserId>, sends: bool) -> Result<()> {
    for owner in owners {
        look_at(ledger, &Subject::Person(*owner), sends).await;
    }
    let mut accounts = all(&*ledger.store).await?;
    accounts.retain(|account| !account.budget.is_unlimited());
    let (people, pools): (Vec<_>, Vec<_>) =
        accounts.into_iter().partition(|account| matches!(account.of, Subject::Person(_)));
    for account in people.iter().filter(|account| account.unlooked) {
        look_at(ledger, &account.of, sends).await;
    }
    if pools.is_empty() {
        return Ok(());
    }
    // Read after the accounts: what is committed later has another version of them.
    let subjects: Vec<_> = pools.iter().map(|account| &account.of).collect();
    let everybody = Everybody::read(ledger, &subjects).await?;
    for account in pools {
        let of = account.of.clone();
        if let Err(error) = look_over(ledger, account, &everybody, sends).await {
            tracing::error!(%of, %error, "the budget of {of} was not looked at");
        }
    }
    Ok(())
}

/// The same of one budget. One that can't be looked at does not keep the others
/// from holding.
pub(crate) async fn look_at(ledger: &Ledger, of: &Subject, sends: bool) {
    let looked = async {
        let account = ledger.store.account(of).await?;
        let Some(account) = account.filter(|account| !account.budget.is_unlimited()) else { return Ok(()) };
        let Subject::Person(owner) = of else {
            let everybody = Everybody::read(ledger, &[of]).await?;
            return look_over(ledger, account, &everybody, sends).await;
        };
        let standing = person(ledger, *owner, None, ledger.now()).await?;
        if look(ledger, account, standing, sends).await? {
            let mut agents = ledger.agents_of(*owner).await?;
            agents.retain(Agent::is_awake);
            put_to_sleep(ledger, agents.iter().map(|agent| agent.id).collect()).await;
        }
        Ok::<_, Error>(())
    };
    if let Err(error) = looked.await {
        tracing::error!(%of, %error, "the budget of {of} was not looked at");
    }
}

/// A team's, or the fleet's.
async fn look_over(ledger: &Ledger, account: Account, everybody: &Everybody, sends: bool) -> Result<()> {
    let (of, standing) = (account.of.clone(), everybody.standing(&account.of));
    let account = Account { pool: Some(Pool { at: ledger.now(), standing }), ..account };
    if look(ledger, account, standing, sends).await? {
        put_to_sleep(ledger, everybody.awake(&of)).await;
    }
    Ok(())
}

/// Writes down how an account stands, and says whether it is used up.
async fn look(ledger: &Ledger, account: Account, standing: Standing, sends: bool) -> Result<bool> {
    let told = account.noticed(standing.spent, sends, ledger.now());
    if told.is_some() || account.pool.is_some() || account.unlooked {
        let looked = Account { unlooked: false, ..told.clone().unwrap_or_else(|| account.clone()) };
        match ledger.store.put_account(&looked).await {
            Ok(()) => {}
            // Somebody passed the turnstile; the next look tells it.
            Err(StoreError::Conflict) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(percent) = told.as_ref().and_then(|told| told.notices.last()).map(|notice| notice.percent) {
        tracing::warn!(of = %account.of, percent, "{}: {percent} % of the month's budget is used", account.of);
    }
    Ok(account.budget.used(standing.spent).is_some_and(|used| used >= 100))
}

async fn put_to_sleep(ledger: &Ledger, agents: BTreeSet<AgentId>) {
    for agent in agents {
        match settled(ledger.observe(agent, Observation::BudgetSpent).await) {
            Ok(_) | Err(Error::Illegal(_)) => {}
            Err(error) => {
                tracing::error!(%agent, %error, "agent {agent}: over budget and not asleep");
            }
        }
    }
}
