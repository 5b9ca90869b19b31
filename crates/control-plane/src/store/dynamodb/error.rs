//! DynamoDB's errors told apart: what somebody else's write refused, what comes
//! right by itself, and what an operator has to mend.

use std::error::Error;

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::CancellationReason;

use crate::mend::mend;
use crate::store::{Result, StoreError};

const CONDITION: &str = "ConditionalCheckFailedException";

/// Errors that say «not now», of requests and of transactions' parts.
const THROTTLED: [&str; 5] = [
    "ProvisionedThroughputExceededException",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "ThrottlingException",
    "ThrottlingError",
];
/// Others write to the same item at this moment.
const CONTENDED: [&str; 3] =
    ["TransactionConflictException", "TransactionConflict", "TransactionInProgressException"];
/// DynamoDB's own trouble, where the status does not say it.
const TROUBLED: [&str; 2] = ["InternalServerError", "ServiceUnavailable"];

/// Why a transaction was cancelled, in the order of what is said first: a
/// condition that does not hold is an answer, whatever else was in the way.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cancelled {
    /// The condition of this part, the first in the transaction's order.
    Condition(usize),
    /// A part can never be written as it is.
    Invalid(String),
    Contended,
    Throttled,
}

impl Cancelled {
    pub fn by(reasons: &[CancellationReason]) -> Self {
        let coded = |reason: &CancellationReason| reason.code().unwrap_or("None").to_owned();
        let codes: Vec<String> = reasons.iter().map(coded).collect();
        if let Some(part) = codes.iter().position(|code| code == "ConditionalCheckFailed") {
            return Self::Condition(part);
        }
        let known = |code: &str| code == "None" || CONTENDED.contains(&code) || THROTTLED.contains(&code);
        if let Some(part) = codes.iter().position(|code| !known(code)) {
            let message = reasons[part].message().unwrap_or_default();
            return Self::Invalid(format!("{}: {message}", codes[part]));
        }
        if codes.iter().any(|code| THROTTLED.contains(&code.as_str())) {
            return Self::Throttled;
        }
        Self::Contended
    }
}

