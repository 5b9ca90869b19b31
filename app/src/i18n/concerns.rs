//! The texts of what concerns the reader wherever they are.

use domain::budget::{Subject, Told};

use super::Lang;

pub struct ConcernStrings {
    /// What the notices are called together.
    pub title: &'static str,
    own: fn(percent: &str, limit: &str) -> String,
    own_used_up: fn(limit: &str) -> String,
    team: fn(team: &str, percent: &str, limit: &str) -> String,
    team_used_up: fn(team: &str, limit: &str) -> String,
    fleet: fn(percent: &str, limit: &str) -> String,
    fleet_used_up: fn(limit: &str) -> String,
}

impl Lang {
    /// Its texts of what concerns the reader wherever they are.
    pub const fn concerns(self) -> &'static ConcernStrings {
        match self {
            Self::Es | Self::EsPoint => &ES,
            Self::En => &EN,
        }
    }

    /// How much of whose budget is used.
    pub fn budget_told(self, told: &Told) -> String {
        let t = self.concerns();
        let (percent, limit) = (&*self.percent(told.percent.into()), &*self.money(told.limit, 2));
        match (&told.of, told.percent >= 100) {
            (Subject::Person(_), false) => (t.own)(percent, limit),
            (Subject::Person(_), true) => (t.own_used_up)(limit),
            (Subject::Team(team), false) => (t.team)(team.as_str(), percent, limit),
            (Subject::Team(team), true) => (t.team_used_up)(team.as_str(), limit),
            (Subject::Fleet, false) => (t.fleet)(percent, limit),
            (Subject::Fleet, true) => (t.fleet_used_up)(limit),
        }
    }
}

static ES: ConcernStrings = ConcernStrings {
    title: "Avisos",
    own: |percent, limit| format!("Has usado el {percent} de tu presupuesto de este mes ({limit})."),
    own_used_up: |limit| {
        format!(
            "Has usado tu presupuesto de este mes ({limit}). Tus agentes se guardan y duermen; puede ampliarlo quien administra."
        )
    },
    team: |team, percent, limit| {
        format!("Tu equipo, {team}, ha usado el {percent} de su presupuesto de este mes ({limit}).")
    },
    team_used_up: |team, limit| {
        format!(
            "Tu equipo, {team}, ha usado su presupuesto de este mes ({limit}). Sus agentes se guardan y duermen; puede ampliarlo quien administra."
        )
    },
    fleet: |percent, limit| {
        format!("La flota ha usado el {percent} de su presupuesto de este mes ({limit}).")
    },
    fleet_used_up: |limit| {
        format!(
            "La flota ha usado su presupuesto de este mes ({limit}). Todos los agentes se guardan y duermen; puede ampliarlo quien administra."
        )
    },
};

static EN: ConcernStrings = ConcernStrings {
    title: "Notices",
    own: |percent, limit| format!("You have used {percent} of this month's budget ({limit})."),
    own_used_up: |limit| {
        format!(
            "You have used up this month's budget ({limit}). Your agents are saved and sleep; an administrator can raise it."
        )
    },
    team: |team, percent, limit| {
        format!("Your team, {team}, has used {percent} of its budget of this month ({limit}).")
    },
    team_used_up: |team, limit| {
        format!(
            "Your team, {team}, has used up its budget of this month ({limit}). Its agents are saved and sleep; an administrator can raise it."
        )
    },
    fleet: |percent, limit| format!("The fleet has used {percent} of its budget of this month ({limit})."),
    fleet_used_up: |limit| {
        format!(
            "The fleet has used up its budget of this month ({limit}). All agents are saved and sleep; an administrator can raise it."
        )
    },
};
