//! What ECS's refusals mean to whoever launches, and how to mend them.

use std::error::Error as _;

use aws_sdk_ecs::config::http::HttpResponse;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use domain::id::InstanceId;

use crate::mend::mend;
use crate::provider::ProviderError;

/// A refusal of a call, told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No room there now.
    NoCapacity(String),
    /// Slower.
    Throttled,
    /// The token launched something already, with other parameters.
    AlreadyLaunched,
    /// The operator mends it.
    Configuration(String),
    /// It may have been done or not.
    Unclear(String),
}

pub fn refusal<E>(error: &SdkError<E, HttpResponse>) -> Refusal
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let told = told(error);
    let Some(code) = error.code() else { return Refusal::Unclear(told) };
    match code {
        "ConflictException" => Refusal::AlreadyLaunched,
        "ThrottlingException" | "TooManyRequestsException" | "RequestLimitExceeded" => Refusal::Throttled,
        _ if is_quota(&told) => Refusal::NoCapacity(format!("{told}{QUOTA}")),
        _ if is_capacity(&told) => Refusal::NoCapacity(told),
        "ServerException" | "InternalFailure" | "ServiceUnavailable" => Refusal::Unclear(told),
        _ => Refusal::Configuration(told),
    }
}

/// Whether a reason means that another place, or a later time, may have room.
pub fn is_capacity(reason: &str) -> bool {
    reason.contains("Capacity is unavailable") || reason.starts_with("RESOURCE:")
}

/// The account may run no more at once; of the other purchase option it may.
fn is_quota(reason: &str) -> bool {
    reason.contains("limit on the number of vCPUs")
}

const QUOTA: &str = " (the account's quota is used up: raise it under Service Quotas, AWS Fargate, \
    L-36FBB829 for Spot and L-3032A538 for on demand)";

/// Any other call than a launch.
pub fn failed<E>(
    instance: Option<InstanceId>,
    doing: &'static str,
    error: SdkError<E, HttpResponse>,
) -> ProviderError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let what = instance.map_or_else(|| "the cluster".to_owned(), |id| id.to_string());
    let told = format!("{what}: {doing}: {}", told(&error));
    match refusal(&error) {
        Refusal::Configuration(_) => ProviderError::Unavailable(format!("{told}{}", mend(error.code()))),
        _ => ProviderError::Busy(told),
    }
}

fn told<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    if let (Some(code), message) = (error.code(), error.message()) {
        return format!("{code}: {}", message.unwrap_or_default());
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
