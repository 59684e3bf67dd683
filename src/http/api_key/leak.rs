//! `POST /api/keys/report-leak`: whoever holds a key may end it.

use axum::{
    Json as Answer,
    extract::{FromRequest, Request, State},
    http::{StatusCode, header},
};
use entity::id::ApiKeyId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::{
    app::App,
    domain::api_key::{self, KeyRefusal},
    http::{Routes, error::Problem, extract::Json, view::Timestamp},
};

pub(in crate::http) fn routes() -> Routes {
    vec![routes!(report)]
}

/// A key that was found where it should not be.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"key": "hall_live_3fR9xQ2aVb7LmN8pT4sW6yZ1cD5eG0hJkU00aB1c"}))]
struct FoundKey {
    /// The whole key.
    #[schema(min_length = 8, max_length = 255)]
    key: String,
}

impl FromRequest<App> for FoundKey {
    type Rejection = Problem;

    /// From the body where there is one, else from the header: who reports another's key beside their own keeps theirs.
    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let has_body = request.headers().contains_key(header::CONTENT_TYPE);
        match request.headers().get("x-api-key").filter(|_| !has_body) {
            Some(shown) => Ok(Self { key: shown.to_str().unwrap_or_default().trim().to_owned() }),
            None => Json::from_request(request, app).await.map(|Json(found)| found),
        }
    }
}

/// What became of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EndedKey {
    /// Always true.
    #[schema(example = true)]
    success: bool,
    /// The key's id.
    #[schema(value_type = String, format = "uuid")]
    id: ApiKeyId,
    /// When it was revoked, for the first time.
    #[schema(value_type = String, format = DateTime)]
    revoked_at: Timestamp,
    /// It was revoked before.
    already_revoked: bool,
    /// For people.
    #[schema(value_type = String)]
    message: &'static str,
}

/// Report a key that has leaked
///
/// Needs no other credential: holding the key is the right to end it. The key comes in the body, or without one in
/// `X-API-Key`, in any state, and is revoked at once.
#[utoipa::path(post, path = "", tag = "keys", operation_id = "reportLeakedKey",
    extensions(("x-scope" = json!("public"))),
    request_body = Option<FoundKey>,
    responses(
        (status = 200, description = "It is dead", body = EndedKey),
        (status = 404, description = "No such key is known here"),
        (status = 409, description = "It is the root key, which only its operator can change"),
        (status = 503, description = "Keys cannot be looked up at the moment")))]
async fn report(State(app): State<App>, found: FoundKey) -> Result<Answer<EndedKey>, Problem> {
    if app.root_key().matches(&found.key) {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "root_key",
            "This is the root key. Only its operator can replace it: set API_KEY anew and restart",
        ));
    }
    let reported = api_key::report_leak(app.domain(), &found.key).await?;
    let reported = reported.ok_or_else(|| Problem::from(crate::domain::Error::from(KeyRefusal::NotFound)))?;
    Ok(Answer(EndedKey {
        success: true,
        id: reported.row.id,
        revoked_at: Timestamp(reported.row.state_at),
        already_revoked: reported.was_revoked,
        message: "The key is revoked. Thank you for the report",
    }))
}
