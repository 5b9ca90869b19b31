//! Who waits for a turn to be launched, here.

use std::collections::HashSet;
use std::sync::Mutex;

use domain::id::AgentId;

#[derive(Default)]
pub(crate) struct Waiting(Mutex<HashSet<AgentId>>);

/// One place among them, given up when dropped.
pub(super) struct Place<'a> {
    waiting: &'a Waiting,
    agent: AgentId,
}

impl Waiting {
    /// `None` for one that waits already.
    pub(super) fn enter(&self, agent: AgentId) -> Option<Place<'_>> {
        let new = self.0.lock().expect("no holder panics").insert(agent);
        new.then_some(Place { waiting: self, agent })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.0.lock().expect("no holder panics").remove(&self.agent);
    }
}
