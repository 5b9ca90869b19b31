//! What the ledger's commits and ticks cost on this machine's disk. Prints a
//! line a figure: what, value, goal.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use control_plane::live::Writers;
use control_plane::roster::Roster;
use control_plane::store::sqlite::Sqlite;
use control_plane::store::{Shard, Store, User};
use domain::agent::{Agent, ProviderName};
use domain::fleet::{Place, Query, Sort};
use domain::id::{AgentId, UserId};
use domain::lifecycle::{self, NewAgent, Observation, Policy};
use domain::price::Rates;
use domain::role::Role;
use domain::size::Size;
use domain::time::Timestamp;
use tokio::task::JoinSet;

const NOW: Timestamp = Timestamp(1_790_000_000_000);
/// How long each figure is measured.
const SPAN: Duration = Duration::from_secs(3);
/// The fleets that ticks and looks are measured with.
const FLEETS: [u64; 3] = [1_000, 10_000, 100_000];
const PLACE: Place = Place { provider: ProviderName::Local, drained: None };

fn id(n: u64) -> AgentId {
    let mut bytes = [0; 10];
    // Spread over the shards, as random ids are.
    bytes[0] = n as u8;
    bytes[2..].copy_from_slice(&n.to_be_bytes());
    AgentId::from_random(bytes)
}

async fn create(store: &dyn Store, n: u64) -> Agent {
    let new = NewAgent {
        id: id(n),
        owner: UserId::from_random([1; 10]),
        name: "bench".parse().unwrap(),
        size: Size::Small,
        provider: ProviderName::Local,
        idle_timeout: None,
    };
    let transition = lifecycle::create(new, NOW);
    store.create(&transition, None).await.unwrap();
    transition.agent
}

async fn commit(store: &dyn Store, agent: Agent, observation: Observation) -> Agent {
    let transition = lifecycle::apply(&agent, observation, NOW, &Policy::default()).unwrap();
    store.commit(&transition).await.unwrap();
    transition.agent
}

/// Commits of `writers` agents at once; how long each took.
async fn commits(store: &Arc<Sqlite>, first: u64, writers: u64) -> Vec<Duration> {
    let mut all = JoinSet::new();
    for n in first..first + writers {
        let store = Arc::clone(store);
        all.spawn(async move {
            let mut agent = create(&*store, n).await;
            let (mut spans, started) = (Vec::new(), Instant::now());
            while started.elapsed() < SPAN {
                let asleep = agent.phase == domain::agent::Phase::Asleep;
                let wish = if asleep { Observation::WakeAsked } else { Observation::SleepAsked };
                let begun = Instant::now();
                agent = commit(&*store, agent, wish).await;
                spans.push(begun.elapsed());
            }
            spans
        });
    }
    let mut spans = all.join_all().await.concat();
    spans.sort_unstable();
    spans
}

/// A tick with nothing due in a fleet that sleeps.
async fn tick(store: &dyn Store) -> Duration {
    let (mut ticks, started) = (0, Instant::now());
    while started.elapsed() < SPAN {
        for shard in Shard::all() {
            assert!(store.claim_due(shard, NOW, NOW.after(SPAN), 64).await.unwrap().is_empty());
        }
        ticks += 1;
    }
    started.elapsed() / ticks
}

/// The fleet's first window, which loads the list; one that is searched and
/// sorted by cost and asked for the first time; and what a change costs with a
/// viewer who looks on.
async fn windows(store: &dyn Store) -> [Duration; 3] {
    let user = User {
        id: UserId::from_random([1; 10]),
        name: "bench".parse().unwrap(),
        role: Role::User,
        team: None,
        created_at: NOW,
        closed_at: None,
    };
    assert!(store.add_user(&user).await.unwrap());
    let roster = Roster::new(Writers::One, Policy::default());
    let rates = Rates::proposal();
    let begun = Instant::now();
    assert_eq!(roster.page(store, &Query::default(), PLACE, NOW, &rates).await.unwrap().rows.len(), 60);
    let first = begun.elapsed();
    let (mut windows, started) = (0, Instant::now());
    while started.elapsed() < SPAN {
        // Another list each time than any that is kept.
        let text = " ".repeat(windows as usize % 100) + "ben";
        let query = Query { text, sort: Sort::Cost, offset: 500, ..Query::default() };
        assert_eq!(roster.page(store, &query, PLACE, NOW, &rates).await.unwrap().rows.len(), 60);
        windows += 1;
    }
    let searched = started.elapsed() / windows;

    // A roster of its own: the other one's lists are many.
    let roster = Roster::new(Writers::One, Policy::default());
    let query = Query { offset: 500, ..Query::default() };
    roster.page(store, &query, PLACE, NOW, &rates).await.unwrap();
    let mut agent = store.agent(id(7)).await.unwrap().unwrap();
    let (mut changes, started) = (0, Instant::now());
    while started.elapsed() < SPAN {
        agent.version += 1;
        // From one end of the list to the other.
        agent.name = if changes % 2 == 0 { "zzz" } else { "aaa" }.parse().unwrap();
        roster.took(&agent);
        assert_eq!(roster.page(store, &query, PLACE, NOW, &rates).await.unwrap().rows.len(), 60);
        changes += 1;
    }
    [first, searched, started.elapsed() / changes]
}

fn percentile(spans: &[Duration], percent: usize) -> f64 {
    spans[(spans.len() - 1) * percent / 100].as_secs_f64() * 1000.0
}

#[tokio::main]
async fn main() {
    let folder =
        tempfile::tempdir_in(std::env::var_os("OPENCLAW_BENCH_FOLDER").unwrap_or(".".into())).unwrap();
    let store = Arc::new(Sqlite::open(&folder.path().join("console.db")).unwrap());
    for (first, writers) in [(1 << 40, 1), (1 << 41, 64)] {
        let spans = commits(&store, first, writers).await;
        let rate = spans.len() as f64 / SPAN.as_secs_f64();
        println!("commits on the disk, {writers} at once\t{rate:.0} /s\t-");
        let (p50, p99) = (percentile(&spans, 50), percentile(&spans, 99));
        println!("one of them, p50 / p99\t{p50:.2} / {p99:.2} ms\t-");
    }
    drop(store);

    for fleet in FLEETS {
        let path = folder.path().join(format!("{fleet}.db"));
        let store = Arc::new(Sqlite::open(&path).unwrap());
        let mut all = JoinSet::new();
        for part in 0..256 {
            let store = Arc::clone(&store);
            all.spawn(async move {
                for n in (part..fleet).step_by(256) {
                    let agent = create(&*store, n).await;
                    commit(&*store, agent, Observation::SleepAsked).await;
                }
            });
        }
        all.join_all().await;
        let cost = tick(&*store).await;
        println!("a tick with nothing due, {fleet} asleep\t{} µs\tas with any fleet", cost.as_micros());
        let [first, next, change] = windows(&*store).await.map(|span| span.as_secs_f64() * 1000.0);
        println!("the fleet's first window of {fleet}\t{first:.0} ms\t≤ 1000 ms at 10000");
        println!("a first one searched and sorted by cost, {fleet}\t{next:.1} ms\t≤ 50 ms at 100000");
        println!("a change that a viewer looks on, {fleet}\t{:.0} µs\tas with any fleet", change * 1000.0);
    }
}
