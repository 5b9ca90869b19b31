//! An agent's state in a word.

use domain::agent::Phase;
use domain::view::AgentView;
use leptos::prelude::*;

use super::icon::changing_icon;
use crate::i18n::{Strings, use_strings};
use crate::live::Live;

/// The word of the API, as `data-state` has it.
pub fn word(view: &AgentView) -> &'static str {
    match view.phase {
        Phase::Pending => "pending",
        Phase::Provisioning => "provisioning",
        Phase::Booting => "booting",
        Phase::Running => "running",
        Phase::Saving => "saving",
        Phase::Asleep => "asleep",
        Phase::Interrupted { .. } => "interrupted",
        Phase::Failed { .. } => "failed",
        Phase::Deleting | Phase::Deleted => "deleting",
    }
}

fn name(state: &str, t: &'static Strings) -> &'static str {
    match state {
        "pending" => t.pending,
        "provisioning" => t.provisioning,
        "booting" => t.booting,
        "running" => t.running,
        "saving" => t.saving,
        "asleep" => t.asleep,
        "interrupted" => t.interrupted,
        "failed" => t.failed,
        _ => t.deleting,
    }
}

fn symbol(state: &str) -> &'static str {
    match state {
        "pending" | "provisioning" | "booting" => "dawn",
        "running" => "cup",
        "saving" => "save",
        "asleep" => "moon",
        "interrupted" => "refresh",
        "failed" => "alert",
        _ => "trash",
    }
}

/// A state by its word.
#[component]
pub fn StateWord(state: Memo<&'static str>) -> impl IntoView {
    let t = use_strings();
    view! {
        <span class="state" data-state=move || state.get()>
            {changing_icon(move || symbol(state.get()))}
            {move || name(state.get(), t)}
        </span>
    }
    .into_any()
}

/// The state of an agent.
#[component]
pub fn State(agent: Live) -> impl IntoView {
    view! { <StateWord state=agent.memo(word) /> }.into_any()
}
