//! `Idempotency-Key` on POST and PATCH: what a client sends again after a broken connection has its effect once.
//!
//! The whole handler runs inside one transaction of the store, which begins with the record of the key and ends with
//! the record of the answer. Therefore a handler of POST or PATCH asks nobody outside, waits for no write of another
//! task and does not read what it has written.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::{Body, Bytes, HttpBody as _},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use futures_util::{FutureExt as _, future::BoxFuture};
use http_body_util::BodyExt as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tracing::Instrument as _;

use super::{access::Entry, error::Problem, extract::read_body, observe::dressed, request_id::RequestId};
use crate::{
    app::App,
    domain::{
        self, Actor, Refusal as _,
        idempotency::{self, Answer, IdempotencyRefusal, Outcome, Request, Tried},
    },
};

/// The header that names a request.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header on an answer that was given before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Longest key.
const KEY_CHARACTERS_MAX: usize = 255;
/// Largest answer that is remembered whole.
const BODY_BYTES_MAX: u64 = 64 * 1024;

/// Put on an answer by its handler: it holds a secret, so that nobody may see it twice. A repeated request is told
/// instead that `subject` was made.
#[derive(Clone, Debug)]
pub struct ContainsSecret {
    /// The id of what was made.
    pub subject: String,
}

/// Runs the handler once, on a request of its own.
pub(super) type Handler = Arc<dyn Fn(axum::extract::Request) -> BoxFuture<'static, Response> + Send + Sync>;

/// Whether the header counts here.
pub(super) fn applies(method: &Method, headers: &HeaderMap) -> bool {
    matches!(*method, Method::POST | Method::PATCH) && headers.contains_key(IDEMPOTENCY_KEY)
}

/// Carries a request out unless it was before.
pub(super) async fn once(
    app: &App,
    entry: &Entry,
    actor: &Actor,
    request: axum::extract::Request,
    handler: Handler,
) -> Response {
    match try_once(app, entry, actor, request, handler).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn try_once(
    app: &App,
    entry: &Entry,
    actor: &Actor,
    request: axum::extract::Request,
    handler: Handler,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let key = key_of(&parts.headers)?;
    let body = read_body(app, body).await?;
    let operation = format!("{} {}", parts.method, entry.canonical(parts.uri.path()));
    let fingerprint = fingerprint(parts.uri.query(), &body);
    let request = Request::new(actor.to_string(), operation, key, fingerprint);
    let attempt = attempt(parts, body, handler);
    match idempotency::once(app.domain(), request, app.http().request_timeout, attempt).await {
        Ok(Outcome::Fresh(response)) => Ok(response.into_inner().unwrap_or_else(PoisonError::into_inner)),
        Ok(Outcome::Repeated(answer)) => Ok(repeated(answer)),
        Ok(Outcome::SecretShown { subject }) => Err(refused(IdempotencyRefusal::SecretAlreadyShown).with_id(subject)),
        Ok(Outcome::Panicked) => {
            tracing::error!("a handler panicked");
            Err(Problem::internal())
        }
        Err(error) if error.code() == Some(IdempotencyRefusal::Running.code()) => {
            Err(Problem::from(error).with_retry_after(1))
        }
        Err(error) => Err(error.into()),
    }
}

fn refused(refusal: IdempotencyRefusal) -> Problem {
    domain::Error::from(refusal).into()
}

/// The key: bare, or in double quotes as a structured header has it.
fn key_of(headers: &HeaderMap) -> Result<String, Problem> {
    let invalid = || refused(IdempotencyRefusal::InvalidKey);
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(invalid()) };
    let text = value.to_str().map_err(|_| invalid())?.trim();
    let bare = match text.strip_prefix('"') {
        Some(rest) => unquoted(rest).ok_or_else(invalid)?,
        None => text.to_owned(),
    };
    let is_plain = bare.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain && (1..=KEY_CHARACTERS_MAX).contains(&bare.len()) { Ok(bare) } else { Err(invalid()) }
}

/// What stands in quotes, after the first one: <https://www.rfc-editor.org/rfc/rfc9651#section-4.2.5>.
fn unquoted(rest: &str) -> Option<String> {
    let mut text = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '\\' => text.push(characters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            '"' => return characters.next().is_none().then_some(text),
            character => text.push(character),
        }
    }
}

/// A digest of what makes a request this one. JSON that says the same in another order is the same.
fn fingerprint(query: Option<&str>, body: &[u8]) -> [u8; 32] {
    let canonical =
        serde_json::from_slice::<Value>(body).ok().and_then(|value| serde_json::to_vec(&sorted(value)).ok());
    let (kind, body) = canonical.as_deref().map_or((b'r', body), |json| (b'j', json));
    let query = query.unwrap_or_default();
    let length = u64::try_from(query.len()).unwrap_or(u64::MAX).to_be_bytes();
    Sha256::new().chain_update([kind]).chain_update(length).chain_update(query).chain_update(body).finalize().into()
}

/// Objects with their keys in order, whatever order the parser keeps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Object(entries) => {
            let entries: BTreeMap<_, _> = entries.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.into_iter().collect()
        }
        plain => plain,
    }
}

/// The answer of one try. A body is not `Sync`, which the store asks of what it holds.
type Reply = Mutex<Response>;

fn attempt(parts: Parts, body: Bytes, handler: Handler) -> idempotency::Attempt<Reply> {
    let span = tracing::Span::current();
    Arc::new(move || {
        let (parts, handler) = (parts.clone(), handler.clone());
        let request = axum::extract::Request::from_parts(parts.clone(), Body::from(body.clone()));
        async move { kept(&parts, handler(request).await).await }.instrument(span.clone()).boxed()
    })
}

/// What is to be remembered of an answer, and the answer.
async fn kept(parts: &Parts, response: Response) -> Tried<Reply> {
    let (response, answer) = remembered(parts, response).await;
    Tried { reply: Mutex::new(response), answer }
}

async fn remembered(parts: &Parts, response: Response) -> (Response, Option<Answer>) {
    if !is_final(response.status()) {
        return (response, None);
    }
    let mut answer = Answer { status: response.status().as_u16(), ..Answer::default() };
    if let Some(secret) = response.extensions().get::<ContainsSecret>() {
        answer.subject = Some(secret.subject.clone());
        return (response, Some(answer));
    }
    // As it is sent, so that it is repeated word for word.
    let id = parts.extensions.get::<RequestId>().map(RequestId::as_str).unwrap_or_default();
    let response = dressed(response, parts.uri.path(), id);
    if response.body().size_hint().exact().is_none_or(|bytes| bytes > BODY_BYTES_MAX) {
        return (response, Some(answer));
    }
    let (head, body) = response.into_parts();
    let Ok(body) = body.collect().await else { return (Problem::internal().into_response(), None) };
    let body = body.to_bytes();
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    answer.content_type = content_type.map(str::to_owned);
    answer.body = Some(body.to_vec());
    (Response::from_parts(head, Body::from(body)), Some(answer))
}

/// Whether a second try would end the same. What depends on the moment is not remembered, nor is what failed.
fn is_final(status: StatusCode) -> bool {
    let passing =
        [StatusCode::UNAUTHORIZED, StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    !status.is_server_error() && !passing.contains(&status)
}

fn repeated(answer: Answer) -> Response {
    let mut response = Response::new(answer.body.map_or_else(Body::empty, Body::from));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Some(content_type) = answer.content_type.and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
