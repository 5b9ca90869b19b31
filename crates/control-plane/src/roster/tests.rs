//! The list against the store that it was loaded from.

use std::sync::Arc;

use domain::agent::ProviderName;
use domain::fleet::{Group, Place, State, Trouble};
use domain::lifecycle::{Observation, Policy, Seen};
use domain::price::{Basis, PriceBook, Rates};
use domain::time::Day;

use super::*;
use crate::store::conformance::fixture::*;
use crate::store::sqlite::Sqlite;
use crate::store::{User, UserChange};

const POLICY: Policy = Policy {
    idle_timeout: domain::agent::IdleTimeout::DEFAULT,
    boot_limit: Duration::from_secs(180),
    silence_limit: Duration::from_secs(60),
    save_retry: Duration::from_secs(60),
    save_every: Duration::from_secs(300),
};

const PLACE: Place = Place { provider: ProviderName::Local, drained: None };

fn rates() -> Rates {
    Rates::proposal()
}

struct Fixture {
    store: Ledger,
    roster: Roster,
    _folder: tempfile::TempDir,
}

/// 40 agents of two people, names in the opposite order of their ids.
async fn fixture() -> (Fixture, Vec<Agent>) {
    let folder = tempfile::tempdir().unwrap();
    let store: Ledger = Arc::new(Sqlite::open(&folder.path().join("console.db")).unwrap());
    for (n, name) in [(1, "Ana"), (2, "Benito")] {
        let role = Default::default();
        let user = User {
            id: owner(n),
            name: name.parse().unwrap(),
            role,
            team: None,
            created_at: START,
            closed_at: None,
        };
        assert!(store.add_user(&user).await.unwrap());
    }
    let mut agents = Vec::new();
    for n in 0..40u16 {
        let agent = create(&store, id(Shard((n % 16) as u8), n), owner(1 + (n % 2) as u8)).await;
        let name = format!("Agente {:02}", 39 - n).parse().unwrap();
        let named = domain::lifecycle::rename(&agent, name, at(1)).unwrap();
        store.commit(&named).await.unwrap();
        agents.push(named.agent);
    }
    (Fixture { store, roster: Roster::new(Writers::One, POLICY), _folder: folder }, agents)
}

impl Fixture {
    async fn names(&self, query: &Query) -> Vec<String> {
        let page = self.roster.page(&*self.store, query, PLACE, at(5), &rates()).await.unwrap();
        page.rows.iter().map(|row| row.name.to_string()).collect()
    }

    async fn commit(&self, agent: &Agent, observation: Observation) -> Agent {
        let agent = observe(&self.store, agent, observation, at(3)).await;
        self.roster.took(&agent);
        agent
    }
}

#[tokio::test]
async fn windows_of_the_list_add_up_to_all_of_it_in_order() {
    let (fixture, _) = fixture().await;
    for falling in [false, true] {
        let mut all = Vec::new();
        for offset in (0..60).step_by(7) {
            let query = Query { falling, offset, limit: 7, ..Query::default() };
            all.extend(fixture.names(&query).await);
        }
        let mut expected: Vec<_> = (0..40).map(|n| format!("Agente {n:02}")).collect();
        if falling {
            expected.reverse();
        }
        assert_eq!(all, expected);
    }
}

#[tokio::test]
async fn a_filter_lets_through_what_it_names_and_health_is_of_all() {
    let (fixture, agents) = fixture().await;
    let text = Query { text: " ENTE 0".to_owned(), owner: Some("Ana".to_owned()), ..Query::default() };
    assert_eq!(fixture.names(&text).await, [1, 3, 5, 7, 9].map(|n| format!("Agente 0{n}")));
    let by_id = Query { text: agents[3].id.to_string(), ..Query::default() };
    assert_eq!(fixture.names(&by_id).await, [agents[3].name.as_str()]);
    let failed = Query { state: Some(Group::Failed), ..Query::default() };
    let page = fixture.roster.page(&*fixture.store, &failed, PLACE, at(5), &rates()).await.unwrap();
    assert_eq!((page.total, page.health.agents, page.health.booting), (0, 40, 40));
}

#[tokio::test]
async fn what_is_committed_is_seen_at_the_next_look_without_reading_the_store() {
    let (fixture, agents) = fixture().await;
    let one = Query { text: "agente 00".to_owned(), ..Query::default() };
    assert_eq!(fixture.names(&one).await.len(), 1);
    let agent = fixture.commit(&agents[39], Observation::SleepAsked).await;
    let page = fixture.roster.page(&*fixture.store, &one, PLACE, at(5), &rates()).await.unwrap();
    assert_eq!(page.rows[0].state, State::Asleep);
    // Words that come in another order than they were said.
    fixture.roster.took(&agents[39]);
    let page = fixture.roster.page(&*fixture.store, &one, PLACE, at(5), &rates()).await.unwrap();
    assert_eq!(page.rows[0].state, State::Asleep);
    let agent = fixture.commit(&agent, Observation::DeleteAsked).await;
    fixture.commit(&agent, Observation::Purged).await;
    assert_eq!(fixture.names(&one).await.len(), 0);
}

