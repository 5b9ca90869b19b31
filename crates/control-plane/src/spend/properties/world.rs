//! A small world in which agents live: the ledger on SQLite, a clock, and what
//! a provider might tell.

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use domain::agent::{Agent, Failure, FailureReason, Phase, ProviderName, Save, Snapshot};
use domain::id::{AgentId, UserId};
use domain::lifecycle::{self, NewAgent, Observation, Policy, Seen};
use domain::metering::Segment;
use domain::price::{Architecture, Item, PriceBook, PriceLine, Purchase, Purchasing, REGION, Usd};
use domain::role::Role;
use domain::size::Size;
use domain::tier::Tier;
use domain::time::{Day, Timestamp};
use proptest::prelude::*;

use super::super::{Spend, fold};
use crate::clock::{Clock, ManualClock};
use crate::error::Error;
use crate::identity::Principal;
use crate::ledger::Ledger;
use crate::live::Writers;
use crate::prices::Prices;
use crate::store::conformance::fixture::id;
use crate::store::sqlite::Sqlite;
use crate::store::{Created, Shard, User};

pub const OWNERS: [UserId; 3] =
    [UserId::from_random([1; 10]), UserId::from_random([2; 10]), UserId::from_random([3; 10])];
/// Shard, owner, provider and size of each agent. Two share a shard, so that
/// they share lines of the fleet's books, too.
const AGENTS: [(u8, usize, ProviderName, Size); 5] = [
    (3, 0, ProviderName::Fargate, Size::Small),
    (3, 1, ProviderName::Fargate, Size::Large),
    (7, 0, ProviderName::Local, Size::Nano),
    (8, 2, ProviderName::Simulated, Size::Small),
    (9, 1, ProviderName::Fly, Size::Large),
];

/// One thing that happens.
#[derive(Debug, Clone)]
pub struct Step {
    what: Happens,
    clock: Moves,
}

/// How the clock moves before it.
#[derive(Debug, Clone)]
enum Moves {
    /// By milliseconds, or back.
    By(i64),
    /// To so many milliseconds around the next midnight.
    ToMidnight(i64),
}

#[derive(Debug, Clone)]
enum Happens {
    /// To an agent: what a world without trouble brings next, `permille` of the
    /// way from the state's beginning to now by the provider's instants.
    Next {
        agent: usize,
        permille: i64,
        purchase: Purchase,
    },
    Ask(usize, Observation),
    Crashed {
        agent: usize,
        permille: i64,
    },
    Interrupted(usize),
    /// Another price book holds from now on: the built-in one times so much; of
    /// nothing, one without lines.
    Prices(u64),
    Fold(How),
    Compare,
}

/// How folding goes.
#[derive(Debug, Clone)]
enum How {
    Whole,
    /// Dropped after so many waits for the ledger.
    Killed(u32),
    /// Two at once, one of which is dropped.
    Twice(u32),
    /// Dropped, and the ledger opened anew from its file.
    Restarted(u32),
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let agent = 0..AGENTS.len();
    let purchase = prop::sample::select(Purchase::ALL.to_vec());
    let ask =
        |observation: Observation| agent.clone().prop_map(move |n| Happens::Ask(n, observation.clone()));
    let how = prop_oneof![
        Just(How::Whole),
        (0u32..40).prop_map(How::Killed),
        (0u32..40).prop_map(How::Twice),
        (0u32..40).prop_map(How::Restarted),
    ];
    let happens = prop_oneof![
        24 => (agent.clone(), 0i64..=1000, purchase)
            .prop_map(|(agent, permille, purchase)| Happens::Next { agent, permille, purchase }),
        2 => ask(Observation::WakeAsked),
        3 => ask(Observation::SleepAsked),
        1 => ask(Observation::DeleteAsked),
        2 => (agent.clone(), 0i64..=1000).prop_map(|(agent, permille)| Happens::Crashed { agent, permille }),
        2 => agent.prop_map(Happens::Interrupted),
        1 => (0u64..5).prop_map(Happens::Prices),
        3 => how.prop_map(Happens::Fold),
        1 => Just(Happens::Compare),
    ];
    let forwards = prop_oneof![
        8 => (0i64..200_000).prop_map(Moves::By),
        2 => (-1500i64..1500).prop_map(Moves::ToMidnight),
        1 => (0i64..40 * 86_400_000).prop_map(Moves::By),
    ];
    // Half of the lives have a clock that is never set back: more holds there.
    let steps = |clock: BoxedStrategy<Moves>| {
        let step = (happens.clone(), clock).prop_map(|(what, clock)| Step { what, clock });
        prop::collection::vec(step, 20..140)
    };
    let back = (-7_200_000i64..0).prop_map(Moves::By);
    let jumping = prop_oneof![12 => forwards.clone(), 1 => back];
    prop_oneof![steps(forwards.boxed()), steps(jumping.boxed())]
}

