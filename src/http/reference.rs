//! The interactive reference: Scalar's script from its crate under a page of ours.
//!
//! Invariant: nothing here leads a browser to another origin; the content security policy would refuse it as well.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use utoipa_axum::routes;

use super::{
    Routes,
    error::Problem,
    page::{self, Asked},
};

/// Scalar sets styles by script, hence `unsafe-inline` for styles alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    connect-src 'self'; img-src 'self' data:; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
    form-action 'none'";

const PAGE: &str = include_str!("reference/page.html");
const INIT: &str = include_str!("reference/init.js");

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const JAVASCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
/// The script changes with the program only; its tag tells.
const A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

pub(super) fn routes() -> Routes {
    vec![routes!(reference), routes!(scalar), routes!(init)]
}

/// The interactive reference
///
/// Has a form for each operation, and works without internet.
#[utoipa::path(get, path = "/reference", tag = "meta", operation_id = "reference",
    extensions(("x-scope" = json!("public")), ("x-limit" = json!("documents"))),
    responses((status = 200, description = "HTML", body = String, content_type = "text/html")))]
async fn reference() -> Response {
    let headers = [(header::CONTENT_TYPE, HTML), (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))];
    (headers, PAGE).into_response()
}

/// Settings of the reference
#[utoipa::path(get, path = "/reference/init.js", tag = "meta", operation_id = "referenceInit",
    extensions(("x-scope" = json!("public")), ("x-limit" = json!("documents"))),
    responses((status = 200, description = "JavaScript", body = String, content_type = "text/javascript")))]
async fn init(asked: Asked) -> Response {
    asked.tagged(Bytes::from_static(INIT.as_bytes()), JAVASCRIPT)
}

/// Script of the reference
#[utoipa::path(get, path = "/reference/scalar.js", tag = "meta", operation_id = "referenceScript",
    extensions(("x-scope" = json!("public")), ("x-limit" = json!("documents"))),
    responses((status = 200, description = "JavaScript", body = String, content_type = "text/javascript")))]
async fn scalar(asked: Asked) -> Result<Response, Problem> {
    static TAG: OnceLock<HeaderValue> = OnceLock::new();
    if let Some(tag) = TAG.get()
        && asked.knows(tag)
    {
        return Ok(page::not_modified(tag, A_DAY));
    }
    // Five megabytes are read and hashed: not on a thread that serves others.
    let (script, tag) = tokio::task::spawn_blocking(|| {
        let script = script()?;
        let tag = TAG.get_or_init(|| page::entity_tag(&script));
        Some((script, tag))
    })
    .await
    .ok()
    .flatten()
    .ok_or_else(Problem::not_found)?;
    let headers = [(header::CONTENT_TYPE, JAVASCRIPT), (header::CACHE_CONTROL, A_DAY), (header::ETAG, tag.clone())];
    Ok((headers, Body::from(script)).into_response())
}

/// The script, shared by all who are receiving it and given back to the system after the last.
fn script() -> Option<Bytes> {
    static SHARED: Mutex<Weak<[u8]>> = Mutex::new(Weak::<[u8; 0]>::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(script) = shared.upgrade() {
        return Some(Bytes::from_owner(script));
    }
    let script: Arc<[u8]> = scalar_api_reference::get_asset("scalar.js")?.into();
    *shared = Arc::downgrade(&script);
    Some(Bytes::from_owner(script))
}
