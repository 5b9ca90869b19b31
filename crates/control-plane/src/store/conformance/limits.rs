//! What limits hold when they are raced, changed, or looked at late.

use std::sync::Arc;
use std::time::Duration;

use domain::agent::Intent;
use domain::budget::{Account, Budget, Subject};
use domain::id::AgentId;
use domain::lifecycle::Observation;
use domain::money::NanoDollars;
use domain::time::Timestamp;

use crate::budgets;
use crate::error::Error;
use crate::fleet::AGENTS_MAX;
use crate::spend::fold;
use crate::store::{Created, Shard};

use super::accounts::plane;
use super::fixture::*;

const SHARD: Shard = Shard(3);

fn person() -> Subject {
    Subject::Person(owner(1))
}

/// An agent that ran for an hour until then, and sleeps.
async fn ran(store: &Ledger, id: AgentId, until: Timestamp) {
    let agent = create(store, id, owner(1)).await;
    let agent = launch(store, &agent, until.before(Duration::from_secs(3600))).await;
    stop(store, &agent, until).await;
}

pub async fn of_spawns_at_once_no_more_pass_than_an_owner_may_have(store: Ledger) {
    let most = u16::try_from(AGENTS_MAX).unwrap();
    for n in 1..most {
        create(&store, id(SHARD, n), owner(1)).await;
    }
    let planes = [plane(&store), plane(&store)];
    let spawn = |n: u16| {
        let (plane, spawned) =
            (planes[usize::from(n % 2)].clone(), spawned(id(SHARD, 1000 + n), owner(1), START));
        async move { plane.create(&spawned, None).await }
    };
    let outcomes = together((0..20).map(spawn)).await;
    let made = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Created::New))).count();
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::TooMany { .. }))).count();
    assert_eq!((made, refused), (1, 19), "{outcomes:?}");
    assert_eq!(planes[0].agents_of(owner(1)).await.unwrap().len(), AGENTS_MAX);
    // Another's are their own, and whoever deletes one may make one.
    let other = spawned(id(SHARD, 2000), owner(2), START);
    assert!(matches!(planes[0].create(&other, None).await, Ok(Created::New)));
    let agent = store.agent(id(SHARD, 1)).await.unwrap().unwrap();
    let agent = observe(&store, &agent, Observation::DeleteAsked, START).await;
    observe(&store, &agent, Observation::Purged, START).await;
    let one_more = spawned(id(SHARD, 2001), owner(1), START);
    assert!(matches!(planes[1].create(&one_more, None).await, Ok(Created::New)));
}

pub async fn a_persons_budget_sees_all_of_their_agents(store: Ledger) {
    let most = u16::try_from(AGENTS_MAX).unwrap();
    let sleeper = create(&store, id(SHARD, 1), owner(1)).await;
    observe(&store, &sleeper, Observation::SleepAsked, START).await;
    for n in 2..=most + 1 {
        create(&store, id(SHARD, n), owner(1)).await;
    }
    let awake = |awake: u16| Budget { awake: Some(awake.into()), ..Budget::default() };
    let plane = plane(&store);
    budgets::set(&*store, &person(), awake(most)).await.unwrap();
    let refused = plane.wake(sleeper.id).await;
    assert!(matches!(refused, Err(Error::OverBudget(_))), "{refused:?}");
    budgets::set(&*store, &person(), awake(most + 1)).await.unwrap();
    assert_eq!(plane.wake(sleeper.id).await.unwrap().intent, Intent::Awake);
}

pub async fn a_budget_that_was_taken_back_costs_nothing_and_limits_nothing(store: Ledger) {
    let plane = plane(&store);
    for of in [person(), Subject::Fleet] {
        budgets::set(&*store, &of, Budget { awake: Some(0), ..Budget::default() }).await.unwrap();
    }
    budgets::enforce(&plane, &[owner(1)].into(), false).await.unwrap();
    let agent = spawned(id(SHARD, 1), owner(1), START);
    assert!(matches!(plane.create(&agent, None).await, Err(Error::OverBudget(_))));
    let mut taken_back = Vec::new();
    for of in [person(), Subject::Fleet] {
        taken_back.push(budgets::set(&*store, &of, Budget::default()).await.unwrap());
    }
    assert!(matches!(plane.create(&agent, None).await, Ok(Created::New)));
    budgets::enforce(&plane, &[owner(1)].into(), false).await.unwrap();
    for account in taken_back {
        assert_eq!(store.account(&account.of).await.unwrap(), Some(account), "nobody wrote it since");
    }
    // What was admitted meanwhile counts as soon as there is a limit again.
    let one = Budget { awake: Some(1), ..Budget::default() };
    budgets::set(&*store, &Subject::Fleet, one).await.unwrap();
    let another = spawned(id(SHARD, 2), owner(2), START);
    assert!(matches!(plane.create(&another, None).await, Err(Error::OverBudget(_))));
}

pub async fn who_is_refused_for_what_nobody_told_is_told(store: Ledger) {
    ran(&store, id(SHARD, 1), START).await;
    let used = store.agent(id(SHARD, 1)).await.unwrap().unwrap().settled.total;
    let budget = Budget { month: Some(used), ..Budget::default() };
    store.put_account(&Account { budget, ..Account::new(person()) }).await.unwrap();
    let plane = plane(&store);
    // Nothing of theirs is awake: until they are refused nobody looks.
    budgets::enforce(&plane, &[].into(), false).await.unwrap();
    assert_eq!(store.account(&person()).await.unwrap().unwrap().notices, []);
    let another = spawned(id(SHARD, 2), owner(1), START);
    assert!(matches!(plane.create(&another, None).await, Err(Error::OverBudget(_))));
    budgets::enforce(&plane, &[].into(), false).await.unwrap();
    let told = store.account(&person()).await.unwrap().unwrap();
    assert_eq!((told.told(START.month()), told.unlooked), (Some(100), false));
}

pub async fn a_clock_that_was_ahead_once_hides_no_spending(store: Ledger) {
    let ahead = START.after(Duration::from_secs(90 * 24 * 3600));
    ran(&store, id(SHARD, 1), ahead).await;
    let agent = store.agent(id(SHARD, 1)).await.unwrap().unwrap();
    let agent = observe(&store, &agent, Observation::WakeAsked, START).await;
    let agent = launch(&store, &agent, START.before(Duration::from_secs(3600))).await;
    let agent = stop(&store, &agent, START).await;
    assert_eq!(agent.settled.in_month(START.month()), NanoDollars::ZERO);
    fold(&*store).await.unwrap();
    let budget = Budget { month: Some(agent.settled.last), ..Budget::default() };
    budgets::set(&*store, &person(), budget).await.unwrap();
    let plane: Arc<_> = plane(&store);
    let refused = plane.wake(agent.id).await;
    assert!(matches!(refused, Err(Error::OverBudget(_))), "{refused:?}");
}
