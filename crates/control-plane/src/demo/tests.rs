//! The fleet of the stage: its month, its going on, and its beginning anew.

use std::time::Duration;

use domain::agent::Phase;
use domain::id::UserId;
use domain::money::NanoDollars;
use domain::name::Name;
use domain::price::Basis;
use domain::role::Role;
use domain::stage::Look;
use domain::view::AgentView;
use tempfile::TempDir;

use super::*;

// A Tuesday, eleven in the morning.
const START: Timestamp = Timestamp(1_795_518_000_000);

async fn demo() -> (Demo, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let names = std::iter::once("presenter").chain(OTHERS).zip(TEAMS.iter().cycle()).zip(1..);
    let owners = names.map(|((name, team), id)| Principal {
        user: UserId::from_random([id; 10]),
        name: name.parse::<Name>().unwrap(),
        role: Role::User,
        team: Some(team.parse().unwrap()),
        proof: None,
    });
    let started = std::time::Instant::now();
    let config = Config {
        folder: folder.path().to_owned(),
        owners: owners.collect(),
        seed: 7,
        start: START,
        origins: Vec::new(),
        audit: None,
    };
    let demo = Demo::open(config).await.unwrap();
    eprintln!("a month was written in {:?}", started.elapsed());
    (demo, folder)
}

async fn fleet(demo: &Demo) -> Vec<AgentView> {
    let mut all = demo.show().all(demo.owners()).await.unwrap();
    all.sort_by_key(|(_, view)| view.id);
    all.into_iter().map(|(_, view)| view).collect()
}

/// Waits for a look at the show that is so.
async fn until(demo: &Demo, so: impl Fn(&Look) -> bool) -> Look {
    let mut listener = demo.show().fleet.listen();
    loop {
        let look = demo.show().look(demo.owners()).await.unwrap();
        if so(&look) {
            return look;
        }
        let heard = tokio::time::timeout(Duration::from_secs(60), listener.next()).await;
        assert!(heard.is_ok(), "nothing happens any more: {look:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_month_adds_up_and_the_fleet_is_a_working_days() {
    let (demo, _folder) = demo().await;
    let all = fleet(&demo).await;
    assert_eq!(all.len(), AGENTS);
    assert!(all.iter().all(|view| view.meter.basis == Basis::Estimate && view.snapshot.is_some()));
    let awake = all.iter().filter(|view| view.phase == Phase::Running).count();
    assert!((10..70).contains(&awake), "{awake} awake on a Tuesday morning");
    let show = demo.show();
    let mut runs = 0;
    for (owner, agent) in &demo.agents {
        let events = show.fleet.events(owner, *agent, 0).await.unwrap();
        assert!(events.is_sorted_by(|a, b| a.seq + 1 == b.seq && a.at <= b.at));
        let mut segments = show.fleet.ledger.store.segments(*agent, None, 500).await.unwrap();
        runs += segments.len();
        segments.retain(|segment| segment.ended_at.is_some());
        let settled = show.fleet.ledger.agent(*agent).await.unwrap().settled;
        let sum = segments.iter().fold(NanoDollars::ZERO, |sum, one| sum + one.cost(START));
        assert_eq!(sum, settled.total);
        assert!(segments.iter().all(|one| one.started_at < START && one.ended_at <= Some(START)));
    }
    assert!(runs > 1_000, "{runs} runs");
    demo.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_by_itself_takes_cues_and_begins_anew_as_it_began() {
    let (demo, _folder) = demo().await;
    let at_first = fleet(&demo).await;
    let presenter = demo.owners()[0].clone();
    let stranger = demo.owners()[1].clone();
    assert!(matches!(demo.cue(&stranger, Cue::SleepAll).await, Err(Error::NotFound)));

    let admin = Principal { role: Role::Admin, ..presenter.clone() };
    let budgets = demo.show().budgets.list(&admin).await.unwrap();
    let used = budgets.iter().map(|budget| budget.budget.used(budget.standing.unwrap().spent).unwrap());
    let used: Vec<_> = used.collect();
    assert!(matches!(used[..], [40..=45, 78..=83, 91..=96]), "calm, told of, near its end: {used:?}");

    let woken = demo.cue(&presenter, Cue::WakeOne).await.unwrap();
    assert_eq!((woken.agents, woken.agent.is_some()), (1, true));
    let before = until(&demo, |look| look.waking > 0).await;
    demo.cue(&presenter, Cue::Speed(Speed::MOST)).await.unwrap();
    // An afternoon: people come and go.
    until(&demo, |look| look.now > START.after(Duration::from_secs(6 * 3600))).await;
    let evening = until(&demo, |look| look.month > before.month).await;
    assert_eq!((evening.speed, evening.failed), (Speed::MOST.times(), 0));

    demo.cue(&presenter, Cue::Speed(Speed::new(60).unwrap())).await.unwrap();
    let burst = demo.cue(&presenter, Cue::Burst).await.unwrap();
    assert_eq!(burst.agents, 100);
    until(&demo, |look| look.awake >= 100).await;
    assert!(demo.cue(&presenter, Cue::Interrupt).await.unwrap().agent.is_some());
    demo.cue(&presenter, Cue::SleepAll).await.unwrap();
    until(&demo, |look| look.awake < 20 && look.failed == 0).await;

    // What they spent is their budget: those of theirs that are awake sleep, and none wakes.
    let own = demo.show().fleet.list(&presenter).await.unwrap();
    let asleep = own.iter().find(|view| view.phase == Phase::Asleep).unwrap().id;
    demo.cue(&presenter, Cue::SpendBudget).await.unwrap();
    let refused = demo.show().fleet.wake(&presenter, asleep).await;
    assert!(matches!(refused, Err(Error::OverBudget(_))), "{refused:?}");
    let told = demo.show().budgets.told(&presenter).await.unwrap();
    assert_eq!(told.iter().map(|told| told.percent).collect::<Vec<_>>(), [100]);
    // Another burst goes on without them.
    let others = demo.cue(&presenter, Cue::Burst).await.unwrap();
    assert!((1..100).contains(&others.agents) && others.agent.is_none(), "{others:?}");

    let past = demo.show();
    let mut listener = past.fleet.listen();
    let started = std::time::Instant::now();
    demo.cue(&presenter, Cue::Reset).await.unwrap();
    eprintln!("begun anew in {:?}", started.elapsed());
    while listener.next().await.is_some() {}
    let again = fleet(&demo).await;
    let seen = |all: &[AgentView]| {
        all.iter()
            .map(|view| (view.id, view.name.clone(), view.generation, view.snapshot.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(&again), seen(&at_first));
    assert!(demo.show().look(demo.owners()).await.unwrap().now < START.after(Duration::from_secs(60)));
    demo.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_of_the_loop_misses_no_cue_and_ends_as_it_began() {
    let (demo, _folder) = demo().await;
    let seen = |all: &[AgentView]| all.iter().map(|view| (view.id, view.generation)).collect::<Vec<_>>();
    let at_first = fleet(&demo).await;
    for round in 1..=2 {
        // A whole round in a few seconds: what is asked for comes thick and fast.
        assert_eq!(demo.round(Duration::from_secs(5)).await, []);
        assert_eq!(demo.show().number, round);
        let again = fleet(&demo).await;
        assert_eq!(seen(&again), seen(&at_first));
        let failed = again.iter().filter(|view| view.failure().is_some()).count();
        assert_eq!(failed, 0);
    }
    demo.end().await;
}
