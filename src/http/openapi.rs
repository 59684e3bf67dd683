//! The API's description: what the handlers say of themselves, completed in one place.
//!
//! Invariant: who may call an operation is said by its `x-scope`, which is what the guard goes by; every error is a
//! [`Problem`](super::error::Problem).

use std::{collections::BTreeSet, sync::LazyLock};

use axum::body::Bytes;
use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema as _,
    openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder, Server, path::Paths, tag::TagBuilder},
};

use super::{
    access::Access,
    envelope,
    error::{FieldError, ProblemView},
};

/// Paths under which existing clients look for a feature, and where it really lives.
pub(super) const ALIASES: [(&str, &str); 2] =
    [("/api/vanish/discord", "/api/discord/vanish"), ("/api/practice-sessions", "/api/sessions/practice")];

const DESCRIPTION: &str = "A Discord bot and its control plane over one store. Errors are \
    `application/problem+json` (RFC 9457) with a stable `code` and the `request_id` of the log. \
    Discord ids are decimal strings. Times are RFC 3339 in UTC with milliseconds. Requests are limited by caller: every \
    limited answer says in `RateLimit` and `X-RateLimit-*` how many are left, and a 429 in `Retry-After` when the next \
    one passes; who takes each request as soon as it is there gets at most twice the limit less one in any window. \
    POST and PATCH take an `Idempotency-Key`, with which they have their effect once.";

/// Why each status of an error is sent.
const ERRORS: [(u16, &str); 14] = [
    (400, "The request cannot be read"),
    (401, "No credential, or an invalid one"),
    (403, "The credential lacks a scope: `required` and `available` name them"),
    (404, "There is no such thing, or an id in the path is malformed"),
    (408, "The body did not arrive in time"),
    (409, "It does not fit the present state, or its `Idempotency-Key` cannot be answered now"),
    (410, "It was there once"),
    (413, "The body is too large"),
    (415, "The body is not uncompressed JSON"),
    (
        422,
        "The body is JSON and not acceptable: `errors` points at the value. Or the `Idempotency-Key` was used for another",
    ),
    (429, "Too many requests: `violated-policies` names the limits, `Retry-After` says when the next one passes"),
    (500, "The server failed; its log has the reason"),
    (503, "The store does not answer: try again after `Retry-After`"),
    (504, "The work took too long; a change under way is still carried out"),
];

/// The document, as served.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| serde_json::to_vec(&document()).unwrap_or_default().into());

/// The document as it is served, made when somebody first asks.
pub(super) fn bytes() -> Bytes {
    DOCUMENT.clone()
}

/// What the document says before any operation.
pub(super) fn head() -> OpenApi {
    let tag = |name: &str, description: &str| TagBuilder::new().name(name).description(Some(description)).build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Guildhall")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(DESCRIPTION))
                .build(),
        )
        .servers(Some([Server::new("/")]))
        .tags(Some([
            tag("vanish", "Channels whose messages vanish"),
            tag("channels", "Named channels of a server"),
            tag("practice", "Practice sessions, and who has practised how much"),
            tag("applications", "What people apply for, and votes on it"),
            tag("keys", "API keys: made, changed, replaced, revoked and counted"),
            tag("users", "People: listed, found by an account, made and deleted, and one's own settings and data"),
            tag("identities", "People's accounts elsewhere"),
            tag("sign-in", "Signing in, and the tokens that come of it"),
            tag("projects", "What people show of their work"),
            tag("meta", "What this server is and how it is doing"),
        ]))
        .components(Some(
            Components::builder()
                .schema("Problem", ProblemView::schema())
                .schema("FieldError", FieldError::schema())
                .schema("EnvelopeError", envelope::EnvelopeError::schema())
                .schema("EnvelopeFault", envelope::EnvelopeFault::schema())
                .schema("RateLimitState", envelope::RateLimitState::schema())
                .build(),
        ))
        .build()
}

/// The same operations under a prefix.
pub(super) fn under(prefix: &str, mut paths: Paths) -> Paths {
    paths.paths = paths.paths.into_iter().map(|(path, item)| (format!("{prefix}{path}"), item)).collect();
    paths
}

/// The complete document, in version 3.1 of the specification.
pub fn document() -> Value {
    let mut document = serde_json::to_value(super::routes().into_openapi()).unwrap_or_default();
    complete_components(&mut document["components"]);
    for (path, method, operation) in operations_mut(&mut document) {
        complete_operation(&path, &method, operation);
    }
    document.sort_all_objects();
    document
}

/// `GET /health` and so on, in the document's order.
pub(super) fn endpoints(document: &Value) -> Vec<String> {
    operations(document).map(|(path, method, _)| format!("{} {path}", method.to_uppercase())).collect()
}

