//! The same keys as Key-Kingdom's clients know them: `/api/admin/api-keys`, in their envelope.
//!
//! Invariant: a token opens this address only together with the secret of administrators; root and keys need none.

use axum::{
    Extension,
    extract::{FromRequestParts, State},
    http::{HeaderMap, StatusCode, request::Parts},
};
use entity::{
    api_key::{KeyState, Model, Preset},
    id::ApiKeyId,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{Reason, body::KeyType};
use crate::{
    app::{App, RootKey},
    domain::{
        Actor, Domain, KeyDialect,
        api_key::{self, DEFAULT_LIMIT, KeyFilter, NewKey, RateLimit, Shape},
    },
    http::{
        Routes,
        auth::Caller,
        envelope::{Data, Envelope},
        error::Problem,
        extract::{Json, Path, Query},
        idempotency::ContainsSecret,
        view::Timestamp,
    },
};

/// Characters of a key that are shown, of its begin.
const PREVIEW_CHARACTERS: usize = 10;

pub(in crate::http) fn routes() -> Routes {
    vec![routes!(list, create), routes!(show, revoke)]
}

/// Who calls, and beside a token the secret of administrators.
struct Administrator(Actor);

impl FromRequestParts<App> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Caller(actor) = Caller::from_request_parts(parts, app).await?;
        Self::admit(actor, app.admin_secret(), &parts.headers)
    }
}

impl Administrator {
    fn admit(actor: Actor, secret: Option<&RootKey>, headers: &HeaderMap) -> Result<Self, Problem> {
        if !matches!(actor, Actor::User(_)) {
            return Ok(Self(actor));
        }
        let Some(secret) = secret else {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "admin_secret_unset",
                "Tokens do not open this address while ADMIN_SECRET_KEY is not set: set it, or use an admin key",
            ));
        };
        let mut shown = headers.get_all("x-admin-secret").iter();
        match (shown.next(), shown.next()) {
            (Some(shown), None) if shown.to_str().is_ok_and(|shown| secret.matches(shown)) => Ok(Self(actor)),
            (None, _) => Err(Problem::unauthenticated("A token needs X-Admin-Secret beside it here")),
            _ => Err(Problem::unauthenticated("Invalid X-Admin-Secret")),
        }
    }
}

/// A key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"type": "discord_bot", "name": "My Discord Bot", "rateLimit": 100, "rateLimitWindow": 60000}))]
struct NewTypedKey {
    /// What it may do.
    r#type: KeyType,
    /// For people.
    #[schema(min_length = 1, max_length = 100, example = "My Discord Bot")]
    name: String,
    /// Requests per window; without it what its type has.
    #[schema(minimum = 1, maximum = 1_000_000, example = 100)]
    rate_limit: Option<u32>,
    /// The window in milliseconds; without it what its type has.
    #[schema(minimum = 1000, maximum = 86_400_000, example = 60_000)]
    rate_limit_window: Option<u64>,
}

/// A new key, shown once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MadeKey {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: ApiKeyId,
    /// The key. It is never shown again.
    key: String,
    /// For people.
    name: String,
    /// What it may do.
    r#type: KeyType,
    /// Requests per window.
    rate_limit: Option<u32>,
    /// The window in milliseconds.
    rate_limit_window: Option<u64>,
    /// Made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// For people.
    #[schema(value_type = String)]
    message: &'static str,
}

/// A key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TypedKey {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: ApiKeyId,
    /// For people.
    #[schema(example = "My Discord Bot")]
    name: String,
    /// What it was made for; null for a key that was made with scopes of its own.
    r#type: Option<KeyType>,
    /// Its first ten and its last four characters.
    #[schema(example = "kk_discord...d5da")]
    key_preview: String,
    /// Requests per window; null where its class decides.
    rate_limit: Option<u32>,
    /// The window in milliseconds; null where its class decides.
    rate_limit_window: Option<u64>,
    /// Requests so far.
    total_requests: i64,
    /// The minute of the last request.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// Made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Whether it is dead for good.
    revoked: bool,
}

impl From<Model> for TypedKey {
    fn from(row: Model) -> Self {
        let limit = default_limit(&row);
        let begin: String = row.brand.chars().chain(row.start.chars()).take(PREVIEW_CHARACTERS).collect();
        Self {
            id: row.id,
            r#type: row.preset.map(Into::into),
            key_preview: format!("{begin}...{}", row.last_four),
            rate_limit: limit.as_ref().map(|limit| limit.limit),
            rate_limit_window: limit.map(|limit| limit.window_ms),
            total_requests: row.total_requests,
            last_used_at: row.last_used_at.map(Timestamp),
            created_at: Timestamp(row.created_at),
            revoked: row.state == KeyState::Revoked,
            name: row.name,
        }
    }
}

