//! An endpoint that takes each connection and never says a word.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::budget::{Budget, TRIES};
use domain::lifecycle::Policy;
use domain::money::NanoDollars;
use domain::role::Role;
use tokio::net::TcpListener;

use super::*;
use crate::audit::Audit;
use crate::budgets::{Budgets, enforce};
use crate::clock::ManualClock;
use crate::identity::Principal;
use crate::live::Writers;
use crate::prices::Prices;
use crate::store::conformance::fixture::{START, owner};
use crate::store::sqlite::Sqlite;

async fn silent(connections: Arc<AtomicU32>) -> Uri {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            connections.fetch_add(1, Ordering::SeqCst);
            held.push(connection);
        }
    });
    url.parse().unwrap()
}

#[tokio::test]
async fn an_endpoint_that_hangs_is_tried_a_few_times_given_up_and_shown_so() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(START));
    let store = Arc::new(Sqlite::open(&folder.path().join("console.db")).unwrap());
    let (policy, prices) = (Policy::default(), Prices::built_in());
    let ledger = Arc::new(Ledger::new(store, clock.clone(), policy, prices, Writers::One));
    // Of nothing everything is used up: three notices at once.
    let budget = Budget { month: Some(NanoDollars::ZERO), ..Budget::default() };
    ledger.store.put_account(&Account { budget, ..Account::new(Subject::Fleet) }).await.unwrap();
    enforce(&ledger, &[].into(), true).await.unwrap();

    let connections = Arc::new(AtomicU32::new(0));
    let endpoint = Endpoint { url: silent(Arc::clone(&connections)).await, secret: None };
    let mut courier = Courier::new(Arc::clone(&ledger), endpoint).unwrap();
    courier.patience = Duration::from_millis(50);
    let audit = Audit::new(Arc::clone(&ledger.store), clock.clone());
    let budgets = Budgets::of(Arc::clone(&ledger), audit, Some(&courier.endpoint));
    let user = owner(1);
    let admin = Principal { user, name: "Ana".parse().unwrap(), role: Role::Admin, team: None, proof: None };
    let deliveries = async || {
        let listed = budgets.list(&admin).await.unwrap().remove(0);
        listed.notices.into_iter().map(|notice| notice.delivery.unwrap()).collect::<Vec<_>>()
    };
    let mut tried = Vec::new();
    for minute in 0..240u32 {
        courier.round().await.unwrap();
        let so_far = connections.load(Ordering::SeqCst);
        if tried.last().is_none_or(|(_, before)| *before != so_far) {
            tried.push((minute, so_far));
        }
        clock.advance(Duration::from_secs(60));
    }
    // Ten seconds and a minute later, then after 5, 30 and 120 minutes; never again.
    assert_eq!(tried, [(0, 3), (1, 6), (2, 9), (7, 12), (37, 15), (157, 18)]);
    assert_eq!(connections.load(Ordering::SeqCst), 3 * TRIES);
    for delivery in deliveries().await {
        let Delivery::Dead { why, .. } = &delivery else { panic!("{delivery:?}") };
        assert!(why.starts_with("no answer within"), "{why}");
    }
}
