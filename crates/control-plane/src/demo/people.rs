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

/// Limits at first, so that there is something to see: of everybody, and of a
/// team, in dollars a month.
pub(super) fn budgets() -> [(Subject, Budget); 2] {
    let dollars =
        |dollars: i64| Budget { month: Some(NanoDollars(dollars * 1_000_000_000)), ..Budget::default() };
    let team = TEAMS[1].parse().expect("it is short and visible");
    [(Subject::Fleet, dollars(60)), (Subject::Team(team), dollars(15))]
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
