//! The SDK's client: how long it waits, how often and after what it tries again.
//!
//! The SDK itself repeats what was throttled, timed out, was cut off or met a
//! 5xx, with exponential backoff and full jitter, as long as its budget of
//! retries lasts (so that an overload is not made worse). It does not look into
//! a cancelled transaction: [`Cancellations`] does. All tries of a transaction
//! carry one token, so that one that was done though its answer was lost is
//! not done again and is answered as done.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction, RetryConfig, RetryPartition};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;

use super::error::Cancelled;

/// Of one request, the retries included.
const TRIES: u32 = 8;
/// The longest first pause; it doubles from try to try, and each is drawn from
/// zero to that.
const BACKOFF: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// DynamoDB answers in some 10 ms; a try that takes so long is lost.
const TRY_MAX: Duration = Duration::from_secs(3);
const CONNECT_MAX: Duration = Duration::from_secs(1);
/// All tries together. Shorter than an agent is claimed for.
const REQUEST_MAX: Duration = Duration::from_secs(10);

pub(super) fn settings(sdk: &SdkConfig) -> Builder {
    let retries = RetryConfig::standard()
        .with_max_attempts(TRIES)
        .with_initial_backoff(BACKOFF)
        .with_max_backoff(BACKOFF_MAX);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_MAX)
        .operation_attempt_timeout(TRY_MAX)
        .operation_timeout(REQUEST_MAX)
        .build();
    Builder::from(sdk)
        .retry_config(retries)
        .timeout_config(timeouts)
        .retry_classifier(Cancellations)
        // A budget of its own: what fails elsewhere does not use it up.
        .retry_partition(RetryPartition::custom("ledger").build())
}

/// Which cancelled transactions, and writes in a transaction's way, are tried
/// again as they are.
#[derive(Debug)]
struct Cancellations;

impl ClassifyRetry for Cancellations {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let Some(error) = error.as_operation_error() else { return RetryAction::NoActionIndicated };
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.downcast_ref() {
            return match Cancelled::by(cancelled.cancellation_reasons()) {
                Cancelled::Contended => RetryAction::transient_error(),
                Cancelled::Throttled => RetryAction::throttling_error(),
                Cancelled::Condition(_) | Cancelled::Invalid(_) => RetryAction::NoActionIndicated,
            };
        }
        RetryAction::NoActionIndicated
    }

    fn name(&self) -> &'static str {
        "cancelled transactions"
    }
}
