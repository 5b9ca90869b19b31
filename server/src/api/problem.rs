//! Errors as RFC 9457 problem details. What is the operator's to mend stays in
//! the log; the caller gets the request's id to name it by.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use control_plane::{Error, Whose};
use serde::Serialize;
use utoipa::ToSchema;

/// A refusal, or a failure.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A stable word for programs, as in `urn:openclaw-cloud:not_found`.
    #[serde(rename = "type")]
    kind: String,
    /// The HTTP status.
    status: u16,
    /// A sentence for people.
    title: String,
    /// The field that is out of range, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    /// By this an operator finds what happened in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
}

impl Problem {
    pub fn status(status: StatusCode, code: &str, title: &str) -> Self {
        Self {
            kind: format!("urn:openclaw-cloud:{code}"),
            status: status.as_u16(),
            title: title.to_owned(),
            field: None,
            request: None,
        }
    }

    pub fn invalid(field: &'static str, problem: &str) -> Self {
        Error::Invalid { field, problem: problem.to_owned() }.into()
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = app::api::status(&error);
        if error.whose() == Whose::Caller {
            let mut problem = Self::status(status, error.code(), &error.to_string());
            if let Error::Invalid { field, .. } = error {
                problem.field = Some(field);
            }
            return problem;
        }
        let request = app::api::request_id();
        tracing::error!(request, error = &error as &dyn std::error::Error, "request {request} failed");
        let mut problem = Self::status(
            status,
            error.code(),
            "this is not your doing; try again, or name the request to the operator",
        );
        problem.request = Some(request);
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