/// Somebody who may see everything.
pub fn admin(user: UserId) -> Principal {
    Principal { user, name: "Ana".parse().unwrap(), role: Role::Admin, team: None, proof: None }
}

pub struct World {
    pub ledger: Ledger,
    /// Runs whose meter was started.
    pub runs: usize,
    /// Whether the clock ever was.
    pub set_back: bool,
    clock: Arc<ManualClock>,
    agents: Vec<AgentId>,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl World {
    pub async fn new(start: Timestamp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("console.db");
        let clock = Arc::new(ManualClock::at(start));
        let store = Arc::new(Sqlite::open(&path).unwrap());
        let (policy, prices) = (Policy::default(), Prices::built_in());
        let ledger = Ledger::new(store, clock.clone(), policy, prices, Writers::One);
        for (n, owner) in OWNERS.into_iter().enumerate() {
            let team = (n < 2).then(|| "Norte".parse().unwrap());
            let name = format!("p{n}").parse().unwrap();
            let user = User { id: owner, name, role: Role::User, team, created_at: start, closed_at: None };
            assert!(ledger.store.add_user(&user).await.unwrap());
        }
        let mut agents = Vec::new();
        for (n, (shard, owner, provider, size)) in (0..).zip(AGENTS) {
            let id = id(Shard(shard), n);
            let name = format!("a{n}").parse().unwrap();
            let new = NewAgent { id, owner: OWNERS[owner], name, size, provider, idle_timeout: None };
            let made = ledger.create(&lifecycle::create(new, start), None).await.unwrap();
            assert_eq!(made, Created::New);
            agents.push(id);
        }
        Self { ledger, runs: 0, set_back: false, clock, agents, path, _folder: folder }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn spend(&self) -> Spend {
        Spend::new(Arc::clone(&self.ledger.store), self.clock.clone())
    }

    pub async fn agents(&self) -> Vec<Agent> {
        let mut rows = Vec::new();
        for id in &self.agents {
            rows.push(self.ledger.agent(*id).await.unwrap());
        }
        rows
    }

    pub async fn segments(&self) -> Vec<Segment> {
        let mut segments = Vec::new();
        for id in &self.agents {
            segments.extend(self.ledger.store.segments(*id, None, 1000).await.unwrap());
        }
        segments
    }

    /// Lets one thing happen; `true` where all is to be compared then.
    pub async fn step(&mut self, n: usize, Step { what, clock }: Step) -> bool {
        let now = self.now();
        let then = match clock {
            Moves::By(ms) => Timestamp(now.0 + ms),
            Moves::ToMidnight(ms) => Timestamp((now.day().next().start().0 + ms).max(now.0)),
        };
        self.set_back |= then < now;
        self.clock.set(then);
        match what {
            Happens::Next { agent, permille, purchase } => self.next(agent, n, permille, purchase).await,
            Happens::Ask(agent, Observation::WakeAsked) => {
                allowed(self.ledger.wake(self.agents[agent]).await)
            }
            Happens::Ask(agent, asked) => allowed(self.ledger.observe(self.agents[agent], asked).await),
            Happens::Crashed { agent, permille } => {
                let row = self.row(agent).await;
                let at = self.told(&row, permille);
                let failure = Failure::new(FailureReason::Crashed, "the last words");
                self.saw(&row, Seen::Ended { failure, at }).await;
            }
            Happens::Interrupted(agent) => {
                let row = self.row(agent).await;
                let until = Timestamp(self.now().0 + 120_000);
                self.saw(&row, Seen::InterruptionNotice { until }).await;
            }
            Happens::Prices(times) => self.ledger.prices = prices(times),
            Happens::Fold(how) => self.fold(how).await,
            Happens::Compare => return true,
        }
        false
    }

    async fn row(&self, agent: usize) -> Agent {
        self.ledger.agent(self.agents[agent]).await.unwrap()
    }

    /// An instant that the provider tells: since the run was placed, or began
    /// to be metered, and until now.
    fn told(&self, agent: &Agent, permille: i64) -> Timestamp {
        let since = agent.instance.as_ref().map_or(agent.phase_since, |instance| instance.started_at);
        Timestamp(since.0 + (self.now().0 - since.0).max(0) / 1000 * permille)
    }

    async fn saw(&mut self, agent: &Agent, seen: Seen) -> bool {
        let outcome = self.ledger.saw(agent.instance_id(), seen).await;
        let done = outcome.is_ok();
        allowed(outcome);
        done
    }

    /// As the orchestrator would go on.
    async fn next(&mut self, agent: usize, n: usize, permille: i64, purchase: Purchase) {
        let agent = self.row(agent).await;
        let at = self.told(&agent, permille);
        let seen = match &agent.phase {
            Phase::Pending => Seen::Launching,
            Phase::Provisioning if agent.instance.is_none() => {
                let price = self.ledger.rates(at).launched(agent.provider, agent.size, purchase);
                let launched = Seen::Launched { started_at: at, tier: Tier::own_machine(), price };
                self.runs += usize::from(self.saw(&agent, launched).await);
                return;
            }
            Phase::Provisioning => Seen::Enrolled,
            Phase::Booting => Seen::Ready,
            Phase::Running => return allowed(self.ledger.observe(agent.id, Observation::SleepAsked).await),
            Phase::Saving | Phase::Interrupted { .. }
                if agent.instance.as_ref().is_some_and(|instance| instance.save != Save::Done) =>
            {
                let id = format!("{n:064x}").parse().unwrap();
                let generation = agent.generation;
                let snapshot = Snapshot { id, generation, at, files: 3, bytes: 1000, added_bytes: 10 };
                Seen::SnapshotCommitted { snapshot }
            }
            Phase::Saving | Phase::Interrupted { .. } => Seen::Stopped { at: (permille > 100).then_some(at) },
            Phase::Deleting | Phase::Failed { .. } if agent.instance.is_some() => {
                Seen::Stopped { at: Some(at) }
            }
            Phase::Asleep | Phase::Failed { .. } => return allowed(self.ledger.wake(agent.id).await),
            Phase::Deleting => return allowed(self.ledger.observe(agent.id, Observation::Purged).await),
            Phase::Deleted => return,
        };
        self.saw(&agent, seen).await;
    }

    async fn fold(&mut self, how: How) {
        let store = Arc::clone(&self.ledger.store);
        match how {
            How::Whole => drop(fold(&*store).await.unwrap()),
            How::Killed(waits) => drop(cut(fold(&*store), waits).await),
            How::Twice(waits) => {
                let (whole, _) = tokio::join!(fold(&*store), cut(fold(&*store), waits));
                whole.unwrap();
            }
            How::Restarted(waits) => {
                cut(fold(&*store), waits).await;
                self.ledger.store = Arc::new(Sqlite::open(&self.path).unwrap());
            }
        }
    }
}

/// What the rules refuse changes nothing; anything else that fails is a fault.
fn allowed(outcome: Result<Agent, Error>) {
    if let Err(error) = outcome {
        assert!(matches!(error, Error::Illegal(_)), "{error}");
    }
}

/// Drops a future after so many waits, as a kill does: what it handed to the
/// ledger by then may be written, or not.
async fn cut<F: Future>(future: F, waits: u32) -> Option<F::Output> {
    let (mut future, mut left) = (pin!(future), waits);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Odd prices, so that nothing divides evenly.
fn prices(times: u64) -> Prices {
    let line = |item, purchase, architecture, nanos: u64| PriceLine {
        provider: ProviderName::Fargate,
        region: REGION.to_owned(),
        item,
        purchase: Some(purchase),
        architecture: Some(architecture),
        from: Day(0),
        until: None,
        usd: Usd(nanos * times + 7),
    };
    let mut lines = Vec::new();
    if times > 0 {
        for purchase in [Purchasing::Spot, Purchasing::OnDemand] {
            for architecture in [Architecture::X86, Architecture::Arm] {
                lines.push(line(Item::VcpuHour, purchase, architecture, 12_500_001));
                lines.push(line(Item::GbHour, purchase, architecture, 1_500_011));
            }
        }
    }
    Prices { book: PriceBook::new(format!("times-{times}"), lines).unwrap(), region: REGION.to_owned() }
}
