//! The session behind a request, and errors on their way out. Server only.

use std::net::IpAddr;
use std::sync::Arc;

use control_plane::budgets::Budgets;
use control_plane::spend::Spend;
use control_plane::{Error, Fleet, Identity, Principal, Result, Whose};
use domain::budget::{Limit, OverBudget, Subject};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;

use crate::error::{AppError, ErrorCode};

/// The cookie that holds a session's secret.
const SESSION: &str = "session";

/// Whose request that is, by its session cookie.
///
/// # Errors
/// [`Error::Unauthenticated`] without a session that lives.
pub async fn session(identity: &Identity, headers: &HeaderMap) -> Result<Principal> {
    identity.session(cookie(headers, SESSION).ok_or(Error::Unauthenticated)?).await
}

/// The HTTP status of an error: the one mapping, of pages and of the API.
pub fn status(error: &Error) -> StatusCode {
    match error {
        Error::NotFound | Error::NoSuchPerson => StatusCode::NOT_FOUND,
        Error::Forbidden => StatusCode::FORBIDDEN,
        Error::Unauthenticated | Error::WrongPassword => StatusCode::UNAUTHORIZED,
        Error::SlowDown { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Illegal(_)
        | Error::StaysOpen
        | Error::NotRunning
        | Error::TooMany { .. }
        | Error::OverBudget(_)
        | Error::KeyReused
        | Error::NameTaken
        | Error::AtWork
        | Error::Contended => StatusCode::CONFLICT,
        // It passes, though not at once.
        Error::Draining => StatusCode::SERVICE_UNAVAILABLE,
        Error::Store(_) if error.is_disk_full() => StatusCode::INSUFFICIENT_STORAGE,
        Error::Store(_) | Error::Provider(_) | Error::Repository(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// A short random name of a request, by which the log and the caller speak of it.
pub fn request_id() -> String {
    // A system without randomness still has a log with times in it.
    getrandom::u32().map_or_else(|_| "none".to_owned(), |id| format!("{id:08x}"))
}

/// A cookie of the request that is being answered.
pub fn request_cookie(name: &str) -> Option<String> {
    use_context::<Parts>().and_then(|parts| cookie(&parts.headers, name).map(str::to_owned))
}

/// A header of the request that is being answered.
pub fn request_header(name: header::HeaderName) -> Option<String> {
    use_context::<Parts>().and_then(|parts| Some(parts.headers.get(name)?.to_str().ok()?.to_owned()))
}

/// What the browser that asks says it is.
pub(super) fn user_agent() -> String {
    request_header(header::USER_AGENT).unwrap_or_default()
}

/// The address that a request came from, where it is known; whoever serves
/// pages puts it among the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Address(pub IpAddr);

pub(super) fn address() -> Option<IpAddr> {
    use_context::<Parts>().and_then(|parts| parts.extensions.get().map(|Address(address)| *address))
}

/// How the console is reached by the page that asks.
pub(super) fn request_origin() -> String {
    request_header(header::ORIGIN).unwrap_or_default()
}

pub(super) fn fleet() -> Arc<Fleet> {
    expect_context()
}

/// Where terminals may be besides the console, as a page's policy names it;
/// nothing when they may not.
pub fn direct_source() -> String {
    let fleet = use_context::<Arc<Fleet>>();
    fleet.and_then(|fleet| fleet.direct_source()).unwrap_or_default()
}

pub(super) fn spend() -> Arc<Spend> {
    expect_context()
}

pub(super) fn budgets() -> Arc<Budgets> {
    expect_context()
}

pub(super) fn identity() -> Arc<Identity> {
    expect_context()
}

/// Who asks.
pub(super) async fn principal() -> std::result::Result<Principal, AppError> {
    // Taken before the first await: contexts belong to the task's owner.
    let (identity, parts) = (identity(), use_context::<Parts>());
    let parts = parts.ok_or_else(|| refuse(Error::Unauthenticated))?;
    session(&identity, &parts.headers).await.map_err(refuse)
}

/// The secret of the request's session.
pub(super) fn session_secret() -> Option<String> {
    request_cookie(SESSION)
}

/// Gives the browser a session, or with none takes it away.
pub(super) fn set_session(secret: Option<&str>) {
    let https = request_header(header::ORIGIN).is_some_and(|origin| origin.starts_with("https://"));
    let secure = if https { "; Secure" } else { "" };
    let age = if secret.is_some() { control_plane::identity::SESSION_LIFE.as_secs() } else { 0 };
    let secret = secret.unwrap_or_default();
    let cookie = format!("{SESSION}={secret}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        expect_context::<ResponseOptions>().append_header(header::SET_COOKIE, cookie);
    }
}

/// An error for the page, with its status set. What is the operator's to mend
/// goes to the log, and only its number to the page.
pub(super) fn refuse(error: Error) -> AppError {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(status(&error));
    }
    let detail = match &error {
        Error::TooMany { most, .. } => Some(most.to_string()),
        Error::OverBudget(over) => Some(over_budget(over)),
        Error::SlowDown { secs } => Some(secs.to_string()),
        error if error.whose() == Whose::Caller => None,
        error => {
            let request = request_id();
            tracing::error!(request, error = error as &dyn std::error::Error, "request {request} failed");
            Some(request)
        }
    };
    AppError { code: code(&error), detail }
}

/// Whose limit and which, in the words that `BudgetStrings::refusal` knows.
fn over_budget(over: &OverBudget) -> String {
    let whose = match over.of {
        Subject::Person(_) => "own",
        Subject::Team(_) => "team",
        Subject::Fleet => "fleet",
    };
    let limit = match over.limit {
        Limit::Spent { .. } => "spent",
        Limit::Awake { .. } => "awake",
        Limit::Size { .. } => "size",
    };
    format!("{whose} {limit}")
}

/// Answers arguments that are none as the caller's mistake.
pub(crate) fn refused_arguments() {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(StatusCode::UNPROCESSABLE_ENTITY);
    }
}

pub(super) fn code(error: &Error) -> ErrorCode {
    match error {
        Error::NotFound => ErrorCode::NotFound,
        Error::NoSuchPerson => ErrorCode::NoSuchPerson,
        Error::Forbidden => ErrorCode::Forbidden,
        Error::StaysOpen => ErrorCode::StaysOpen,
        Error::Unauthenticated => ErrorCode::Unauthenticated,
        Error::WrongPassword => ErrorCode::WrongPassword,
        Error::SlowDown { .. } => ErrorCode::SlowDown,
        Error::NameTaken => ErrorCode::NameTaken,
        Error::Invalid { field: "password", .. } => ErrorCode::InvalidPassword,
        Error::Invalid { field: "name", .. } => ErrorCode::InvalidName,
        Error::Invalid { .. } => ErrorCode::Invalid,
        Error::Illegal(_) | Error::KeyReused => ErrorCode::NotNow,
        Error::NotRunning => ErrorCode::NotRunning,
        Error::TooMany { .. } => ErrorCode::TooMany,
        Error::OverBudget(_) => ErrorCode::OverBudget,
        Error::Contended => ErrorCode::Contended,
        Error::AtWork => ErrorCode::AtWork,
        Error::Draining => ErrorCode::Draining,
        Error::Store(_) if error.is_disk_full() => ErrorCode::DiskFull,
        Error::Store(_) | Error::Provider(_) | Error::Repository(_) => ErrorCode::Server,
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|cookies| cookies.split(';')).find_map(|cookie| {
        let (key, value) = cookie.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("theme=dark; xsession=no"));
        headers.append(header::COOKIE, HeaderValue::from_static("lang=es;session=a=b"));
        assert_eq!(cookie(&headers, "session"), Some("a=b"));
        assert_eq!(cookie(&headers, "theme"), Some("dark"));
        assert_eq!(cookie(&headers, "sess"), None);
    }
}
