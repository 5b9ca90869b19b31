//! The list against the store that it was loaded from.

use std::sync::Arc;

use domain::fleet::{Group, State};
use domain::lifecycle::Observation;

use super::*;
use crate::store::User;
use crate::store::conformance::fixture::*;
use crate::store::sqlite::Sqlite;

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
        let user = User { id: owner(n), name: name.parse().unwrap(), role, team: None, created_at: START };
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
    (Fixture { store, roster: Roster::new(Writers::One), _folder: folder }, agents)
}

impl Fixture {
    async fn names(&self, query: &Query) -> Vec<String> {
        let page = self.roster.page(&*self.store, query, at(5)).await.unwrap();
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
    let page = fixture.roster.page(&*fixture.store, &failed, at(5)).await.unwrap();
    assert_eq!((page.total, page.health.agents, page.health.booting), (0, 40, 40));
}

#[tokio::test]
async fn what_is_committed_is_seen_at_the_next_look_without_reading_the_store() {
    let (fixture, agents) = fixture().await;
    let one = Query { text: "agente 00".to_owned(), ..Query::default() };
    assert_eq!(fixture.names(&one).await.len(), 1);
    let agent = fixture.commit(&agents[39], Observation::SleepAsked).await;
    let page = fixture.roster.page(&*fixture.store, &one, at(5)).await.unwrap();
    assert_eq!(page.rows[0].state, State::Asleep);
    // Words that come in another order than they were said.
    fixture.roster.took(&agents[39]);
    let page = fixture.roster.page(&*fixture.store, &one, at(5)).await.unwrap();
    assert_eq!(page.rows[0].state, State::Asleep);
    let agent = fixture.commit(&agent, Observation::DeleteAsked).await;
    fixture.commit(&agent, Observation::Purged).await;
    assert_eq!(fixture.names(&one).await.len(), 0);
}

#[tokio::test]
async fn what_others_commit_is_seen_by_one_who_is_not_alone() {
    let (fixture, agents) = fixture().await;
    let roster = Roster::new(Writers::Many);
    let asleep = Query { state: Some(Group::Asleep), ..Query::default() };
    let total = async || roster.page(&*fixture.store, &asleep, at(5)).await.unwrap().total;
    assert_eq!(total().await, 0);
    observe(&fixture.store, &agents[0], Observation::SleepAsked, at(3)).await;
    // As if the look had been long ago.
    roster.held().list.as_mut().unwrap().loaded -= good_for(40);
    assert_eq!(total().await, 1);
    assert_eq!([0, 999, 5_000, 1_000_000].map(good_for).map(|span| span.as_secs()), [2, 2, 10, 30]);
}

#[test]
fn a_percentile_is_a_value_that_was_seen() {
    assert_eq!(percentile(&mut [], 50), None);
    assert_eq!(percentile(&mut [7], 95), Some(7));
    let mut values: Vec<u32> = (1..=100).rev().collect();
    assert_eq!((percentile(&mut values, 50), percentile(&mut values, 95)), (Some(50), Some(95)));
}
