//! What each access costs, in request units, as docs/aws.md has it; and by
//! which operations: none looks at more than it gives.

use domain::agent::Snapshot;
use domain::id::{Generation, IdempotencyKey, TokenId};
use domain::lifecycle::{Observation, Seen};
use domain::price::Rates;
use domain::role::Role;
use domain::tier::{Limits, Tier};
use emulator::proxy::Proxy;

use super::faults::behind_a_proxy;
use crate::store::conformance::{self, fixture::*};
use crate::store::{
    ApiToken, Enrolment, Hash, Idempotency, PasswordHash, Shard, SignInLink, User, UserChange,
};

const SHARD: Shard = Shard(9);

/// Whether what was done since the last look took these operations and
/// request units (`?` where the emulator does not say).
trait Cost {
    fn cost(&self, what: &str, expected: &str);
}

impl Cost for Proxy {
    fn cost(&self, what: &str, expected: &str) {
        let told = |(operation, units): (String, Option<f64>)| match units {
            Some(units) => format!("{operation} {units}"),
            None => format!("{operation} ?"),
        };
        let costs: Vec<String> = self.costs().into_iter().map(told).collect();
        assert_eq!(costs.join(", "), expected, "{what}");
    }
}

fn snapshot(generation: Generation) -> Snapshot {
    let id = "5".repeat(64).parse().unwrap();
    Snapshot { id, generation, at: at(9), files: 321, bytes: 4_000_000, added_bytes: 56_789 }
}

