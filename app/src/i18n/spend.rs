//! The texts of what was spent.

use domain::money::NanoDollars;
use domain::price::{Basis, Purchase};
use domain::spend::By;
use domain::time::Month;

use super::Lang;

pub struct SpendStrings {
    pub title: &'static str,
    pub lead_own: &'static str,
    pub lead_fleet: &'static str,
    pub whose: &'static str,
    pub own: &'static str,
    pub fleet: &'static str,
    pub month_before: &'static str,
    pub month_after: &'static str,
    pub so_far: &'static str,
    pub whole_month: &'static str,
    pub forecast: &'static str,
    pub between: fn(low: &str, high: &str) -> String,
    pub forecast_how: &'static str,
    pub too_early: &'static str,
    pub hours_awake: &'static str,
    pub per_awake_hour: &'static str,
    pub estimated: &'static str,
    pub unpriced: fn(hours: &str) -> String,
    pub utc: &'static str,
    pub by_day: &'static str,
    pub stack_by: &'static str,
    pub bys: [&'static str; By::ALL.len()],
    pub chart: fn(month: &str, total: &str) -> String,
    pub day: &'static str,
    pub total: &'static str,
    pub as_table: &'static str,
    pub look_at_days: &'static str,
    pub expected: &'static str,
    pub nothing_yet: &'static str,
    pub rest: &'static str,
    pub no_team: &'static str,
    pub purchases: [&'static str; Purchase::ALL.len()],
    pub estimate: &'static str,
    pub unknown: &'static str,
    pub saved: &'static str,
    pub saved_lead: fn(agents: &str) -> String,
    /// The same of one.
    pub saved_lead_one: &'static str,
    pub saved_spot: &'static str,
    pub saved_asleep: &'static str,
    pub saved_t4g: &'static str,
    pub instead_of: fn(sum: &str) -> String,
    pub budget: &'static str,
    pub budget_left: fn(left: &str, limit: &str) -> String,
    pub budget_used: fn(percent: &str) -> String,
    pub budget_chart: fn(left: &str, limit: &str) -> String,
    pub budget_runs_out: fn(day: &str) -> String,
    pub budget_lasts: &'static str,
    pub top_agents: &'static str,
    pub top_people: &'static str,
    pub agent: &'static str,
    pub person: &'static str,
    pub awake: &'static str,
    pub cost: &'static str,
    pub deleted: &'static str,
    pub export_csv: &'static str,
    pub export_json: &'static str,
    pub print: &'static str,
    pub calculator: &'static str,
    pub calculator_lead: &'static str,
    pub agents: &'static str,
    pub size: &'static str,
    pub bought: &'static str,
    pub hours_a_day: &'static str,
    pub addresses: &'static str,
    pub storage: &'static str,
    pub machines: &'static str,
    pub addresses_line: &'static str,
    pub storage_line: &'static str,
    pub a_month: &'static str,
    pub with_t4g: fn(count: &str) -> String,
    pub calculator_note: &'static str,
    months: [&'static str; 12],
}

impl Lang {
    /// Its texts of what was spent.
    pub const fn spend(self) -> &'static SpendStrings {
        match self {
            Self::Es | Self::EsPoint => &ES,
            Self::En => &EN,
        }
    }

    /// A month with its year.
    pub fn month(self, month: Month) -> String {
        let name = self.spend().months.get(usize::from(month.month).wrapping_sub(1)).copied().unwrap_or("");
        match self {
            Self::Es | Self::EsPoint => format!("{name} de {}", month.year),
            Self::En => format!("{name} {}", month.year),
        }
    }

    /// A sum of which some time may have no price: that is said, and never as $0.
    pub fn told(self, cost: NanoDollars, unpriced_ms: u64) -> String {
        match (cost, unpriced_ms) {
            (_, 0) => self.sum(cost),
            (NanoDollars::ZERO, _) => self.fleet().unknown.to_owned(),
            _ => format!("{} + {}", self.sum(cost), self.fleet().unknown),
        }
    }

    /// Hours of that many milliseconds, with a decimal where they are few.
    pub fn hours(self, ms: u64) -> String {
        let tenths = ms / 360_000;
        match tenths {
            0..1000 => format!("{} h", self.thousandths(u32::try_from(tenths * 100).unwrap_or(0))),
            _ => format!("{} h", self.count(tenths / 10)),
        }
    }
}

impl SpendStrings {
    pub fn purchase(&self, purchase: Purchase) -> &'static str {
        let index = Purchase::ALL.iter().position(|known| *known == purchase).unwrap_or_default();
        self.purchases[index]
    }

    /// A word with what its price is, where that is not simply billed.
    pub fn priced(&self, word: &str, basis: Basis) -> String {
        match basis {
            Basis::Billed => word.to_owned(),
            Basis::Estimate => format!("{word} · {}", self.estimate),
            Basis::Unpriced => format!("{word} · {}", self.unknown),
        }
    }
}

static ES: SpendStrings = SpendStrings {
    title: "Gasto",
    lead_own: "Lo que han costado tus agentes, día a día.",
    lead_fleet: "Lo que cuesta toda la flota, día a día.",
    whose: "De quién",
    own: "Lo mío",
    fleet: "Toda la flota",
    month_before: "Mes anterior",
    month_after: "Mes siguiente",
    so_far: "En lo que va de mes",
    whole_month: "El mes entero",
    forecast: "Al acabar el mes",
    between: |low, high| format!("entre {low} y {high}"),
    forecast_how: "Si los días que quedan son como los últimos catorce. Cuatro de cada cinco veces acaba dentro de ese margen.",
    too_early: "Tres días enteros después del 1 ya se puede decir.",
    hours_awake: "Horas despiertos",
    per_awake_hour: "Por hora despierto",
    estimated: "Estimado, nadie lo cobra",
    unpriced: |hours| format!("{hours} sin precio conocido: no están en la suma."),
    utc: "Días y meses en UTC.",
    by_day: "Día a día",
    stack_by: "Apilado por",
    bys: ["proveedor", "tipo de compra", "tamaño", "equipo"],
    chart: |month, total| format!("Gasto de {month} por día; en total {total}"),
    day: "Día",
    total: "Total",
    as_table: "Verlo como tabla",
    look_at_days: "Día que se lee; las flechas pasan de uno a otro",
    expected: "previsto",
    nothing_yet: "Nada se ha gastado en este mes.",
    rest: "lo demás",
    no_team: "sin equipo",
    purchases: ["Spot", "Spot con ARM", "A demanda", "A demanda con ARM"],
    estimate: "estimado",
    unknown: "precio desconocido",
    saved: "Lo que no has gastado",
    saved_lead: |agents| {
        format!(
            "Comparado con otras formas de tener los {agents} agentes usados este mes, mientras estuvieron."
        )
    },
    saved_lead_one: "Comparado con otras formas de tener el agente usado este mes, mientras estuvo.",
    saved_spot: "Por ir en Spot",
    saved_asleep: "Por dormir",
    saved_t4g: "Frente a una t4g.small por agente",
    instead_of: |sum| format!("en vez de {sum}"),
    budget: "Presupuesto",
    budget_left: |left, limit| format!("Quedan {left} de {limit}"),
    budget_used: |percent| format!("{percent} usado"),
    budget_chart: |left, limit| format!("Presupuesto que queda por día: {left} de {limit}"),
    budget_runs_out: |day| {
        format!("A este paso se acaba hacia el {day}: entonces tus agentes se guardan y se duermen.")
    },
    budget_lasts: "A este paso llega hasta fin de mes.",
    top_agents: "Los agentes que más cuestan",
    top_people: "Las personas que más gastan",
    agent: "Agente",
    person: "Persona",
    awake: "Despierto",
    cost: "Coste",
    deleted: "(borrado)",
    export_csv: "Exportar CSV",
    export_json: "Exportar JSON",
    print: "Imprimir",
    calculator: "¿Y si…?",
    calculator_lead: "La tabla de la propuesta, con tus cifras. Un mes medio tiene 730 horas.",
    agents: "Agentes",
    size: "Tamaño",
    bought: "Compra",
    hours_a_day: "Horas despiertos al día",
    addresses: "Con una IPv4 pública cada uno",
    storage: "Disco de cada uno, en GB",
    machines: "Máquinas",
    addresses_line: "Direcciones IPv4",
    storage_line: "Disco por encima de 20 GB",
    a_month: "Al mes",
    with_t4g: |count| format!("{count} × t4g.small"),
    calculator_note: "Precios del libro vigente. Sin registros, secretos ni tráfico de salida.",
    months: [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
};

static EN: SpendStrings = SpendStrings {
    title: "Spend",
    lead_own: "What your agents have cost, day by day.",
    lead_fleet: "What the whole fleet costs, day by day.",
    whose: "Whose",
    own: "Mine",
    fleet: "The whole fleet",
    month_before: "Month before",
    month_after: "Next month",
    so_far: "This month so far",
    whole_month: "The whole month",
    forecast: "By the month's end",
    between: |low, high| format!("between {low} and {high}"),
    forecast_how: "If the days left are like the last fourteen. Four times in five it ends within that range.",
    too_early: "Three full days after the 1st it can be told.",
    hours_awake: "Hours awake",
    per_awake_hour: "An hour awake",
    estimated: "Estimated, nobody bills it",
    unpriced: |hours| format!("{hours} without a known price: they are not in the sum."),
    utc: "Days and months are UTC's.",
    by_day: "Day by day",
    stack_by: "Stacked by",
    bys: ["provider", "purchase option", "size", "team"],
    chart: |month, total| format!("Spend of {month} by day; in all {total}"),
    day: "Day",
    total: "Total",
    as_table: "See it as a table",
    look_at_days: "The day that is read; arrow keys move on",
    expected: "expected",
    nothing_yet: "Nothing was spent in this month.",
    rest: "all else",
    no_team: "no team",
    purchases: ["Spot", "Spot on ARM", "On demand", "On demand on ARM"],
    estimate: "estimate",
    unknown: "price unknown",
    saved: "What you did not spend",
    saved_lead: |agents| {
        format!(
            "Against other ways to have the {agents} agents that were used this month, while they were there."
        )
    },
    saved_lead_one: "Against other ways to have the agent that was used this month, while it was there.",
    saved_spot: "By running on Spot",
    saved_asleep: "By sleeping",
    saved_t4g: "Against a t4g.small for each agent",
    instead_of: |sum| format!("instead of {sum}"),
    budget: "Budget",
    budget_left: |left, limit| format!("{left} of {limit} left"),
    budget_used: |percent| format!("{percent} used"),
    budget_chart: |left, limit| format!("Budget left by day: {left} of {limit}"),
    budget_runs_out: |day| {
        format!("At this pace it ends around {day}: your agents are then saved and put to sleep.")
    },
    budget_lasts: "At this pace it lasts until the month's end.",
    top_agents: "Agents that cost most",
    top_people: "People who spend most",
    agent: "Agent",
    person: "Person",
    awake: "Awake",
    cost: "Cost",
    deleted: "(deleted)",
    export_csv: "Export CSV",
    export_json: "Export JSON",
    print: "Print",
    calculator: "What if…?",
    calculator_lead: "The proposal's table, with your figures. A mean month has 730 hours.",
    agents: "Agents",
    size: "Size",
    bought: "Purchase",
    hours_a_day: "Hours awake a day",
    addresses: "With a public IPv4 each",
    storage: "Disk of each, in GB",
    machines: "Machines",
    addresses_line: "IPv4 addresses",
    storage_line: "Disk above 20 GB",
    a_month: "A month",
    with_t4g: |count| format!("{count} × t4g.small"),
    calculator_note: "Prices of the book that holds. Without logs, secrets and egress.",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_price_is_never_nothing() {
        let told = |cents: i64, ms| Lang::En.told(NanoDollars(cents * 10_000_000), ms);
        assert_eq!([told(0, 0), told(0, 1), told(1234, 1)], ["$0.00", "unknown", "$12.34 + unknown"]);
    }
}
