//! The texts of budgets.

use super::Lang;

pub struct BudgetStrings {
    pub title: &'static str,
    pub lead: &'static str,
    pub new: &'static str,
    pub none: &'static str,
    pub who: &'static str,
    pub person: &'static str,
    pub team: &'static str,
    pub fleet: &'static str,
    pub name: &'static str,
    pub month: &'static str,
    pub month_hint: fn(example: &str) -> String,
    pub spent: &'static str,
    pub awake: &'static str,
    pub awake_hint: &'static str,
    pub sizes: &'static str,
    pub all_sizes: &'static str,
    pub no_limit: &'static str,
    pub notices: &'static str,
    pub change: &'static str,
    pub change_of: fn(whose: &str) -> String,
    pub save: &'static str,
    pub of_limit: fn(count: &str, limit: &str) -> String,
    pub notice: fn(percent: &str, date: &str) -> String,
    pub waiting: &'static str,
    pub sent: &'static str,
    pub dead: &'static str,
    /// Why an agent sleeps: on its page, and in the fleet's history of it.
    pub slept: &'static str,
    pub saving: &'static str,
    pub see_spend: &'static str,
    /// Why something was refused: the month, agents awake, a size.
    pub refused: [&'static str; 3],
    /// Whose limit it was: one's own, the team's, the fleet's.
    pub whose: [&'static str; 3],
}

impl Lang {
    /// Its texts of budgets.
    pub const fn budgets(self) -> &'static BudgetStrings {
        match self {
            Self::Es | Self::EsPoint => &ES,
            Self::En => &EN,
        }
    }
}

impl BudgetStrings {
    /// Why a budget refused something, by the words of an error's detail.
    pub fn refusal(&self, detail: &str) -> Option<String> {
        let (whose, limit) = detail.split_once(' ')?;
        let whose = ["own", "team", "fleet"].iter().position(|word| *word == whose)?;
        let limit = ["spent", "awake", "size"].iter().position(|word| *word == limit)?;
        Some(format!("{} {}", self.refused[limit], self.whose[whose]))
    }
}

static ES: BudgetStrings = BudgetStrings {
    title: "Presupuestos",
    lead: "Lo que se puede gastar al mes, cuántos agentes pueden estar despiertos y de qué tamaños. Al 100 % se guardan y se duermen; nunca se borra nada.",
    new: "Nuevo presupuesto",
    none: "Nadie tiene un límite todavía.",
    who: "De quién",
    person: "Una persona",
    team: "Un equipo",
    fleet: "Toda la flota",
    name: "Nombre",
    month: "Al mes, en dólares",
    month_hint: |example| format!("Por ejemplo {example}. Vacío: sin límite."),
    spent: "Gastado este mes",
    awake: "Despiertos a la vez",
    awake_hint: "Vacío: sin límite.",
    sizes: "Tamaños",
    all_sizes: "todos",
    no_limit: "sin límite",
    notices: "Avisos",
    change: "Cambiar",
    change_of: |whose| format!("Presupuesto de {whose}"),
    save: "Guardar",
    of_limit: |count, limit| format!("{count} de {limit}"),
    notice: |percent, date| format!("{percent} el {date}"),
    waiting: "por enviar",
    sent: "enviado",
    dead: "no se pudo enviar",
    slept: "Se guardó y duerme porque se usó el presupuesto. Puede ampliarlo quien administra.",
    saving: "Guardando: presupuesto usado",
    see_spend: "Ver el gasto",
    refused: [
        "El presupuesto de este mes está usado, o apartado para los que están despiertos.",
        "Ya hay tantos agentes despiertos como se permite: duerme uno.",
        "Ese tamaño no está permitido.",
    ],
    whose: [
        "Puede ampliarlo quien administra.",
        "Es el límite de tu equipo; puede ampliarlo quien administra.",
        "Es el límite de toda la flota; puede ampliarlo quien administra.",
    ],
};

static EN: BudgetStrings = BudgetStrings {
    title: "Budgets",
    lead: "What may be spent in a month, how many agents may be awake, and of which sizes. At 100 % they are saved and put to sleep; nothing is ever deleted.",
    new: "New budget",
    none: "Nobody has a limit yet.",
    who: "Whose",
    person: "A person's",
    team: "A team's",
    fleet: "The whole fleet",
    name: "Name",
    month: "A month, in dollars",
    month_hint: |example| format!("As in {example}. Empty: no limit."),
    spent: "Spent this month",
    awake: "Awake at once",
    awake_hint: "Empty: no limit.",
    sizes: "Sizes",
    all_sizes: "all",
    no_limit: "no limit",
    notices: "Notices",
    change: "Change",
    change_of: |whose| format!("Budget of {whose}"),
    save: "Save",
    of_limit: |count, limit| format!("{count} of {limit}"),
    notice: |percent, date| format!("{percent} on {date}"),
    waiting: "to be sent",
    sent: "sent",
    dead: "could not be sent",
    slept: "It was saved and sleeps because the budget is used up. An administrator can raise it.",
    saving: "Saving: budget used up",
    see_spend: "See the spend",
    refused: [
        "This month's budget is used up, or set aside for those that are awake.",
        "As many agents are awake as may be: put one to sleep.",
        "That size is not allowed.",
    ],
    whose: [
        "An administrator can raise it.",
        "It is your team's limit; an administrator can raise it.",
        "It is the whole fleet's limit; an administrator can raise it.",
    ],
};
