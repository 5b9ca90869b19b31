//! What DynamoDB is told to remove, and when.

use domain::id::{Generation, IdempotencyKey, InstanceId};

use super::{anew, ledger};
use crate::store::conformance::fixture::*;
use crate::store::conformance::sessions::session;
use crate::store::dynamodb::key;
use crate::store::{Enrolment, Hash, Idempotency, Session, Shard, SignInLink, Store};

/// An hour after its end at the earliest, so that no clock's error costs what
/// is of use; and in seconds, or it would be removed after some 55,000 years.
#[tokio::test]
async fn all_that_expires_says_when_it_may_be_removed() {
    let store = ledger(&anew()).await;
    let secret = Hash::of(b"secret");
    let (user, expires_at) = (owner(1), at(1));
    let instance = InstanceId { agent: id(Shard(0), 1), generation: Generation(1) };
    store.put_enrolment(&Enrolment { nonce: secret, instance, expires_at }).await.unwrap();
    store.put_sign_in_link(&SignInLink { token: secret, user, expires_at }).await.unwrap();
    store.put_session(&Session { token: secret, user, expires_at, ..session("expiry", 9) }).await.unwrap();
    let idempotency = Idempotency { key: IdempotencyKey::new("k").unwrap(), request: secret, expires_at };
    store.create(&spawned(id(Shard(0), 1), user, START), Some(&idempotency)).await.unwrap();
    let keys = [
        key::enrolment(secret),
        key::sign_in_link(secret),
        key::session(secret),
        key::idempotency(user, &idempotency.key),
    ];
    for key in keys {
        let item = store.db.get_expiring(key.clone()).await.unwrap().unwrap();
        let seconds: i64 = item["remove_after"].as_n().unwrap().parse().unwrap();
        assert_eq!(seconds, START.0 / 1000 + 3600, "{key}");
    }
    // What must last says nothing of the kind.
    let row = store.db.get(&key::agent(id(Shard(0), 1))).await.unwrap().unwrap();
    assert!(!row.contains_key("remove_after"));
}