#[tokio::test]
async fn every_access_costs_what_the_books_say() {
    let (store, proxy) = behind_a_proxy().await;
    proxy.costs();
    let secret = Hash::of(b"secret");
    let key = Idempotency { key: IdempotencyKey::new("k").unwrap(), request: secret, expires_at: at(9) };

    // An agent's life.
    let spawned = spawned(id(SHARD, 1), owner(1), START);
    store.create(&spawned, Some(&key)).await.unwrap();
    proxy.cost("spawn", "TransactWriteItems 16");
    store.created(owner(1), &key, START).await.unwrap();
    proxy.cost("created", "GetItem 1");
    let agent = store.claim_due(SHARD, at(0), at(15), 64).await.unwrap().remove(0);
    proxy.cost("claim", "Query 1, UpdateItem 1, BatchGetItem ?");
    let agent = see(&store, &agent, Seen::Launching, at(1)).await;
    proxy.cost("launching", "TransactWriteItems 10");
    let instance = agent.instance_id();
    store.put_enrolment(&Enrolment { nonce: secret, instance, expires_at: at(9) }).await.unwrap();
    proxy.cost("put enrolment", "PutItem 1");
    let tier =
        Tier { machine: false, namespaces: true, landlock: Some(6), seccomp: true, limits: Limits::Cgroup2 };
    let price = Rates::proposal().estimate(agent.size);
    let agent = see(&store, &agent, Seen::Launched { started_at: at(2), tier, price }, at(2)).await;
    proxy.cost("launched", "TransactWriteItems 12");
    store.spend_enrolment(secret, secret, at(3)).await.unwrap();
    proxy.cost("spend enrolment", "UpdateItem 1");
    let agent = see(&store, &agent, Seen::Enrolled, at(3)).await;
    proxy.cost("enrolled", "TransactWriteItems 8");
    let agent =
        see(&store, &agent, Seen::BootReached { phase: domain::boot::BootPhase::Starting }, at(4)).await;
    proxy.cost("a boot phase", "TransactWriteItems 8");
    let agent = see(&store, &agent, Seen::Ready, at(5)).await;
    proxy.cost("ready", "TransactWriteItems 10");
    let idle = |busy| Seen::IdleChecked { idle_for: std::time::Duration::ZERO, busy };
    let agent = see(&store, &agent, idle(None), at(6)).await;
    proxy.cost("an idle check", "TransactWriteItems 6");
    let busy = domain::agent::Busy { reason: "cargo".to_owned() };
    let agent = see(&store, &agent, idle(Some(busy)), at(7)).await;
    proxy.cost("a busy check", "TransactWriteItems 8");
    let agent = observe(&store, &agent, Observation::SleepAsked, at(8)).await;
    proxy.cost("sleep", "TransactWriteItems 12");
    let agent =
        see(&store, &agent, Seen::SnapshotCommitted { snapshot: snapshot(agent.generation) }, at(9)).await;
    proxy.cost("snapshot committed", "TransactWriteItems 12");
    let agent = see(&store, &agent, Seen::Stopped { at: None }, at(10)).await;
    proxy.cost("stopped", "TransactWriteItems 16");
    let unfolded = store.unfolded(SHARD, 100).await.unwrap().remove(0);
    proxy.cost("what waits to be folded", "Query 1, BatchGetItem ?");
    store.fold(&unfolded.next()).await.unwrap();
    proxy.cost("a fold of one hour's segment", "TransactWriteItems 20");
    let (month, days) = (START.month(), crate::store::usage::View::Days);
    store.usage(crate::store::usage::Book::Fleet(SHARD.0), month, days, None, 100).await.unwrap();
    proxy.cost("a part of the fleet's month by day", "Query 1");
    store.agent(agent.id).await.unwrap();
    proxy.cost("agent", "GetItem 1");
    store.agents_of(owner(1), None, 100).await.unwrap();
    proxy.cost("agents of", "Query 1, BatchGetItem ?");
    store.events(agent.id, 0, 100).await.unwrap();
    proxy.cost("events", "Query 1");
    store.segments(agent.id, None, 100).await.unwrap();
    proxy.cost("segments", "Query 1");
    store.claim_due(SHARD, at(1000), at(2000), 64).await.unwrap();
    proxy.cost("claim nothing", "Query 1");
    store.next_due(SHARD).await.unwrap();
    proxy.cost("next due", "Query 1");
    store.awake(SHARD, None, 100).await.unwrap();
    proxy.cost("awake", "Query 1");
    store.fleet(SHARD, None, 100).await.unwrap();
    proxy.cost("fleet", "Query 1");
    let agent = observe(&store, &agent, Observation::DeleteAsked, at(11)).await;
    proxy.cost("delete", "TransactWriteItems 10");
    observe(&store, &agent, Observation::Purged, at(12)).await;
    proxy.cost("purged", "TransactWriteItems 12");
    store.ready().await.unwrap();
    proxy.cost("ready?", "GetItem 1");

    // A person's.
    let user = User {
        id: owner(1),
        name: "Ana".parse().unwrap(),
        role: Role::User,
        team: None,
        created_at: START,
        closed_at: None,
    };
    store.add_user(&user).await.unwrap();
    proxy.cost("add user", "TransactWriteItems 6");
    store.user(user.id).await.unwrap();
    proxy.cost("user", "GetItem 1");
    store.user_named("Ana").await.unwrap();
    proxy.cost("user named", "GetItem 1");
    let entry = conformance::audit::entry(at(1), 1);
    store.change_user(user.id, &UserChange::Role(Role::Viewer), &entry).await.unwrap();
    proxy.cost("change role", "GetItem 1, TransactWriteItems 8, UpdateItem 1");
    store.tell(&conformance::audit::entry(at(2), 2)).await.unwrap();
    proxy.cost("tell", "PutItem 1");
    store.told(START.month(), None, 100).await.unwrap();
    proxy.cost("told", "Query 1");
    store.told_last(START.month(), None, 100).await.unwrap();
    proxy.cost("told last", "Query 1");
    store.put_sign_in_link(&SignInLink { token: secret, user: user.id, expires_at: at(9) }).await.unwrap();
    proxy.cost("put link", "TransactWriteItems 4");
    store.take_sign_in_link(secret, at(1)).await.unwrap();
    proxy.cost("take link", "UpdateItem 1, GetItem 1");
    store.void_sign_in_links(user.id).await.unwrap();
    proxy.cost("void links", "DeleteItem 1");
    let session = conformance::sessions::session("secret", 9);
    store.put_session(&session).await.unwrap();
    proxy.cost("put session", "TransactWriteItems 4");
    store.session(secret, at(1)).await.unwrap();
    proxy.cost("session", "GetItem 1");
    store.sessions_of(user.id, at(1)).await.unwrap();
    proxy.cost("sessions of", "Query 1");
    store.see_session(&session, at(2)).await.unwrap();
    proxy.cost("see session", "GetItem 1, TransactWriteItems 6");
    store.people(None, 100).await.unwrap();
    proxy.cost("people", "Query 1, BatchGetItem ?");
    store.put_password(user.id, &PasswordHash("$argon2id$…".to_owned())).await.unwrap();
    proxy.cost("put password", "PutItem 1");
    store.password(user.id).await.unwrap();
    proxy.cost("password", "GetItem 1");
    store.taken_back().await.unwrap();
    proxy.cost("taken back?", "GetItem 1");
    store.end_session(secret).await.unwrap();
    proxy.cost("end session", "GetItem 1, TransactWriteItems 4, UpdateItem 1");
    let token = ApiToken {
        id: TokenId::from_random([1; 10]),
        token: secret,
        owner: user.id,
        name: "CI".parse().unwrap(),
        created_at: START,
    };
    store.put_token(&token).await.unwrap();
    proxy.cost("put token", "TransactWriteItems 4");
    store.token(secret).await.unwrap();
    proxy.cost("token", "GetItem 1");
    store.tokens_of(user.id).await.unwrap();
    proxy.cost("tokens of", "Query 1");
    store.revoke_token(user.id, token.id).await.unwrap();
    proxy.cost("revoke", "Query 1, TransactWriteItems 4, UpdateItem 1");
    store.sweep(at(1)).await.unwrap();
    proxy.cost("sweep", "");
}
