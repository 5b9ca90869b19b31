//! The one error that leaves the control plane.

use domain::lifecycle::Illegal;

use crate::provider::ProviderError;
use crate::store::StoreError;

/// What went wrong, for whoever asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such thing, or not the caller's: the two are not told apart.
    #[error("there is no such agent")]
    NotFound,
    /// Nobody goes by that name.
    #[error("there is no such person")]
    NoSuchPerson,
    /// Who asks is not known.
    #[error("sign in first")]
    Unauthenticated,
    /// Nobody goes by that name with that password: the two are not told apart.
    #[error("that is not the name and the password of anybody here")]
    WrongPassword,
    /// Too many tried to sign in by that name or from that address, or at once.
    #[error("too many tries: wait {secs} s")]
    SlowDown { secs: u64 },
    /// Somebody goes by that name, or was invited by it.
    #[error("somebody has that name, or an invitation by it")]
    NameTaken,
    /// Nobody keeps themselves out, and an administrator is left.
    #[error("nobody closes their own access, or that of the last administrator")]
    StaysOpen,
    /// The caller's role does not allow it.
    #[error("your role does not allow that")]
    Forbidden,
    /// The caller's words are out of range.
    #[error("{field}: {problem}")]
    Invalid { field: &'static str, problem: String },
    /// The agent's state does not allow it.
    #[error("{0}")]
    Illegal(Illegal),
    /// The agent is not running, so that nothing can be connected to.
    #[error("the agent is not running")]
    NotRunning,
    /// The caller has as many as one may have.
    #[error("there can be at most {most} {what}")]
    TooMany { what: &'static str, most: usize },
    /// The caller's budget or quota does not allow it; an administrator can raise it.
    #[error(transparent)]
    OverBudget(domain::budget::OverBudget),
    /// The agent works on something, and nobody said to end it regardless.
    #[error("the agent works on something")]
    AtWork,
    /// An operator drains the provider: nothing new is launched there.
    #[error("nothing new is launched here now: the provider is being drained")]
    Draining,
    /// The caller used this idempotency key for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Others wrote at the same time, again and again.
    #[error("too much is happening to this agent at once")]
    Contended,
    /// The ledger failed.
    #[error(transparent)]
    Store(StoreError),
    /// The provider failed.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The snapshots' repository failed.
    #[error("the repository failed: {0}")]
    Repository(String),
}

pub type Result<T> = std::result::Result<T, Error>;

/// Who can mend an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Caller,
    Operator,
    Provider,
}

impl Error {
    /// Who can mend it.
    pub fn whose(&self) -> Whose {
        match self {
            Self::Store(_) | Self::Repository(_) => Whose::Operator,
            Self::Provider(_) => Whose::Provider,
            _ => Whose::Caller,
        }
    }

    /// Whether the ledger's disk has no room.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Store(StoreError::Full))
    }

    /// Whether it says something of the agent that was asked for alone, and
    /// nothing of who asked or of the ledger.
    pub fn is_about_the_agent(&self) -> bool {
        matches!(
            self,
            Self::NotFound
                | Self::Illegal(_)
                | Self::NotRunning
                | Self::Contended
                | Self::AtWork
                | Self::Draining
                | Self::OverBudget(_)
        )
    }

    /// Whether the same request may succeed a moment later.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Contended | Self::SlowDown { .. } | Self::AtWork | Self::Illegal(Illegal::TooEarly) => true,
            Self::Store(error) => !matches!(error, StoreError::Failed(_)),
            Self::Provider(error) => error.retryable(),
            _ => false,
        }
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound | Self::NoSuchPerson => "not_found",
            Self::Unauthenticated => "unauthenticated",
            Self::WrongPassword => "wrong_password",
            Self::SlowDown { .. } => "slow_down",
            Self::NameTaken => "name_taken",
            Self::StaysOpen => "stays_open",
            Self::Forbidden => "forbidden",
            Self::Invalid { .. } => "invalid",
            Self::Illegal(Illegal::Gone) => "deleted",
            Self::Illegal(Illegal::TooEarly) => "too_early",
            Self::Illegal(_) => "not_now",
            Self::NotRunning => "not_running",
            Self::TooMany { .. } => "too_many",
            Self::OverBudget(_) => "over_budget",
            Self::AtWork => "at_work",
            Self::Draining => "draining",
            Self::KeyReused => "idempotency_key_reused",
            Self::Contended => "contended",
            Self::Store(StoreError::Full) => "disk_full",
            Self::Store(StoreError::Unavailable(_)) => "store_unavailable",
            Self::Store(_) => "store_failed",
            Self::Provider(_) => "provider_failed",
            Self::Repository(_) => "repository_failed",
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Contended,
            other => Self::Store(other),
        }
    }
}

impl From<Illegal> for Error {
    fn from(illegal: Illegal) -> Self {
        Self::Illegal(illegal)
    }
}
