//! Signing in: the page that asks for consent, and the endpoints for tokens.

use axum::body::Body;
use axum::extract::{Request, State as Extract};
use axum::http::{StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::application::application_json;
use super::request::{self, ApiError, Reply, Req, Result};
use crate::journal::Exchange;
use crate::oauth::{Code, Consent, Grant, TOKEN_LIFE, challenge_of};
use crate::state::State;
use crate::{APPLICATION_ID, CLIENT_SECRET, FakeDiscord, render};

/// The scopes that the stand-in knows.
const SCOPES: [&str; 3] = ["identify", "email", "guilds"];

/// Where the browser goes next.
enum Page {
    /// Back to the client.
    Redirect(String),
    /// It stays on a page of Discord's.
    Shown(u16, &'static str),
}

/// `GET /oauth2/authorize`, where a browser comes with what the client asks for. On Discord a page asks the person;
/// here [`FakeDiscord::set_consent`] has said what the person does.
pub(crate) async fn authorize(Extract(fake): Extract<FakeDiscord>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let page = fake.with(|state| {
        let page = decide(state, &request::query_pairs(&query));
        let (status, shown) = match &page {
            Page::Redirect(to) => (302, json!({ "location": to })),
            Page::Shown(status, text) => (*status, json!(text)),
        };
        if let Page::Shown(400, text) = page {
            state.journal.violation(format!("GET /oauth2/authorize refused: {text}"));
        }
        let exchange = Exchange {
            at: std::time::Instant::now(),
            time: state.now(),
            method: "GET".to_owned(),
            route: "/oauth2/authorize".to_owned(),
            path: "/oauth2/authorize".to_owned(),
            query,
            request: Value::Null,
            audit_reason: None,
            status,
            response: shown,
            injected: false,
        };
        state.journal.record(exchange);
        page
    });
    let (builder, body) = match page {
        Page::Redirect(to) => {
            (Response::builder().status(StatusCode::FOUND).header(header::LOCATION, to), String::new())
        }
        Page::Shown(status, text) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let builder = Response::builder().status(status).header(header::CONTENT_TYPE, "text/html");
            (builder, format!("<!doctype html><title>Discord</title><p>{text}</p>"))
        }
    };
    // Only a redirect that no header can hold fails here; the empty answer then shows it.
    builder.body(Body::from(body)).unwrap_or_default()
}

/// What a client asks of a person. A client that is not known, and a redirect that is not registered, never get a
/// redirect: it could lead anywhere.
fn decide(state: &mut State, query: &[(String, String)]) -> Page {
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    if value("client_id") != APPLICATION_ID.to_string() {
        return Page::Shown(400, "Unknown Application");
    }
    let redirect_uri = value("redirect_uri");
    if !state.oauth.redirect_uris.iter().any(|one| one == redirect_uri) {
        return Page::Shown(400, "Invalid OAuth2 redirect_uri");
    }
    let back = |pairs: &[(&str, &str)]| {
        let mut to = redirect_uri.to_owned();
        let all = pairs.iter().copied().chain((!value("state").is_empty()).then(|| ("state", value("state"))));
        for (key, value) in all {
            to.push(if to.contains('?') { '&' } else { '?' });
            to.push_str(key);
            to.push('=');
            to.push_str(&request::encode(value));
        }
        Page::Redirect(to)
    };
    if value("response_type") != "code" {
        return back(&[("error", "unsupported_response_type")]);
    }
    let scopes: Vec<String> = value("scope").split(' ').filter(|one| !one.is_empty()).map(str::to_owned).collect();
    if scopes.is_empty() || scopes.iter().any(|one| !SCOPES.contains(&one.as_str())) {
        let why = "The requested scope is invalid, unknown, or malformed.";
        return back(&[("error", "invalid_scope"), ("error_description", why)]);
    }
    let challenge = value("code_challenge");
    // A challenge without a method would be the verifier itself, which protects nothing.
    let has_challenge = query.iter().any(|(key, _)| matches!(key.as_str(), "code_challenge" | "code_challenge_method"));
    if has_challenge && (value("code_challenge_method") != "S256" || !is_challenge(challenge)) {
        let why = "Invalid \"code_challenge\" in request.";
        return back(&[("error", "invalid_request"), ("error_description", why)]);
    }
    let user = match state.oauth.consent {
        Consent::SignedOut => return Page::Shown(200, "Log in to continue to Guildhall"),
        Consent::Deny => {
            let why = "The resource owner or authorization server denied the request";
            return back(&[("error", "access_denied"), ("error_description", why)]);
        }
        Consent::Allow(user) => user,
    };
    let now = state.now();
    let code = Code {
        user,
        scopes,
        redirect_uri: redirect_uri.to_owned(),
        challenge: has_challenge.then(|| challenge.to_owned()),
        ends_at: now,
    };
    let text = state.oauth.add_code(code, now);
    back(&[("code", &text)])
}

/// Whether a text can be the digest of a verifier: 32 bytes as 43 letters.
fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn refusal(status: u16, error: &str, description: Option<&str>) -> Reply {
    let mut body = json!({ "error": error });
    if let Some(text) = description {
        body["error_description"] = json!(text);
    }
    Reply { status, body: Some(body) }
}

/// Checks that the application itself is asking: its id and secret in the body, or by HTTP Basic.
fn refuse_client(req: &Req) -> Option<Reply> {
    let basic = req.authorization.as_deref().and_then(|text| text.strip_prefix("Basic "));
    let (id, secret) = match basic {
        Some(text) => {
            let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let decoded = decoded.unwrap_or_default();
            let (id, secret) = decoded.split_once(':').unwrap_or_default();
            (request::decode(id), request::decode(secret))
        }
        None => (req.text("client_id").to_owned(), req.text("client_secret").to_owned()),
    };
    let known = id == APPLICATION_ID.to_string() && secret == CLIENT_SECRET;
    (!known).then(|| refusal(401, "invalid_client", None))
}

/// Exchanges a code or a refresh token. The body must be a form; JSON is not read, as on Discord.
#[allow(clippy::unnecessary_wraps, reason = "handlers of a route may fail")]
pub(super) fn token(state: &mut State, req: &Req) -> Result<Reply> {
    if let Some(refused) = refuse_form(state, req).or_else(|| refuse_client(req)) {
        return Ok(refused);
    }
    match req.text("grant_type") {
        "authorization_code" => Ok(exchange_code(state, req)),
        "refresh_token" => {
            let now = state.now();
            let grant = state.oauth.refresh(req.text("refresh_token"), now);
            let refused = || refusal(400, "invalid_grant", Some("Invalid \"refresh_token\" in request."));
            Ok(grant.map_or_else(refused, |grant| tokens(&grant)))
        }
        other => {
            let why = format!("Grant type {other} is not supported");
            Ok(refusal(400, "unsupported_grant_type", Some(&why)))
        }
    }
}

fn refuse_form(state: &mut State, req: &Req) -> Option<Reply> {
    if req.is_form {
        return None;
    }
    state.journal.violation(format!("{} {}: the body must be a form", req.method, req.path));
    Some(refusal(400, "unsupported_grant_type", Some("Grant type None is not supported")))
}

fn exchange_code(state: &mut State, req: &Req) -> Reply {
    let now = state.now();
    let refused = |what: &str| refusal(400, "invalid_grant", Some(&format!("Invalid \"{what}\" in request.")));
    let text = req.text("code");
    let Some(code) = state.oauth.code(text, now) else {
        return refused("code");
    };
    if code.redirect_uri != req.text("redirect_uri") {
        return refused("redirect_uri");
    }
    let verifier = req.text("code_verifier");
    let proved = match &code.challenge {
        Some(challenge) => (43..=128).contains(&verifier.len()) && challenge_of(verifier) == *challenge,
        // A verifier without a challenge means that somebody took the challenge out on the way (RFC 9700, 2.1.1).
        None => verifier.is_empty(),
    };
    if !proved {
        return refused("code_verifier");
    }
    state.oauth.redeem(text, now).map_or_else(|| refused("code"), |grant| tokens(&grant))
}

fn tokens(grant: &Grant) -> Reply {
    let body = json!({
        "token_type": "Bearer", "access_token": grant.access_token, "expires_in": TOKEN_LIFE.num_seconds(),
        "refresh_token": grant.refresh_token, "scope": grant.scopes.join(" "),
    });
    Reply { status: 200, body: Some(body) }
}

/// Ends an authorization. A token that nobody knows is answered alike (RFC 7009).
pub(super) fn revoke(state: &mut State, req: &Req) -> Result<Reply> {
    if let Some(refused) = refuse_form(state, req).or_else(|| refuse_client(req)) {
        return Ok(refused);
    }
    state.oauth.revoke(req.text("token"));
    Reply::ok(json!({}))
}

/// What an access token is good for.
pub(super) fn authorization(state: &mut State, req: &Req) -> Result<Reply> {
    let grant = req.grant.as_ref().ok_or_else(ApiError::unauthorized)?;
    let mut body = json!({
        "application": application_json(state), "scopes": grant.scopes, "expires": render::time(grant.ends_at),
    });
    if grant.allows("identify") {
        body["user"] = state.users.get(&grant.user).map_or(Value::Null, render::user);
    }
    Reply::ok(body)
}
