//! Any lives of several agents, through the ledger and SQLite: whatever ran,
//! crashed, moved and was deleted, under a clock that jumps and is set back,
//! and however folding was cut off. Segments, rollups and meters have the same
//! sums, to the nano-dollar.

mod world;

use std::collections::{BTreeMap, BTreeSet};

use domain::agent::ProviderName;
use domain::id::{AgentId, UserId};
use domain::metering::Segment;
use domain::money::NanoDollars;
use domain::price::Basis;
use domain::spend::{By, Query, Scope};
use domain::time::{Day, Month, Timestamp};
use domain::usage::{Amount, Kind, Line, Of};
use domain::view::Meter;
use proptest::prelude::*;

use super::{Lines, Spend, View, Whose, fold};
use world::{OWNERS, Step, World, admin, steps};

/// What a segment comes to, reckoned apart from the code that bills it.
fn owed(segment: &Segment, now: Timestamp) -> NanoDollars {
    let end = segment.ended_at.unwrap_or(now);
    let ran = i128::from((end.0 - segment.started_at.0).max(0));
    let fargates = matches!(segment.provider, ProviderName::Fargate | ProviderName::Simulated);
    let billed = match segment.ended_at {
        Some(_) if fargates => ((ran + 999) / 1000).max(60) * 1000,
        _ => ran,
    };
    NanoDollars(i64::try_from(i128::from(segment.price.rate.0) * billed / 3_600_000).unwrap())
}

/// The part of a segment that is a month's.
fn part(segment: &Segment, month: Month, now: Timestamp) -> Amount {
    let (start, end) = (month.start(), month.next().start());
    let ended = segment.ended_at.unwrap_or(now).max(segment.started_at);
    let awake = ended.min(end).since(segment.started_at.max(start));
    Amount {
        cost: segment.cost_from(start, now) - segment.cost_from(end, now),
        awake_ms: u64::try_from(awake.as_millis()).unwrap(),
    }
}

fn sums<K: Ord>(lines: &Lines, key: impl Fn(&Line) -> Option<K>) -> BTreeMap<K, Amount> {
    let mut sums = BTreeMap::new();
    for (line, amount) in lines {
        assert!(amount.cost >= NanoDollars::ZERO, "{line} is negative");
        if let Some(key) = key(line) {
            *sums.entry(key).or_default() += *amount;
        }
    }
    sums
}

/// What the segments say of a month.
#[derive(Default, PartialEq, Debug)]
struct Expected {
    kinds: BTreeMap<Kind, Amount>,
    agents: BTreeMap<(AgentId, Kind), Amount>,
    owners: BTreeMap<(UserId, Kind), Amount>,
}

impl Expected {
    fn of(segments: &[Segment], month: Month, now: Timestamp) -> Self {
        let mut expected = Self::default();
        for segment in segments {
            let (part, kind) = (part(segment, month, now), segment.kind());
            if part != Amount::default() {
                *expected.kinds.entry(kind).or_default() += part;
                *expected.agents.entry((segment.agent, kind)).or_default() += part;
                *expected.owners.entry((segment.owner, kind)).or_default() += part;
            }
        }
        expected
    }
}

fn agent(line: &Line) -> Option<(AgentId, Kind)> {
    let (Of::Agent(agent) | Of::Hour(_, Some(agent)) | Of::Day(_, Some(agent))) = line.of else {
        return None;
    };
    Some((agent, line.kind))
}

