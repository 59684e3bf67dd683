//! API keys over HTTP, as cartel's clients know them: `/api/admin/keys`.
//!
//! Invariant: a secret stands in the answer to the request that made it, once, and that answer is kept by nobody.

mod body;
pub(super) mod key_kingdom;
pub(super) mod leak;
pub(super) mod usage;
mod view;

use axum::{
    Extension, Json as Answer,
    extract::State,
    http::{HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use entity::id::{ApiKeyId, GuildId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{
    Routes,
    auth::Caller,
    error::{FieldError, Problem},
    extract::{Json, Path, Query},
    idempotency::ContainsSecret,
    page::{Asked, PageQuery},
    view::Timestamp,
};
use crate::domain::{
    Domain,
    api_key::{self, KeyFilter},
};
use body::{ChangeKey, CreateKey, KeyType};
use view::{ApiKey, CreatedKey, ListedKey, RotatedKey};

/// Grace of the old key where a rotation names none.
const GRACE_SECONDS: i64 = 300;
/// Answers with a secret are kept by nobody.
const NO_STORE: [(header::HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

pub(super) fn routes() -> Routes {
    vec![routes!(list, create), routes!(show, change, revoke), routes!(rotate)]
}

/// Which keys to list.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those of this person.
    #[param(value_type = Option<String>, format = "uuid")]
    user_id: Option<UserId>,
    /// Only those that are bound to this server.
    #[param(value_type = Option<String>, pattern = "^[1-9][0-9]{0,19}$", example = "42")]
    guild_id: Option<GuildId>,
    /// Only those that were made with this type.
    r#type: Option<KeyType>,
    /// Only revoked ones, or only others.
    revoked: Option<bool>,
    /// Rows of the page, 1 to 100; without it the list comes whole, up to 10 000 rows.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// Rows to pass over.
    #[param(minimum = 0)]
    offset: Option<u64>,
}

impl Filter {
    /// This query without its page, for links to other pages.
    fn text(&self) -> Option<String> {
        let parts = [
            self.user_id.map(|id| format!("userId={id}")),
            self.guild_id.map(|id| format!("guildId={id}")),
            self.r#type.map(|name| format!("type={}", name.name())),
            self.revoked.map(|revoked| format!("revoked={revoked}")),
        ];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join("&");
        (!text.is_empty()).then_some(text)
    }
}

/// Why a key is revoked.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Reason {
    /// Why, for people.
    #[param(max_length = 500)]
    reason: Option<String>,
}

/// How long the old key works on.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Grace {
    /// Seconds that the old key works on; 0 ends it at once, and its own expiry is never put off.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 604_800, default = 300)]
    grace_period: Option<String>,
}

impl Grace {
    /// 422 rather than 400: clients of this address are told so whatever they send.
    fn read(&self) -> Result<TimeDelta, Problem> {
        let Some(text) = &self.grace_period else { return Ok(TimeDelta::seconds(GRACE_SECONDS)) };
        let seconds = text.parse().ok().filter(|seconds| (0..=604_800).contains(seconds));
        seconds.map(TimeDelta::seconds).ok_or_else(|| {
            let refusal = crate::domain::Error::from(api_key::KeyRefusal::BadGrace);
            Problem::from(refusal).with_field(FieldError {
                pointer: None,
                parameter: Some("gracePeriod".to_owned()),
                code: "invalid_value",
                message: "must be from 0 to 604800".to_owned(),
            })
        })
    }
}

/// A key was revoked.
#[derive(Serialize, ToSchema)]
struct RevokedKey {
    /// Always true.
    #[schema(example = true)]
    success: bool,
    /// For people.
    #[schema(example = "API key deactivated successfully")]
    message: &'static str,
    /// When it was revoked, for the first time.
    #[schema(value_type = String, format = DateTime)]
    #[serde(rename = "revokedAt")]
    revoked_at: Timestamp,
}

/// List keys
///
/// The newest first. Of each key only its begin and its end are known.
#[utoipa::path(get, path = "", tag = "keys", operation_id = "listKeys",
    extensions(("x-scope" = json!("admin"))),
    params(Filter),
    responses((status = 200, description = "They, newest first", body = Vec<ListedKey>)))]
