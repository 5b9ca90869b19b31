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
use aws_sdk_sqs::types::Message;
use tokio::sync::mpsc;

use crate::provider::ProviderEvent;

/// A long poll: an empty queue costs three requests a minute.
const WAIT_SECS: i32 = 20;
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
            format!("the queue {}: {}", self.url, aws_sdk_sqs::error::DisplayErrorContext(error))
        })
    }

    /// Hands on what comes, for ever; ends when nobody listens any more.
    pub async fn run(self, tell: mpsc::Sender<ProviderEvent>) {
        let mut pause = PAUSE.0;
        loop {
            match self.receive().await {
                Ok(messages) => {
                    pause = PAUSE.0;
                    for message in messages {
                        if self.hand_on(&message, &tell).await.is_err() {
                            return;
                        }
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
            received.map_err(|error| aws_sdk_sqs::error::DisplayErrorContext(error).to_string())?;
        Ok(received.messages.unwrap_or_default())
    }

    async fn hand_on(
        &self,
        message: &Message,
        tell: &mpsc::Sender<ProviderEvent>,
    ) -> Result<(), mpsc::error::SendError<ProviderEvent>> {
        let events = match message::read(message.body().unwrap_or_default()) {
            Ok(events) => events,
            Err(error) => {
                tracing::error!(%error, "an event can't be read and is left to the dead letters");
                return Ok(());
            }
        };
        for event in events {
            tell.send(event).await?;
        }
        let receipt = message.receipt_handle().unwrap_or_default();
        let deleted = self.client.delete_message().queue_url(&self.url).receipt_handle(receipt).send().await;
        if let Err(error) = deleted {
            let error = aws_sdk_sqs::error::DisplayErrorContext(error).to_string();
            tracing::warn!(error, "an event was not deleted and comes again");
        }
        Ok(())
    }
}