/// The limit that these clients know: the one named `default`.
fn default_limit(row: &Model) -> Option<RateLimit> {
    let limits: Vec<RateLimit> = serde_json::from_value(row.rate_limits.clone()).unwrap_or_default();
    limits.into_iter().find(|limit| limit.name == DEFAULT_LIMIT)
}

/// Which keys to list.
#[derive(Clone, Copy, Deserialize, Serialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
struct TypedFilter {
    /// Only those that were made for this.
    r#type: Option<KeyType>,
    /// Only revoked ones, or only others.
    revoked: Option<bool>,
}

/// Keys.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TypedKeys {
    /// They, newest first.
    api_keys: Vec<TypedKey>,
    /// How many.
    total: usize,
    /// What was asked for.
    filters: TypedFilter,
}

/// A revoked key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RevokedTypedKey {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: ApiKeyId,
    /// For people.
    name: String,
    /// What it was made for.
    r#type: Option<KeyType>,
    /// When it was revoked, for the first time.
    #[schema(value_type = String, format = DateTime)]
    revoked_at: Timestamp,
    /// Who revoked it then.
    #[schema(example = "root")]
    revoked_by: String,
    /// Why.
    reason: Option<String>,
    /// For people.
    #[schema(value_type = String)]
    message: &'static str,
}

/// Make a key of a type
///
/// `key` is shown here and never again.
#[utoipa::path(post, path = "", tag = "keys", operation_id = "createTypedKey",
    extensions(("x-scope" = json!("admin")), ("x-admin-secret" = json!(true))),
    request_body = NewTypedKey,
    responses((status = 201, description = "The key, shown once", body = Envelope<MadeKey>)))]
async fn create(
    Administrator(actor): Administrator,
    State(domain): State<Domain>,
    Json(body): Json<NewTypedKey>,
) -> Result<(Extension<ContainsSecret>, Data<MadeKey>), Problem> {
    let preset = Preset::from(body.r#type);
    let usual = RateLimit::of_preset(preset);
    let limit = RateLimit {
        limit: body.rate_limit.unwrap_or(usual.limit),
        window_ms: body.rate_limit_window.unwrap_or(usual.window_ms),
        ..usual
    };
    let shape = match (domain.limits().keys.shape, body.r#type) {
        (KeyDialect::Live, _) => Shape::Live,
        (KeyDialect::Test, _) => Shape::Test,
        (KeyDialect::Compatible, KeyType::DiscordBot) => Shape::KeyKingdomDiscord,
        (KeyDialect::Compatible, KeyType::Admin) => Shape::KeyKingdomAdmin,
    };
    let new = NewKey { preset: Some(preset), rate_limits: vec![limit], ..NewKey::named(body.name, shape) };
    let issued = api_key::create(&domain, &actor, new).await?;
    let limit = default_limit(&issued.row);
    let made = MadeKey {
        id: issued.row.id,
        key: issued.secret.expose().to_owned(),
        name: issued.row.name,
        r#type: body.r#type,
        rate_limit: limit.as_ref().map(|limit| limit.limit),
        rate_limit_window: limit.map(|limit| limit.window_ms),
        created_at: Timestamp(issued.row.created_at),
        message: "API key created successfully. Save this key securely - it won't be shown again!",
    };
    let secret = ContainsSecret { subject: made.id.to_string() };
    Ok((Extension(secret), Data(StatusCode::CREATED, made)))
}

/// List keys in the envelope
#[utoipa::path(get, path = "", tag = "keys", operation_id = "listTypedKeys",
    extensions(("x-scope" = json!("admin")), ("x-admin-secret" = json!(true))),
    params(TypedFilter),
    responses((status = 200, description = "They, newest first", body = Envelope<TypedKeys>)))]
