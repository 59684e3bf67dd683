//! `/api/auth`: signing in with a wallet or a Discord account, and what comes of it.
//!
//! Invariant: no answer here may be kept by anybody on its way.

pub(super) mod account;
mod discord;
mod view;

use axum::{
    Extension, Json as Answer,
    extract::State,
    http::HeaderName,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{
    Routes,
    auth::{Caller, Known},
    error::Problem,
    extract::Json,
    idempotency::ContainsSecret,
    throttle,
};
use crate::{
    app::App,
    domain::{Domain, sign_in},
};
use view::{Me, Nonce, Refreshed, SignedIn, SignedOut};

/// Answers that hold secrets.
const NO_STORE: [(HeaderName, &str); 1] = [(axum::http::header::CACHE_CONTROL, "no-store")];

pub(super) fn routes() -> Routes {
    let mut routes = vec![routes!(nonce), routes!(verify), routes!(refresh), routes!(me), routes!(revoke)];
    routes.extend(discord::routes());
    routes
}

/// For whom a nonce is.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"address": "0x9d85ca56217d2bb651b00f15e694eb7e713637d4"}))]
struct NonceFor {
    /// The only address that may use it.
    #[schema(pattern = "^0x[0-9a-fA-F]{40}$", nullable = false)]
    address: Option<String>,
}

/// Get a nonce for a message
///
/// It is good for five minutes and for one message, and, where a key is shown, for that key only. Clients may also
/// choose nonces of their own.
#[utoipa::path(post, path = "/nonce", tag = "sign-in", operation_id = "createNonce",
    extensions(("x-scope" = json!("public"))),
    request_body = NonceFor,
    responses((status = 200, description = "The nonce", body = Nonce)))]
async fn nonce(
    State(domain): State<Domain>,
    Known(principal): Known,
    Json(body): Json<NonceFor>,
) -> Result<Response, Problem> {
    let key = principal.stored_key().map(|key| key.row.id);
    let issued = sign_in::issue_nonce(&domain, key, body.address.as_deref()).await?;
    Ok((NO_STORE, Answer(Nonce::from(issued))).into_response())
}

/// A message and its signature.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "message": "app.example.org wants you to sign in with your Ethereum account:\n\
        0x9D85ca56217D2bb651b00f15e694EB7E713637D4\n\n\nURI: https://app.example.org/login\nVersion: 1\nChain ID: 1\n\
        Nonce: 3fR9xQ2aVb7LmN8p\nIssued At: 2026-11-26T12:00:00Z",
    "signature": "0x6f5d…1b",
}))]
struct SignedMessage {
    /// The text that was signed: <https://eips.ethereum.org/EIPS/eip-4361>.
    #[schema(max_length = 8192)]
    message: String,
    /// The signature of the wallet: 65 bytes.
    #[schema(example = "0x6f5d…1b")]
    signature: String,
}

/// Sign in with a wallet
///
/// Domain and URI of the message must be among the allowed origins of the key, the message at most ten minutes old, its
/// nonce unused. A person is made on their first time.
#[utoipa::path(post, path = "/verify", tag = "sign-in", operation_id = "verifyWallet",
    extensions(("x-scope" = json!("key"))),
    request_body = SignedMessage,
    responses(
        (status = 200, description = "Tokens", body = SignedIn),
        (status = 400, description = "The message or the signature cannot be read"),
        (status = 401, description = "The key is not good, or message, nonce or signature are not"),
        (status = 403, description = "The key names no origins"),
        (status = 422, description = "The signature is that of a contract")))]
async fn verify(
    State(app): State<App>,
    Known(principal): Known,
    Json(body): Json<SignedMessage>,
) -> Result<Response, Problem> {
    let message = sign_in::Message::parse(&body.message).map_err(crate::domain::Error::from)?;
    throttle::admit_sign_in(app.limits(), principal.address(), &message.address().lower_case())?;
    let key = principal.stored_key().map(AsRef::as_ref);
    let (tokens, address) = sign_in::sign_in_with_wallet(app.domain(), key, &body.message, &body.signature).await?;
    let secret = ContainsSecret { subject: tokens.session.id.to_string() };
    Ok((NO_STORE, Extension(secret), Answer(SignedIn::new(&tokens, Some(address.lower_case())))).into_response())
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"refreshToken": "crt_ref_mF_9.B5f-4.1JqM"}))]
struct RefreshToken {
    /// The newest one of the session.
    refresh_token: String,
}

/// Get new tokens
///
/// The refresh token is used up by that; for ten seconds it is answered the same again. Used later, it ends the session,
/// because somebody else may have it.
#[utoipa::path(post, path = "/refresh", tag = "sign-in", operation_id = "refreshTokens",
    extensions(("x-scope" = json!("public"))),
    request_body = RefreshToken,
    responses(
        (status = 200, description = "Tokens", body = Refreshed),
        (status = 401, description = "The refresh token is not good, or of another key's session")))]
async fn refresh(
    State(app): State<App>,
    Known(principal): Known,
    Json(body): Json<RefreshToken>,
) -> Result<Response, Problem> {
    let known = sign_in::find_refresh(app.domain(), &body.refresh_token).await?;
    throttle::admit_refresh(app.limits(), known.session.0)?;
    let key = principal.stored_key().map(|key| key.row.id);
    let tokens = sign_in::refresh(app.domain(), known, key).await?;
    Ok((NO_STORE, Answer(Refreshed::from(&tokens))).into_response())
}

/// Who am I
#[utoipa::path(get, path = "/me", tag = "sign-in", operation_id = "getSignedIn",
    extensions(("x-scope" = json!("user"))),
    responses(
        (status = 200, description = "The person of the token", body = Me),
        (status = 404, description = "The person is gone")))]
async fn me(State(domain): State<Domain>, Known(principal): Known) -> Result<Response, Problem> {
    let person = principal.signed_in().ok_or_else(Problem::internal)?.actor;
    let me = sign_in::me(&domain, person).await?;
    Ok((NO_STORE, Answer(Me::from(me))).into_response())
}

/// Sign out everywhere
///
/// Ends all sessions of the person: their refresh tokens, and their access tokens from the next request on.
#[utoipa::path(post, path = "/revoke", tag = "sign-in", operation_id = "revokeTokens",
    extensions(("x-scope" = json!("user"))),
    responses((status = 200, description = "All tokens are dead", body = SignedOut)))]
async fn revoke(Caller(actor): Caller, State(domain): State<Domain>) -> Result<Response, Problem> {
    sign_in::sign_out(&domain, &actor).await?;
    Ok((NO_STORE, Answer(SignedOut::DONE)).into_response())
}
