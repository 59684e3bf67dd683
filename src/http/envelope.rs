//! The envelope in which Key-Kingdom's clients expect every answer: `{success, data}` or `{success, error}`, with
//! `rateLimit` where one is known.
//!
//! Invariant: below [`PREFIX`] every answer wears it, whoever gave it: also those of layers, limits and panics.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::error::Problem;

/// Where those clients look.
pub(super) const PREFIX: &str = "/api/admin/api-keys";

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a handler answers, in its envelope.
pub(super) struct Data<T>(pub(super) StatusCode, pub(super) T);

/// The envelope, until it is known what is left of the caller's limit.
#[derive(Clone)]
struct Open(Value);

impl<T: Serialize> IntoResponse for Data<T> {
    fn into_response(self) -> Response {
        let Ok(data) = serde_json::to_value(self.1) else { return Problem::internal().into_response() };
        let body = json!({ "success": true, "data": data });
        let mut response = (self.0, [(header::CONTENT_TYPE, JSON)], body.to_string()).into_response();
        response.extensions_mut().insert(Open(body));
        response
    }
}

/// What is left of the caller's limit.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RateLimitState {
    /// Requests that pass at once.
    #[schema(example = 499)]
    remaining: u64,
    /// When all of them pass again, in milliseconds since 1970.
    #[schema(example = 1_732_345_678_900_u64)]
    reset_at: u64,
}

impl RateLimitState {
    /// As the headers say it, which count in seconds.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
        let reset = number("x-ratelimit-reset")?;
        Some(Self { remaining: number("x-ratelimit-remaining")?, reset_at: reset.checked_mul(1_000)? })
    }
}

/// Why a request was not served.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvelopeFault {
    /// The class of the fault.
    #[schema(value_type = String, example = "NOT_FOUND")]
    code: &'static str,
    /// For people.
    #[schema(example = "API key not found")]
    message: String,
    /// What happened, for programs: stable, and explained at `/errors/…`.
    #[schema(example = "key.not_found")]
    cause: String,
    /// Finds the request in the server's log.
    request_id: String,
}

/// An answer that is none.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvelopeError {
    /// Always false.
    #[schema(example = false)]
    success: bool,
    /// Why.
    error: EnvelopeFault,
    /// The caller's limit, where one is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rate_limit: Option<RateLimitState>,
}

/// An answer, for the description only: it is put together from its parts.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `wrap` writes")]
#[schema(rename_all = "camelCase")]
pub(super) struct Envelope<T> {
    /// Always true.
    #[schema(example = true)]
    success: bool,
    /// The answer itself.
    data: T,
    /// The caller's limit, where one is kept.
    #[schema(nullable = false)]
    rate_limit: Option<RateLimitState>,
}

/// Whether answers to this path wear the envelope.
pub(super) fn covers(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Puts an answer into its envelope, with the caller's limit. One that wears it already, because it is told for the
/// second time, is left as it is.
pub(super) fn wrap(mut response: Response, request_id: &str) -> Response {
    let rate_limit = RateLimitState::of(response.headers());
    let extensions = response.extensions_mut();
    let (open, problem) = (extensions.remove::<Open>(), extensions.remove::<Problem>());
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_told = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == JSON);
    let body = match (open, problem, rate_limit) {
        (Some(Open(mut body)), _, Some(rate_limit)) => {
            body["rateLimit"] = json!(rate_limit);
            body
        }
        (None, problem, rate_limit) if is_error && (problem.is_some() || !is_told) => {
            let problem = problem.unwrap_or_else(|| Problem::of_status(status));
            json!(EnvelopeError { success: false, error: fault(status, &problem, request_id), rate_limit })
        }
        _ => return response,
    };
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, JSON);
    *response.body_mut() = Body::from(body.to_string());
    response
}

fn fault(status: StatusCode, problem: &Problem, request_id: &str) -> EnvelopeFault {
    EnvelopeFault {
        code: code(status),
        message: problem.detail().to_owned(),
        cause: problem.code().to_owned(),
        request_id: request_id.to_owned(),
    }
}

/// The class of a fault, in the words of those clients.
fn code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "BAD_REQUEST",
        401 => "UNAUTHORIZED",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        405 => "METHOD_NOT_ALLOWED",
        408 => "REQUEST_TIMEOUT",
        409 => "CONFLICT",
        413 => "PAYLOAD_TOO_LARGE",
        415 => "UNSUPPORTED_MEDIA_TYPE",
        422 => "VALIDATION_ERROR",
        429 => "RATE_LIMIT_EXCEEDED",
        503 => "SERVICE_UNAVAILABLE",
        504 => "TIMEOUT",
        402..=499 => "REFUSED",
        _ => "INTERNAL_ERROR",
    }
}
