//! The REST API: one entry that matches routes, applies faults and limits, and keeps the journal.

mod application;
mod auto_moderation;
mod callback;
mod channel;
mod guild;
mod invite;
mod join_request;
mod message;
pub(crate) mod oauth;
mod pin;
pub(crate) mod request;
mod table;
mod thread;
mod user;
mod webhook;

use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State as Extract};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

pub(crate) use request::{ApiError, Req, Result};
pub(crate) use table::{Caller, Route, canonical, find};

use crate::fault::Failure;
use crate::journal::Exchange;
use crate::multipart::{self, Upload};
use crate::oauth::Grant;
use crate::rate_limit::Headers;
use crate::server::Wire;
use crate::state::State;
use crate::{FakeDiscord, TOKEN};

/// Discord refuses larger requests.
const MAX_BODY: usize = 25 * 1024 * 1024;

/// What is known of a request before any rule looks at it.
struct Incoming {
    method: String,
    path: String,
    query: String,
    reason: Option<String>,
    body: Value,
    files: Vec<Upload>,
    malformed: bool,
    /// Whether the body is a form, as the endpoints for tokens want it.
    is_form: bool,
    authorization: Option<String>,
    has_agent: bool,
}

/// The outcome of one request.
struct Outcome {
    status: u16,
    body: Vec<u8>,
    json: Value,
    headers: Headers,
    injected: bool,
}

impl Outcome {
    fn json(status: u16, value: Option<Value>) -> Self {
        let body = value.as_ref().map(Value::to_string).unwrap_or_default();
        let headers =
            if value.is_some() { vec![("content-type".into(), "application/json".into())] } else { Vec::new() };
        Self { status, body: body.into_bytes(), json: value.unwrap_or_default(), headers, injected: false }
    }

    fn failure(failure: Failure, injected: bool) -> Self {
        Self {
            status: failure.status,
            json: serde_json::from_slice(&failure.body).unwrap_or_default(),
            body: failure.body,
            headers: failure.headers,
            injected,
        }
    }
}

/// Every request but the gateway's comes here.
pub(crate) async fn entry(
    Extract(fake): Extract<FakeDiscord>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, MAX_BODY).await else {
        return respond(&fake, Outcome::json(413, Some(json!({"code": 40005, "message": "Request entity too large"}))));
    };
    let path = head.uri.path();
    // Discord's documents write the endpoints for tokens without a version.
    let plain = path.strip_prefix("/api").filter(|rest| rest.starts_with("/oauth2/token"));
    let Some(path) = path.strip_prefix("/api/v10").or(plain) else {
        fake.with(|state| {
            let what = format!("{} {}", head.method, head.uri.path());
            state.journal.unknown_route(what);
        });
        return respond(&fake, not_found());
    };
    let query = head.uri.query().unwrap_or_default();
    let incoming = read(&head.method, path, query, &head.headers, &bytes);
    let route = find(&incoming.method, &incoming.path);
    let template = route.as_ref().map_or("", |found| found.0.template);
    let ordered = fake.with(|state| state.fate(&incoming.method, template, &incoming.path));
    if !ordered.delay.is_zero() {
        tokio::time::sleep(ordered.delay).await;
    }
    if ordered.cut == Some(false) {
        return cut(&fake, &wire, &incoming, template);
    }
    let outcome = fake.with(|state| {
        let outcome = match ordered.answer {
            Some(failure) if !failure.applied => Outcome::failure(failure, true),
            answer => {
                let truth = handle(state, &incoming, route);
                answer.map_or(truth, |failure| Outcome::failure(failure, true))
            }
        };
        if ordered.cut.is_none() {
            state.journal.record(exchange(state, &incoming, template, &outcome));
        }
        outcome
    });
    if ordered.cut.is_some() {
        return cut(&fake, &wire, &incoming, template);
    }
    respond(&fake, outcome)
}

fn cut(fake: &FakeDiscord, wire: &Wire, incoming: &Incoming, template: &str) -> Response {
    let mut nothing = Outcome::json(0, None);
    nothing.injected = true;
    fake.with(|state| {
        let lost = exchange(state, incoming, template, &nothing);
        state.journal.record(lost);
    });
    wire.cut();
    Response::new(Body::empty())
}

fn exchange(state: &State, incoming: &Incoming, template: &str, outcome: &Outcome) -> Exchange {
    Exchange {
        at: Instant::now(),
        time: state.now(),
        method: incoming.method.clone(),
        route: template.to_owned(),
        path: incoming.path.clone(),
        query: incoming.query.clone(),
        request: incoming.body.clone(),
        audit_reason: incoming.reason.clone(),
        status: outcome.status,
        response: outcome.json.clone(),
        injected: outcome.injected,
    }
}

