//! One instance's life, from its launch to its end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::boot::{BootPhase, Mark};
use domain::id::{InstanceId, SnapshotId};
use domain::price::Purchase;
use domain::protocol::{EnrolRequest, Report, Secret, SnapshotCommit, Then, to_hex};
use domain::time::Timestamp;
use repository::{Kind, ObjectName};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Enrolment, House};
use crate::clock::Clock as _;
use crate::error::{Error, Result};
use crate::provider::{EventKind, Exit, Observed, ProviderEvent, State};
use crate::random;

/// Between Spot's notice and the end.
const NOTICE: Duration = Duration::from_secs(120);

pub(super) struct Life {
    pub instance: InstanceId,
    known: Mutex<Known>,
    /// Spot takes it back.
    notice: Notify,
    /// One save at a time.
    saving: tokio::sync::Mutex<()>,
    over: CancellationToken,
}

struct Known {
    since: Timestamp,
    told: Vec<(Timestamp, EventKind)>,
    stage: Stage,
    /// When it was last used otherwise than by habit.
    touched: Timestamp,
    snapshot: Option<SnapshotId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    Booting,
    Serving,
    Ended(Timestamp, Exit),
}

impl Life {
    pub fn launched(instance: InstanceId, at: Timestamp) -> Self {
        Self {
            instance,
            known: Mutex::new(Known {
                since: at,
                told: Vec::new(),
                stage: Stage::Booting,
                touched: at,
                snapshot: None,
            }),
            notice: Notify::new(),
            saving: tokio::sync::Mutex::new(()),
            over: CancellationToken::new(),
        }
    }

    pub fn serving(instance: InstanceId, ready: Timestamp) -> Self {
        let life = Self::launched(instance, ready);
        life.know(|known| known.stage = Stage::Serving);
        life
    }

    fn know<T>(&self, act: impl FnOnce(&mut Known) -> T) -> T {
        act(&mut self.known.lock().expect("no holder panics"))
    }

    pub fn stage(&self) -> Stage {
        self.know(|known| known.stage.clone())
    }

    pub fn told(&self) -> Vec<(Timestamp, EventKind)> {
        self.know(|known| known.told.clone())
    }

    pub fn observed(&self) -> Observed {
        self.know(|known| {
            let (state, since) = match &known.stage {
                Stage::Ended(at, exit) => (State::Exited(exit.clone()), *at),
                _ => (State::Running, known.since),
            };
            Observed { instance: self.instance, state, since, told: known.told.clone() }
        })
    }

    /// How long nobody has used it.
    pub fn unused_for(&self, house: &House) -> Duration {
        let now = house.clock.now();
        let touched = now.since(self.know(|known| known.touched));
        house.model.unused_for(self.instance.agent, now).map_or(touched, |unused| unused.min(touched))
    }

    pub fn touch(&self, house: &House) {
        let now = house.clock.now();
        self.know(|known| known.touched = now);
    }

    pub fn interrupt(&self) -> bool {
        let serves = self.stage() == Stage::Serving;
        if serves {
            self.notice.notify_one();
        }
        serves
    }

    /// Ends it; what has ended stays as it was.
    pub async fn end(&self, house: &House, exit: Exit) {
        let now = house.clock.now();
        let ends = self.know(|known| {
            let ends = !matches!(known.stage, Stage::Ended(..));
            if ends {
                known.stage = Stage::Ended(now, exit.clone());
            }
            ends
        });
        if ends {
            self.over.cancel();
            self.send(house, now, EventKind::Exited(exit)).await;
        }
    }

    /// Tells, and keeps it for whoever asks later.
    async fn tell(&self, house: &House, at: Timestamp, kind: EventKind) {
        self.know(|known| known.told.push((at, kind.clone())));
        self.send(house, at, kind).await;
    }

    async fn send(&self, house: &House, at: Timestamp, kind: EventKind) {
        // Nobody listens any more: the play is over.
        let _ = house.tell.send(ProviderEvent { instance: self.instance, kind, at }).await;
    }

    /// From the launch to the end.
    pub async fn boot(self: Arc<Self>, house: Arc<House>, enrolment: Enrolment) {
        let life = async {
            match self.come_up(&house, &enrolment).await {
                Ok(()) => self.serve(&house).await,
                Err(error) => {
                    tracing::info!(instance = %self.instance, %error, "{} did not boot", self.instance);
                    self.end(&house, Exit { code: Some(1), ..Exit::default() }).await;
                }
            }
        };
        self.while_both_last(&house, life).await;
    }

    /// From when it can be used to the end.
    pub async fn go_on(self: Arc<Self>, house: Arc<House>) {
        self.while_both_last(&house, self.serve(&house)).await;
    }

