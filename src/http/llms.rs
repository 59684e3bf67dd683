//! The API in one page of Markdown, made from its description.

use std::fmt::Write as _;

use serde_json::Value;

use super::{error_page, openapi};

const INTRODUCTION: &str = "# Guildhall

> A self-hosted Discord bot and its HTTP control plane in one program: vanishing channels and named channels of a \
Discord server, by slash command and over HTTP, and API keys, on one store.

The complete description is [/openapi.json](/openapi.json) (OpenAPI 3.1), for people [/reference](/reference).

## Authentication

Send the root key in the header `X-API-Key: KEY`, or as `Authorization: ApiKey KEY`. Operations below name the scope \
they need; the root key has all. Further keys are made at `/api/admin/keys`.

## Conventions

Bodies are JSON of at most 64 KiB (`Content-Type: application/json`). Discord ids are decimal strings, never numbers. \
Times are RFC 3339 in UTC with milliseconds. Lists come whole; with `limit` (1 to 100) and `offset` they come in \
pages, and the header `Link` leads to the next. Reads of configuration carry an `ETag`: send it as `If-None-Match` and \
get 304 while nothing changed. Every answer has `X-Request-Id`.

## Errors

`application/problem+json` with `type`, `title`, `status`, `detail`, `instance`, `code` (stable), `request_id`, \
sometimes `errors` (`pointer` or `parameter`, `code`, `message`), and `error`, which repeats `detail`. Each code is \
explained at `/errors/CODE`.
";

/// The page.
pub(super) fn text(document: &Value) -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("\nGeneral codes:");
    for (code, status) in error_page::codes() {
        let _ = write!(text, " `{code}` {status},");
    }
    text.truncate(text.len() - 1);
    text.push_str(".\n\n## Endpoints\n\n");
    for (path, method, operation) in openapi::operations(document) {
        let method = method.to_uppercase();
        if let Some(target) = operation["x-alias-of"].as_str() {
            let _ = writeln!(text, "- `{method} {path}`: alias of `{target}`");
            continue;
        }
        let summary = operation["summary"].as_str().unwrap_or_default();
        let summary = summary.trim_end_matches('.');
        let _ = write!(text, "- `{method} {path}`: {summary}");
        if let Some(scope) = operation["x-scope"].as_str() {
            let _ = write!(text, " (`{scope}`)");
        }
        text.push('\n');
    }
    text
}
