//! From a lane to the target. Like EventBridge it tries again when the target
//! does not take an event, only not for 24 hours.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::time::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Tally;
use crate::client::post;
use crate::config::EventTarget;
use crate::shape::Epoch;

/// What `SendMessageBatch` takes at most.
const BATCH: usize = 10;
const TRIES: u32 = 6;
/// Doubled with each try: 1.5 s in all.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

pub(super) fn lanes(target: &EventTarget, count: u64, tally: &Arc<Tally>) -> Vec<UnboundedSender<Arc<str>>> {
    if *target == EventTarget::Nowhere {
        return Vec::new();
    }
    let lane = |_| {
        let (sender, inbox) = unbounded_channel();
        tokio::spawn(run(target.clone(), inbox, Arc::clone(tally)));
        sender
    };
    (0..count).map(lane).collect()
}

async fn run(target: EventTarget, mut inbox: UnboundedReceiver<Arc<str>>, tally: Arc<Tally>) {
    while let Some(first) = inbox.recv().await {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(next) = inbox.try_recv()
        {
            batch.push(next);
        }
        match &target {
            EventTarget::Nowhere => {}
            EventTarget::Queue { url } => count(&tally, batch.len(), send(url, &batch).await),
            EventTarget::Callback { url } => {
                for event in batch {
                    count(&tally, 1, persist(|| post(url, &[], event.to_string())).await);
                }
            }
        }
    }
}

fn count(tally: &Tally, events: usize, outcome: Result<(), String>) {
    let counter = match outcome {
        Ok(()) => &tally.delivered,
        Err(error) => {
            tracing::warn!(events, error, "the target does not take events");
            &tally.refused
        }
    };
    counter.fetch_add(events as u64, Ordering::Relaxed);
}

/// As one `SendMessageBatch`, which succeeds for all or is repeated for all.
async fn send(queue: &str, batch: &[Arc<str>]) -> Result<(), String> {
    let entries = batch.iter().enumerate();
    let entries: Vec<_> =
        entries.map(|(index, event)| json!({"Id": index.to_string(), "MessageBody": **event})).collect();
    let body = json!({"QueueUrl": queue, "Entries": entries}).to_string();
    let authorization = authorization(Epoch::now().0);
    let headers = [
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "AmazonSQS.SendMessageBatch"),
        ("authorization", &authorization),
    ];
    persist(|| async {
        let answer = post(queue, &headers, body.clone()).await?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        match answer["Failed"].as_array().map_or(&[][..], Vec::as_slice) {
            [] => Ok(()),
            failed => Err(format!("{failed:?}")),
        }
    })
    .await
}

async fn persist<T, F: Future<Output = Result<T, String>>>(
    mut attempt: impl FnMut() -> F,
) -> Result<(), String> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        if attempt().await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    attempt().await.map(drop)
}

/// Has the form of a signature, which is all that emulators look at.
fn authorization(now: Timestamp) -> String {
    let day = now.to_string()[..10].replace('-', "");
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIAECSFAKE/{day}/us-east-1/sqs/aws4_request, \
         SignedHeaders=content-type;host;x-amz-target, Signature={}",
        "0".repeat(64)
    )
}
