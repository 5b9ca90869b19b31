//! A network and a database in trouble: what comes right by itself is not seen,
//! what was done is never told as refused, and no caller waits for ever.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::id::{Generation, IdempotencyKey, InstanceId, TokenId};
use domain::lifecycle::Observation;
use emulator::proxy::{Fault, Proxy, cancelled, refusal};

use super::{Dynamo, anew, ledger_by};
use crate::error::Error;
use crate::store::conformance::fixture::*;
use crate::store::conformance::sessions::session;
use crate::store::{
    ApiToken, Created, Enrolment, Hash, Idempotency, Session, Shard, SignInLink, StoreError, User,
};

const SHARD: Shard = Shard(2);

/// A ledger that is there, opened again through a network that fails on demand.
pub async fn behind_a_proxy() -> (Ledger, Proxy) {
    let (store, proxy) = opened_behind_a_proxy().await;
    (Arc::new(store), proxy)
}

async fn opened_behind_a_proxy() -> (Dynamo, Proxy) {
    let proxy = Proxy::start(emulator::endpoint()).await;
    (ledger_by(&anew(), &proxy.endpoint).await, proxy)
}

fn hash(text: &str) -> Hash {
    Hash::of(text.as_bytes())
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_ours_and_is_made_once() {
    let (store, proxy) = behind_a_proxy().await;
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    proxy.next("TransactWriteItems", Fault::AnswerLost);
    proxy.next("TransactWriteItems", Fault::AnswerLost);
    let agent = observe(&store, &agent, Observation::SleepAsked, at(1)).await;
    assert!(proxy.done());
    assert_eq!(store.agent(agent.id).await.unwrap(), Some(agent.clone()));
    let events = store.events(agent.id, 0, 100).await.unwrap();
    assert_eq!(events.last().map(|event| event.seq), Some(agent.last_event));
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_new() {
    let (store, proxy) = behind_a_proxy().await;
    let request = hash("r");
    let key = Idempotency { key: IdempotencyKey::new("k").unwrap(), request, expires_at: at(1000) };
    proxy.next("TransactWriteItems", Fault::AnswerLost);
    let spawned = spawned(id(SHARD, 1), owner(1), START);
    assert_eq!(store.create(&spawned, Some(&key)).await.unwrap(), Created::New);
    assert!(proxy.done());
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_ours_and_nobody_elses() {
    let (store, proxy) = behind_a_proxy().await;
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    proxy.next("UpdateItem", Fault::AnswerLost);
    assert_eq!(store.claim_due(SHARD, at(0), at(100), 10).await.unwrap(), [agent]);
    assert!(proxy.done());
    assert_eq!(store.claim_due(SHARD, at(1), at(100), 10).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_spent_once_is_spent_by_whose_answer_was_lost() {
    let (store, proxy) = behind_a_proxy().await;
    let instance = InstanceId { agent: id(SHARD, 1), generation: Generation(1) };
    let (link, nonce) = (hash("link"), hash("nonce"));
    for _ in 0..2 {
        proxy.next("PutItem", Fault::AnswerLost);
        proxy.next("UpdateItem", Fault::AnswerLost);
    }
    store.put_sign_in_link(&SignInLink { token: link, user: owner(1), expires_at: at(9) }).await.unwrap();
    store.put_enrolment(&Enrolment { nonce, instance, expires_at: at(9) }).await.unwrap();
    assert_eq!(store.take_sign_in_link(link, at(1)).await.unwrap(), Some(owner(1)));
    assert_eq!(store.spend_enrolment(nonce, hash("a"), at(1)).await.unwrap(), Some(instance));
    assert!(proxy.done());
    assert_eq!(store.take_sign_in_link(link, at(1)).await.unwrap(), None);
    assert_eq!(store.spend_enrolment(nonce, hash("b"), at(1)).await.unwrap(), None);
}

#[tokio::test]
async fn people_and_tokens_survive_lost_answers() {
    let (store, proxy) = behind_a_proxy().await;
    let user = User {
        id: owner(1),
        name: "Ana".parse().unwrap(),
        role: Default::default(),
        team: None,
        created_at: START,
        closed_at: None,
    };
    let token = ApiToken {
        id: TokenId::from_random([1; 10]),
        token: hash("token"),
        owner: user.id,
        name: "CI".parse().unwrap(),
        created_at: START,
    };
    for _ in 0..5 {
        proxy.next("TransactWriteItems", Fault::AnswerLost);
    }
    for _ in 0..2 {
        proxy.next("UpdateItem", Fault::AnswerLost);
    }
    assert!(store.add_user(&user).await.unwrap());
    store.put_token(&token).await.unwrap();
    assert!(store.revoke_token(user.id, token.id).await.unwrap());
    let session = Session { user: user.id, ..session("s", 9) };
    store.put_session(&session).await.unwrap();
    store.end_session(session.token).await.unwrap();
    assert_eq!(store.session(session.token, at(1)).await.unwrap(), None);
    assert!(proxy.done());
}

#[tokio::test]
async fn throttles_and_collisions_that_pass_are_not_seen() {
    let (store, proxy) = behind_a_proxy().await;
    let transient = [
        refusal("ThrottlingException"),
        refusal("ProvisionedThroughputExceededException"),
        refusal("RequestLimitExceeded"),
        refusal("TransactionInProgressException"),
        cancelled("ThrottlingError"),
        cancelled("TransactionConflict"),
        Fault::Unavailable,
    ];
    let mut agent = create(&store, id(SHARD, 1), owner(1)).await;
    for (n, faults) in transient.chunks(2).enumerate() {
        for fault in faults {
            proxy.next("TransactWriteItems", fault.clone());
        }
        let name = format!("name {n}").parse().unwrap();
        let renamed = domain::lifecycle::rename(&agent, name, at(1)).unwrap();
        store.commit(&renamed).await.unwrap();
        agent = renamed.agent;
    }
    for read in ["GetItem", "Query", "BatchGetItem"] {
        proxy.next(read, refusal("ProvisionedThroughputExceededException"));
    }
    assert_eq!(store.agent(agent.id).await.unwrap(), Some(agent.clone()));
    assert_eq!(store.agents_of(agent.owner, None, 9).await.unwrap(), [agent]);
    assert!(proxy.done());
}

#[tokio::test]
async fn a_batch_that_is_answered_in_part_is_asked_for_the_rest() {
    let (store, proxy) = opened_behind_a_proxy().await;
    let table = store.db.ledger.to_string();
    let store: Ledger = Arc::new(store);
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    let key = serde_json::json!({ "pk": { "S": format!("agent#{}", agent.id) }, "sk": { "S": "agent" } });
    let partly = serde_json::json!({
        "Responses": { &table: [] },
        "UnprocessedKeys": { &table: { "Keys": [key], "ConsistentRead": true } },
    });
    proxy.next("BatchGetItem", Fault::Answered(200, partly.to_string()));
    assert_eq!(store.agents_of(agent.owner, None, 9).await.unwrap(), [agent]);
    assert_eq!(proxy.seen("BatchGetItem"), 2);
}

#[tokio::test]
async fn a_throttle_that_does_not_pass_is_told_in_time_as_worth_another_try() {
    let (store, proxy) = behind_a_proxy().await;
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    let asleep = next(&agent, Observation::SleepAsked, at(1));
    for fault in [refusal("ThrottlingException"), cancelled("ThrottlingError"), Fault::Unavailable] {
        proxy.always("TransactWriteItems", fault);
        let (started, before) = (Instant::now(), proxy.seen("TransactWriteItems"));
        let error = store.commit(&asleep).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        assert!(Error::from(error).retryable());
        assert!(started.elapsed() < Duration::from_secs(11), "{:?}", started.elapsed());
        assert_eq!(proxy.seen("TransactWriteItems") - before, 8);
    }
    assert_eq!(store.agent(agent.id).await.unwrap(), Some(agent));
}

#[tokio::test]
async fn a_collision_that_does_not_pass_is_a_conflict() {
    let (store, proxy) = behind_a_proxy().await;
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    proxy.always("TransactWriteItems", cancelled("TransactionConflict"));
    let outcome = store.commit(&next(&agent, Observation::SleepAsked, at(1))).await;
    assert!(matches!(outcome, Err(StoreError::Conflict)), "{outcome:?}");
}

/// The agent is being committed, and that ends claims anyway.
#[tokio::test]
async fn a_claim_in_a_transactions_way_is_lost_and_no_error() {
    let (store, proxy) = behind_a_proxy().await;
    create(&store, id(SHARD, 1), owner(1)).await;
    proxy.always("UpdateItem", refusal("TransactionConflictException"));
    assert_eq!(store.claim_due(SHARD, at(1), at(100), 1).await.unwrap(), []);
}

#[tokio::test]
async fn what_only_an_operator_can_mend_is_told_at_once() {
    let (store, proxy) = behind_a_proxy().await;
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    let asleep = next(&agent, Observation::SleepAsked, at(1));
    for (fault, told) in [
        (refusal("AccessDeniedException"), "AccessDeniedException: in a test"),
        (refusal("ResourceNotFoundException"), "ResourceNotFoundException: in a test"),
        (refusal("ValidationException"), "ValidationException: in a test"),
        (cancelled("ValidationError"), "ValidationError: in a test"),
    ] {
        proxy.next("TransactWriteItems", fault);
        let before = proxy.seen("TransactWriteItems");
        match store.commit(&asleep).await {
            Err(StoreError::Failed(text)) => assert!(text.starts_with(told), "{text}"),
            outcome => panic!("{told}: {outcome:?}"),
        }
        assert_eq!(proxy.seen("TransactWriteItems") - before, 1);
    }
}

#[tokio::test]
async fn a_try_that_hears_nothing_is_given_up_and_made_again() {
    let (store, proxy) = behind_a_proxy().await;
    let agent = create(&store, id(SHARD, 1), owner(1)).await;
    proxy.next("GetItem", Fault::Silence);
    let started = Instant::now();
    assert_eq!(store.agent(agent.id).await.unwrap(), Some(agent.clone()));
    assert!(started.elapsed() >= Duration::from_secs(3));
    proxy.always("GetItem", Fault::Silence);
    let error = store.agent(agent.id).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_ledger_that_is_away_is_unavailable() {
    let (store, proxy) = behind_a_proxy().await;
    drop(proxy);
    for outcome in [store.ready().await, store.agent(id(SHARD, 1)).await.map(drop)] {
        assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    }
}
