//! `fill FOLDER AGENTS [spent]`: a ledger with so many agents that sleep, each with
//! one run behind it, of fifty people; the first twenty are `owner`'s. With `spent`
//! what they cost is in the books. What the fleet's measurements are made on.
#![allow(clippy::unwrap_used)] // It fills or it ends.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use control_plane::store::sqlite::Sqlite;
use control_plane::store::{Shard, Store, User};
use domain::agent::{ProviderName, Snapshot};
use domain::id::{AgentId, UserId};
use domain::lifecycle::{self, NewAgent, Observation, Policy, Seen, Transition};
use domain::price::Rates;
use domain::random::Random;
use domain::role::Role;
use domain::size::Size;
use domain::tier::Tier;
use domain::time::Timestamp;
use tokio::task::JoinSet;

const PEOPLE: u64 = 50;
const OWNERS_OWN: u64 = 20;
/// Commits that wait for the disk together.
const AT_ONCE: u64 = 512;

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let (Some(folder), Some(agents)) = (words.next(), words.next().and_then(|count| count.parse().ok()))
    else {
        eprintln!("fill FOLDER AGENTS [spent]");
        std::process::exit(2);
    };
    let spent = words.next().is_some_and(|word| word == "spent");
    std::fs::create_dir_all(&folder).unwrap();
    let store = Arc::new(Sqlite::open(&std::path::Path::new(&folder).join("console.db")).unwrap());
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = Timestamp(i64::try_from(since.as_millis()).unwrap());
    for n in 0..PEOPLE {
        let (name, role) =
            if n == 0 { ("owner".to_owned(), Role::Admin) } else { (format!("person {n:02}"), Role::User) };
        let user = User {
            id: person(n),
            name: name.parse().unwrap(),
            role,
            team: None,
            created_at: now,
            closed_at: None,
        };
        assert!(store.add_user(&user).await.unwrap());
    }
    let mut writing = JoinSet::new();
    for part in 0..AT_ONCE {
        let store = Arc::clone(&store);
        writing.spawn(async move {
            for n in (part..agents).step_by(usize::try_from(AT_ONCE).unwrap()) {
                let [wakes, sleeps] = life(n, now);
                if spent {
                    store.create(&wakes, None).await.unwrap();
                    store.commit(&sleeps).await.unwrap();
                } else {
                    store.create(&at_once(wakes, sleeps), None).await.unwrap();
                }
            }
        });
    }
    while let Some(written) = writing.join_next().await {
        written.unwrap();
    }
    let mut folding: JoinSet<_> = Shard::all().map(|shard| fold(Arc::clone(&store), shard)).collect();
    while let Some(folded) = folding.join_next().await {
        folded.unwrap();
    }
}

async fn fold(store: Arc<Sqlite>, shard: Shard) {
    loop {
        let waiting = store.unfolded(shard, 1000).await.unwrap();
        if waiting.is_empty() {
            return;
        }
        for unfolded in waiting {
            assert!(store.fold(&unfolded.next()).await.unwrap());
        }
    }
}

/// Both in one commit; its segment is in no book then.
fn at_once(wakes: Transition, sleeps: Transition) -> Transition {
    let events = wakes.events.into_iter().chain(sleeps.events).collect();
    Transition { agent: sleeps.agent, events, segment: None, ..wakes }
}

fn person(n: u64) -> UserId {
    UserId::from_random(bytes(1, n))
}

fn bytes(kind: u64, n: u64) -> [u8; 10] {
    let mut random = Random::new(7, &[kind, n]);
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&random.draw().to_be_bytes());
    // No two are the same, whatever was drawn.
    bytes[4..].copy_from_slice(&n.to_be_bytes()[2..]);
    bytes
}

/// One run, some time in the last day, and asleep since: until its meter starts,
/// and from then on.
fn life(n: u64, now: Timestamp) -> [Transition; 2] {
    let mut random = Random::new(7, &[2, n]);
    let owner = if n < OWNERS_OWN { 0 } else { 1 + n % (PEOPLE - 1) };
    let mut at = now.before(Duration::from_secs(random.between(600, 20 * 3600)));
    let (size, provider) = (Size::Small, ProviderName::Local);
    let new = NewAgent {
        id: AgentId::from_random(bytes(3, n)),
        owner: person(owner),
        name: format!("agent {n:07}").parse().unwrap(),
        size,
        provider,
        idle_timeout: None,
    };
    let first = lifecycle::create(new, at);
    let generation = first.agent.generation;
    let price = Rates::proposal().estimate(size);
    let snapshot = Snapshot {
        id: format!("{n:064x}").parse().unwrap(),
        generation,
        at,
        files: 100,
        bytes: 4_000_000,
        added_bytes: 20_000,
    };
    let of = |seen| Observation::Of(generation, seen);
    let started_at = at;
    let mut then = |first: Transition, observations: Vec<Observation>| {
        observations.into_iter().fold(first, |so_far, observation| {
            at = at.after(Duration::from_millis(random.between(40, 400)));
            let next = lifecycle::apply(&so_far.agent, observation, at, &Policy::default()).unwrap();
            let events = so_far.events.into_iter().chain(next.events).collect();
            Transition { agent: next.agent, events, segment: next.segment.or(so_far.segment), ..so_far }
        })
    };
    let launched = of(Seen::Launched { started_at, tier: Tier::own_machine(), price });
    let wakes = then(first, vec![of(Seen::Launching), launched]);
    let nothing = Transition {
        from_version: wakes.agent.version,
        from_due_at: wakes.agent.due_at,
        from_awake: true,
        agent: wakes.agent.clone(),
        events: Vec::new(),
        segment: None,
    };
    let committed = of(Seen::SnapshotCommitted { snapshot });
    let stopped = of(Seen::Stopped { at: None });
    let sleeps =
        then(nothing, vec![of(Seen::Enrolled), of(Seen::Ready), Observation::SleepAsked, committed, stopped]);
    [wakes, sleeps]
}
