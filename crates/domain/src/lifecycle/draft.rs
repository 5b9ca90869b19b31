//! A transition in the making. Every change of phase and of meter goes through
//! here, so that segments, events and deadlines can't be forgotten.

use crate::agent::{Agent, Failure, Instance, Intent, Loss, Phase, Save};
use crate::boot::{BootPhase, Timeline};
use crate::event::{Event, What};
use crate::time::Timestamp;

use super::{SegmentChange, Transition};

pub(super) struct Draft {
    pub agent: Agent,
    pub at: Timestamp,
    /// When the instance ended, if the provider said so.
    pub ended_at: Option<Timestamp>,
    from_version: u64,
    from_due_at: Option<Timestamp>,
    from_awake: bool,
    events: Vec<Event>,
    segment: Option<SegmentChange>,
}

impl Draft {
    pub fn of(agent: &Agent, at: Timestamp) -> Self {
        Self {
            agent: agent.clone(),
            at,
            ended_at: None,
            from_version: agent.version,
            from_due_at: agent.due_at,
            from_awake: agent.version > 0 && agent.is_awake(),
            events: Vec::new(),
            segment: None,
        }
    }

    pub fn finish(mut self) -> Transition {
        self.agent.version = self.from_version + 1;
        Transition {
            from_version: self.from_version,
            from_due_at: self.from_due_at,
            from_awake: self.from_awake,
            agent: self.agent,
            events: self.events,
            segment: self.segment,
        }
    }

    pub fn tell(&mut self, what: What) {
        self.agent.last_event += 1;
        self.events.push(Event {
            agent: self.agent.id,
            seq: self.agent.last_event,
            generation: self.agent.generation,
            at: self.at,
            what,
        });
    }

    pub fn due(&mut self, at: Timestamp) {
        self.agent.due_at = Some(at);
    }

    pub fn due_now(&mut self) {
        self.agent.due_at = Some(self.at);
    }

    /// Enters a phase that needs no further look until something is seen.
    pub fn enter(&mut self, phase: Phase) {
        self.agent.phase = phase;
        self.agent.phase_since = self.at;
        self.agent.sleeps_at = None;
        self.agent.busy = None;
        self.agent.due_at = None;
    }

    /// The next generation, to be launched.
    pub fn boot(&mut self) {
        self.agent.generation = self.agent.generation.next();
        self.agent.intent = Intent::Awake;
        self.agent.boot = Timeline::asked(self.at);
        self.agent.moving = false;
        self.agent.over_budget = false;
        self.enter(Phase::Pending);
        self.due_now();
        self.tell(What::Boot { phase: BootPhase::Queued });
    }

    /// Records a boot phase; a phase reached before changes nothing.
    pub fn reach(&mut self, phase: BootPhase) -> bool {
        self.reach_at(phase, self.at)
    }

    /// The same, with the provider's instant; never one that is still to come.
    pub fn reach_at(&mut self, phase: BootPhase, at: Timestamp) -> bool {
        let news = self.agent.boot.reach(phase, at.min(self.at));
        if news {
            self.tell(What::Boot { phase });
        }
        news
    }

    /// The meter starts.
    pub fn open(&mut self, instance: Instance) {
        self.agent.tier = None;
        self.agent.instance = Some(instance);
        self.agent.metered = self.agent.generation;
        self.segment = self.agent.open_segment().map(SegmentChange::Opened);
    }

    /// The meter stops, if it runs. What was not saved by now is lost.
    pub fn close(&mut self) {
        if let Some(mut segment) = self.agent.open_segment() {
            let ended_at = self.ended_at.unwrap_or(self.at).min(self.at).max(segment.started_at);
            self.lose(ended_at);
            segment.ended_at = Some(ended_at);
            self.agent.settled = self.agent.settled.with(&segment);
            self.agent.tier = self.agent.instance.take().map(|instance| instance.tier);
            self.segment = Some(SegmentChange::Closed(segment));
        }
    }

    fn lose(&mut self, until: Timestamp) {
        // What never was ready changed nothing.
        let ready = self.agent.boot.marks().iter().find(|mark| mark.phase == BootPhase::Ready);
        let saved = self.save() == Save::Done || self.agent.phase == Phase::Deleting;
        let (Some(ready), false) = (ready, saved) else { return };
        let since = self.agent.snapshot.as_ref().map_or(ready.at, |saved| saved.at.max(ready.at));
        let bytes = self.agent.instance.as_ref().and_then(|instance| instance.unsaved);
        let loss = Loss { since: since.min(until), until, bytes };
        self.agent.loss = Some(loss.clone());
        self.tell(What::Lost { loss });
    }

    /// Failed. An instance that is still there is due to be stopped; whoever
    /// wants the agent awake again has to say so.
    pub fn fail(&mut self, failure: Failure) {
        self.agent.intent = Intent::Asleep;
        self.enter(Phase::Failed { failure: failure.clone() });
        if self.agent.instance.is_some() {
            self.due_now();
        }
        self.tell(What::Failed { failure });
    }

    pub fn fall_asleep(&mut self) {
        self.agent.intent = Intent::Asleep;
        self.enter(Phase::Asleep);
        self.tell(What::Asleep);
    }

    /// How far saving has come; without an instance there is nothing to save.
    pub fn save(&self) -> Save {
        self.agent.instance.as_ref().map_or(Save::Done, |instance| instance.save)
    }

    /// It answered, so it is not silent.
    pub fn heard(&mut self) -> bool {
        self.agent.instance.as_mut().is_some_and(|instance| instance.silent_since.take().is_some())
    }

    pub fn set_save(&mut self, save: Save) {
        if let Some(instance) = &mut self.agent.instance {
            instance.save = save;
        }
    }
}
