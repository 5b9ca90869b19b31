//! The texts of an agent's journal, in its drawer.

use domain::journal::{Speaker, Weight};

use super::Lang;

pub struct JournalStrings {
    pub title: &'static str,
    pub lead: &'static str,
    pub none: &'static str,
    pub again: &'static str,
    /// Daemon, control plane.
    speakers: [&'static str; 2],
    /// Info, warning, error.
    weights: [&'static str; 3],
    pub simulated: &'static str,
    pub elsewhere: &'static str,
    pub group: &'static str,
    pub stream: &'static str,
    pub stream_unknown: &'static str,
    pub open: &'static str,
}

impl JournalStrings {
    pub fn speaker(&self, by: Speaker) -> &'static str {
        self.speakers[by as usize]
    }

    /// Nothing where it need not be said.
    pub fn weight(&self, weight: Weight) -> &'static str {
        self.weights[weight as usize]
    }
}

impl Lang {
    /// Its texts of a journal.
    pub const fn journal(self) -> &'static JournalStrings {
        match self {
            Self::Es | Self::EsPoint => &ES,
            Self::En => &EN,
        }
    }
}

static ES: JournalStrings = JournalStrings {
    title: "Registro",
    lead: "Lo último que dijeron de él el demonio de su máquina y esta consola, en inglés. Nada de lo que hay o se escribe dentro.",
    none: "No han dicho nada desde que esta consola empezó.",
    again: "Mirar otra vez",
    speakers: ["demonio", "consola"],
    weights: ["", "aviso", "error"],
    simulated: "Su máquina es simulada: no hay demonio que diga nada.",
    elsewhere: "Lo que dice su demonio lo guarda CloudWatch, para quien tenga acceso a la cuenta de AWS.",
    group: "Grupo",
    stream: "Flujo",
    stream_unknown: "ya no se sabe cuál era",
    open: "Verlo en AWS",
};

static EN: JournalStrings = JournalStrings {
    title: "Log",
    lead: "The latest that its machine's daemon and this console said of it. Nothing of what is or is written inside.",
    none: "They have said nothing since this console started.",
    again: "Look again",
    speakers: ["daemon", "console"],
    weights: ["", "warning", "error"],
    simulated: "Its machine is simulated: there is no daemon to say anything.",
    elsewhere: "What its daemon says is kept by CloudWatch, for whoever has access to the AWS account.",
    group: "Group",
    stream: "Stream",
    stream_unknown: "which it was is not known any more",
    open: "See it in AWS",
};