/// Everything that anybody can read, beside the segments.
async fn compare(world: &World) -> (Spend, BTreeSet<Month>) {
    let now = world.now();
    let spend = world.spend();
    let segments = world.segments().await;
    assert_eq!(segments.len(), world.runs, "a segment for each run that was metered, and no other");
    let months: BTreeSet<Month> = segments
        .iter()
        .flat_map(|segment| {
            let days = segment.days(now);
            let last = days.end().month();
            std::iter::successors(Some(days.start().month()), |month| Some(month.next()))
                .take_while(move |month| *month <= last)
        })
        .collect();
    let mut meters = meters(world, &segments, now).await;
    for month in &months {
        let expected = Expected::of(&segments, *month, now);
        let views = [View::AllHours, View::Days, View::Agents, View::Owners];
        let (_, [hours, days, agents, owners]) = spend.read(Whose::Fleet, *month, views).await.unwrap();
        for view in [&hours, &days, &agents, &owners] {
            assert_eq!(sums(view, |line| Some(line.kind)), expected.kinds, "{month}");
        }
        assert_eq!(sums(&agents, agent), expected.agents);
        let owner =
            |line: &Line| if let Of::Owner(owner) = line.of { Some((owner, line.kind)) } else { None };
        assert_eq!(sums(&owners, owner), expected.owners);
        let mut own = BTreeMap::new();
        for owner in OWNERS {
            let views = [View::AllHours, View::Days, View::Agents];
            let (_, read) = spend.read(Whose::Owner(owner), *month, views).await.unwrap();
            let [by_hour, by_day, by_month] = read.each_ref().map(|view| sums(view, agent));
            assert_eq!(by_hour, by_month, "{month} by hour");
            assert_eq!(by_day, by_month, "{month} by day");
            own.extend(by_month);
            if !world.set_back {
                never_twice(&read[0]);
                meters.check(*month, &read[1], &read[2], now);
            }
        }
        assert_eq!(own, expected.agents, "the owners' books are the fleet's");
    }
    (spend, months)
}

/// While no clock is set back an agent is awake for an hour of an hour at most.
fn never_twice(hours: &Lines) {
    let of = |line: &Line| if let Of::Hour(hour, Some(agent)) = line.of { Some((hour, agent)) } else { None };
    for ((hour, agent), amount) in sums(hours, of) {
        assert!(amount.awake_ms <= 3_600_000, "{agent} at {hour}: {} ms", amount.awake_ms);
    }
}

/// What the agents' pages show, and which of their segments have no price.
struct Meters(BTreeMap<AgentId, (Meter, Vec<Segment>)>);

/// A sum since then, unless one of these is in it.
fn known(sum: NanoDollars, unpriced: &[Segment], from: Timestamp) -> Option<NanoDollars> {
    let later = |segment: &Segment| segment.ended_at.is_none_or(|ended| ended.max(segment.started_at) > from);
    (!unpriced.iter().any(later)).then_some(sum)
}

impl Meters {
    /// The page's month and day are the rollups'.
    fn check(&mut self, month: Month, days: &Lines, agents: &Lines, now: Timestamp) {
        if month != now.month() {
            return;
        }
        let months = sums(agents, |line| agent(line).map(|(agent, _)| agent));
        let today = |line: &Line| match line.of {
            Of::Day(day, Some(agent)) if day == now.day() => Some(agent),
            _ => None,
        };
        let today = sums(days, today);
        let cost =
            |sums: &BTreeMap<AgentId, Amount>, id| sums.get(id).map_or(NanoDollars::ZERO, |sum| sum.cost);
        for id in months.keys() {
            let (meter, unpriced) = &self.0[id];
            assert_eq!(meter.month, known(cost(&months, id), unpriced, month.start()), "{id}");
            assert_eq!(meter.today, known(cost(&today, id), unpriced, now.day().start()), "{id}");
        }
    }
}

