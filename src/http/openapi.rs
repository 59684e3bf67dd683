//! The API's description: what the handlers say of themselves, completed in one place.
//!
//! Invariant: an operation with `x-scope` needs a credential; every error is a [`Problem`](super::error::Problem).

use std::{collections::BTreeSet, sync::LazyLock};

use axum::body::Bytes;
use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema as _,
    openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder, Server, path::Paths, tag::TagBuilder},
};

use super::{
    envelope,
    error::{FieldError, ProblemView},
};

/// Paths under which existing clients look for a feature, and where it really lives.
pub(super) const ALIASES: [(&str, &str); 1] = [("/api/vanish/discord", "/api/discord/vanish")];

const DESCRIPTION: &str = "A Discord bot and its control plane over one store. Errors are \
    `application/problem+json` (RFC 9457) with a stable `code` and the `request_id` of the log. \
    Discord ids are decimal strings. Times are RFC 3339 in UTC with milliseconds.";

/// Why each status of an error is sent.
const ERRORS: [(u16, &str); 13] = [
    (400, "The request cannot be read"),
    (401, "No credential, or an invalid one"),
    (403, "The credential lacks a scope"),
    (404, "There is no such thing, or an id in the path is malformed"),
    (408, "The body did not arrive in time"),
    (409, "It does not fit the present state"),
    (410, "It was there once"),
    (413, "The body is too large"),
    (415, "The body is not uncompressed JSON"),
    (422, "The body is JSON and not acceptable: `errors` points at the value"),
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
            tag("keys", "API keys: made, changed, replaced, revoked and counted"),
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
    components["headers"] = json!({
        "X-Request-Id": {
            "description": "Finds the request in the server's log; the client's own, if it sent a plain one",
            "schema": {"type": "string"},
        },
        "ETag": {"description": "Names this version, for If-None-Match", "schema": {"type": "string"}},
    });
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

/// An error as a response of the document.
fn error(status: u16, description: &str, dress: Dress) -> Value {
    let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}});
    if status == 401 {
        headers["WWW-Authenticate"] = json!({"schema": {"type": "string"}});
    }
    if matches!(status, 503 | 504) {
        headers["Retry-After"] = json!({"description": "Seconds", "schema": {"type": "integer", "minimum": 0}});
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

fn complete_operation(path: &str, method: &str, operation: &mut Value) {
    let protected = operation.get("x-scope").is_some_and(|scope| scope != "public");
    let bearer = match Dress::of(path) {
        Dress::Problem => json!({"bearer": []}),
        Dress::Envelope => json!({"bearer": [], "adminSecret": []}),
    };
    operation["security"] =
        if protected { json!([{"apiKey": []}, {"apiKeyAuthorization": []}, bearer]) } else { json!([]) };
    if let Some((prefix, canonical)) = ALIASES.iter().find(|(prefix, _)| path.starts_with(prefix)) {
        let target = path.replacen(prefix, canonical, 1);
        operation["x-alias-of"] = format!("{} {target}", method.to_uppercase()).into();
        let id = operation["operationId"].as_str().unwrap_or_default();
        operation["operationId"] = format!("{id}Alias").into();
    }
    if operation.get("x-alias-of").is_some() {
        operation["deprecated"] = true.into();
    }
    let possible = errors_of(path, operation, protected);
    let dress = Dress::of(path);
    if protected && method == "get" && !is_always_new(path) {
        add_revalidation(operation);
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
        response["headers"]["X-Request-Id"] = json!({"$ref": "#/components/headers/X-Request-Id"});
    }
    for status in possible {
        responses
            .entry(status.to_string())
            .or_insert_with(|| json!({"$ref": format!("#/components/responses/{}{status}", dress.component())}));
    }
}

/// Statuses that an operation may answer, from what it takes.
fn errors_of(path: &str, operation: &Value, protected: bool) -> BTreeSet<u16> {
    let mut statuses = BTreeSet::from([500, 504]);
    if protected {
        statuses.extend([401, 403, 503]);
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
    envelope::covers(path) || path.ends_with("/usage") || path.ends_with("/callers")
}

/// Reads of configuration carry an entity tag.
fn add_revalidation(operation: &mut Value) {
    if operation["parameters"].is_null() {
        operation["parameters"] = json!([]);
    }
    if let Some(parameters) = operation["parameters"].as_array_mut() {
        parameters.push(json!({
            "name": "If-None-Match", "in": "header", "required": false,
            "description": "The ETag of the version that the client has", "schema": {"type": "string"},
        }));
    }
    operation["responses"]["304"] = json!({"description": "The client has this version"});
    for status in ["200", "304"] {
        operation["responses"][status]["headers"]["ETag"] = json!({"$ref": "#/components/headers/ETag"});
    }
}
