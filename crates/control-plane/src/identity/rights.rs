//! Who may do what beside seeing to their own agents: one table.

use domain::role::Role;

/// Something that takes a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Looking at everybody's agents.
    SeeFleet,
    /// Waking everybody's agents and putting them to sleep.
    ManageFleet,
    /// Inviting people, and giving them roles, teams and budgets.
    ManagePeople,
    ReadAudit,
    /// Asking people to be let look into their terminals.
    LookIntoTerminals,
}

impl Right {
    pub const ALL: [Self; 5] =
        [Self::SeeFleet, Self::ManageFleet, Self::ManagePeople, Self::ReadAudit, Self::LookIntoTerminals];

    /// Whether that role has it.
    pub const fn is_of(self, role: Role) -> bool {
        match self {
            Self::SeeFleet => matches!(role, Role::Viewer | Role::Operator | Role::Admin),
            Self::ManageFleet => matches!(role, Role::Operator | Role::Admin),
            Self::ManagePeople | Self::ReadAudit | Self::LookIntoTerminals => matches!(role, Role::Admin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_the_table_says() {
        const TABLE: [(Role, &str); 4] = [
            //                    see, manage the fleet, people, audit, look
            (Role::User, "no no no no no"),
            (Role::Viewer, "yes no no no no"),
            (Role::Operator, "yes yes no no no"),
            (Role::Admin, "yes yes yes yes yes"),
        ];
        for (role, expected) in TABLE {
            let rights = Right::ALL.map(|right| if right.is_of(role) { "yes" } else { "no" });
            assert_eq!(rights.join(" "), expected, "{role}");
        }
        assert_eq!(TABLE.map(|(role, _)| role), Role::ALL);
    }
}
