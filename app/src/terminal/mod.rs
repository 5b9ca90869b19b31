//! The agent's terminals.

use leptos::prelude::*;

use crate::live::Live;

/// Terminals of an agent that runs.
#[component]
pub fn Terminals(agent: Live) -> impl IntoView {
    let _ = agent;
}
