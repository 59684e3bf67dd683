//! How the control plane says no: one shape, `application/problem+json` (RFC 9457).
//!
//! Invariant: a [`Problem`] leaves a handler without a body; `observe` renders it, because only there are the request
//! id and the path known.

use std::borrow::Cow;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{self, Kind};

/// The media type of every error.
pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Schemes a caller may use: <https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1>.
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"ApiKey realm="guildhall", Bearer realm="guildhall""#);

/// The type of the problem that a limit is reached: draft-ietf-httpapi-ratelimit-headers, section 6.
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// One value at fault.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/duration")]
    pub pointer: Option<String>,
    /// Name of the query parameter, where that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Stable code.
    #[schema(value_type = String, example = "invalid_value")]
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// The scopes that were needed, and those that the credential has.
#[derive(Clone, Debug)]
struct Rights {
    required: Vec<String>,
    available: Vec<String>,
}

/// Why a request was not served.
#[derive(Clone, Debug)]
pub struct Problem(Box<Content>);

#[derive(Clone, Debug)]
struct Content {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    rights: Option<Rights>,
    retry_after_seconds: Option<u64>,
    quota: Option<Vec<String>>,
    subject: Option<String>,
}

/// Why a request was not served (RFC 9457); `error` repeats `detail` for clients written for other servers.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemView<'a> {
    /// Where the code is explained; with 429 of a limit, the registered type of that problem.
    #[schema(value_type = String, example = "/errors/not_found")]
    r#type: Cow<'a, str>,
    /// The status in words.
    title: &'a str,
    /// The status.
    #[schema(example = 404)]
    status: u16,
    /// What happened, for people.
    detail: &'a str,
    /// The path of the request.
    instance: &'a str,
    /// What happened, for programs: stable.
    #[schema(example = "not_found")]
    code: &'a str,
    /// Finds the request in the server's log.
    request_id: &'a str,
    /// The values at fault.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    /// The same as `detail`.
    error: &'a str,
    /// With 403: the scopes that are needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    required: Option<&'a [String]>,
    /// With 403: the scopes that the credential has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    available: Option<&'a [String]>,
    /// With 429 of a limit: the policies that refuse.
    #[serde(rename = "violated-policies", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    violated_policies: Option<&'a [String]>,
    /// With 429 of a limit: seconds until one more request passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after: Option<u64>,
    /// The same, for clients written for other servers.
    #[serde(rename = "retryAfter", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after_again: Option<u64>,
    /// With a repeated request whose answer held a secret: the id of what it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<&'a str>,
}

impl Problem {
    /// A problem with a status, a stable code and a text for people.
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Content {
            status,
            code: code.into(),
            detail: detail.into(),
            errors: Vec::new(),
            rights: None,
            retry_after_seconds: None,
            quota: None,
            subject: None,
        }))
    }

    /// 400: the request cannot be read.
    pub fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 404: nothing there.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found")
    }

    /// 422: the value at a JSON pointer into the body is not acceptable.
    pub fn invalid_field(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        let (pointer, message) = (pointer.into(), message.into());
        let name = pointer.strip_prefix('/').unwrap_or("The body");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", format!("{name}: {message}"))
            .with_field(FieldError { pointer: Some(pointer), parameter: None, code: "invalid_value", message })
    }

    /// 401: nobody has shown who they are.
    pub fn unauthenticated(detail: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// 403: the credential is good, and lacks a scope.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>, required: &str, available: Vec<String>) -> Self {
        let mut problem = Self::new(StatusCode::FORBIDDEN, "forbidden", detail);
        problem.0.rights = Some(Rights { required: vec![required.to_owned()], available });
        problem
    }

    /// 503: the store does not answer.
    pub fn store_unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "The store does not answer. Please try again")
            .with_retry_after(1)
    }

    /// 500: our fault; what happened is in the log only.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal server error")
    }

    /// The plain problem of a status that came without one.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                status,
                "method_not_allowed",
                "This method is not possible here; the header Allow names those that are",
            ),
            StatusCode::INTERNAL_SERVER_ERROR => Self::internal(),
            _ => Self::new(status, "refused", status.canonical_reason().unwrap_or("Refused")),
        }
    }

    /// The same with another status, where the clients of an address know it so.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    /// Adds a value at fault.
    pub fn with_field(mut self, field: FieldError) -> Self {
        self.0.errors.push(field);
        self
    }

    /// Says when to come again.
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// Names the policies that refuse, and when to come again.
    pub fn with_quota(mut self, violated: Vec<String>, seconds: u64) -> Self {
        self.0.quota = Some(violated);
        self.with_retry_after(seconds)
    }

    /// Names what was made.
    pub fn with_id(mut self, id: String) -> Self {
        self.0.subject = Some(id);
        self
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What happened, for programs.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// What happened, for people.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The body.
    pub fn render(&self, instance: &str, request_id: &str) -> Vec<u8> {
        let content = &self.0;
        let rights = content.rights.as_ref();
        let retry_after = content.retry_after_seconds.filter(|_| content.quota.is_some());
        let view = ProblemView {
            r#type: match content.quota {
                Some(_) => QUOTA_EXCEEDED.into(),
                None => format!("/errors/{}", content.code).into(),
            },
            title: content.status.canonical_reason().unwrap_or("Error"),
            status: content.status.as_u16(),
            detail: &content.detail,
            instance,
            code: &content.code,
            request_id,
            errors: &content.errors,
            error: &content.detail,
            required: rights.map(|rights| rights.required.as_slice()),
            available: rights.map(|rights| rights.available.as_slice()),
            violated_policies: content.quota.as_deref(),
            retry_after,
            retry_after_again: retry_after,
            id: content.subject.as_deref(),
        };
        serde_json::to_vec(&view).unwrap_or_default()
    }
}

/// What the domain's classes of refusal mean in HTTP: the one place that says so.
fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Gone => StatusCode::GONE,
        Kind::LimitReached => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl From<domain::Error> for Problem {
    fn from(error: domain::Error) -> Self {
        if error.is_unavailable() {
            tracing::warn!(error = %chain(&error), "the store does not answer");
            return Self::store_unavailable();
        }
        let domain::Error::Refused(refusal) = error else {
            tracing::error!(error = %chain(&error), "a request failed");
            return Self::internal();
        };
        let status = status_of(refusal.kind());
        let text = refusal.to_string();
        let mut problem = Self::new(status, refusal.code(), text.clone());
        if let Some(pointer) = refusal.pointer() {
            problem = problem.with_field(FieldError {
                pointer: Some(pointer.to_owned()),
                parameter: None,
                code: refusal.code(),
                message: text,
            });
        }
        if let Some((required, available)) = refusal.rights() {
            problem.0.rights = Some(Rights { required, available });
        }
        match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => problem.with_retry_after(1),
            _ => problem,
        }
    }
}

/// An error with everything that led to it.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        let headers = response.headers_mut();
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
        if let Some(seconds) = self.0.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}
