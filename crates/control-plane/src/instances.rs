//! The control plane's words to an instance: small HTTP requests over whatever
//! stream the provider dials.

use std::sync::Arc;
use std::time::Duration;

use domain::id::InstanceId;
use domain::protocol::{Activity, IdleWarning, ShowOut, instance};
use domain::ticket::{Claims, Scope, TICKET_LIFE, Ticket, TicketSigner};
use domain::time::Timestamp;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use sha2::{Digest as _, Sha256};

use crate::provider::{Provider, ProviderError};
use crate::random;

/// How long an instance may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most that an answer may hold, in bytes.
const ANSWER_MAX: usize = 16 * 1024;

/// Why an instance gave no good answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    #[error(transparent)]
    Dial(#[from] ProviderError),
    #[error("no answer in {} s", PATIENCE.as_secs())]
    Late,
    #[error("it broke off: {0}")]
    Broken(String),
    #[error("it answered {0}")]
    Status(StatusCode),
}

/// Talks to instances.
pub struct Instances {
    provider: Arc<dyn Provider>,
    signer: Arc<TicketSigner>,
}

impl Instances {
    pub fn new(provider: Arc<dyn Provider>, signer: Arc<TicketSigner>) -> Self {
        Self { provider, signer }
    }

    /// How it is used.
    pub async fn activity(&self, id: InstanceId, now: Timestamp) -> Result<Activity, Unanswered> {
        let body = self.ask(id, Method::GET, instance::ACTIVITY, Bytes::new(), now).await?;
        serde_json::from_slice(&body).map_err(|error| Unanswered::Broken(error.to_string()))
    }

    /// Has it save, commit, and wait to be stopped.
    pub async fn save(&self, id: InstanceId, now: Timestamp) -> Result<(), Unanswered> {
        self.ask(id, Method::POST, instance::SAVE, Bytes::new(), now).await.map(drop)
    }

    /// Counts as use.
    pub async fn keep_awake(&self, id: InstanceId, now: Timestamp) -> Result<(), Unanswered> {
        self.ask(id, Method::POST, instance::KEEP_AWAKE, Bytes::new(), now).await.map(drop)
    }

    /// Tells its viewers when it will sleep.
    pub async fn warn(&self, id: InstanceId, warning: IdleWarning, now: Timestamp) -> Result<(), Unanswered> {
        let body = serde_json::to_vec(&warning).map_err(|error| Unanswered::Broken(error.to_string()))?;
        self.ask(id, Method::POST, instance::IDLE_WARNING, body.into(), now).await.map(drop)
    }

    /// Has the viewers go who came by a right that has ended.
    pub async fn show_out(&self, id: InstanceId, out: ShowOut, now: Timestamp) -> Result<(), Unanswered> {
        let body = serde_json::to_vec(&out).map_err(|error| Unanswered::Broken(error.to_string()))?;
        self.ask(id, Method::POST, instance::SHOW_OUT, body.into(), now).await.map(drop)
    }

    /// The nonce that one run enrols with. It is always the same, so that a
    /// launch that is repeated asks the provider for the same thing, and of two
    /// instances that a provider started for one run only one can enrol.
    pub fn nonce(&self, id: InstanceId) -> String {
        let secret = Sha256::digest(self.signer.secret_for(&format!("the enrolment of {id}")));
        secret.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn ticket(&self, id: InstanceId, now: Timestamp) -> Ticket {
        self.signer.sign(&Claims {
            scope: Scope::Control,
            instance: id,
            expires_at: now.after(TICKET_LIFE),
            nonce: random::bytes(),
        })
    }

    async fn ask(
        &self,
        id: InstanceId,
        method: Method,
        path: &str,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Bytes, Unanswered> {
        let ticket = self.ticket(id, now);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::HOST, "instance")
            .header(http::header::AUTHORIZATION, format!("Bearer {}", ticket.expose()))
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| Unanswered::Broken(error.to_string()))?;
        tokio::time::timeout(PATIENCE, self.exchange(id, request)).await.map_err(|_| Unanswered::Late)?
    }

    async fn exchange(&self, id: InstanceId, request: Request<Full<Bytes>>) -> Result<Bytes, Unanswered> {
        let broken = |error: hyper::Error| Unanswered::Broken(error.to_string());
        let stream = self.provider.dial(&id).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(broken);
        let outcome = match answer {
            Ok(answer) if answer.status().is_success() => Limited::new(answer.into_body(), ANSWER_MAX)
                .collect()
                .await
                .map(http_body_util::Collected::to_bytes)
                .map_err(|error| Unanswered::Broken(error.to_string())),
            Ok(answer) => Err(Unanswered::Status(answer.status())),
            Err(error) => Err(error),
        };
        // One request a connection: the stream is not needed any more.
        connection.abort();
        outcome
    }
}
