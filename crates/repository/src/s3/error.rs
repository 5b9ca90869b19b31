//! What S3's refusals mean here.

use std::error::Error;
use std::fmt::Write as _;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::object::ObjectError;

/// A refusal, told apart.
#[derive(Debug)]
pub enum Refused {
    NotThere,
    AlreadyThere,
    /// Damaged on its way: sent again, it may be whole.
    Damaged,
    Other(String),
}

impl Refused {
    pub fn into_object_error(self, key: &str) -> ObjectError {
        match self {
            Self::NotThere => ObjectError::NotFound(key.to_owned()),
            Self::AlreadyThere => ObjectError::Fenced,
            Self::Damaged => ObjectError::Failed(format!("the content of {key} is not what its name says")),
            Self::Other(why) => ObjectError::Failed(format!("{key}: {why}")),
        }
    }
}

pub fn refused<E>(error: SdkError<E, HttpResponse>) -> Refused
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let code = error.code().map(str::to_owned);
    let status = error.raw_response().map(|answer| answer.status().as_u16());
    match (code.as_deref(), status) {
        (Some("NoSuchKey" | "NotFound"), _) => Refused::NotThere,
        (Some("InvalidRange"), _) => Refused::NotThere,
        // A bucket that is missing is nothing that a key's absence could tell.
        (Some("NoSuchBucket"), _) => Refused::Other(format!("{}{}", told(&error), mend(code.as_deref()))),
        (Some("PreconditionFailed"), _) | (None, Some(412)) => Refused::AlreadyThere,
        (Some("BadDigest" | "XAmzContentChecksumMismatch" | "InvalidDigest"), _) => Refused::Damaged,
        // A HEAD has no body, so no code.
        (None, Some(404)) => Refused::NotThere,
        _ => Refused::Other(format!("{}{}", told(&error), mend(code.as_deref()))),
    }
}

/// For the operator: what to do about a refusal that no waiting mends.
fn mend(code: Option<&str>) -> &'static str {
    match code.unwrap_or_default() {
        "AccessDenied" => " (the role lacks a right to the bucket: compare it with docs/aws.md)",
        "InvalidAccessKeyId" => " (nobody has these credentials)",
        "ExpiredToken" => " (the credentials have expired: renew them)",
        "RequestTimeTooSkewed" | "SignatureDoesNotMatch" => " (is this machine's clock right?)",
        "NoSuchBucket" => " (is that the right bucket, and the right region?)",
        _ => "",
    }
}

/// The error with all that lies under it: the SDK's own words for the outermost
/// are «service error».
fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}
