//! Budgets' turnstile: of those that decided on the same version one passes.

use std::sync::Arc;

use domain::agent::{Intent, Phase};
use domain::budget::{Account, Budget, RESERVE, Subject};
use domain::event::{SaveReason, What};
use domain::lifecycle::{Observation, Policy, Seen};
use domain::money::NanoDollars;
use domain::price::{PriceBook, REGION};
use domain::role::Role;
use domain::time::Timestamp;

use crate::budgets;
use crate::clock::Clock;
use crate::error::Error;
use crate::ledger::Ledger as Plane;
use crate::live::Writers;
use crate::prices::Prices;
use crate::store::{Created, Shard, StoreError, Turn, User};

use super::fixture::*;

const SHARD: Shard = Shard(2);

fn person(n: u8) -> Subject {
    Subject::Person(owner(n))
}

fn account(limit: i64) -> Account {
    let budget = Budget { month: Some(NanoDollars(limit)), awake: Some(3), sizes: None };
    Account { budget, ..Account::new(person(1)) }
}

pub async fn an_account_is_changed_on_its_version(store: Ledger) {
    assert_eq!(store.account(&person(1)).await.unwrap(), None);
    store.put_account(&account(5)).await.unwrap();
    let again = store.put_account(&account(6)).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    let kept = store.account(&person(1)).await.unwrap().unwrap();
    assert_eq!(kept, Account { version: 1, ..account(5) });
    store.put_account(&Account { version: 1, ..account(7) }).await.unwrap();
    let late = store.put_account(&Account { version: 1, ..account(8) }).await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
    assert_eq!(store.account(&person(1)).await.unwrap(), Some(Account { version: 2, ..account(7) }));
    assert_eq!(store.account(&person(2)).await.unwrap(), None);
}

pub async fn accounts_are_listed_by_their_subjects(store: Ledger) {
    let subjects = [Subject::Fleet, person(1), person(2), Subject::Team("ñandú #1".parse().unwrap())];
    for of in &subjects {
        store.put_account(&Account::new(of.clone())).await.unwrap();
    }
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = store.accounts(after.as_ref(), 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.of.clone());
        listed.extend(page);
    }
    assert!(listed.iter().all(|account| account.version == 1));
    let listed: Vec<_> = listed.into_iter().map(|account| account.of).collect();
    assert_eq!(listed, subjects);
}

pub async fn a_turn_is_one_writers(store: Ledger) {
    store.put_account(&account(5)).await.unwrap();
    let turns = [Turn::Wake(Account { version: 1, ..account(5) })];
    let spawn = |n: u16| {
        let (store, spawned, turns) = (store.clone(), spawned(id(SHARD, n), owner(1), START), turns.clone());
        async move { store.create_in_turns(&spawned, None, &turns).await }
    };
    let outcomes = together((0..8).map(spawn)).await;
    let made = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Created::New))).count();
    assert_eq!(made, 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Created::New) | Err(StoreError::Conflict))));
    assert_eq!(store.agents_of(owner(1), None, 10).await.unwrap().len(), 1);
    assert_eq!(store.account(&person(1)).await.unwrap(), Some(Account { version: 2, ..account(5) }));
}

pub async fn a_commit_in_a_turn_that_passed_changes_nothing(store: Ledger) {
    store.put_account(&account(5)).await.unwrap();
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    let agent = observe(&store, &agent, Observation::SleepAsked, at(1)).await;
    let wake = next(&agent, Observation::WakeAsked, at(2));
    let late = store.commit_in_turns(&wake, &[Turn::Wake(Account { version: 7, ..account(5) })]).await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
    assert_eq!(store.agent(agent.id).await.unwrap(), Some(agent));
    store.commit_in_turns(&wake, &[Turn::Wake(Account { version: 1, ..account(5) })]).await.unwrap();
    assert_eq!(store.agent(wake.agent.id).await.unwrap(), Some(wake.agent));
    assert_eq!(store.account(&person(1)).await.unwrap().unwrap().version, 2);
}

