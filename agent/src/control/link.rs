//! Enrolling, reporting, committing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::protocol::{
    BucketKeys, EnrolReply, EnrolRequest, Report, Secret, SnapshotCommit, control, to_hex,
};
use http::{Method, StatusCode};
use serde::Serialize;

use super::client::{Ask, Client, Failure, PATIENCE};
use crate::config::Config;
use crate::gate::random;

/// How long a control plane that is away or not ready is waited for.
const ENROL_PATIENCE: Duration = Duration::from_secs(120);
const ANSWER_MAX: usize = 64 * 1024;

/// Why an instance could not enrol.
#[derive(Debug, thiserror::Error)]
#[error("not enrolled: {0}")]
pub struct EnrolError(#[from] Failure);

/// Proves who this is and gets what it needs. Keeps trying while the control
/// plane is away; a refusal is final.
pub async fn enrol(client: &Arc<Client>, config: &Config) -> Result<(EnrolReply, Link), EnrolError> {
    let request = EnrolRequest {
        instance: config.instance,
        nonce: config.nonce.clone(),
        // One for all tries: should an answer be lost, the next try is known.
        binding: Secret::new(to_hex(&random())),
    };
    let ask = post(control::ENROL, None, &request)?;
    let answer = client.ask(&ask, ENROL_PATIENCE).await?;
    let reply: EnrolReply =
        serde_json::from_slice(&answer).map_err(|error| Failure::Senseless(error.to_string()))?;
    let link = Link { client: Arc::clone(client), token: reply.token.clone() };
    Ok((reply, link))
}

/// Speaks to the control plane as this instance.
#[derive(Clone)]
pub struct Link {
    client: Arc<Client>,
    token: Secret,
}

impl Link {
    /// Tells something.
    pub async fn report(&self, report: &Report) -> Result<(), Failure> {
        self.post(control::REPORT, report).await
    }

    /// Has a snapshot committed, whose data is in the repository.
    ///
    /// # Errors
    /// [`Failure::Refused`] with 409 when this run is over.
    pub async fn commit(&self, commit: &SnapshotCommit) -> Result<(), Failure> {
        self.post(control::SNAPSHOTS, commit).await
    }

    /// New keys of the instance's part of the bucket.
    pub(super) async fn bucket_keys(&self) -> Result<BucketKeys, Failure> {
        let answer = self.client.ask(&post(control::BUCKET_KEYS, Some(&self.token), &())?, PATIENCE).await?;
        serde_json::from_slice(&answer).map_err(|error| Failure::Senseless(error.to_string()))
    }

    pub(super) async fn ask(&self, mut ask: Ask) -> Result<Bytes, Failure> {
        ask.token = Some(self.token.expose().to_owned());
        self.client.ask(&ask, PATIENCE).await
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> Result<(), Failure> {
        let ask = post(path, Some(&self.token), body)?;
        self.client.ask(&ask, PATIENCE).await.map(drop)
    }
}

/// Whether the answer means that another run of the agent goes on instead.
pub fn is_over(failure: &Failure) -> bool {
    failure.status() == Some(StatusCode::CONFLICT)
}

fn post(path: &str, token: Option<&Secret>, body: &impl Serialize) -> Result<Ask, Failure> {
    let body = serde_json::to_vec(body).map_err(|error| Failure::Senseless(error.to_string()))?;
    Ok(Ask {
        method: Method::POST,
        path: path.to_owned(),
        token: token.map(|token| token.expose().to_owned()),
        range: None,
        body: vec![body.into()],
        answer_max: ANSWER_MAX,
    })
}