async fn list(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Query(filter): Query<Filter>,
    asked: Asked,
    uri: Uri,
) -> Result<Response, Problem> {
    let page = PageQuery { limit: filter.limit, offset: filter.offset };
    let wanted = KeyFilter {
        user_id: filter.user_id,
        guild_id: filter.guild_id,
        preset: filter.r#type.map(Into::into),
        revoked: filter.revoked,
    };
    let keys = api_key::keys(&domain, &actor, wanted, page.request()?).await?;
    let now = domain.now();
    let view: Vec<ListedKey> = keys.rows.into_iter().map(|key| ListedKey::new(key, now)).collect();
    Ok(asked.list(&view, page, (&uri, filter.text().as_deref()), keys.more))
}

/// Make a key
///
/// `apiKey` is shown here and never again. Nobody grants more than they have.
#[utoipa::path(post, path = "", tag = "keys", operation_id = "createKey",
    extensions(("x-scope" = json!("admin"))),
    request_body = CreateKey,
    responses(
        (status = 200, description = "The key, shown once", body = CreatedKey),
        (status = 404, description = "There is no such person"),
        (status = 409, description = "The person has as many active keys as allowed")))]
async fn create(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<CreateKey>,
) -> Result<Response, Problem> {
    let new = body.specification(&domain)?;
    let issued = api_key::create(&domain, &actor, new).await?;
    let secret = ContainsSecret { subject: issued.row.id.to_string() };
    let view = CreatedKey::new(issued, domain.now());
    Ok((NO_STORE, Extension(secret), Answer(view)).into_response())
}

/// Read a key
#[utoipa::path(get, path = "/{id}", tag = "keys", operation_id = "getKey",
    extensions(("x-scope" = json!("admin"))),
    params(("id" = String, Path, format = "uuid", description = "The key's id")),
    responses((status = 200, description = "The key", body = ApiKey)))]
async fn show(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ApiKeyId>,
    asked: Asked,
) -> Result<Response, Problem> {
    let key = api_key::key(&domain, &actor, id).await?;
    Ok(asked.configuration(&ApiKey::new(key, domain.now())))
}

/// Change a key
///
/// What is not named stays. A disabled key can be enabled again, a revoked one cannot.
#[utoipa::path(patch, path = "/{id}", tag = "keys", operation_id = "changeKey",
    extensions(("x-scope" = json!("admin"))),
    params(("id" = String, Path, format = "uuid", description = "The key's id")),
    request_body = ChangeKey,
    responses(
        (status = 200, description = "The key as it is now", body = ApiKey),
        (status = 409, description = "It is revoked, or its owner has as many active keys as allowed")))]
async fn change(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ApiKeyId>,
    Json(body): Json<ChangeKey>,
) -> Result<Answer<ApiKey>, Problem> {
    let row = api_key::change(&domain, &actor, id, body.change()?).await?;
    Ok(Answer(ApiKey::changed(row, domain.now())))
}

/// Revoke a key for good
///
/// The next request with it is refused. Of a key that is revoked already, the first time and reason stay.
#[utoipa::path(delete, path = "/{id}", tag = "keys", operation_id = "revokeKey",
    extensions(("x-scope" = json!("admin"))),
    params(("id" = String, Path, format = "uuid", description = "The key's id"), Reason),
    responses(
        (status = 200, description = "It is dead", body = RevokedKey),
        (status = 422, description = "The reason is too long")))]
async fn revoke(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ApiKeyId>,
    Query(Reason { reason }): Query<Reason>,
) -> Result<Answer<RevokedKey>, Problem> {
    let row = api_key::revoke(&domain, &actor, id, reason).await?;
    let message = "API key deactivated successfully";
    Ok(Answer(RevokedKey { success: true, message, revoked_at: Timestamp(row.state_at) }))
}

/// Replace a key
///
/// The new key has everything of the old one; the old one works on until its grace is over. Of several at once, one
/// succeeds.
#[utoipa::path(post, path = "/{id}/rotate", tag = "keys", operation_id = "rotateKey",
    extensions(("x-scope" = json!("admin"))),
    params(("id" = String, Path, format = "uuid", description = "The old key's id"), Grace),
    responses(
        (status = 200, description = "The new key, shown once", body = RotatedKey),
        (status = 409, description = "Only an active key can be replaced"),
        (status = 422, description = "The grace period is none")))]
async fn rotate(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ApiKeyId>,
    Query(grace): Query<Grace>,
) -> Result<Response, Problem> {
    let rotated = api_key::rotate(&domain, &actor, id, grace.read()?).await?;
    let secret = ContainsSecret { subject: rotated.new.row.id.to_string() };
    Ok((NO_STORE, Extension(secret), Answer(RotatedKey::new(rotated))).into_response())
}
