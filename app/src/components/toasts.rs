//! Short notes at the page's foot, read out when they come.

use std::time::Duration;

use leptos::prelude::*;

/// How long a note stays.
const STAYS: Duration = Duration::from_secs(6);

/// Where notes are said.
#[derive(Clone, Copy)]
pub struct Toaster {
    notes: RwSignal<Vec<(u32, String)>>,
    last: StoredValue<u32>,
}

/// Gives a place for notes to all that is below.
pub fn provide_toasts() {
    provide_context(Toaster { notes: RwSignal::new(Vec::new()), last: StoredValue::new(0) });
}

impl Toaster {
    /// Says it, and takes it away after a while.
    pub fn say(self, text: String) {
        let id = self.last.get_value().wrapping_add(1);
        self.last.set_value(id);
        self.notes.update(|notes| notes.push((id, text)));
        let gone = move || {
            self.notes.try_update(|notes| notes.retain(|note| note.0 != id));
        };
        set_timeout(gone, STAYS);
    }
}

/// The notes.
#[component]
pub fn Toasts() -> impl IntoView {
    let Toaster { notes, .. } = expect_context();
    view! {
        <div class="toasts" role="status">
            <For each=move || notes.get() key=|note| note.0 let:note>
                <div class="toast">{note.1}</div>
            </For>
        </div>
    }
    .into_any()
}
