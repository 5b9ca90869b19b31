//! Faults that a test asks for: the next calls of an operation go wrong.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::api::Operation;
use crate::error::Refusal;

/// How a call goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 400 `ThrottlingException`.
    Throttling,
    /// 400 `AccessDeniedException`: the role may not.
    AccessDenied,
    /// 500 `ServerException`.
    Server,
    /// 503 without a body that says anything.
    Unavailable,
    /// 400 `ExpiredTokenException`: credentials that ended.
    ExpiredToken,
    /// 400 `InvalidSignatureException`: the caller's clock is wrong.
    ClockSkew,
    /// 400 `UnrecognizedClientException`: no such credentials.
    UnrecognizedClient,
    /// The connection is cut and nothing was done.
    Cut,
    /// It was done, and the connection is cut before the answer.
    DoneAndCut,
    /// It was done, and the answer is 500 `ServerException`.
    DoneAndServer,
    /// It is done and answered after so many milliseconds.
    Slow(u64),
    /// Any other error.
    Error { kind: String, status: u16, message: String },
}

/// What becomes of one call.
pub(crate) enum Effect {
    /// Refused with an answer; nothing is done.
    Refuse(Refusal),
    Unavailable,
    Cut,
    DoneAndCut,
    DoneAndRefuse(Refusal),
    Slow(std::time::Duration),
}

impl Fault {
    pub(crate) fn effect(self, operation: Operation) -> Effect {
        let refuse = |kind: &str, message: &str| Effect::Refuse(Refusal::client(kind, message));
        let failed = || Refusal::server("Service Unavailable. Please try again later.");
        match self {
            Self::Throttling => Effect::Refuse(Refusal::throttled()),
            Self::AccessDenied => {
                let message = format!("User is not authorized to perform: ecs:{operation:?}");
                Effect::Refuse(Refusal::client("AccessDeniedException", message))
            }
            Self::Server => Effect::Refuse(failed()),
            Self::Unavailable => Effect::Unavailable,
            Self::ExpiredToken => {
                refuse("ExpiredTokenException", "The security token included in the request is expired")
            }
            Self::ClockSkew => {
                refuse("InvalidSignatureException", "Signature expired: it is now earlier than its start")
            }
            Self::UnrecognizedClient => refuse(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            ),
            Self::Cut => Effect::Cut,
            Self::DoneAndCut => Effect::DoneAndCut,
            Self::DoneAndServer => Effect::DoneAndRefuse(failed()),
            Self::Slow(ms) => Effect::Slow(std::time::Duration::from_millis(ms)),
            Self::Error { kind, status, message } => {
                Effect::Refuse(Refusal { status, ..Refusal::client(&kind, message) })
            }
        }
    }
}

/// The faults that are still to come, in their order.
#[derive(Default)]
pub(crate) struct Faults(HashMap<Operation, Vec<(Fault, u32)>>);

impl Faults {
    pub fn add(&mut self, operation: Operation, fault: Fault, times: u32) {
        self.0.entry(operation).or_default().push((fault, times));
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault of the next call, if it has one.
    pub fn next(&mut self, operation: Operation) -> Option<Fault> {
        let queue = self.0.get_mut(&operation)?;
        queue.retain(|(_, times)| *times > 0);
        let (fault, times) = queue.first_mut()?;
        *times -= 1;
        Some(fault.clone())
    }
}
