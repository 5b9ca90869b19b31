//! ECS's task state changes, by EventBridge into an SQS queue.
//!
//! Messages come at least once and in any order: the rules refuse what is no
//! news. A message is deleted once it was handed on; one that can't be read is
//! left to the queue's redrive, which takes it to the dead letters. Should the
//! queue be lost, the comparison with the provider sees the same later.

mod message;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message};
use tokio::sync::mpsc;

use crate::mend::mend;
use crate::provider::ProviderEvent;

/// A long poll: an empty queue costs each reader three requests a minute.
const WAIT_SECS: i32 = 20;
/// Who waits for an answer reads nothing: a fleet that starts at once tells a
/// hundred things a second.
const READERS: usize = 3;
const BATCH: i32 = 10;
/// After a failure.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// A queue of ECS's events.
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    pub fn new(sdk: &SdkConfig, url: String) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(Duration::from_secs(u64::try_from(WAIT_SECS).unwrap_or(20) + 5))
            .build();
        let settings = aws_sdk_sqs::config::Builder::from(sdk)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(2));
        Self { client: Client::from_conf(settings.build()), url }
    }

    /// Whether it is there and may be read.
    ///
    /// # Errors
    /// What AWS said, for the operator.
    pub async fn check(&self) -> Result<(), String> {
        let asked = self.client.get_queue_attributes().queue_url(&self.url).send().await;
        asked.map(drop).map_err(|error| {
            format!("the queue {}: {}{}", self.url, DisplayErrorContext(&error), mend(error.code()))
        })
    }

    /// Hands on what comes, for ever; ends when nobody listens any more.
    pub async fn run(self, tell: mpsc::Sender<ProviderEvent>) {
        futures::future::join_all((0..READERS).map(|_| self.read(&tell))).await;
    }

    async fn read(&self, tell: &mpsc::Sender<ProviderEvent>) {
        let mut pause = PAUSE.0;
        loop {
            match self.receive().await {
                Ok(messages) => {
                    pause = PAUSE.0;
                    if self.hand_on(messages, tell).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::error!(
                        error,
                        "events can't be read; instances are compared with the ledger all the same"
                    );
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE.1);
                }
            }
        }
    }

    async fn receive(&self) -> Result<Vec<Message>, String> {
        let received = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .wait_time_seconds(WAIT_SECS)
            .max_number_of_messages(BATCH)
            .send()
            .await;
        let received =
            received.map_err(|error| format!("{}{}", DisplayErrorContext(&error), mend(error.code())))?;
        Ok(received.messages.unwrap_or_default())
    }

    async fn hand_on(
        &self,
        messages: Vec<Message>,
        tell: &mpsc::Sender<ProviderEvent>,
    ) -> Result<(), mpsc::error::SendError<ProviderEvent>> {
        let mut done = Vec::new();
        for (index, message) in messages.into_iter().enumerate() {
            match message::read(message.body().unwrap_or_default()) {
                Ok(events) => {
                    for event in events {
                        tell.send(event).await?;
                    }
                    let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
                    done.extend(entry.set_receipt_handle(message.receipt_handle).build().ok());
                }
                Err(error) => {
                    tracing::error!(%error, "an event can't be read and is left to the dead letters");
                }
            }
        }
        if !done.is_empty() {
            self.delete(done).await;
        }
        Ok(())
    }

    async fn delete(&self, done: Vec<DeleteMessageBatchRequestEntry>) {
        let deleted =
            self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(done)).send().await;
        let why = match deleted {
            Ok(outcome) => {
                outcome.failed.iter().map(|entry| entry.code.clone()).collect::<Vec<_>>().join(", ")
            }
            Err(error) => format!("{}{}", DisplayErrorContext(&error), mend(error.code())),
        };
        if !why.is_empty() {
            tracing::warn!(why, "events were not deleted and come again");
        }
    }
}