/// Path, method and description of every operation.
pub(super) fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let operations = item.as_object().into_iter().flatten();
        operations.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

fn operations_mut(document: &mut Value) -> impl Iterator<Item = (String, String, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let operations = item.as_object_mut().into_iter().flatten();
        operations.map(move |(method, operation)| (path.clone(), method.clone(), operation))
    })
}

fn complete_components(components: &mut Value) {
    let header = |name: &str, description: &str| json!({"type": "apiKey", "in": "header", "name": name, "description": description});
    components["securitySchemes"] = json!({
        "apiKey": header("X-API-Key", "A key, or the root key"),
        "apiKeyAuthorization": header("Authorization", "`ApiKey` and a key, or the root key"),
        "bearer": {"type": "http", "scheme": "bearer", "description": "A token of a signed-in person"},
        "adminSecret": header("X-Admin-Secret", "Beside a bearer token, where an operation asks for it"),
    });
    components["headers"] = headers();
    components["parameters"] = json!({"IdempotencyKey": {
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "Names this request, so that it has its effect once however often it is sent within 24 hours: \
            1 to 255 visible ASCII characters, bare or in double quotes",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    }});
    let plain = ERRORS.iter().map(|(status, text)| (format!("Error{status}"), error(*status, text, Dress::Problem)));
    let wrapped =
        ERRORS.iter().map(|(status, text)| (format!("Wrapped{status}"), error(*status, text, Dress::Envelope)));
    components["responses"] = Value::Object(plain.chain(wrapped).collect::<Map<_, _>>());
}

/// What the body of an error is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dress {
    Problem,
    Envelope,
}

impl Dress {
    fn of(path: &str) -> Self {
        if envelope::covers(path) { Self::Envelope } else { Self::Problem }
    }

    /// What the components call such an error.
    fn component(self) -> &'static str {
        match self {
            Self::Problem => "Error",
            Self::Envelope => "Wrapped",
        }
    }
}

/// Headers of answers.
fn headers() -> Value {
    let text = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    let number = |description: &str| json!({"description": description, "schema": {"type": "integer", "minimum": 0}});
    json!({
        "X-Request-Id": text("Finds the request in the server's log; the client's own, if it sent a plain one"),
        "ETag": text("Names this version, for If-None-Match"),
        "Retry-After": number("Seconds"),
        "X-RateLimit-Limit": number("Requests that the limit nearest to its end holds"),
        "X-RateLimit-Remaining": number("Requests that are left of it"),
        "X-RateLimit-Reset": number("When all of them are there again, in seconds since 1970"),
        "RateLimit-Policy": text("Every limit that counts here: its name, requests `q`, seconds `w`"),
        "RateLimit": text("How each stands: requests left `r`, seconds until all are there again `t`"),
        "Idempotent-Replayed": text("`true`: the answer that was given before under this Idempotency-Key"),
        "Sunset": text("When the key that was shown stops to work, if that is soon (RFC 8594)"),
        "Deprecation": text("Since when that key should be used no more (RFC 9745)"),
    })
}

/// References to some of the headers.
fn refer(names: &[&str]) -> impl Iterator<Item = (String, Value)> {
    names.iter().map(|name| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")})))
}

const LIMIT_HEADERS: [&str; 5] =
    ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Policy", "RateLimit"];

/// An error as a response of the document.
fn error(status: u16, description: &str, dress: Dress) -> Value {
    let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}});
    if status == 401 {
        headers["WWW-Authenticate"] = json!({"schema": {"type": "string"}});
    }
    let told: &[&str] = match status {
        429 => &[
            "Retry-After",
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "RateLimit-Policy",
            "RateLimit",
        ],
        503 | 504 => &["Retry-After"],
        _ => &[],
    };
    for (name, header) in refer(told) {
        headers[name] = header;
    }
    let (media_type, schema) = match dress {
        Dress::Problem => ("application/problem+json", "Problem"),
        Dress::Envelope => ("application/json", "EnvelopeError"),
    };
    json!({
        "description": description,
        "headers": headers,
        "content": {media_type: {"schema": {"$ref": format!("#/components/schemas/{schema}")}}},
    })
}

/// Which credentials an operation takes.
fn security(access: &Access, asks_admin_secret: bool) -> Value {
    let (key, authorization, bearer) =
        (json!({"apiKey": []}), json!({"apiKeyAuthorization": []}), json!({"bearer": []}));
    match access {
        Access::Public => json!([]),
        Access::Optional => json!([{}, key, authorization, bearer]),
        Access::Key => json!([key, authorization]),
        Access::User => json!([bearer]),
        _ if asks_admin_secret => json!([key, authorization, {"bearer": [], "adminSecret": []}]),
        Access::Authenticated | Access::Scope(_) => json!([key, authorization, bearer]),
    }
}

