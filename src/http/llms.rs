//! The API in pages of Markdown, made from its description: one to begin with, and one for each topic.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

use super::openapi;

/// The scope of what nobody needs a credential for.
const PUBLIC: &str = "public";

const INTRODUCTION: &str = "# Guildhall

> A self-hosted Discord bot and its HTTP control plane in one program: vanishing channels and named channels of a \
Discord server, by slash command and over HTTP, practice timers, people, and API keys, on one store.

The complete description is [/openapi.json](/openapi.json) (OpenAPI 3.1), for people [/reference](/reference).

## Authentication

Send a key in the header `X-API-Key: KEY`, or as `Authorization: ApiKey KEY`. Each operation names the scope that a \
key needs; `read`, `write` and `admin` cover many, the root key has all. Keys are made at `/api/admin/keys`. A key bound to one server sees and changes that \
server's rows alone. `Sunset` on an answer says that your key will soon stop to work.

## Limits

Each caller has a number of requests that come back evenly. Answers say in `RateLimit` and \
`X-RateLimit-Remaining` how many are left; 429 says in `Retry-After` when the next one passes. Without a good credential \
the address counts.

## Sending again

Put a fresh `Idempotency-Key: TEXT` on POST and PATCH. Sent again within 24 hours with the same body, the request has no \
second effect and gets the first answer with `Idempotent-Replayed: true`; with another body it gets 422, and while the \
first one is under way 409.

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

/// What there is, by the tag of its operations.
const TOPICS: [(&str, &str); 9] = [
    ("keys", "API keys: making, verifying, replacing and revoking them, and their usage"),
    ("users", "people, what is held about them, merging and erasing"),
    ("identities", "their accounts on other platforms"),
    ("sign-in", "signing in with a wallet, a password or Discord, and sessions"),
    ("projects", "what people show of their work"),
    ("vanish", "channels whose messages vanish"),
    ("channels", "named channels of a server"),
    ("practice", "practice timers, statistics and leaderboards"),
    ("applications", "applications, votes on them and decisions"),
];

/// The first page.
pub(super) fn text() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("\n## Endpoints\n\n");
    for (tag, about) in TOPICS {
        let _ = writeln!(text, "- [{tag}](/llms/{tag}.md): {about}");
    }
    text.push('\n');
    for (alias, own) in openapi::ALIASES {
        let _ = writeln!(text, "- Whatever is below `{own}` is also below `{alias}`");
    }
    text.push_str(
        "\nThe complete description also has pages for people, and other names for older clients (`x-alias-of`).\n",
    );
    text
}

/// The pages of the topics by the last part of their paths, such as `keys.md`.
pub(super) fn topics(document: &Value) -> BTreeMap<String, String> {
    TOPICS.iter().map(|(tag, about)| (format!("{tag}.md"), topic(document, tag, about))).collect()
}

fn topic(document: &Value, tag: &str, about: &str) -> String {
    let mut text = format!(
        "# Guildhall: {tag}\n\n> {about}\n\nWhat holds for all of them stands in [/llms.txt](/llms.txt). Operations stand \
         below the scope that a key needs.\n"
    );
    for (scope, endpoints) in by_scope(document, tag) {
        let _ = match scope.as_str() {
            PUBLIC => write!(text, "\n## Open to everybody\n\n{endpoints}"),
            scope => write!(text, "\n## `{scope}`\n\n{endpoints}"),
        };
    }
    text
}

/// The lines of a topic's endpoints under the scope that they need.
fn by_scope(document: &Value, tag: &str) -> BTreeMap<String, String> {
    let mut scopes = BTreeMap::<String, String>::new();
    for (path, method, operation) in openapi::operations(document) {
        if operation.get("x-alias-of").is_some() || operation["tags"][0] != tag {
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
