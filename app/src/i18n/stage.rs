//! The texts of a demonstration.

use super::Lang;

/// They stand apart: most consoles never show them.
pub struct StageStrings {
    /// What is shown: the fleet that is played, or this machine's.
    pub played: &'static str,
    pub real: &'static str,
    pub panel: &'static str,
    pub panel_lead: &'static str,
    pub show: &'static str,
    pub show_played: &'static str,
    pub show_real: &'static str,
    pub awake: &'static str,
    pub waking: &'static str,
    pub asleep: &'static str,
    pub failed: &'static str,
    pub an_hour: &'static str,
    pub this_month: &'static str,
    pub cues: &'static str,
    pub wake_one: &'static str,
    pub interrupt: &'static str,
    pub sleep_all: &'static str,
    pub burst: &'static str,
    pub spend_budget: &'static str,
    pub speed: &'static str,
    pub reset: &'static str,
    pub keys: &'static str,
    pub done: fn(agents: usize) -> String,
    pub see_it: &'static str,
    /// In the place of a terminal.
    pub played_title: &'static str,
    pub played_text: &'static str,
}

impl Lang {
    /// Its texts of a demonstration.
    pub const fn stage(self) -> &'static StageStrings {
        match self {
            Self::Es | Self::EsPoint => &ES,
            Self::En => &EN,
        }
    }
}

static ES: StageStrings = StageStrings {
    played: "flota simulada: nada de esto corre ni cuesta",
    real: "agentes de verdad, en esta máquina",
    panel: "Panel",
    panel_lead: "Lo que pulses aquí le pasa a la flota simulada. F9 lo muestra y lo esconde.",
    show: "Qué se ve",
    show_played: "La flota simulada",
    show_real: "Esta máquina",
    awake: "despiertos",
    waking: "despertando",
    asleep: "dormidos",
    failed: "caídos",
    an_hour: "por hora",
    this_month: "este mes",
    cues: "Que pase",
    wake_one: "Despierta uno",
    interrupt: "Interrumpe Spot",
    sleep_all: "Duerme la flota",
    burst: "Ráfaga de 100",
    spend_budget: "Agota tu presupuesto",
    speed: "Velocidad del reloj",
    reset: "Empezar de nuevo",
    keys: "Con el panel enfocado: 1 a 5 hacen que pase, + y − cambian la velocidad, 0 empieza de nuevo.",
    done: |agents| match agents {
        0 => "Ninguno estaba para eso.".to_owned(),
        1 => "Hecho: un agente.".to_owned(),
        agents => format!("Hecho: {agents} agentes."),
    },
    see_it: "Verlo",
    played_title: "Despierto, y simulado",
    played_text: "Nada corre dentro, así que no hay terminal. Las fases, la cuenta y el sueño van como en Fargate.",
};

static EN: StageStrings = StageStrings {
    played: "a simulated fleet: none of it runs or costs",
    real: "real agents, on this machine",
    panel: "Panel",
    panel_lead: "What you press here happens to the simulated fleet. F9 shows and hides it.",
    show: "What is shown",
    show_played: "The simulated fleet",
    show_real: "This machine",
    awake: "awake",
    waking: "waking",
    asleep: "asleep",
    failed: "fell over",
    an_hour: "an hour",
    this_month: "this month",
    cues: "Have it happen",
    wake_one: "Wake one",
    interrupt: "Spot interrupts",
    sleep_all: "The fleet sleeps",
    burst: "A burst of 100",
    spend_budget: "Use up your budget",
    speed: "Speed of the clock",
    reset: "Begin anew",
    keys: "With the panel in focus: 1 to 5 have it happen, + and − change the speed, 0 begins anew.",
    done: |agents| match agents {
        0 => "None was fit for that.".to_owned(),
        1 => "Done: one agent.".to_owned(),
        agents => format!("Done: {agents} agents."),
    },
    see_it: "See it",
    played_title: "Awake, and simulated",
    played_text: "Nothing runs in it, so there is no terminal. Phases, bill and sleep go as on Fargate.",
};
