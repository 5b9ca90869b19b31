//! The texts of the fleet's page that came after its first ones.

use std::time::Duration;

use domain::agent::ProviderName;
use domain::fleet::{State, Trouble};
use domain::tier::Level;

use super::Lang;

/// They stand apart: most people never see them.
pub struct FleetStrings {
    /// Stuck, interrupted, unsaved.
    troubles: [&'static str; 3],
    pub day: &'static str,
    pub stuck_for: fn(span: &str) -> String,
    /// Pending, provisioning, booting, saving, interrupted, deleting.
    why_stuck: [&'static str; 6],
    pub stuck_then: &'static str,
    pub unknown: &'static str,
    pub team: &'static str,
    pub boots: &'static str,
    pub boots_none: &'static str,
    pub boots_by_phase: &'static str,
    pub phase: &'static str,
    /// In the middle, and of the slowest five in a hundred.
    pub usual: &'static str,
    pub slow: &'static str,
    // Orders to many
    pub report: &'static str,
    pub undo: &'static str,
    pub sleep_hint: &'static str,
    pub stop_selected: &'static str,
    pub stop_hint: &'static str,
    pub stop_rest: fn(count: &str) -> String,
    pub failed_ones: fn(count: &str) -> String,
    // Draining a provider
    pub drain_dots: fn(provider: &str) -> String,
    pub drain_title: fn(provider: &str) -> String,
    pub drain_text: &'static str,
    pub drain: &'static str,
    pub draining: fn(provider: &str) -> String,
    pub draining_text: &'static str,
    pub undrain: &'static str,
    // The drawer
    pub began: &'static str,
    pub took: &'static str,
    pub snapshots: &'static str,
    pub no_snapshots: &'static str,
    pub when: &'static str,
    pub added: &'static str,
    pub older: &'static str,
}

impl FleetStrings {
    pub fn trouble(&self, trouble: Trouble) -> &'static str {
        self.troubles[trouble as usize]
    }

    /// Why one is still in a state that should have passed.
    pub fn why_stuck(&self, state: State) -> &'static str {
        match state {
            State::Pending => self.why_stuck[0],
            State::Provisioning => self.why_stuck[1],
            State::Booting => self.why_stuck[2],
            State::Saving => self.why_stuck[3],
            State::Interrupted => self.why_stuck[4],
            State::Deleting => self.why_stuck[5],
            State::Running | State::Asleep | State::Failed => "",
        }
    }
}

impl Lang {
    /// Its texts of the fleet's page.
    pub const fn fleet(self) -> &'static FleetStrings {
        match self {
            Self::Es | Self::EsPoint => &ES,
            Self::En => &EN,
        }
    }

    /// A provider, for people.
    pub const fn provider(self, name: ProviderName) -> &'static str {
        match (self, name) {
            (Self::Es | Self::EsPoint, ProviderName::Local) => "Esta máquina",
            (Self::En, ProviderName::Local) => "This machine",
            (_, ProviderName::Fargate) => "AWS Fargate",
            (_, ProviderName::Firecracker) => "Firecracker",
            (_, ProviderName::Fly) => "Fly.io",
            (Self::Es | Self::EsPoint, ProviderName::Simulated) => "Simulado",
            (Self::En, ProviderName::Simulated) => "Simulated",
        }
    }

    /// How far an instance's isolation goes, for people.
    pub const fn level(self, level: Level) -> &'static str {
        match (self, level) {
            (Self::Es | Self::EsPoint, Level::Open) => "ninguno",
            (Self::En, Level::Open) => "none",
            (Self::Es | Self::EsPoint, Level::Sandbox) => "básico",
            (Self::En, Level::Sandbox) => "basic",
            (Self::Es | Self::EsPoint, Level::Hardened) => "reforzado",
            (Self::En, Level::Hardened) => "hardened",
            (Self::Es | Self::EsPoint, Level::Machine) => "máquina propia",
            (Self::En, Level::Machine) => "own machine",
        }
    }

    /// How long nobody used it, in one unit: `12 s`, `4 min`, `3 h`, `9 d`.
    pub fn unused(self, span: Duration) -> String {
        match span.as_secs() {
            secs @ 0..60 => format!("{secs} s"),
            secs @ 60..3600 => format!("{} min", secs / 60),
            secs @ 3600..86_400 => format!("{} h", secs / 3600),
            secs => format!("{} d", self.count(secs / 86_400)),
        }
    }
}

