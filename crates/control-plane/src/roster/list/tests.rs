//! What is kept by each change is what a walk over all would find.

use domain::agent::{Mishaps, ProviderName};
use domain::fleet::{BOOT_PHASES, Group, Moment, Owner, Place, Sort, State, Trouble};
use domain::id::Generation;
use domain::money::{NanoDollars, Rate};
use domain::size::Size;
use domain::tier::{Limits, Tier};
use domain::time::Month;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// An hour before a month ends.
const START: Timestamp = Timestamp(1_764_547_200_000 - 3_600_000);
const PLACE: Place = Place { provider: ProviderName::Local, drained: None };
const DAY: i64 = 86_400_000;

#[derive(Debug, Clone)]
enum Step {
    /// An agent becomes as told, its instants so long ago.
    Put(u8, Box<Told>),
    Remove(u8),
    /// An owner is met, or changes teams.
    Meet(u8, Option<&'static str>),
    /// Time passes.
    Pass(i64),
    Look(Box<Query>),
}

#[derive(Debug, Clone)]
struct Told {
    owner: u8,
    name: &'static str,
    state: State,
    provider: ProviderName,
    tier: Option<bool>,
    /// Since, booted, last use, opened, interrupted, save failed: so long ago.
    ago: [i64; 6],
    has: [bool; 4],
    took: u32,
    rate: u64,
    settled: (bool, i64),
}

const STATES: [State; 9] = [
    State::Pending,
    State::Provisioning,
    State::Booting,
    State::Running,
    State::Saving,
    State::Interrupted,
    State::Asleep,
    State::Failed,
    State::Deleting,
];

fn told() -> impl Strategy<Value = Told> {
    let who = (0u8..4, select(&["ana", "Bea", "bea 2", "Ñu"][..]), select(&STATES[..]));
    let how = (select(&ProviderName::ALL[..]), any::<Option<bool>>(), any::<[bool; 4]>());
    // Around what is patience, a day, and less than a moment.
    let span = prop_oneof![0..2000i64, 150_000..400_000i64, DAY - 3_000..DAY + 3_000];
    let much = (0..5u32, 0..3_000_000_000u64, any::<bool>(), 0..2_000i64);
    (who, how, vec(span, 6), much).prop_map(|(who, how, ago, (took, rate, this_month, settled))| Told {
        owner: who.0,
        name: who.1,
        state: who.2,
        provider: how.0,
        tier: how.1,
        has: how.2,
        ago: ago.try_into().unwrap(),
        took,
        rate,
        settled: (this_month, settled),
    })
}

impl Told {
    fn summary(&self, n: u8, version: u64, now: Timestamp) -> Summary {
        let [since, booted, last_use, opened, interrupted, save_failed] =
            self.ago.map(|ago| Timestamp(now.0 - ago));
        let month = if self.settled.0 { now.month() } else { START.month() };
        let tier = |machine| Tier {
            machine,
            namespaces: true,
            landlock: None,
            seccomp: true,
            limits: Limits::Rlimits,
        };
        Summary {
            id: id(n),
            owner: UserId::from_random([self.owner; 10]),
            name: self.name.parse().unwrap(),
            size: Size::Small,
            provider: self.provider,
            state: self.state,
            since,
            generation: Generation(1),
            version,
            booted: self.has[0].then_some((booted, self.took)),
            phases: [self.has[0].then_some(self.took); BOOT_PHASES],
            tier: self.tier.map(tier),
            last_use,
            open: self.has[1].then_some((opened, Rate(self.rate))),
            basis: None,
            on_demand: false,
            mishaps: Mishaps {
                interrupted: self.has[2].then_some(interrupted),
                save_failed: self.has[3].then_some(save_failed),
            },
            settled: (Month::min(month, now.month()), NanoDollars(self.settled.1)),
            unpriced: false,
            created_at: None,
        }
    }
}

fn query() -> impl Strategy<Value = Query> {
    let filter = (
        option::weighted(0.2, select(&Group::ALL[..])),
        option::weighted(0.3, select(&Trouble::ALL[..])),
        option::weighted(0.2, select(&["p0", "p1"][..])),
        option::weighted(0.2, select(&["red", "blue"][..])),
        option::weighted(0.2, select(&ProviderName::ALL[..])),
        select(&["", "", " BEA", "0"][..]),
    );
    (filter, select(&Sort::ALL[..]), any::<bool>()).prop_map(|(filter, sort, falling)| Query {
        state: filter.0,
        trouble: filter.1,
        owner: filter.2.map(str::to_owned),
        team: filter.3.map(str::to_owned),
        provider: filter.4,
        text: filter.5.to_owned(),
        sort,
        falling,
        ..Query::default()
    })
}

fn step() -> impl Strategy<Value = Step> {
    let teams = option::of(select(&["red", "blue"][..]));
    prop_oneof![
        6 => (0u8..20, told()).prop_map(|(n, told)| Step::Put(n, Box::new(told))),
        1 => (0u8..20).prop_map(Step::Remove),
        1 => (0u8..4, teams).prop_map(|(n, team)| Step::Meet(n, team)),
        2 => prop_oneof![0..800i64, 100_000..300_000i64, 0..DAY].prop_map(Step::Pass),
        4 => query().prop_map(|query| Step::Look(Box::new(query))),
    ]
}

fn id(n: u8) -> AgentId {
    AgentId::from_random([n; 10])
}

/// Filtered and sorted by a walk over all.
fn walk(list: &List, people: &People, query: &Query, in_order_at: Timestamp) -> Vec<AgentId> {
    let owned = |one| -> (&Summary, Option<&Owner>) { (one, people.get(&one.owner)) };
    let moment = Moment { now: list.now, policy: &list.policy };
    let text = query.text.trim().to_lowercase();
    let all = list.agents.values().map(|known| &known.summary);
    let mut all: Vec<_> = all.filter(|one| query.lets_through(owned(one), &text, &moment)).collect();
    all.sort_by(|a, b| query.order(owned(a), owned(b), in_order_at));
    all.iter().map(|one| one.id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_kept_is_what_a_walk_finds(
        steps in vec(step(), 1..80),
        asked in vec(query(), 4),
    ) {
        let (mut people, mut now) = (People::new(), START);
        let mut list = List::of([], Policy::default(), now);
        for (version, step) in steps.into_iter().enumerate() {
            match step {
                Step::Put(n, told) => list.put(told.summary(n, version as u64, now), &people),
                Step::Remove(n) => list.remove(id(n), &people),
                Step::Meet(n, team) => {
                    let owner = Owner {
                        name: format!("p{n}").parse().unwrap(),
                        team: team.map(|team| team.parse().unwrap()),
                    };
                    people.insert(UserId::from_random([n; 10]), owner);
                    list.people_changed();
                }
                Step::Pass(ms) => now = Timestamp(now.0 + ms),
                Step::Look(query) => drop(list.ids(&query, &people, now)),
            }
            // The same ones over and over, so that they are kept through all of it.
            for query in &asked {
                let kept = list.ids(query, &people, now);
                let view = list.views.iter().find(|view| view.is_of(&View::key(query))).unwrap();
                let at = if query.sort == Sort::Cost { view.at() } else { now };
                prop_assert!(now.since(at) < Duration::from_millis(500));
                prop_assert_eq!(kept, walk(&list, &people, query, at));
            }
            let moment = Moment { now, policy: &list.policy };
            let counted = Tally::of(list.agents.values().map(|known| &known.summary), &moment);
            prop_assert_eq!(&list.tally, &counted);
            for n in 0..4 {
                let owner = UserId::from_random([n; 10]);
                let owned = list.agents.values().filter(|known| known.summary.owner == owner).count();
                prop_assert_eq!(list.owned_by(owner) as usize, owned);
            }
        }
    }
}

#[test]
fn lists_that_are_asked_for_are_few_and_those_asked_for_last() {
    let (mut list, people) = (List::of([], Policy::default(), START), People::new());
    let query = |n: usize| Query { text: n.to_string(), ..Query::default() };
    for n in 0..VIEWS + 5 {
        list.ids(&query(n), &people, START);
        list.ids(&query(0), &people, START);
    }
    assert_eq!(list.views.len(), VIEWS);
    let is_kept = |n| list.views.iter().any(|view| view.is_of(&View::key(&query(n))));
    assert_eq!([0, 1, 5, 6, VIEWS + 4].map(is_kept), [true, false, false, true, true]);
}

#[test]
fn what_turns_at_once_and_is_much_is_counted_anew() {
    let told = Told {
        owner: 0,
        name: "x",
        state: State::Booting,
        provider: ProviderName::Local,
        tier: None,
        ago: [0; 6],
        has: [false; 4],
        took: 0,
        rate: 0,
        settled: (true, 0),
    };
    let agent = |n: usize| {
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&n.to_be_bytes());
        Summary { id: AgentId::from_random(bytes), ..told.summary(0, 1, START) }
    };
    let (mut list, people) = (List::of((0..2 * ANEW).map(agent), Policy::default(), START), People::new());
    let stuck = Query { trouble: Some(Trouble::Stuck), limit: 9, ..Query::default() };
    assert_eq!(list.page(&stuck, &people, PLACE, START, &Rates::proposal()).total, 0);
    let later = START.after(Duration::from_secs(3600));
    let page = list.page(&stuck, &people, PLACE, later, &Rates::proposal());
    assert_eq!((page.total as usize, page.health.stuck as usize), (2 * ANEW, 2 * ANEW));
}