/// What came of a conditional write: `None` when its condition does not hold.
pub(super) fn unless_refused<T, E, R>(outcome: std::result::Result<T, SdkError<E, R>>) -> Result<Option<T>>
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    match outcome {
        Ok(done) => Ok(Some(done)),
        Err(error) if code(&error) == Some(CONDITION) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// An error that is no answer, after all the tries that the client makes.
pub(super) fn failed<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let said = |error: &SdkError<E, R>| match error.as_service_error().and_then(|error| error.message()) {
        Some(message) => format!("{}: {message}", code(error).unwrap_or("DynamoDB")),
        None => DisplayErrorContext(error).to_string(),
    };
    match &error {
        // Nobody knows whether it was done. That is why every write can be repeated.
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => StoreError::Unavailable(said(&error)),
        SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
            StoreError::Unavailable(said(&error))
        }
        SdkError::ServiceError(_) => match code(&error) {
            Some(code) if CONTENDED.contains(&code) => StoreError::Conflict,
            Some(code) if THROTTLED.contains(&code) || TROUBLED.contains(&code) => {
                StoreError::Unavailable(said(&error))
            }
            // A balancer's or a proxy's word, not DynamoDB's.
            None => StoreError::Unavailable(said(&error)),
            code => StoreError::Failed(format!("{}{}", said(&error), mend(code))),
        },
        _ => StoreError::Failed(said(&error)),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::put_item::PutItemError;
    use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
    use aws_sdk_dynamodb::types::error::{
        ConditionalCheckFailedException, InternalServerError, ProvisionedThroughputExceededException,
        TransactionConflictException,
    };

    use super::*;

    type Outcome = std::result::Result<(), SdkError<PutItemError, ()>>;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        let reason = |code: &&str| CancellationReason::builder().code(*code).message("why").build();
        codes.iter().map(reason).collect()
    }

    #[test]
    fn a_condition_is_the_answer_whatever_else_was_in_the_way() {
        for codes in [
            &["None", "ConditionalCheckFailed"][..],
            &["TransactionConflict", "ConditionalCheckFailed"],
            &["ThrottlingError", "ConditionalCheckFailed", "ConditionalCheckFailed"],
            &["ValidationError", "ConditionalCheckFailed"],
        ] {
            assert_eq!(Cancelled::by(&reasons(codes)), Cancelled::Condition(1), "{codes:?}");
        }
    }

    #[test]
    fn what_can_never_be_written_is_not_tried_again() {
        for code in ["ValidationError", "ItemCollectionSizeLimitExceeded", "DuplicateItem", "SomethingNew"] {
            let cancelled = Cancelled::by(&reasons(&["ThrottlingError", code]));
            assert_eq!(cancelled, Cancelled::Invalid(format!("{code}: why")));
        }
    }

    #[test]
    fn collisions_and_throttles_are_told_apart() {
        assert_eq!(Cancelled::by(&reasons(&["None", "TransactionConflict"])), Cancelled::Contended);
        for code in ["ThrottlingError", "ProvisionedThroughputExceeded"] {
            assert_eq!(Cancelled::by(&reasons(&["TransactionConflict", code])), Cancelled::Throttled);
        }
        // DynamoDB does not always say why.
        assert_eq!(Cancelled::by(&[]), Cancelled::Contended);
    }

    /// What DynamoDB's word came to.
    fn refused(error: PutItemError) -> Result<Option<()>> {
        unless_refused(Outcome::Err(SdkError::service_error(error, ())))
    }

    fn coded(code: &str) -> ErrorMetadata {
        ErrorMetadata::builder().code(code).message("why").build()
    }

    #[test]
    fn a_refused_condition_is_no_error() {
        let meta = coded("ConditionalCheckFailedException");
        let condition = ConditionalCheckFailedException::builder().meta(meta).build();
        let outcome = refused(PutItemError::ConditionalCheckFailedException(condition));
        assert!(matches!(outcome, Ok(None)));
        assert!(matches!(unless_refused(Outcome::Ok(())), Ok(Some(()))));
    }

    #[test]
    fn what_may_come_right_by_itself_is_unavailable() {
        let throttled = ProvisionedThroughputExceededException::builder();
        let throttled = throttled.meta(coded("ProvisionedThroughputExceededException")).build();
        let internal = InternalServerError::builder().meta(coded("InternalServerError")).build();
        let nowhere = || Box::new(io::Error::from(io::ErrorKind::ConnectionReset));
        for outcome in [
            refused(PutItemError::ProvisionedThroughputExceededException(throttled)),
            refused(PutItemError::InternalServerError(internal)),
            refused(PutItemError::generic(coded("ThrottlingException"))),
            refused(PutItemError::generic(ErrorMetadata::builder().build())),
            unless_refused(Outcome::Err(SdkError::timeout_error(nowhere()))),
            unless_refused(Outcome::Err(SdkError::response_error(nowhere(), ()))),
        ] {
            assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
        }
    }

    #[test]
    fn a_collision_is_a_conflict() {
        let collision = TransactionConflictException::builder();
        let collision = collision.meta(coded("TransactionConflictException")).build();
        let outcome = refused(PutItemError::TransactionConflictException(collision));
        assert!(matches!(outcome, Err(StoreError::Conflict)));
    }

    #[test]
    fn what_an_operator_must_mend_says_so_in_dynamodbs_words() {
        for code in ["ResourceNotFoundException", "AccessDeniedException", "ExpiredTokenException"] {
            let error = SdkError::service_error(TransactWriteItemsError::generic(coded(code)), ());
            match failed(error) {
                StoreError::Failed(told) => assert!(told.starts_with(&format!("{code}: why (")), "{told}"),
                other => panic!("{code}: {other:?}"),
            }
        }
        let unbuilt: Outcome = Err(SdkError::construction_failure("no region"));
        assert!(
            matches!(unless_refused(unbuilt), Err(StoreError::Failed(told)) if told.contains("no region"))
        );
    }
}
