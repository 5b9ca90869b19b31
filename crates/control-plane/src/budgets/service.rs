//! Who may look at budgets and change them.

use std::sync::Arc;

use domain::audit::{Act, Actor};
use domain::budget::{Account, Budget, Listed, Standing, Subject, Told};
use domain::name::Name;

use super::{Endpoint, all, look_at, person, pool, set};
use crate::audit::Audit;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::identity::{Principal, Right};
use crate::ledger::Ledger;
use crate::store::Store;

/// Budgets that are looked at in one page with how they stand; more are listed
/// without.
const STANDINGS_MAX: usize = 200;

/// Budgets, for who may see to them.
pub struct Budgets {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    audit: Audit,
    /// There where a control plane runs; a command has the store alone.
    looks: Option<Looks>,
}

/// What a running control plane looks at budgets by.
struct Looks {
    ledger: Arc<Ledger>,
    /// Whether notices go out besides being shown.
    sends: bool,
}

impl Budgets {
    /// A running control plane's.
    pub(crate) fn of(ledger: Arc<Ledger>, audit: Audit, notify: Option<&Endpoint>) -> Self {
        let (store, clock) = (ledger.store.clone(), ledger.clock.clone());
        Self { store, clock, audit, looks: Some(Looks { ledger, sends: notify.is_some() }) }
    }

    /// A command's.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { audit: Audit::new(store.clone(), clock.clone()), store, clock, looks: None }
    }

    /// What was told this month of the caller's own budget, of their team's and,
    /// where they may see it, of the fleet's; nothing of one before its first notice.
    pub async fn told(&self, who: &Principal) -> Result<Vec<Told>> {
        let month = self.clock.now().month();
        let team = who.team.clone().map(Subject::Team);
        let fleet = who.has(Right::SeeFleet).then_some(Subject::Fleet);
        let mut all = Vec::new();
        for of in [Some(Subject::Person(who.user)), team, fleet].into_iter().flatten() {
            let Some(account) = self.store.account(&of).await? else { continue };
            let told = account.told(month).zip(account.budget.month);
            all.extend(told.map(|(percent, limit)| Told { of, percent, limit }));
        }
        Ok(all)
    }

    /// All budgets that limit anything, each with its person's name and how it stands.
    pub async fn list(&self, who: &Principal) -> Result<Vec<Listed>> {
        self.audit.permit(who, Right::ManagePeople, || Act::SeeBudgets).await?;
        let mut listed = Vec::new();
        let mut accounts = all(&*self.store).await?;
        accounts.retain(|account| !account.budget.is_unlimited());
        for (index, account) in accounts.into_iter().enumerate() {
            let name = self.name(&account.of).await?;
            let standing = match &self.looks {
                Some(looks) if index < STANDINGS_MAX => Some(standing(&looks.ledger, &account).await?),
                _ => None,
            };
            let Account { of, budget, notices, .. } = account;
            listed.push(Listed { of, name, budget, notices, standing });
        }
        Ok(listed)
    }

    /// The subject that a person's name is.
    ///
    /// # Errors
    /// [`Error::NoSuchPerson`].
    pub async fn person(&self, name: &Name) -> Result<Subject> {
        let user = self.store.user_named(name.as_str()).await?.ok_or(Error::NoSuchPerson)?;
        Ok(Subject::Person(user.id))
    }

    /// A subject's budget, by a command on the installation.
    pub async fn get(&self, of: &Subject) -> Result<Option<Account>> {
        Ok(self.store.account(of).await?)
    }

    /// Gives a subject a budget in the place of the one it had, by a command on
    /// the installation. What is awake beyond it stays so, but for the money: the
    /// running console looks within half a minute, and then it is saved and sleeps.
    pub async fn set(&self, of: Subject, budget: Budget) -> Result<Account> {
        self.change(Actor::CommandLine, of, budget).await
    }

    /// The same, by right of one's role.
    pub async fn give(&self, who: &Principal, of: Subject, budget: Budget) -> Result<Account> {
        let name = self.name(&of).await?;
        let act = || Act::SetBudget { of: of.clone(), name: name.clone(), budget: budget.clone() };
        self.audit.permit(who, Right::ManagePeople, act).await?;
        self.change(who.actor(), of, budget).await
    }

    /// The same for a person by name. Whether there is one is told to nobody who
    /// may not ask.
    pub async fn give_person(&self, who: &Principal, name: &Name, budget: Budget) -> Result<Account> {
        self.audit.permit(who, Right::ManagePeople, || Act::SeeBudgets).await?;
        let of = self.person(name).await?;
        self.give(who, of, budget).await
    }

    /// A team's or person's name.
    async fn name(&self, of: &Subject) -> Result<Option<Name>> {
        Ok(match of {
            Subject::Person(id) => self.store.user(*id).await?.map(|user| user.name),
            Subject::Team(team) => Some(team.clone()),
            Subject::Fleet => None,
        })
    }

    async fn change(&self, actor: Actor, of: Subject, budget: Budget) -> Result<Account> {
        let act = Act::SetBudget { of: of.clone(), name: self.name(&of).await?, budget: budget.clone() };
        let account = self.audit.told(actor, act, set(&*self.store, &of, budget)).await?;
        // Whoever has used up what they now may is told so at once, though nothing of theirs is awake.
        if let Some(Looks { ledger, sends }) = &self.looks {
            look_at(ledger, &of, *sends).await;
        }
        Ok(account)
    }
}

async fn standing(ledger: &Ledger, account: &Account) -> Result<Standing> {
    let now = ledger.now();
    match &account.of {
        Subject::Person(owner) => person(ledger, *owner, None, now).await,
        of => match account.pooled(now) {
            Some(standing) => Ok(standing),
            None => pool(ledger, of).await,
        },
    }
}
