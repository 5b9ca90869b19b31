//! Whose the fleet is. All of it is made up.

use domain::agent::ProviderName;
use domain::budget::{Budget, Subject};
use domain::lifecycle::NewAgent;
use domain::money::NanoDollars;
use domain::name::Name;
use domain::size::Size;

use crate::identity::Principal;
use crate::provider::simulated::random::{self, Random};

/// Agents in the fleet at first.
pub const AGENTS: usize = 100;

/// Those who share them with the presenter.
pub const OTHERS: [&str; 11] = [
    "Alba Ruiz",
    "Bruno Ortega",
    "Carmen Vidal",
    "Diego Navarro",
    "Elena Prado",
    "Farah Haddad",
    "Gael Moreno",
    "Irene Castro",
    "Jonas Weber",
    "Lucía Serra",
    "Marta Iglesias",
];

/// The presenter and the others are in these, one after the other.
pub const TEAMS: [&str; 3] = ["Producto", "Ventas", "Soporte"];

/// How much of their month's budget is used at first, in percent, so that the
/// page shows each state: everybody's is calm, a team's is past its second
/// notice, another's is near its end.
const USED: [(Option<&str>, i64); 3] = [(None, 45), (Some(TEAMS[2]), 82), (Some(TEAMS[1]), 95)];
/// Limits are whole tens of cents, as people set them.
const ROUND: i64 = 100_000_000;

/// The limits that are so, by what was spent; fixed sums would stand wherever
/// the seed and the day of the month put them.
pub(super) fn budgets(spent: impl Fn(Option<&Name>) -> NanoDollars) -> Vec<(Subject, Budget)> {
    let budget = |(team, percent): (Option<&str>, i64)| {
        let team: Option<Name> = team.map(|team| team.parse().expect("it is short and visible"));
        let limit = spent(team.as_ref()).0 / percent * 100;
        let month = Some(NanoDollars(limit / ROUND * ROUND + ROUND));
        (team.map_or(Subject::Fleet, Subject::Team), Budget { month, ..Budget::default() })
    };
    USED.map(budget).into()
}

/// What agents are for.
const WORK: [&str; 20] = [
    "correo",
    "facturas",
    "agenda",
    "research",
    "release-notes",
    "viajes",
    "soporte",
    "backups",
    "prensa",
    "inventario",
    "traducciones",
    "code-review",
    "nóminas",
    "recetas",
    "contratos",
    "dashboards",
    "newsletter",
    "calidad",
    "turnos",
    "licitaciones",
];

/// The fleet, spread over its owners.
pub(super) fn agents(seed: u64, owners: &[Principal]) -> Vec<NewAgent> {
    let mut random = Random::new(seed, &[21]);
    (0..AGENTS).map(|index| agent(&mut random, &owners[index % owners.len()], index)).collect()
}

fn agent(random: &mut Random, owner: &Principal, index: usize) -> NewAgent {
    let work = WORK[index % WORK.len()];
    let name =
        if index < WORK.len() { work.to_owned() } else { format!("{work}-{}", index / WORK.len() + 1) };
    NewAgent {
        id: random::agent(random),
        owner: owner.user,
        name: name.parse::<Name>().expect("it is short and visible"),
        size: size(random),
        provider: ProviderName::Simulated,
        idle_timeout: None,
    }
}

/// Most have the size that holds OpenClaw.
pub(super) fn size(random: &mut Random) -> Size {
    match random.between(0, 19) {
        0..=1 => Size::Nano,
        2..=5 => Size::Small,
        6..=15 => Size::Standard,
        16..=18 => Size::Large,
        _ => Size::Huge,
    }
}
