//! The texts of letting people in and keeping them out.

use super::Lang;

/// They stand apart: they are for administrators alone.
pub struct AccessStrings {
    pub close: &'static str,
    pub open: &'static str,
    /// Beside the name of who is kept out.
    pub closed: &'static str,
    pub close_of: fn(name: &str) -> String,
    pub close_text: &'static str,
    pub is_closed: fn(name: &str) -> String,
    pub is_open: fn(name: &str) -> String,
    pub stays_open: &'static str,
    /// In the audit log: refusals that came before, and are told by their number.
    pub untold: fn(count: &str) -> String,
}

impl Lang {
    /// Its texts of people's access.
    pub const fn access(self) -> &'static AccessStrings {
        match self {
            Self::Es | Self::EsPoint => &ES,
            Self::En => &EN,
        }
    }
}

static ES: AccessStrings = AccessStrings {
    close: "Cerrar el acceso",
    open: "Abrir el acceso",
    closed: "acceso cerrado",
    close_of: |name| format!("Cerrar el acceso de {name}"),
    close_text: "Se cierra lo que tenga abierto, y nada suyo le deja entrar. Sus agentes se guardan y se duermen. \
                 Puedes volver a abrirlo cuando quieras.",
    is_closed: |name| format!("Acceso cerrado: {name}."),
    is_open: |name| format!("Acceso abierto: {name}."),
    stays_open: "Nadie cierra su propio acceso, ni el de la última persona que administra.",
    untold: |count| format!("y {count} veces más desde la anterior"),
};

static EN: AccessStrings = AccessStrings {
    close: "Close access",
    open: "Open access",
    closed: "access closed",
    close_of: |name| format!("Close the access of {name}"),
    close_text: "What they have open closes, and nothing of theirs lets them in. Their agents are saved and sleep. \
                 You can open it again whenever you want.",
    is_closed: |name| format!("Access closed: {name}."),
    is_open: |name| format!("Access open: {name}."),
    stays_open: "Nobody closes their own access, or that of the last administrator.",
    untold: |count| format!("and {count} more times since the one before"),
};
