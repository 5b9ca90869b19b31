//! Notices on their way to an operator's endpoint: a POST each, at least once,
//! in order of nothing. One that nobody takes is tried a few times within some
//! three hours, then given up, and shown as such.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use domain::budget::{Account, Delivery, Subject};
use domain::protocol::Secret;
use http::{Request, Uri, header};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;

use super::all;
use crate::error::Result;
use crate::ledger::Ledger;
use crate::store::StoreError;

/// How often it is looked what is to be sent.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// For an endpoint to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where notices are sent.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `https://…`, or `http://…` within one's own network.
    pub url: Uri,
    /// Sent as a bearer token, so that the endpoint knows who tells it.
    pub secret: Option<Secret>,
}

/// What is sent.
#[derive(Serialize)]
struct Letter<'a> {
    event: &'static str,
    /// `fleet`, `team` or `person`.
    of: &'static str,
    /// The team's or person's.
    name: Option<String>,
    month: String,
    percent: u8,
    /// Dollars, exact, as text.
    limit_usd: String,
    at: &'a str,
}

/// Sends notices.
pub struct Courier {
    ledger: Arc<Ledger>,
    endpoint: Endpoint,
    /// For the endpoint to answer.
    patience: Duration,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Courier {
    /// # Errors
    /// The system has no root certificates.
    pub(crate) fn new(ledger: Arc<Ledger>, endpoint: Endpoint) -> std::io::Result<Self> {
        let connector =
            HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { ledger, endpoint, patience: PATIENCE, client })
    }

    /// Goes on until it is dropped.
    pub(crate) async fn run(self) {
        loop {
            if let Err(error) = self.round().await {
                tracing::error!(%error, "the ledger did not tell what notices are to be sent");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Sends what is due.
    async fn round(&self) -> Result<()> {
        for account in all(&*self.ledger.store).await? {
            for index in 0..account.notices.len() {
                self.carry(&account.of, index).await?;
            }
        }
        Ok(())
    }

    /// Sends one notice, if it is due and nobody else does.
    async fn carry(&self, of: &Subject, index: usize) -> Result<()> {
        let Some(mut account) = self.ledger.store.account(of).await? else { return Ok(()) };
        let Some(notice) = account.notices.get_mut(index) else { return Ok(()) };
        let claimed = notice.delivery.as_ref().and_then(|delivery| delivery.claimed(self.ledger.now()));
        let Some(claimed) = claimed else { return Ok(()) };
        notice.delivery = Some(claimed.clone());
        let (at, percent) = (notice.at, notice.percent);
        match self.ledger.store.put_account(&account).await {
            Ok(()) => {}
            Err(StoreError::Conflict) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let outcome = self.send(&account, index).await;
        if let Err(why) = &outcome {
            tracing::warn!(%of, %why, "a notice of {of} was not taken");
        }
        let delivery = claimed.tried(outcome, self.ledger.now());
        if let Delivery::Dead { why, .. } = &delivery {
            tracing::error!(%of, %why, "a notice of {of} was given up");
        }
        // Whoever else changed the account meanwhile did not touch this notice: it is claimed.
        for _ in 0..super::TRIES {
            let Some(mut account) = self.ledger.store.account(of).await? else { return Ok(()) };
            let same = |notice: &&mut domain::budget::Notice| (notice.at, notice.percent) == (at, percent);
            let Some(notice) = account.notices.iter_mut().find(same) else { return Ok(()) };
            notice.delivery = Some(delivery.clone());
            match self.ledger.store.put_account(&account).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Its claim runs out, and it is sent again: at least once.
        Ok(())
    }

    async fn send(&self, account: &Account, index: usize) -> std::result::Result<(), String> {
        let notice = &account.notices[index];
        let (of, name) = match &account.of {
            Subject::Fleet => ("fleet", None),
            Subject::Team(team) => ("team", Some(team.to_string())),
            Subject::Person(id) => {
                let user = self.ledger.store.user(*id).await.map_err(|error| error.to_string())?;
                ("person", user.map(|user| user.name.to_string()))
            }
        };
        let at = notice.at.to_string();
        let letter = Letter {
            event: "budget",
            of,
            name,
            month: notice.month.to_string(),
            percent: notice.percent,
            limit_usd: notice.limit.to_decimal(9),
            at: &at,
        };
        let body = serde_json::to_vec(&letter).map_err(|error| error.to_string())?;
        let key = format!("{}/{}/{}/{}", account.of, notice.month, notice.percent, notice.limit);
        let mut request =
            Request::post(self.endpoint.url.clone()).header(header::CONTENT_TYPE, "application/json").header(
                "idempotency-key",
                domain::protocol::to_hex(&<sha2::Sha256 as sha2::Digest>::digest(key).into()),
            );
        if let Some(secret) = &self.endpoint.secret {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", secret.expose()));
        }
        let request = request.body(Full::from(body)).map_err(|error| error.to_string())?;
        let answer = tokio::time::timeout(self.patience, self.client.request(request)).await;
        let answer = answer.map_err(|_| format!("no answer within {} s", self.patience.as_secs()))?;
        match answer.map_err(|error| error.to_string())?.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("it answered {status}")),
        }
    }
}
