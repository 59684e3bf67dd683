//! The page behind a claim link: it asks for the code that was shown in Discord, and shows a new API key once.
//!
//! Invariants: looking at the page uses nothing up, so that programs which follow links do no harm; the key is in one
//! answer, which nobody may keep; the page needs no script and loads nothing.

mod page;

use axum::{
    body::Body,
    extract::{FromRequest, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use utoipa_axum::routes;

use super::{Routes, error::Problem, extract};
use crate::{
    app::App,
    domain::{self, Domain, Kind, api_key},
};

/// Largest form: a code of six digits.
const FORM_BYTES_MAX: usize = 256;
/// Digits of a code.
const CODE_DIGITS: usize = 6;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
const NO_ROBOTS: HeaderValue = HeaderValue::from_static("noindex, nofollow");
const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn routes() -> Routes {
    vec![routes!(show, reveal)]
}

/// Page of a claim link
///
/// Asks for the code that `/apikey` showed in Discord. It shows no secret, and opening it uses nothing up.
#[utoipa::path(get, path = "/claim/{token}", tag = "meta", operation_id = "claimPage",
    extensions(("x-scope" = json!("public"))),
    params(("token" = String, Path, description = "The last part of the link")),
    responses(
        (status = 200, description = "HTML", body = String, content_type = "text/html"),
        (status = 410, description = "The link was used, or has ended"),
    ))]
async fn show(State(domain): State<Domain>, Link(token): Link, headers: HeaderMap) -> Response {
    match api_key::view_link(&domain, &token).await {
        Ok(view) => html(StatusCode::OK, page::form(&view, None)),
        Err(error) => refused(error, &headers),
    }
}

/// Reveal the key of a claim link
///
/// Makes the key and shows it, once. Five wrong codes end the link.
#[utoipa::path(post, path = "/claim/{token}", tag = "meta", operation_id = "claimReveal",
    extensions(("x-scope" = json!("public"))),
    params(("token" = String, Path, description = "The last part of the link")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "`code` is the code of six digits", example = "code=123456"),
    responses(
        (status = 200, description = "HTML that holds the key", body = String, content_type = "text/html"),
        (status = 403, description = "The code is wrong"),
        (status = 409, description = "The owner has too many active keys, or the old key cannot be replaced any more"),
        (status = 410, description = "The link was used, or has ended"),
    ))]
async fn reveal(State(domain): State<Domain>, Link(token): Link, headers: HeaderMap, Code(code): Code) -> Response {
    match api_key::reveal(&domain, &token, &code).await {
        Ok(issued) => html(StatusCode::OK, page::key(&issued)),
        Err(error) if error.code() == Some("claim.wrong_code") && wants_html(&headers) => {
            match api_key::view_link(&domain, &token).await {
                Ok(view) => html(StatusCode::FORBIDDEN, page::form(&view, Some(&error.to_string()))),
                Err(error) => refused(error, &headers),
            }
        }
        Err(error) => refused(error, &headers),
    }
}

/// The token of the path: whatever it is, an unknown one has ended.
struct Link(String);

impl axum::extract::FromRequestParts<App> for Link {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, app: &App) -> Result<Self, Problem> {
        let Path(token) = Path::<String>::from_request_parts(parts, app).await.map_err(|_| Problem::not_found())?;
        Ok(Self(token))
    }
}

/// The code of the form: its digits, whatever stands between them.
struct Code(String);

impl FromRequest<App> for Code {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case(FORM) {
            let text = "Send the code as a form: application/x-www-form-urlencoded";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", text));
        }
        let bytes = extract::read_body(app, request.into_body(), FORM_BYTES_MAX).await?;
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let value = text.split('&').find_map(|pair| pair.strip_prefix("code=")).unwrap_or_default();
        // A sign that is encoded is none that counts.
        let digits: String = value.chars().filter(char::is_ascii_digit).take(CODE_DIGITS + 1).collect();
        if value.contains('%') || digits.len() != CODE_DIGITS {
            return Err(Problem::invalid_field("/code", "must be the six digits that were shown in Discord"));
        }
        Ok(Self(digits))
    }
}

fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/html")
}

/// A page for people, the usual error for programs.
fn refused(error: domain::Error, headers: &HeaderMap) -> Response {
    let domain::Error::Refused(refusal) = &error else { return Problem::from(error).into_response() };
    if !wants_html(headers) {
        return Problem::from(error).into_response();
    }
    let status = match refusal.kind() {
        Kind::Gone => StatusCode::GONE,
        Kind::Conflict | Kind::LimitReached => StatusCode::CONFLICT,
        _ => return Problem::from(error).into_response(),
    };
    html(status, page::refusal(&refusal.to_string()))
}

fn html(status: StatusCode, page: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HTML),
        (header::CONTENT_SECURITY_POLICY, page::policy()),
        (header::CACHE_CONTROL, NO_STORE),
        (header::HeaderName::from_static("cross-origin-opener-policy"), SAME_ORIGIN),
        (header::HeaderName::from_static("x-robots-tag"), NO_ROBOTS),
    ];
    (status, headers, Body::from(page)).into_response()
}
