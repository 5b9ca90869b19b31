//! What went wrong, in the reader's words.

use crate::error::{AppError, ErrorCode};
use crate::i18n::Strings;

/// A sentence for the reader.
pub fn words(error: &AppError, t: &Strings) -> String {
    let detail = error.detail.as_deref();
    let words = match error.code {
        ErrorCode::Unauthenticated => t.error_unauthenticated,
        ErrorCode::NotFound => t.error_not_found,
        ErrorCode::Forbidden => t.error_forbidden,
        ErrorCode::NoSuchPerson => t.error_no_such_person,
        ErrorCode::InvalidName => t.error_invalid_name,
        ErrorCode::Invalid => t.error_invalid,
        ErrorCode::NotNow => t.error_not_now,
        ErrorCode::NotRunning => t.error_not_running,
        ErrorCode::TooMany => return (t.error_too_many)(detail.unwrap_or_default()),
        ErrorCode::OverBudget => t.error_over_budget,
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