    async fn while_both_last(&self, house: &House, life: impl Future<Output = ()>) {
        house.over.run_until_cancelled(self.over.run_until_cancelled(life)).await;
    }

    async fn come_up(&self, house: &House, enrolment: &Enrolment) -> Result<()> {
        let boot = house.model.boot(self.instance);
        let placed = |phase, at| EventKind::Placed(vec![Mark { phase, at }]);
        let mut at = self.know(|known| known.since);
        let steps = [
            (boot.placing, BootPhase::Networking),
            (boot.networking, BootPhase::Pulling),
            (boot.pulling, BootPhase::Launching),
            (boot.launching, BootPhase::Enrolling),
        ];
        for (took, phase) in steps {
            at = at.after(took);
            house.clock.until(at).await;
            let kind = match phase {
                BootPhase::Pulling => EventKind::Billed(Purchase::Spot),
                phase => placed(phase, at),
            };
            self.tell(house, at, kind).await;
        }
        house.clock.until(at.after(boot.enrolling)).await;
        let link = house.link().await;
        let request = EnrolRequest {
            instance: self.instance,
            nonce: Secret::new(enrolment.expose().to_owned()),
            binding: random::secret(),
        };
        let snapshot = link.enrol(&request).await?.snapshot;
        self.know(|known| known.snapshot = snapshot);
        house.clock.until(house.clock.now().after(boot.hydrating)).await;
        link.report(self.instance, Report::Boot { phase: BootPhase::Starting }).await?;
        house.clock.until(house.clock.now().after(boot.starting)).await;
        let now = house.clock.now();
        self.know(|known| (known.stage, known.touched) = (Stage::Serving, now));
        link.report(self.instance, Report::Ready).await
    }

    /// Until Spot takes it back; being stopped cuts this off.
    async fn serve(&self, house: &House) {
        let until = house.clock.now().after(house.model.spot_after(self.instance));
        tokio::select! {
            () = house.clock.until(until) => {}
            () = self.notice.notified() => {}
        }
        let end = house.clock.now().after(NOTICE);
        self.tell(house, end, EventKind::Interrupted).await;
        // SIGTERM comes with the notice: all is saved, and it ends by itself.
        let _alone = self.saving.lock().await;
        match self.save(house, Then::Ends).await {
            Ok(()) => self.end(house, Exit { code: Some(0), ..Exit::default() }).await,
            Err(error) => {
                tracing::warn!(instance = %self.instance, %error, "{} could not save", self.instance);
                house.clock.until(end).await;
                self.end(house, Exit { signal: Some(9), ..Exit::default() }).await;
            }
        }
    }

    /// Saves because it is asked to; asking again while it saves changes nothing.
    pub async fn asked_to_save(&self, house: &House) {
        let Ok(_alone) = self.saving.try_lock() else { return };
        let saving = self.over.run_until_cancelled(self.save(house, Then::GoesOn)).await;
        if let Some(Err(error)) = saving {
            tracing::warn!(instance = %self.instance, %error, "{} could not save", self.instance);
        }
    }

    async fn save(&self, house: &House, then: Then) -> Result<()> {
        house.clock.until(house.clock.now().after(house.model.saving(self.instance))).await;
        let link = house.link().await;
        let content = format!("{}, played, at {}\n", self.instance, house.clock.now());
        let name = to_hex(&Sha256::digest(&content).into());
        let id: SnapshotId = name.parse().map_err(failed)?;
        let store = link.repository(self.instance.agent);
        let before = self.know(|known| known.snapshot.clone());
        // An object of that name has to be there for the commit: a line of text
        // stands for the state.
        let object: ObjectName = name.parse().map_err(failed)?;
        let (written, kept) = (Arc::clone(&store), object.clone());
        let write = move || written.write(Kind::Snapshot, &kept, &[content.into()]);
        tokio::task::spawn_blocking(write).await.map_err(failed)?.map_err(failed)?;
        let saved = house.model.saved(self.instance);
        let commit = SnapshotCommit {
            id: id.clone(),
            files: saved.files,
            bytes: saved.bytes,
            added_bytes: saved.added_bytes,
            then,
        };
        link.commit_snapshot(self.instance, commit).await?;
        self.know(|known| known.snapshot = Some(id));
        if let Some(before) = before.and_then(|id| id.as_str().parse().ok()).filter(|name| *name != object) {
            // Days pass in minutes: what is past is not kept.
            let _ = tokio::task::spawn_blocking(move || store.remove(Kind::Snapshot, &before)).await;
        }
        Ok(())
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Repository(error.to_string())
}
