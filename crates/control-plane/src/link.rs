//! What instances ask of the control plane. Each request proves which run of
//! which agent it comes from; a run that is over is refused.

use std::sync::Arc;
use std::time::Duration;

use domain::agent::{Agent, Failure, Snapshot};
use domain::id::{AgentId, InstanceId};
use domain::lifecycle::{Illegal, Observation, Seen};
use domain::protocol::{
    BucketKeys, Certificate, EnrolReply, EnrolRequest, Report, Secret, SnapshotCommit, Then, to_hex,
};
use domain::ticket::{Claims, Scope, TicketSigner, TicketVerifier};
use repository::{Kind, ObjectName, ObjectStore};

use crate::error::{Error, Result};
use crate::ledger::{Ledger, settled};
use crate::live::Heard;
use crate::orchestrator::Orchestrator;
use crate::random;
use crate::snapshots::Repositories;
use crate::store::Hash;

/// An instance's token ends with its generation; this is only the last bound.
const TOKEN_LIFE: Duration = Duration::from_secs(366 * 24 * 3600);
/// How long an enrolment waits for the word that the instance was launched,
/// which it may outrun.
const LAUNCH_WORD: Duration = Duration::from_secs(5);

/// The instances' counter.
pub struct Link {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) orchestrator: Arc<Orchestrator>,
    pub(crate) signer: Arc<TicketSigner>,
    pub(crate) verifier: TicketVerifier,
    pub(crate) repositories: Arc<Repositories>,
    pub(crate) origins: Vec<String>,
    pub(crate) certificate: Option<Certificate>,
}

impl Link {
    /// Spends the nonce and gives the instance what it needs.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for a nonce that is unknown, expired, spent
    /// by another, or of another instance; [`Error::Illegal`] when that run is
    /// over.
    pub async fn enrol(&self, request: &EnrolRequest) -> Result<EnrolReply> {
        let now = self.ledger.now();
        let nonce = Hash::of(request.nonce.expose().as_bytes());
        let binding = Hash::of(request.binding.expose().as_bytes());
        let instance = self.ledger.store.spend_enrolment(nonce, binding, now).await?;
        let instance = instance.filter(|id| *id == request.instance).ok_or(Error::Unauthenticated)?;
        let agent = self.enrolled(instance).await?;
        if let Err(error) = self.repositories.sweep(agent.id).await {
            tracing::warn!(agent = %agent.id, %error, "agent {}: half-written objects were not removed", agent.id);
        }
        let claims = Claims {
            scope: Scope::Instance,
            instance,
            expires_at: now.after(TOKEN_LIFE),
            nonce: random::bytes(),
        };
        Ok(EnrolReply {
            token: Secret::new(self.signer.sign(&claims).expose().to_owned()),
            ticket_key: to_hex(&self.signer.public_key()),
            repository_key: Secret::new(to_hex(self.repositories.key(agent.id).as_bytes())),
            objects: self.repositories.objects(agent.id),
            snapshot: agent.snapshot.map(|snapshot| snapshot.id),
            save_every: u32::try_from(self.ledger.policy.save_every.as_secs()).unwrap_or(u32::MAX),
            origins: self.origins.clone(),
            certificate: self.certificate.clone(),
        })
    }

    async fn enrolled(&self, instance: InstanceId) -> Result<Agent> {
        let mut listener = self.ledger.hub.listen();
        let deadline = tokio::time::Instant::now() + LAUNCH_WORD;
        loop {
            match settled(self.ledger.saw(instance, Seen::Enrolled).await) {
                Ok(Some(agent)) => return Ok(agent),
                Ok(None) => return self.ledger.agent(instance.agent).await,
                Err(Error::Illegal(Illegal::TooEarly)) => {}
                Err(error) => return Err(error),
            }
            let told = async {
                // Each other agent's change would be a look of each that waits.
                while let Some(Heard::Changed(change)) = listener.next().await
                    && change.agent != instance.agent
                {}
            };
            if tokio::time::timeout_at(deadline, told).await.is_err() {
                break;
            }
        }
        // The word is late or lost, and the instance is there: it is asked for.
        self.orchestrator.ask_of(instance).await?;
        match settled(self.ledger.saw(instance, Seen::Enrolled).await)? {
            Some(agent) => Ok(agent),
            None => self.ledger.agent(instance.agent).await,
        }
    }

