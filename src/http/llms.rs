//! The API in one page of Markdown, made from its description.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

use super::openapi;

/// The scope of what nobody needs a credential for.
const PUBLIC: &str = "public";

/// The tag of pages for people and of what watches the process.
pub(super) const PAGES: &str = "meta";

const INTRODUCTION: &str = "# Guildhall

> A self-hosted Discord bot and its HTTP control plane in one program: vanishing and named channels, practice timers, \
applications and votes, people, and API keys, on one store.

The complete description is [/openapi.json](/openapi.json) (OpenAPI 3.1), for people [/reference](/reference).

## Authentication

Send a key in the header `X-API-Key: KEY`, or as `Authorization: ApiKey KEY`. Operations stand below the scope that a \
key needs; `read`, `write` and `admin` cover many, the root key has all. Keys are made at `/api/admin/keys`. A key bound \
to one server sees and changes that server's rows alone. `Sunset` on an answer says that your key will soon end.

## Limits

Answers say in `RateLimit` and `X-RateLimit-Remaining` how many requests are left; 429 says in `Retry-After` when the \
next one passes. Without a good credential the address counts.

## Sending again

Put a fresh `Idempotency-Key: TEXT` on POST and PATCH: sent again within 24 hours, the request has no second effect and \
gets the first answer with `Idempotent-Replayed: true`. Another body gets 422; while the first one is under way it is 409.

## Conventions

Bodies are JSON of at most 64 KiB (`Content-Type: application/json`). Discord ids are decimal strings, never numbers. \
Times are RFC 3339 in UTC with milliseconds. Lists come whole; with `limit` (1 to 100) and `offset` they come in \
pages, and the header `Link` leads to the next. Reads of configuration carry an `ETag`: send it as `If-None-Match` and \
get 304 while nothing changed. Every answer has `X-Request-Id`.

## Errors

`application/problem+json` (RFC 9457) with a stable `code`, `request_id`, sometimes `errors` (`pointer` or `parameter`, \
`code`, `message`), and `error`, which repeats `detail`. Each code is explained at `/errors/CODE`.
";

/// The page.
pub(super) fn text(document: &Value) -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("\n## Endpoints\n\n");
    for (alias, own) in openapi::ALIASES {
        let _ = writeln!(text, "- Whatever is below `{own}` is also below `{alias}`");
    }
    for (scope, endpoints) in by_scope(document) {
        let _ = match scope.as_str() {
            PUBLIC => write!(text, "\n### Open to everybody\n\n{endpoints}"),
            scope => write!(text, "\n### `{scope}`\n\n{endpoints}"),
        };
    }
    text.push_str("\nThe complete description also has other names for older clients (`x-alias-of`).\n");
    text
}

/// The lines of the endpoints under the scope that they need; each scope once costs less room than one in every line.
fn by_scope(document: &Value) -> BTreeMap<String, String> {
    let mut scopes = BTreeMap::<String, String>::new();
    for (path, method, operation) in openapi::operations(document) {
        if operation.get("x-alias-of").is_some() || operation["tags"][0] == PAGES {
            continue;
        }
        let method = method.to_uppercase();
        let summary = operation["summary"].as_str().unwrap_or_default();
        let summary = summary.trim_end_matches('.');
        let scope = operation["x-scope"].as_str().unwrap_or(PUBLIC);
        let _ = writeln!(scopes.entry(scope.to_owned()).or_default(), "- `{method} {path}`: {summary}");
    }
    scopes
}