fn respond(fake: &FakeDiscord, outcome: Outcome) -> Response {
    let now = fake.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut builder = Response::builder()
        .status(StatusCode::from_u16(outcome.status).unwrap_or(StatusCode::OK))
        .header(header::DATE, now);
    for (name, value) in outcome.headers {
        builder = builder.header(name, value);
    }
    // Only a header a test ordered can be unprintable; the empty answer then shows it.
    builder.body(Body::from(outcome.body)).unwrap_or_default()
}

fn read(method: &Method, path: &str, query: &str, headers: &HeaderMap, bytes: &Bytes) -> Incoming {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let kind = text("content-type").unwrap_or_default();
    let is_form = kind.starts_with("application/x-www-form-urlencoded");
    let parsed = if kind.starts_with("multipart/form-data") {
        multipart::parse(kind, bytes)
    } else if is_form {
        let pairs = request::query_pairs(&String::from_utf8_lossy(bytes));
        let fields = pairs.into_iter().map(|(key, value)| (key, Value::String(value))).collect();
        Some((Value::Object(fields), Vec::new()))
    } else if bytes.is_empty() {
        Some((Value::Null, Vec::new()))
    } else {
        serde_json::from_slice(bytes).ok().map(|json| (json, Vec::new()))
    };
    let malformed = parsed.is_none();
    let (body, files) = parsed.unwrap_or_default();
    Incoming {
        method: method.as_str().to_owned(),
        path: request::decode(path.trim_end_matches('/')),
        query: query.to_owned(),
        reason: text("x-audit-log-reason").map(request::decode),
        body,
        files,
        malformed,
        is_form,
        authorization: text("authorization").map(str::to_owned),
        has_agent: text("user-agent").is_some_and(|agent| !agent.trim().is_empty()),
    }
}

fn not_found() -> Outcome {
    Outcome::json(404, Some(json!({"code": 0, "message": "404: Not Found"})))
}

/// Applies authorization, limits and the route's own rules.
fn handle(state: &mut State, incoming: &Incoming, route: Option<Route>) -> Outcome {
    if !incoming.has_agent {
        let what = format!("{} {}: no User-Agent", incoming.method, incoming.path);
        state.journal.violation(what);
    }
    let Some((definition, params)) = route else {
        let what = format!("{} {}", incoming.method, incoming.path);
        state.journal.unknown_route(what);
        return not_found();
    };
    let Ok(grant) = authorize(state, incoming, definition.caller) else {
        return Outcome::json(401, Some(ApiError::unauthorized().json()));
    };
    let key = format!("{} {}", incoming.method, definition.template);
    let major = params.iter().find(|(name, _)| matches!(*name, "channel_id" | "guild_id" | "webhook_token"));
    let major = major.map_or("", |(_, value)| value);
    let headers = match state.limits.count(&key, major) {
        Ok(headers) => headers,
        Err((failure, headers)) => {
            let mut outcome = Outcome::failure(failure, false);
            outcome.headers.extend(headers);
            return outcome;
        }
    };
    let request = Req {
        method: incoming.method.clone(),
        path: incoming.path.clone(),
        params,
        query: request::query_pairs(&incoming.query),
        body: incoming.body.clone(),
        files: incoming.files.clone(),
        is_form: incoming.is_form,
        authorization: incoming.authorization.clone(),
        grant,
    };
    let answer = if incoming.malformed {
        Err(ApiError::new(400, 50109, "The request body contains invalid JSON."))
    } else {
        check_reason(incoming).and_then(|()| (definition.handler)(state, &request))
    };
    let mut outcome = match answer {
        Ok(reply) => Outcome::json(reply.status, reply.body),
        Err(error) => {
            if matches!(error.code, 50006 | 50016 | 50035 | 50109) {
                let what = format!("{key} refused: {}", error.json());
                state.journal.violation(what);
            }
            Outcome::json(error.status, Some(error.json()))
        }
    };
    outcome.headers.extend(headers);
    outcome
}

/// Who calls: the grant of a person, None for the bot and for whom the handler knows.
fn authorize(state: &State, incoming: &Incoming, caller: Caller) -> Result<Option<Grant>> {
    let given = incoming.authorization.as_deref();
    if let Some(token) = given.and_then(|text| text.strip_prefix("Bearer "))
        && matches!(caller, Caller::Either | Caller::Person)
    {
        let grant = state.oauth.by_access_token(token, state.now());
        return grant.cloned().map(Some).ok_or_else(ApiError::unauthorized);
    }
    let is_bot = given.map(|text| text == format!("Bot {TOKEN}"));
    let passes = match caller {
        Caller::Client => true,
        Caller::Person => false,
        Caller::Open => is_bot != Some(false) && !state.token_refused,
        Caller::Bot | Caller::Either => is_bot == Some(true) && !state.token_refused,
    };
    if passes { Ok(None) } else { Err(ApiError::unauthorized()) }
}

fn check_reason(incoming: &Incoming) -> Result<()> {
    let length = incoming.reason.as_deref().map_or(0, |text| text.chars().count());
    if length > 512 {
        return Err(ApiError::form("reason", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 512 in length."));
    }
    Ok(())
}
