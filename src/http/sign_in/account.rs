//! `/v1/auth`: signing in with an e-mail address and a password, in the words of Shard's clients.

use axum::{
    Json as Answer,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::NO_STORE;
use crate::{
    app::App,
    domain::{
        UserActor,
        sign_in::{self, Tokens},
    },
    http::{Routes, auth::Known, error::Problem, extract::Json, throttle, view::Timestamp},
};

pub(in crate::http) fn routes() -> Routes {
    vec![routes!(register), routes!(login)]
}

/// An e-mail address and a password.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"email": "ada@example.org", "password": "correct horse battery"}))]
struct Account {
    /// A name to sign in with; no mail is sent there.
    #[schema(format = "email", max_length = 254)]
    email: String,
    /// At least 10 characters.
    #[schema(format = "password", min_length = 10, max_length = 128)]
    password: String,
}

/// Tokens and their person.
#[derive(Serialize, ToSchema)]
struct Authenticated {
    /// For the header `Authorization`.
    access_token: String,
    /// For `POST /api/auth/refresh`, once.
    refresh_token: String,
    /// Seconds that the access token lives.
    #[schema(example = 900)]
    expires_in: i64,
    /// Always `Bearer`.
    #[schema(value_type = String, example = "Bearer")]
    token_type: &'static str,
    /// The person.
    user: AccountUser,
}

/// A person.
#[derive(Serialize, ToSchema)]
struct AccountUser {
    /// Another spelling of the id that other addresses use.
    #[schema(example = "usr_01KB0VQ8GCE9S8PYT3M4B2V3WQ")]
    id: String,
    /// Their e-mail address.
    email: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// The bits of a UUID in the letters of a ULID.
fn user_id(id: entity::id::UserId) -> String {
    format!("usr_{}", ulid::Ulid::from_bytes(*id.0.as_bytes()))
}

async fn answer(app: &App, status: StatusCode, tokens: &Tokens) -> Result<Response, Problem> {
    let person = UserActor { id: tokens.user.id, role: tokens.user.role };
    let me = sign_in::me(app.domain(), person).await?;
    let user = AccountUser { id: user_id(me.user.id), email: me.email, created_at: Timestamp(me.user.created_at) };
    let body = Authenticated {
        access_token: tokens.access.expose().to_owned(),
        refresh_token: tokens.refresh.expose().to_owned(),
        expires_in: tokens.expires_in,
        token_type: "Bearer",
        user,
    };
    Ok((status, NO_STORE, Answer(body)).into_response())
}

/// Register with a password
///
/// Makes a person and signs them in. The address is not proved by that: it is a name, and connects to nothing.
#[utoipa::path(post, path = "/register", tag = "sign-in", operation_id = "register",
    extensions(("x-scope" = json!("public"))),
    request_body = Account,
    responses(
        (status = 201, description = "Tokens", body = Authenticated),
        (status = 409, description = "The address cannot be registered"),
        (status = 503, description = "Too many passwords are being checked")))]
async fn register(
    State(app): State<App>,
    Known(principal): Known,
    Json(body): Json<Account>,
) -> Result<Response, Problem> {
    throttle::admit_sign_in(app.limits(), principal.address(), &body.email.trim().to_lowercase())?;
    let tokens = sign_in::register(app.domain(), &body.email, &body.password).await?;
    answer(&app, StatusCode::CREATED, &tokens).await
}

/// Sign in with a password
#[utoipa::path(post, path = "/login", tag = "sign-in", operation_id = "login",
    extensions(("x-scope" = json!("public"))),
    request_body = Account,
    responses(
        (status = 200, description = "Tokens", body = Authenticated),
        (status = 401, description = "There is no such account, or the password is another one"),
        (status = 503, description = "Too many passwords are being checked")))]
async fn login(
    State(app): State<App>,
    Known(principal): Known,
    Json(body): Json<Account>,
) -> Result<Response, Problem> {
    throttle::admit_sign_in(app.limits(), principal.address(), &body.email.trim().to_lowercase())?;
    let tokens = sign_in::sign_in_with_password(app.domain(), &body.email, &body.password).await?;
    answer(&app, StatusCode::OK, &tokens).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_number_in_both_spellings() {
        let id = uuid::Uuid::from_u128(0x0199_a5e0_0000_7000_8000_0000_0000_0001);
        let text = user_id(entity::id::UserId(id));
        assert_eq!(text.len(), 30);
        let read: ulid::Ulid = text.strip_prefix("usr_").unwrap().parse().unwrap();
        assert_eq!(read.to_bytes(), *id.as_bytes());
    }
}