/// A control plane of its own on the ledger.
pub(super) fn plane(store: &Ledger) -> Arc<Plane> {
    let (policy, prices) = (Policy::default(), Prices::built_in());
    Arc::new(Plane::new(Arc::clone(store), Arc::new(Still), policy, prices, Writers::Many))
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        START
    }
}

/// Spawns by two control planes at once; how many were made.
async fn spawn_at_once(store: &Ledger, first: u16) -> usize {
    let planes = [plane(store), plane(store)];
    let spawn = |n: u16| {
        let (plane, spawned) =
            (planes[usize::from(n % 2)].clone(), spawned(id(SHARD, first + n), owner(1), START));
        async move { plane.create(&spawned, None).await }
    };
    let outcomes = together((0..12).map(spawn)).await;
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::OverBudget(_)))).count();
    let made = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Created::New))).count();
    assert_eq!(made + refused, 12, "{outcomes:?}");
    made
}

pub async fn of_spawns_at_once_no_more_pass_than_may_be_awake(store: Ledger) {
    store.put_account(&account(i64::MAX)).await.unwrap();
    assert_eq!(spawn_at_once(&store, 0).await, 3);
    assert_eq!(store.agents_of(owner(1), None, 100).await.unwrap().len(), 3);
}

pub async fn of_spawns_at_once_no_more_pass_than_there_is_money_for(store: Ledger) {
    let aside =
        PriceBook::proposal().rates(REGION, START.day()).rate(domain::size::Size::Small).over(RESERVE);
    let mut limited = account(aside.0 * 5 - 1);
    limited.budget.awake = None;
    store.put_account(&limited).await.unwrap();
    assert_eq!(spawn_at_once(&store, 0).await, 4);
    // What sleeps again gives its part back; it is taken once.
    let planes = [plane(&store), plane(&store)];
    let agent = store.agents_of(owner(1), None, 1).await.unwrap().remove(0);
    observe(&store, &agent, Observation::SleepAsked, START).await;
    assert_eq!(spawn_at_once(&store, 100).await, 1);
    let refused = planes[0].wake(agent.id).await;
    assert!(matches!(refused, Err(Error::OverBudget(_))), "{refused:?}");
}

pub async fn who_used_a_budget_up_is_told_and_sleeps_saved(store: Ledger) {
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    let long_ago = START.before(std::time::Duration::from_secs(3600));
    let agent = launch(&store, &agent, long_ago).await;
    let agent = see(&store, &agent, Seen::Enrolled, START).await;
    let agent = see(&store, &agent, Seen::Ready, START).await;
    let used = agent.open_segment().unwrap().cost(START);
    store.put_account(&account(used.0)).await.unwrap();
    let plane = plane(&store);
    let owners = [owner(1), owner(2)].into();
    budgets::enforce(&plane, &owners, false).await.unwrap();
    budgets::enforce(&plane, &owners, false).await.unwrap();
    let told = store.account(&person(1)).await.unwrap().unwrap();
    assert_eq!(told.notices.iter().map(|notice| notice.percent).collect::<Vec<_>>(), [50, 80, 100]);
    let after = store.agent(agent.id).await.unwrap().unwrap();
    assert_eq!((after.phase, after.intent, after.over_budget), (Phase::Saving, Intent::Asleep, true));
    let events = store.events(agent.id, agent.last_event, 10).await.unwrap();
    assert_eq!(events.last().unwrap().what, What::Saving { why: SaveReason::Budget });
    let refused = plane.wake(agent.id).await.unwrap_err().to_string();
    assert!(refused.contains("administrator"), "{refused}");
    // Lowered for somebody of whom nothing is awake: told at the next look, once.
    let lowered = Budget { month: Some(NanoDollars(used.0 / 2)), ..told.budget.clone() };
    budgets::set(&*store, &person(1), lowered).await.unwrap();
    for _ in 0..2 {
        budgets::enforce(&plane, &[].into(), false).await.unwrap();
        let again = store.account(&person(1)).await.unwrap().unwrap();
        assert_eq!((again.notices.len(), again.unlooked), (6, false));
    }
    // Raised, it goes on.
    let raised = Budget { month: Some(NanoDollars(used.0 * 9)), ..told.budget };
    budgets::set(&*store, &person(1), raised).await.unwrap();
    assert_eq!(plane.wake(agent.id).await.unwrap().intent, Intent::Awake);
}