async fn list(
    Administrator(actor): Administrator,
    State(domain): State<Domain>,
    Query(filters): Query<TypedFilter>,
) -> Result<Data<TypedKeys>, Problem> {
    let wanted = KeyFilter { preset: filters.r#type.map(Into::into), revoked: filters.revoked, ..KeyFilter::default() };
    let found = api_key::keys(&domain, &actor, wanted, None).await?;
    let api_keys: Vec<TypedKey> = found.rows.into_iter().map(|view| view.row.into()).collect();
    Ok(Data(StatusCode::OK, TypedKeys { total: api_keys.len(), api_keys, filters }))
}

/// Read a key in the envelope
#[utoipa::path(get, path = "/{id}", tag = "keys", operation_id = "getTypedKey",
    extensions(("x-scope" = json!("admin")), ("x-admin-secret" = json!(true))),
    params(("id" = String, Path, format = "uuid", description = "The key's id")),
    responses((status = 200, description = "The key", body = Envelope<TypedKey>)))]
async fn show(
    Administrator(actor): Administrator,
    State(domain): State<Domain>,
    Path(id): Path<ApiKeyId>,
) -> Result<Data<TypedKey>, Problem> {
    let view = api_key::key(&domain, &actor, id).await?;
    Ok(Data(StatusCode::OK, view.row.into()))
}

/// Revoke a key for good, and say so in the envelope
///
/// Of a key that is revoked already, the first time, person and reason stay.
#[utoipa::path(delete, path = "/{id}", tag = "keys", operation_id = "revokeTypedKey",
    extensions(("x-scope" = json!("admin")), ("x-admin-secret" = json!(true))),
    params(("id" = String, Path, format = "uuid", description = "The key's id"), Reason),
    responses(
        (status = 200, description = "It is dead", body = Envelope<RevokedTypedKey>),
        (status = 422, description = "The reason is too long")))]
async fn revoke(
    Administrator(actor): Administrator,
    State(domain): State<Domain>,
    Path(id): Path<ApiKeyId>,
    Query(Reason { reason }): Query<Reason>,
) -> Result<Data<RevokedTypedKey>, Problem> {
    let row = api_key::revoke(&domain, &actor, id, reason).await?;
    let revoked = RevokedTypedKey {
        id: row.id,
        name: row.name,
        r#type: row.preset.map(Into::into),
        revoked_at: Timestamp(row.state_at),
        revoked_by: row.state_by,
        reason: row.state_reason,
        message: "API key has been revoked successfully. It can no longer be used.",
    };
    Ok(Data(StatusCode::OK, revoked))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{
        http::{HeaderValue, header},
        response::IntoResponse as _,
    };
    use entity::{id::UserId, user::Role};

    use super::*;
    use crate::domain::{KeyActor, Source, UserActor, scope::Scopes};

    const SECRET: &str = "secret-of-administrators";

    fn admit(actor: Actor, secret: Option<&str>, shown: &[&str]) -> u16 {
        let mut headers = HeaderMap::new();
        for shown in shown {
            headers.append("x-admin-secret", HeaderValue::from_str(shown).expect("a value"));
        }
        let secret = secret.map(RootKey::from_key);
        match Administrator::admit(actor, secret.as_ref(), &headers) {
            Ok(_) => 200,
            Err(problem) => {
                let response = problem.clone().into_response();
                assert_eq!(response.headers().contains_key(header::WWW_AUTHENTICATE), problem.status() == 401);
                assert_eq!(problem.detail().contains("ADMIN_SECRET_KEY"), problem.status() == 403);
                problem.status().as_u16()
            }
        }
    }

    /// The ruling: root and keys alone, a token only together with the secret, and not at all where none is set.
    #[test]
    fn a_token_needs_the_secret_and_a_key_does_not() {
        let user = || Actor::User(UserActor { id: UserId(uuid::Uuid::nil()), role: Role::Admin });
        assert_eq!(admit(user(), Some(SECRET), &[SECRET]), 200);
        for shown in [&[][..], &["wrong"], &[""], &["secret-of-administrator"], &[SECRET, SECRET], &[SECRET, "x"]] {
            assert_eq!(admit(user(), Some(SECRET), shown), 401, "{shown:?}");
        }
        for shown in [&[][..], &[""], &["anything"]] {
            assert_eq!(admit(user(), None, shown), 403, "{shown:?}");
        }
        let id = ApiKeyId(uuid::Uuid::nil());
        let key = Actor::Key(Arc::new(KeyActor { id, scopes: Scopes::all(), guild_id: None }));
        for secret in [Some(SECRET), None] {
            assert_eq!(admit(key.clone(), secret, &[]), 200);
            assert_eq!(admit(Actor::Root { source: Source::Http }, secret, &["wrong"]), 200);
        }
    }
}
