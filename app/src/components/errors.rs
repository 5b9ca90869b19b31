//! What went wrong, in the reader's words.

use crate::error::{AppError, ErrorCode};
use crate::i18n::Strings;

/// A sentence for the reader.
pub fn words(error: &AppError, t: &Strings) -> String {
    let (detail, p) = (error.detail.as_deref(), t.people);
    let words = match error.code {
        ErrorCode::Unauthenticated => t.error_unauthenticated,
        ErrorCode::WrongPassword => p.error_wrong_password,
        ErrorCode::InvalidPassword => p.error_invalid_password,
        ErrorCode::SlowDown => return (p.error_slow_down)(detail.unwrap_or_default()),
        ErrorCode::NameTaken => p.error_name_taken,
        ErrorCode::NotFound => t.error_not_found,
        ErrorCode::Forbidden => t.error_forbidden,
        ErrorCode::StaysOpen => t.lang.access().stays_open,
        ErrorCode::NoSuchPerson => t.error_no_such_person,
        ErrorCode::InvalidName => t.error_invalid_name,
        ErrorCode::Invalid => t.error_invalid,
        ErrorCode::NotNow => t.error_not_now,
        ErrorCode::NotRunning => t.error_not_running,
        ErrorCode::TooMany => return (t.error_too_many)(detail.unwrap_or_default()),
        ErrorCode::OverBudget => {
            let refusal = detail.and_then(|detail| t.lang.budgets().refusal(detail));
            return refusal.unwrap_or_else(|| t.error_over_budget.to_owned());
        }
        ErrorCode::Contended => t.error_contended,
        ErrorCode::AtWork => t.error_at_work,
        ErrorCode::Draining => t.error_draining,
        ErrorCode::DiskFull => t.error_disk_full,
        ErrorCode::Server => t.error_server,
        ErrorCode::Offline => t.error_offline,
    };
    match detail {
        Some(request) => format!("{words} ({})", (t.request_number)(request)),
        None => words.to_owned(),
    }
}
