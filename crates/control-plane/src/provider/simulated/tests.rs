//! The provider alone, and in a control plane of its own.

use std::time::Duration;

use domain::agent::Phase;
use domain::boot::BootPhase;
use domain::id::{AgentId, UserId};
use domain::money::NanoDollars;
use domain::price::Basis;
use domain::role::Role;
use domain::size::Size;
use domain::tier::TierFloor;
use domain::view::AgentView;
use tempfile::TempDir;

use super::*;
use crate::clock::Speed;
use crate::fleet::{Fleet, Spawn};
use crate::identity::Principal;
use crate::live::Writers;
use crate::orchestrator::LaunchPolicy;
use crate::plane::{ControlPlane, Keys, Parts};
use crate::prices::Prices;
use crate::provider::{Direct, EventKind, conformance};
use crate::snapshots::Place;
use crate::store::sqlite::Sqlite;

const START: Timestamp = Timestamp(1_793_000_000_000);

fn simulated() -> (Arc<Simulated>, Arc<DemoClock>, mpsc::Receiver<ProviderEvent>) {
    let clock = Arc::new(DemoClock::new(START, Speed::MOST));
    let (tell, events) = mpsc::channel(64);
    (Arc::new(Simulated::new(Arc::clone(&clock), Model::new(7), tell)), clock, events)
}

#[tokio::test]
async fn it_keeps_the_rules_of_any_provider() {
    let (provider, _, mut events) = simulated();
    conformance::any(provider.as_ref(), &mut events).await;
}

#[tokio::test]
async fn it_tells_a_boot_as_fargate_does_with_its_own_instants() {
    let (provider, _, mut events) = simulated();
    let spec = conformance::spec(conformance::instance(1, 1), Direct::RelayOnly);
    assert_eq!(provider.launch(&spec).await.unwrap(), Launch::Placed(Vec::new()));
    let boot = Model::new(7).boot(spec.instance);
    let mut told = Vec::new();
    while told.len() < 4 {
        told.push(events.recv().await.unwrap());
    }
    let phases: Vec<_> = told
        .iter()
        .map(|event| match &event.kind {
            EventKind::Placed(marks) => marks[0].phase,
            EventKind::Billed(_) => BootPhase::Pulling,
            other => panic!("{other:?}"),
        })
        .collect();
    let spans: Vec<_> = told.windows(2).map(|pair| pair[1].at.since(pair[0].at)).collect();
    use BootPhase::{Enrolling, Launching, Networking, Pulling};
    assert_eq!(phases, [Networking, Pulling, Launching, Enrolling]);
    assert_eq!(spans, [boot.networking, boot.pulling, boot.launching]);
    // Whoever lost them is told again.
    let list = provider.list().await.unwrap();
    assert_eq!(list[0].told, told.into_iter().map(|event| (event.at, event.kind)).collect::<Vec<_>>());
}

/// A control plane on a clock that runs 600 times as fast.
struct House {
    fleet: Arc<Fleet>,
    provider: Arc<Simulated>,
    clock: Arc<DemoClock>,
    _stop: tokio_util::sync::DropGuard,
    _folder: TempDir,
}

fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let (provider, clock, events) = simulated();
    let plane = ControlPlane::new(Parts {
        clock: Arc::clone(&clock) as _,
        store: Arc::new(Sqlite::open(&folder.path().join("ledger.db")).unwrap()),
        writers: Writers::One,
        provider: Arc::clone(&provider) as _,
        events,
        snapshots: Place::Folder(folder.path().join("snapshots")),
        keys: Keys { ticket: [1; 32], repository: [2; 32] },
        policy: crate::demo::policy(),
        prices: Prices::built_in(),
        installation: Default::default(),
        notify: None,
        audit: None,
        launches: LaunchPolicy { direct: Direct::RelayOnly, floor: TierFloor::Sandbox },
        origins: Vec::new(),
        certificate: None,
    })
    .unwrap();
    provider.connect(plane.link);
    let stop = CancellationToken::new();
    tokio::spawn(plane.orchestrator.run(plane.events, stop.clone()));
    House { fleet: plane.fleet, provider, clock, _stop: stop.drop_guard(), _folder: folder }
}

fn somebody() -> Principal {
    let (user, name) = (UserId::from_random([7; 10]), "somebody".parse().unwrap());
    Principal { user, name, role: Role::User, team: None, proof: None }
}

impl House {
    async fn spawn(&self) -> AgentId {
        let spawn = Spawn { name: "played".parse().unwrap(), size: Size::Standard, idle_timeout: None };
        self.fleet.spawn(&somebody(), spawn, None).await.unwrap().id
    }

    async fn until(&self, id: AgentId, so: impl Fn(&AgentView) -> bool) -> AgentView {
        let mut listener = self.fleet.listen();
        loop {
            let view = self.fleet.get(&somebody(), id).await.unwrap();
            if so(&view) {
                return view;
            }
            let heard = tokio::time::timeout(Duration::from_secs(60), listener.next()).await;
            assert!(heard.is_ok(), "nothing happens any more: {view:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_boots_is_billed_as_an_estimate_falls_asleep_saved_and_wakes() {
    let house = house();
    let id = house.spawn().await;
    let awake = house.until(id, |view| view.phase == Phase::Running).await;
    let phases: Vec<_> = awake.boot.marks().iter().map(|mark| mark.phase).collect();
    assert_eq!(phases, BootPhase::ALL);
    assert_eq!((awake.meter.basis, awake.tier.unwrap().machine), (Basis::Estimate, true));
    // Nobody uses it for a quarter of an hour.
    let asleep = house.until(id, |view| view.phase == Phase::Asleep).await;
    let saved = asleep.snapshot.unwrap();
    assert_eq!(saved.generation, asleep.generation);
    assert!(asleep.meter.total > Some(NanoDollars::ZERO) && !asleep.meter.running);
    house.fleet.wake(&somebody(), id).await.unwrap();
    house.until(id, |view| view.phase == Phase::Running && view.generation.0 == 2).await;
    // Slower, it is asked and put to sleep all the same.
    house.clock.set_speed(Speed::new(60).unwrap());
    house.fleet.sleep(&somebody(), id).await.unwrap();
    house.until(id, |view| view.phase == Phase::Asleep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spot_takes_one_back_and_the_next_run_goes_on_with_nothing_lost() {
    let house = house();
    let id = house.spawn().await;
    let before = house.until(id, |view| view.phase == Phase::Running).await;
    house.clock.set_speed(Speed::new(30).unwrap());
    let instance = InstanceId { agent: id, generation: before.generation };
    assert!(house.provider.interrupt(&instance));
    let after =
        house.until(id, |view| view.phase == Phase::Running && view.generation > before.generation).await;
    assert!(after.moving && after.loss.is_none(), "{after:#?}");
    assert_eq!(after.snapshot.unwrap().generation, before.generation);
    assert!(!house.provider.interrupt(&instance), "that run is over");
}

#[tokio::test]
async fn one_that_the_ledger_has_running_is_gone_on_with() {
    let (provider, clock, _events) = simulated();
    let instance = conformance::instance(1, 4);
    provider.adopt(instance, clock.now());
    assert!(provider.dial(&instance).await.is_ok());
    provider.stop(&instance).await.unwrap();
    assert!(matches!(provider.dial(&instance).await, Err(ProviderError::NotRunning(_))));
}