/// What the guard does around an operation, as far as its description shows it.
struct Guarded {
    /// It takes credentials.
    takes_credentials: bool,
    /// It takes an `Idempotency-Key`.
    is_repeatable: bool,
    is_limited: bool,
}

impl Guarded {
    fn of(method: &str, access: &Access, operation: &Value) -> Self {
        let takes_credentials = *access != Access::Public;
        Self {
            takes_credentials,
            is_repeatable: takes_credentials && matches!(method, "post" | "patch"),
            is_limited: operation["x-limit"] != "none",
        }
    }

    fn headers(&self) -> Vec<&'static str> {
        let mut names = vec!["X-Request-Id"];
        if self.is_limited {
            names.extend(LIMIT_HEADERS);
        }
        if self.takes_credentials {
            names.extend(["Sunset", "Deprecation"]);
        }
        if self.is_repeatable {
            names.push("Idempotent-Replayed");
        }
        names
    }
}

fn complete_operation(path: &str, method: &str, operation: &mut Value) {
    // The guard refuses an operation that says nothing, and a test keeps there from being one.
    let access = operation["x-scope"].as_str().and_then(Access::of).unwrap_or(Access::Authenticated);
    let guarded = Guarded::of(method, &access, operation);
    operation["security"] = security(&access, Dress::of(path) == Dress::Envelope);
    if let Some((prefix, canonical)) = ALIASES.iter().find(|(prefix, _)| path.starts_with(prefix)) {
        let target = path.replacen(prefix, canonical, 1);
        operation["x-alias-of"] = format!("{} {target}", method.to_uppercase()).into();
        let id = operation["operationId"].as_str().unwrap_or_default();
        operation["operationId"] = format!("{id}Alias").into();
    }
    if operation.get("x-alias-of").is_some() {
        operation["deprecated"] = true.into();
    }
    let possible = errors_of(path, operation, &guarded);
    let dress = Dress::of(path);
    if guarded.takes_credentials && method == "get" && !is_always_new(path) {
        add_revalidation(operation);
    }
    if guarded.is_repeatable {
        add_parameter(operation, json!({"$ref": "#/components/parameters/IdempotencyKey"}));
    }
    let Some(responses) = operation["responses"].as_object_mut() else {
        return;
    };
    for (status, response) in responses.iter_mut() {
        let number: u16 = status.parse().unwrap_or(0);
        if number >= 400 && response.get("content").is_none() {
            let description = response["description"].as_str().unwrap_or_default();
            *response = error(number, description, dress);
        }
        for (name, header) in refer(&guarded.headers()) {
            response["headers"][name] = header;
        }
    }
    for status in possible {
        responses
            .entry(status.to_string())
            .or_insert_with(|| json!({"$ref": format!("#/components/responses/{}{status}", dress.component())}));
    }
}

/// Statuses that an operation may answer, from what it takes.
fn errors_of(path: &str, operation: &Value, guarded: &Guarded) -> BTreeSet<u16> {
    let mut statuses = BTreeSet::from([500, 504]);
    if guarded.takes_credentials {
        statuses.extend([401, 403, 503]);
    }
    if guarded.is_limited {
        statuses.insert(429);
    }
    if guarded.is_repeatable {
        statuses.extend([408, 409, 413, 422]);
    }
    if path.contains('{') {
        statuses.insert(404);
    }
    if operation.get("requestBody").is_some() {
        statuses.extend([400, 408, 413, 415, 422]);
    }
    let parameters = operation["parameters"].as_array();
    if parameters.is_some_and(|all| all.iter().any(|one| one["in"] == "query")) {
        statuses.insert(400);
    }
    statuses
}

/// Counts change with every request, and the envelope with every answer: nobody keeps them.
fn is_always_new(path: &str) -> bool {
    envelope::covers(path) || path.starts_with("/api/auth") || path.ends_with("/usage") || path.ends_with("/callers")
}

fn add_parameter(operation: &mut Value, parameter: Value) {
    if operation["parameters"].is_null() {
        operation["parameters"] = json!([]);
    }
    if let Some(parameters) = operation["parameters"].as_array_mut() {
        parameters.push(parameter);
    }
}

/// Reads of configuration carry an entity tag.
fn add_revalidation(operation: &mut Value) {
    add_parameter(
        operation,
        json!({
            "name": "If-None-Match", "in": "header", "required": false,
            "description": "The ETag of the version that the client has", "schema": {"type": "string"},
        }),
    );
    operation["responses"]["304"] = json!({"description": "The client has this version"});
    for status in ["200", "304"] {
        operation["responses"][status]["headers"]["ETag"] = json!({"$ref": "#/components/headers/ETag"});
    }
}