async fn meters(world: &World, segments: &[Segment], now: Timestamp) -> Meters {
    let mut meters = BTreeMap::new();
    for row in world.agents().await {
        let of_one: Vec<&Segment> = segments.iter().filter(|segment| segment.agent == row.id).collect();
        let meter = Meter::of(&row, &world.ledger.rates(now), now);
        let is_unpriced = |segment: &&&Segment| {
            let ran = segment.ended_at.is_none_or(|ended| ended > segment.started_at);
            let fargates = matches!(segment.provider, ProviderName::Fargate | ProviderName::Simulated);
            segment.price.basis == Basis::Unpriced && (ran || fargates)
        };
        let unpriced: Vec<Segment> =
            of_one.iter().filter(is_unpriced).map(|segment| (**segment).clone()).collect();
        let owed = of_one.iter().map(|segment| owed(segment, now)).sum();
        assert_eq!(meter.total, known(owed, &unpriced, Timestamp(i64::MIN)), "{}", row.id);
        assert_eq!(meter.running, of_one.iter().any(|segment| segment.ended_at.is_none()));
        if !world.set_back {
            let mut of_one = of_one;
            of_one.sort_by_key(|segment| segment.generation);
            let apart = |pair: &[&Segment]| pair[0].ended_at.is_some_and(|ended| ended <= pair[1].started_at);
            assert!(of_one.windows(2).all(apart), "two runs of one agent at once");
        }
        meters.insert(row.id, (meter, unpriced));
    }
    Meters(meters)
}

/// What a page and the API show, stacked by whatever there is.
async fn reports(world: &World, spend: &Spend, month: Month) {
    let rates = world.ledger.rates(world.now());
    for by in By::ALL {
        let query = |of| Query { of, month: Some(month), by };
        let fleet = spend.report(&admin(OWNERS[0]), &query(Scope::Fleet), &rates).await.unwrap();
        let mut own = Amount::default();
        for owner in OWNERS {
            own += spend.report(&admin(owner), &query(Scope::Own), &rates).await.unwrap().total;
        }
        assert_eq!(own, fleet.total);
        assert_eq!(fleet.series.iter().map(|series| series.total).sum::<Amount>(), fleet.total, "by {by:?}");
        let days: NanoDollars = fleet.series.iter().flat_map(|series| series.days.iter().copied()).sum();
        assert_eq!(days, fleet.total.cost, "by {by:?}");
        assert_eq!(fleet.days.iter().copied().sum::<NanoDollars>(), fleet.total.cost, "by {by:?}");
    }
}

async fn live(start: Timestamp, steps: Vec<Step>) -> World {
    let mut world = World::new(start).await;
    for (n, step) in steps.into_iter().enumerate() {
        if world.step(n, step).await {
            compare(&world).await;
        }
    }
    compare(&world).await;
    fold(&*world.ledger.store).await.unwrap();
    let (spend, months) = compare(&world).await;
    assert_eq!(spend.waiting().await.unwrap(), []);
    let mut rebuilt = Amount::default();
    for month in &months {
        let verified = spend.verify(*month).await.unwrap();
        assert_eq!(verified.differences, []);
        rebuilt += verified.total;
        reports(&world, &spend, *month).await;
    }
    let closed = world.segments().await.into_iter().filter(|segment| segment.ended_at.is_some());
    assert_eq!(rebuilt, closed.map(|segment| segment.amount(world.now())).sum());
    world
}

fn starts() -> impl Strategy<Value = Timestamp> {
    let eve = |day: &str| day.parse::<Day>().unwrap().next().start();
    let eves = ["2024-02-28", "2024-02-29", "2025-02-28", "2026-12-31", "2026-11-30"].map(eve);
    (prop::sample::select(eves.to_vec()), -600_000i64..3_600_000).prop_map(|(eve, ms)| Timestamp(eve.0 + ms))
}

fn run(start: Timestamp, steps: Vec<Step>) -> (usize, bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let world = runtime.block_on(live(start, steps));
    (world.runs, world.set_back)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_lived_segments_rollups_and_meters_agree(start in starts(), steps in steps()) {
        run(start, steps);
    }
}

/// Random lives are worth nothing if nobody is metered in them.
#[test]
fn the_random_lives_are_metered_in_many_runs() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let lives = (starts(), steps());
    let (mut runs, mut set_back) = (0, 0);
    for _ in 0..6 {
        let (start, steps) = lives.new_tree(&mut runner).unwrap().current();
        let lived = run(start, steps);
        (runs, set_back) = (runs + lived.0, set_back + usize::from(lived.1));
    }
    assert!(runs > 30 && (1..6).contains(&set_back), "{runs} runs, {set_back} with the clock set back");
}
