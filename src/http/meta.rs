//! Where a stranger begins: what this is, and where it is described.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::{
    Json,
    body::Bytes,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{Routes, error::Problem, error_page, extract::Path, llms, openapi, page::Asked};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const MARKDOWN: HeaderValue = HeaderValue::from_static("text/markdown; charset=utf-8");

pub(super) fn routes() -> Routes {
    vec![
        routes!(index),
        routes!(document),
        routes!(llms_text),
        routes!(llms_topic),
        routes!(docs),
        routes!(explain_error),
    ]
}

/// What this server is.
#[derive(Serialize, ToSchema)]
struct Index {
    /// Its name.
    #[schema(value_type = String, example = "guildhall")]
    name: &'static str,
    /// Its version.
    version: &'static str,
    /// Method and path of everything it serves.
    #[schema(value_type = Vec<String>, example = json!(["GET /health"]))]
    endpoints: &'static [String],
    /// Where people read about it.
    #[schema(value_type = String, example = "/reference")]
    documentation: &'static str,
    /// Where programs read about it.
    #[schema(value_type = String, example = "/openapi.json")]
    openapi: &'static str,
}

static ENDPOINTS: LazyLock<Vec<String>> = LazyLock::new(|| openapi::endpoints(&openapi::document()));

static LLMS: LazyLock<String> = LazyLock::new(llms::text);

static LLMS_TOPICS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| llms::topics(&openapi::document()));

/// Name, version and endpoints
#[utoipa::path(get, path = "/", tag = "meta", operation_id = "index",
    extensions(("x-scope" = json!("public")), ("x-limit" = json!("documents"))),
    responses((status = 200, description = "What this server is", body = Index)))]
async fn index() -> Json<Index> {
    Json(Index {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        endpoints: &ENDPOINTS,
        documentation: "/reference",
        openapi: "/openapi.json",
    })
}

/// The API for programs, described in `OpenAPI`
#[utoipa::path(get, path = "/openapi.json", tag = "meta", operation_id = "openapi",
    extensions(("x-scope" = json!("public")), ("x-limit" = json!("documents"))),
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
async fn document(asked: Asked) -> Response {
    asked.tagged(openapi::bytes(), JSON)
}

/// The API in Markdown: what holds everywhere, and where each topic is described
///
/// For language models, and for people in a hurry.
#[utoipa::path(get, path = "/llms.txt", tag = "meta", operation_id = "llms",
    extensions(("x-scope" = json!("public")), ("x-limit" = json!("documents"))),
    responses((status = 200, description = "Markdown", body = String, content_type = "text/markdown")))]
async fn llms_text(asked: Asked) -> Response {
    asked.tagged(Bytes::from_static(LLMS.as_bytes()), MARKDOWN)
}

/// The endpoints of one topic in Markdown
///
/// The topics are listed in `/llms.txt`.
#[utoipa::path(get, path = "/llms/{topic}", tag = "meta", operation_id = "llmsTopic",
    extensions(("x-scope" = json!("public")), ("x-limit" = json!("documents"))),
    params(("topic" = String, Path, description = "A topic with `.md`", example = "keys.md")),
    responses((status = 200, description = "Markdown", body = String, content_type = "text/markdown")))]
async fn llms_topic(Path(topic): Path<String>, asked: Asked) -> Result<Response, Problem> {
    let text: &'static String = LLMS_TOPICS.get(&topic).ok_or_else(Problem::not_found)?;
    Ok(asked.tagged(Bytes::from_static(text.as_bytes()), MARKDOWN))
}

/// Redirect to the reference
#[utoipa::path(get, path = "/docs", tag = "meta", operation_id = "docs",
    extensions(("x-scope" = json!("public")), ("x-limit" = json!("documents"))),
    responses((status = 308, description = "See /reference")))]
async fn docs() -> Response {
    let location = HeaderValue::from_static("/reference");
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)]).into_response()
}

/// What an error code means
///
/// The page that `type` in an error leads to.
#[utoipa::path(get, path = "/errors/{code}", tag = "meta", operation_id = "explainError",
    extensions(("x-scope" = json!("public")), ("x-limit" = json!("documents"))),
    params(("code" = String, Path, description = "The `code` of an error", example = "not_found")),
    responses((status = 200, description = "Markdown", body = String, content_type = "text/markdown")))]
async fn explain_error(Path(code): Path<String>) -> Result<Response, Problem> {
    let text = error_page::text(&code).ok_or_else(Problem::not_found)?;
    Ok(([(header::CONTENT_TYPE, MARKDOWN)], text).into_response())
}

/// Everything that no route matches.
pub(super) async fn nothing_here() -> Problem {
    Problem::not_found()
}
