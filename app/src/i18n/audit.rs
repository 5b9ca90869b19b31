//! What an entry of the audit log says was done.

use domain::audit::{Act, Kind};
use domain::budget::{Budget, Subject};
use domain::name::Name;

use super::Lang;
use crate::components::spawn::size_name;

impl Lang {
    /// An act. One that has no words does not build.
    pub const fn kind(self, kind: Kind) -> &'static str {
        let [es, en] = words(kind);
        match self {
            Self::Es | Self::EsPoint => es,
            Self::En => en,
        }
    }

    /// Who or what it was done to, where that has a name.
    pub fn whom(self, act: &Act) -> Option<String> {
        match act {
            Act::SetBudget { of: Subject::Fleet, .. } => Some(self.budgets().fleet.to_owned()),
            Act::SetBudget { of: Subject::Team(team), .. } => {
                Some(format!("{} {team}", self.strings().people.team.to_lowercase()))
            }
            Act::DrainProvider { provider } | Act::UndrainProvider { provider } => {
                Some(self.provider(*provider).to_owned())
            }
            _ => act.person().map(ToString::to_string),
        }
    }

    /// What it says beyond that; `looker` is the name of who asked to look.
    pub fn detail(self, act: &Act, looker: Option<&Name>) -> String {
        let people = self.strings().people;
        match act {
            Act::ChangeRole { from, to, .. } => format!("{} → {}", people.role(*from), people.role(*to)),
            Act::ChangeTeam { from, to, .. } => {
                let word = |team: &Option<Name>| {
                    team.as_ref().map_or_else(|| people.no_team.to_owned(), ToString::to_string)
                };
                format!("{} → {}", word(from), word(to))
            }
            Act::AddPerson { role, .. } => people.role(*role).to_owned(),
            Act::Invite { role, team, .. } => {
                let role = people.role(*role).to_owned();
                team.as_ref().map_or(role.clone(), |team| format!("{role} · {team}"))
            }
            Act::SetBudget { budget, .. } => self.limits(budget),
            Act::LetLook { .. } | Act::DeclineLook { .. } | Act::EndLook { .. } => {
                looker.map(|name| self.looked_by(name)).unwrap_or_default()
            }
            _ => String::new(),
        }
    }

    fn looked_by(self, name: &Name) -> String {
        match self {
            Self::Es | Self::EsPoint => format!("lo pidió {name}"),
            Self::En => format!("{name} had asked"),
        }
    }

    /// A budget in a line.
    fn limits(self, budget: &Budget) -> String {
        let Budget { month, awake, sizes } = budget;
        let es = self.spoken() == Self::Es;
        let month = month.map(|most| {
            let most = self.money(most, 2);
            if es { format!("{most} al mes") } else { format!("{most} a month") }
        });
        let awake = awake.map(|most| {
            let most = self.count(most.into());
            if es { format!("{most} despiertos a la vez") } else { format!("{most} awake at once") }
        });
        let sizes = sizes.as_ref().map(|sizes| {
            let sizes: Vec<_> = sizes.iter().map(|size| size_name(*size, self.strings())).collect();
            sizes.join(", ")
        });
        let limits: Vec<String> = [month, awake, sizes].into_iter().flatten().collect();
        if limits.is_empty() { self.budgets().no_limit.to_owned() } else { limits.join(" · ") }
    }
}

/// In Spanish and in English.
const fn words(kind: Kind) -> [&'static str; 2] {
    match kind {
        Kind::AddPerson => ["Añadir a una persona", "Add a person"],
        Kind::ChangeRole => ["Cambiar un rol", "Change a role"],
        Kind::ChangeTeam => ["Cambiar de equipo", "Change a team"],
        Kind::SetBudget => ["Dar un presupuesto", "Give a budget"],
        Kind::Invite => ["Invitar", "Invite"],
        Kind::WithdrawInvitation => ["Retirar una invitación", "Withdraw an invitation"],
        Kind::EndSessions => ["Cerrar sesiones", "End sessions"],
        Kind::LinkPerson => ["Dar un enlace de entrada", "Give a sign-in link"],
        Kind::CloseAccess => ["Cerrar el acceso", "Close access"],
        Kind::OpenAccess => ["Abrir el acceso", "Open access"],
        Kind::AskToLook => ["Pedir mirar una terminal", "Ask to look into a terminal"],
        Kind::LetLook => ["Dejar mirar una terminal", "Let somebody look"],
        Kind::DeclineLook => ["No dejar mirar", "Decline a look"],
        Kind::EndLook => ["Dejar de mirar", "End a look"],
        Kind::WakeAgent => ["Despertar un agente", "Wake an agent"],
        Kind::PutAgentToSleep => ["Dormir un agente", "Put an agent to sleep"],
        Kind::StopAgent => ["Parar un agente", "Stop an agent"],
        Kind::DrainProvider => ["Vaciar un proveedor", "Drain a provider"],
        Kind::UndrainProvider => ["Reabrir un proveedor", "Open a provider again"],
        Kind::LookIntoAgent => ["Ver un agente", "See an agent"],
        Kind::SeeFleet => ["Ver la flota", "See the fleet"],
        Kind::SeeSpend => ["Ver el gasto de todos", "See everybody's spend"],
        Kind::SeeBudgets => ["Ver los presupuestos", "See budgets"],
        Kind::SeePeople => ["Ver personas", "See people"],
        Kind::ReadAudit => ["Leer la auditoría", "Read the audit log"],
    }
}

#[cfg(test)]
mod tests {
    use domain::agent::ProviderName;
    use domain::id::{AgentId, UserId};
    use domain::money::NanoDollars;
    use domain::size::Size;

    use super::*;

    #[test]
    fn acts_are_told_apart_by_their_words() {
        for lang in Lang::ALL {
            for (index, kind) in Kind::ALL.iter().enumerate() {
                let same = Kind::ALL.iter().position(|other| lang.kind(*other) == lang.kind(*kind));
                assert_eq!(same, Some(index), "{kind:?}");
            }
        }
    }

    #[test]
    fn a_budget_is_told_with_whom_it_is_for_and_what_it_limits() {
        let set = |of, budget| Act::SetBudget { of, name: None, budget };
        let all = set(
            Subject::Fleet,
            Budget {
                month: Some(NanoDollars(12_345_500_000_000)),
                awake: Some(3),
                sizes: Some(vec![Size::ALL[0]]),
            },
        );
        assert_eq!(Lang::Es.whom(&all).unwrap(), "Toda la flota");
        let small = Lang::Es.strings().sizes[0];
        assert_eq!(
            Lang::Es.detail(&all, None),
            format!("$12.345,50 al mes · 3 despiertos a la vez · {small}")
        );
        let none = set(Subject::Team("Datos".parse().unwrap()), Budget::default());
        assert_eq!(
            (Lang::En.whom(&none).unwrap(), Lang::En.detail(&none, None)),
            ("team Datos".to_owned(), "no limit".to_owned())
        );
        let drain = Act::DrainProvider { provider: ProviderName::Fargate };
        assert_eq!(Lang::EsPoint.whom(&drain).unwrap(), "AWS Fargate");
    }

    #[test]
    fn a_look_is_told_with_who_asked_for_it() {
        let end = Act::EndLook { agent: AgentId::from_random([0; 10]), by: UserId::from_random([0; 10]) };
        let ana = "Ana".parse().unwrap();
        assert_eq!(Lang::En.detail(&end, Some(&ana)), "Ana had asked");
        assert_eq!(Lang::Es.detail(&end, None), "");
    }
}
