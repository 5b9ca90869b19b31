//! The one error that a page sees. Its code is translated; nothing of the
//! machine's inside is in it.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// What went wrong, as a word that pages translate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// No session, or one that ended.
    Unauthenticated,
    /// Not the name and the password of anybody.
    WrongPassword,
    /// A password that is too short or too long.
    InvalidPassword,
    /// Too many tries; the detail is for how many seconds to wait.
    SlowDown,
    /// Somebody has that name, or an invitation by it.
    NameTaken,
    /// No such thing, or another's.
    NotFound,
    /// The caller's role does not allow it.
    Forbidden,
    /// The access of the caller, or of the last administrator.
    StaysOpen,
    /// Nobody goes by that name.
    NoSuchPerson,
    /// A name that cannot be one.
    InvalidName,
    /// Another value out of range.
    Invalid,
    /// The agent's state does not allow it.
    NotNow,
    /// Nothing runs that could be connected to.
    NotRunning,
    /// As many as one may have.
    TooMany,
    /// More than a budget or quota allows.
    OverBudget,
    /// It works on something.
    AtWork,
    /// Nothing new is launched where it would run.
    Draining,
    /// Others change it at the same time.
    Contended,
    /// The machine's disk is full.
    DiskFull,
    /// The server's fault; the detail names the request in its log.
    Server,
    /// The server was not reached.
    Offline,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppError {
    pub code: ErrorCode,
    /// What an operator finds it by in the log; or the most there may be.
    pub detail: Option<String>,
}

impl AppError {
    pub fn new(code: ErrorCode) -> Self {
        Self { code, detail: None }
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::new(match error {
            ServerFnErrorErr::Request(_) => ErrorCode::Offline,
            // What a browser of ours never sends.
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                #[cfg(feature = "ssr")]
                crate::api::refused_arguments();
                ErrorCode::Invalid
            }
            _ => ErrorCode::Server,
        })
    }
}