/// Several owners share what there is, whoever looks.
pub async fn of_spawns_at_once_no_more_pass_than_the_fleet_may_have_awake(store: Ledger) {
    let budget = Budget { awake: Some(3), ..Budget::default() };
    store.put_account(&Account { budget, ..Account::new(Subject::Fleet) }).await.unwrap();
    let planes = [plane(&store), plane(&store)];
    let spawn = |n: u16| {
        let (plane, spawned) =
            (planes[usize::from(n % 2)].clone(), spawned(id(SHARD, n), owner(1 + (n % 3) as u8), START));
        async move { plane.create(&spawned, None).await }
    };
    let outcomes = together((0..12).map(spawn)).await;
    let made = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Created::New))).count();
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::OverBudget(_)))).count();
    assert_eq!((made, refused), (3, 9), "{outcomes:?}");
    // What sleeps is seen at the next look, and gives its place back.
    let awake = store.fleet(SHARD, None, 10).await.unwrap().remove(0);
    let agent = store.agent(awake.id).await.unwrap().unwrap();
    observe(&store, &agent, Observation::SleepAsked, START).await;
    budgets::enforce(&planes[0], &[].into(), false).await.unwrap();
    let pool = store.account(&Subject::Fleet).await.unwrap().unwrap().pool.unwrap();
    assert_eq!(pool.standing.awake, 2);
    assert_eq!(planes[1].wake(awake.id).await.unwrap().intent, Intent::Awake);
}

pub async fn a_fleet_that_used_its_budget_up_sleeps_saved(store: Ledger) {
    let long_ago = START.before(std::time::Duration::from_secs(3600));
    let mut used = NanoDollars::ZERO;
    for n in 1..=2 {
        let agent = create(&store, id(SHARD, n.into()), owner(n)).await;
        let agent = launch(&store, &agent, long_ago).await;
        let agent = see(&store, &agent, Seen::Enrolled, START).await;
        let agent = see(&store, &agent, Seen::Ready, START).await;
        used += agent.open_segment().unwrap().cost(START);
    }
    let budget = Budget { month: Some(used), ..Budget::default() };
    store.put_account(&Account { budget, ..Account::new(Subject::Fleet) }).await.unwrap();
    let plane = plane(&store);
    budgets::enforce(&plane, &[].into(), true).await.unwrap();
    let told = store.account(&Subject::Fleet).await.unwrap().unwrap();
    assert_eq!(told.told(START.month()), Some(100));
    assert!(told.notices.iter().all(|notice| notice.delivery.is_some()));
    for n in 1..=2 {
        let after = store.agent(id(SHARD, n)).await.unwrap().unwrap();
        assert_eq!((after.phase, after.intent), (Phase::Saving, Intent::Asleep));
    }
}

pub async fn a_teams_limit_is_its_peoples(store: Ledger) {
    let team: domain::name::Name = "ventas".parse().unwrap();
    for (n, team) in [(1, Some(team.clone())), (2, Some(team.clone())), (3, None)] {
        let name = format!("persona {n}").parse().unwrap();
        let user = User { id: owner(n), name, role: Role::User, team, created_at: START, closed_at: None };
        assert!(store.add_user(&user).await.unwrap());
    }
    let budget = Budget { awake: Some(1), ..Budget::default() };
    store.put_account(&Account { budget, ..Account::new(Subject::Team(team)) }).await.unwrap();
    let plane = plane(&store);
    let spawn = |n: u8| {
        let (plane, spawned) = (Arc::clone(&plane), spawned(id(SHARD, n.into()), owner(n), START));
        async move { plane.create(&spawned, None).await }
    };
    assert!(matches!(spawn(1).await, Ok(Created::New)));
    let refused = spawn(2).await;
    let Err(Error::OverBudget(over)) = &refused else { panic!("{refused:?}") };
    assert!(over.to_string().starts_with("the team ventas: no more than 1"), "{over}");
    assert!(matches!(spawn(3).await, Ok(Created::New)));
}