#[tokio::test]
async fn what_others_commit_is_seen_by_one_who_is_not_alone() {
    let (fixture, agents) = fixture().await;
    let roster = Roster::new(Writers::Many, POLICY);
    let asleep = Query { state: Some(Group::Asleep), ..Query::default() };
    let total = async || roster.page(&*fixture.store, &asleep, PLACE, at(5), &rates()).await.unwrap().total;
    assert_eq!(total().await, 0);
    observe(&fixture.store, &agents[0], Observation::SleepAsked, at(3)).await;
    // As if the look had been long ago.
    roster.held().list.as_mut().unwrap().at -= good_for(40);
    let read_by_somebody = roster.loading.lock().await;
    assert_eq!(total().await, 0, "nobody waits for it who has it as it was");
    drop(read_by_somebody);
    assert_eq!(total().await, 1);
    assert_eq!([0, 999, 5_000, 1_000_000].map(good_for).map(|span| span.as_secs()), [2, 2, 10, 30]);
}

#[tokio::test]
async fn who_changes_teams_is_found_there_once_people_are_read_anew() {
    let (fixture, _) = fixture().await;
    let query = Query { team: Some("Ventas".to_owned()), limit: 1, ..Query::default() };
    let total =
        async || fixture.roster.page(&*fixture.store, &query, PLACE, at(5), &rates()).await.unwrap().total;
    assert_eq!(total().await, 0);
    let team = UserChange::Team(Some("Ventas".parse().unwrap()));
    let told = domain::audit::Entry {
        id: domain::id::EntryId::from_random([1; 10]),
        at: at(5),
        actor: domain::audit::Actor::CommandLine,
        act: domain::audit::Act::SeePeople,
        outcome: domain::audit::Outcome::Allowed,
        untold: 0,
    };
    assert!(fixture.store.change_user(owner(1), &team, &told).await.unwrap());
    let read_at = fixture.roster.held().people_at.unwrap();
    fixture.roster.held().people_at = Some(read_at - people_good_for(Writers::One));
    assert_eq!(total().await, 20);
}

#[tokio::test]
async fn what_is_stuck_is_counted_and_found_though_nothing_was_committed() {
    let (fixture, _) = fixture().await;
    let rates = rates();
    let stuck = Query { trouble: Some(Trouble::Stuck), limit: 5, ..Query::default() };
    let look = async |now| fixture.roster.page(&*fixture.store, &stuck, PLACE, now, &rates).await.unwrap();
    let early = look(at(190_000)).await;
    assert_eq!((early.total, early.health.stuck), (0, 0));
    let late = look(at(220_000)).await;
    assert_eq!((late.total, late.health.stuck, late.rows.len()), (40, 40, 5));
    assert!(late.rows.iter().all(|row| row.stuck_since == Some(START)));
}

#[tokio::test]
async fn mishaps_of_the_last_day_are_counted_even_when_they_were_made_good() {
    let (fixture, agents) = fixture().await;
    let agent = launch(&fixture.store, &agents[0], at(3)).await;
    let agent = see(&fixture.store, &agent, Seen::Enrolled, at(3)).await;
    let agent = see(&fixture.store, &agent, Seen::Ready, at(4)).await;
    let agent = see(&fixture.store, &agent, Seen::SaveFailed { message: "full".to_owned() }, at(4)).await;
    let agent = see(&fixture.store, &agent, Seen::InterruptionNotice { until: at(124) }, at(5)).await;
    fixture.roster.took(&agent);
    let rates = rates();
    let count = async |now| {
        let health =
            fixture.roster.page(&*fixture.store, &Query::default(), PLACE, now, &rates).await.unwrap().health;
        (health.interrupted, health.unsaved, health.boot.map(|boot| boot.p50))
    };
    assert_eq!(count(at(6)).await, (1, 1, Some(4)));
    let phases = {
        let health =
            fixture.roster.page(&*fixture.store, &Query::default(), PLACE, at(5), &rates).await.unwrap();
        health.health.phases.map(|phase| phase.map_or(0, |spans| u64::from(spans.p50)))
    };
    assert_eq!(phases.iter().sum::<u64>(), 4, "the phases are the whole");
    assert_eq!(count(at(6).after(Duration::from_secs(24 * 3600))).await, (0, 0, None));
}

#[tokio::test]
async fn what_no_line_prices_is_said_to_be_unknown() {
    let (fixture, _) = fixture().await;
    let rates = PriceBook::proposal().rates("nowhere", Day(20_000));
    let page = fixture.roster.page(&*fixture.store, &Query::default(), PLACE, at(5), &rates).await.unwrap();
    assert!(page.rows.iter().all(|row| row.basis == Basis::Unpriced && row.provider == ProviderName::Local));
    let known = fixture
        .roster
        .page(&*fixture.store, &Query::default(), PLACE, at(5), &Rates::proposal())
        .await
        .unwrap();
    assert!(known.rows.iter().all(|row| row.basis == Basis::Estimate));
}