    /// Which instance a token is of.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for what is no token of ours,
    /// [`Error::Illegal`] with `Stale` when that run is over.
    pub async fn authenticate(&self, token: &str) -> Result<InstanceId> {
        let claims = self.verifier.claims(token, self.ledger.now()).map_err(|_| Error::Unauthenticated)?;
        let instance = claims.instance;
        claims.check(instance, Scope::Instance).map_err(|_| Error::Unauthenticated)?;
        let agent = match self.ledger.agent(instance.agent).await {
            Err(Error::NotFound) => return Err(Error::Unauthenticated),
            // That the ledger is away says nothing of the token.
            outcome => outcome?,
        };
        if agent.instance_id() == instance && agent.instance.is_some() {
            Ok(instance)
        } else {
            Err(Error::Illegal(Illegal::Stale))
        }
    }

    /// Takes an instance's report.
    pub async fn report(&self, instance: InstanceId, report: Report) -> Result<()> {
        let seen = match report {
            Report::Boot { phase } => Seen::BootReached { phase },
            Report::Ready => Seen::Ready,
            Report::BootFailed { reason, detail } => {
                Seen::BootFailed { failure: Failure::new(reason, &detail) }
            }
            Report::InUse => {
                settled(self.ledger.observe(instance.agent, Observation::KeptAwake).await)?;
                return Ok(());
            }
            Report::Unsaved { bytes } => Seen::Unsaved { bytes },
            Report::SaveFailed { mut message } => {
                truncate(&mut message, Failure::DETAIL_MAX);
                Seen::SaveFailed { message }
            }
        };
        settled(self.ledger.saw(instance, seen).await)?;
        Ok(())
    }

    /// Commits a snapshot, if its data is there.
    pub async fn commit_snapshot(&self, instance: InstanceId, commit: SnapshotCommit) -> Result<()> {
        let store = self.repository(instance.agent);
        let name: ObjectName = commit.id.as_str().parse().map_err(|_| Error::NotFound)?;
        let failed = |error: &dyn std::fmt::Display| Error::Repository(error.to_string());
        let there = tokio::task::spawn_blocking(move || store.contains(Kind::Snapshot, &name))
            .await
            .map_err(|error| failed(&error))?
            .map_err(|error| failed(&error))?;
        if !there {
            return Err(Error::Invalid { field: "id", problem: "no such snapshot was saved".to_owned() });
        }
        let snapshot = Snapshot {
            id: commit.id,
            generation: instance.generation,
            at: self.ledger.now(),
            files: commit.files,
            bytes: commit.bytes,
            added_bytes: commit.added_bytes,
        };
        let seen = match commit.then {
            Then::GoesOn => Seen::SnapshotCommitted { snapshot },
            Then::Ends => Seen::SavedToEnd { snapshot },
        };
        settled(self.ledger.saw(instance, seen).await)?;
        Ok(())
    }

    /// The repository of an agent whose instance was authenticated.
    pub fn repository(&self, agent: AgentId) -> Arc<dyn ObjectStore> {
        self.repositories.of(agent)
    }

    /// Keys of an instance's part of the bucket.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no bucket.
    pub async fn bucket_keys(&self, instance: InstanceId) -> Result<BucketKeys> {
        self.repositories.keys(instance).await
    }

    /// Whether an instance may remove an object: a snapshot's entry that was
    /// never committed, as a save that failed half-way leaves it.
    pub async fn may_remove(&self, instance: InstanceId, kind: Kind, name: &ObjectName) -> Result<bool> {
        let agent = self.ledger.agent(instance.agent).await?;
        let committed = agent.snapshot.is_some_and(|snapshot| snapshot.id.as_str() == name.as_str());
        Ok(kind == Kind::Snapshot && !committed)
    }
}

fn truncate(text: &mut String, most: usize) {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}