static ES: FleetStrings = FleetStrings {
    troubles: ["Atascados", "Interrumpidos", "Sin guardar"],
    day: "24 h",
    stuck_for: |span| format!("atascado, {span}"),
    why_stuck: [
        "Espera turno en su proveedor, y no le llega.",
        "El proveedor aceptó su máquina y no ha dicho que arrancara.",
        "Su máquina arrancó, pero no llega a estar lista.",
        "Se está guardando y no termina. Hasta que se guarde no se apaga.",
        "El proveedor recuperaba su máquina y no ha dicho que acabara.",
        "Su máquina o lo que guardó no se dejan quitar.",
    ],
    stuck_then: "Se sigue intentando solo. Si no cambia, el motivo está en el registro del servidor.",
    unknown: "desconocido",
    team: "Equipo",
    boots: "Arranque",
    boots_none: "Ninguno en las últimas 24 horas.",
    boots_by_phase: "Los arranques de las últimas 24 horas, fase a fase",
    phase: "Fase",
    usual: "p50",
    slow: "p95",
    report: "Lo pedido",
    undo: "Deshacer",
    sleep_hint: "Guarda y apaga los que no trabajan en nada",
    stop_selected: "Pararlos",
    stop_hint: "Guarda y apaga todos, trabajen en lo que trabajen",
    stop_rest: |count| format!("Parar los que trabajan ({count})"),
    failed_ones: |count| format!("No pudieron: {count}"),
    drain_dots: |provider| format!("Vaciar «{provider}»…"),
    drain_title: |provider| format!("¿Vaciar «{provider}»?"),
    drain_text: "No se lanza nada nuevo, y los que están despiertos se guardan y se duermen. Los que trabajan en algo siguen hasta que los pares. Se puede deshacer.",
    drain: "Vaciar",
    draining: |provider| format!("«{provider}» se está vaciando."),
    draining_text: "No se lanza nada nuevo, desde",
    undrain: "Volver a abrirlo",
    began: "Empezó",
    took: "Duró",
    snapshots: "Lo guardado",
    no_snapshots: "En lo que se ve de su historia no hay ninguno.",
    when: "Cuándo",
    added: "Nuevo",
    older: "Lo anterior",
};

static EN: FleetStrings = FleetStrings {
    troubles: ["Stuck", "Interrupted", "Not saved"],
    day: "24 h",
    stuck_for: |span| format!("stuck, {span}"),
    why_stuck: [
        "It waits for its turn at its provider, which does not come.",
        "The provider took its machine on and has not said that it started.",
        "Its machine started, and does not get to be ready.",
        "It is being saved, and that does not end. Until it is saved it is not switched off.",
        "The provider was taking its machine back and has not said that it did.",
        "Its machine or what it saved can't be removed.",
    ],
    stuck_then: "It is tried again by itself. If nothing changes, the reason is in the server's log.",
    unknown: "unknown",
    team: "Team",
    boots: "Boot",
    boots_none: "None in the last 24 hours.",
    boots_by_phase: "The boots of the last 24 hours, phase by phase",
    phase: "Phase",
    usual: "p50",
    slow: "p95",
    report: "What was asked",
    undo: "Undo",
    sleep_hint: "Saves and switches off those that work on nothing",
    stop_selected: "Stop",
    stop_hint: "Saves and switches off all, whatever they work on",
    stop_rest: |count| format!("Stop those at work ({count})"),
    failed_ones: |count| format!("Could not: {count}"),
    drain_dots: |provider| format!("Drain “{provider}”…"),
    drain_title: |provider| format!("Drain “{provider}”?"),
    drain_text: "Nothing new is launched, and those that are awake are saved and sleep. Those that work on something go on until you stop them. It can be undone.",
    drain: "Drain",
    draining: |provider| format!("“{provider}” is being drained."),
    draining_text: "Nothing new is launched, since",
    undrain: "Open it again",
    began: "Began",
    took: "Took",
    snapshots: "What was saved",
    no_snapshots: "There is none in what is shown of its history.",
    when: "When",
    added: "New",
    older: "What came before",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_that_passes_has_a_reason_and_every_trouble_its_word() {
        let policy = domain::lifecycle::Policy::default();
        let states = [
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
        for lang in Lang::ALL {
            let told = states.map(|state| !lang.fleet().why_stuck(state).is_empty());
            assert_eq!(told, states.map(|state| state.patience(&policy).is_some()));
        }
        assert_eq!(Trouble::ALL.map(|trouble| EN.trouble(trouble)), ["Stuck", "Interrupted", "Not saved"]);
    }

    #[test]
    fn unused_is_told_in_one_unit() {
        let unused = |secs| Lang::Es.unused(Duration::from_secs(secs));
        assert_eq!([unused(12), unused(250), unused(7300), unused(90_000)], ["12 s", "4 min", "2 h", "1 d"]);
    }
}
