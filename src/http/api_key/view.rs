//! What clients see of keys.

use chrono::{DateTime, Utc};
use entity::{
    api_key::{self as row, KeyState},
    id::{ApiKeyId, GuildId, UserId},
    identity::{self, Platform},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::body::{KeyType, RateLimitView};
use crate::{
    domain::api_key::{IssuedKey, KeyStatus, KeyView, Rotated, ends_at},
    http::view::Timestamp,
};

/// An account of a key's owner.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OwnerIdentity {
    /// The platform.
    #[schema(value_type = String, example = "discord")]
    platform: &'static str,
    /// The account there.
    #[schema(example = "80351110224678912")]
    identity: String,
    /// Whether the person is shown by this one.
    is_primary: bool,
}

impl From<identity::Model> for OwnerIdentity {
    fn from(row: identity::Model) -> Self {
        let platform = match row.platform {
            Platform::Discord => "discord",
            Platform::Evm => "evm",
            Platform::Lens => "lens",
            Platform::Farcaster => "farcaster",
            Platform::Telegram => "telegram",
            Platform::Github => "github",
            Platform::Email => "email",
        };
        Self { platform, identity: row.identity, is_primary: row.is_primary }
    }
}

/// Whose key it is.
#[derive(Serialize, ToSchema)]
struct Owner {
    /// The person.
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    /// Their accounts, the primary ones first.
    identities: Vec<OwnerIdentity>,
}

/// What every view of a key shows, but for texts that may be missing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyFacts {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: ApiKeyId,
    /// Whose key it is.
    #[schema(value_type = Option<String>, format = "uuid")]
    user_id: Option<UserId>,
    /// The only server that it may touch.
    #[schema(value_type = Option<String>, example = "42")]
    guild_id: Option<GuildId>,
    /// For people.
    #[schema(example = "Stats page")]
    name: String,
    /// Its begin: what stands before the secret part, and eight characters of it.
    #[schema(example = "hall_live_3fR9xQ2a...")]
    key_prefix: String,
    /// The choice of scopes and limits that it was made with.
    r#type: Option<KeyType>,
    /// What it may do.
    #[schema(value_type = Vec<String>, example = json!(["read", "write"]))]
    scopes: Value,
    /// Networks that it may be used from; empty is everywhere.
    #[schema(value_type = Vec<String>)]
    ip_allowlist: Value,
    /// Its own limits; empty takes those of its class.
    #[schema(value_type = Vec<RateLimitView>)]
    rate_limits: Value,
    /// `active`, `retiring`, `disabled`, `expired`, `revoked` or `delivering`.
    #[schema(value_type = String, example = "active")]
    status: &'static str,
    /// Whether it is active or retiring.
    is_active: bool,
    /// The end of its life.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// The end of its grace after a rotation.
    #[schema(value_type = Option<String>, format = DateTime)]
    grace_ends_at: Option<Timestamp>,
    /// The minute of the last request.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// Requests so far.
    total_requests: i64,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// Who revoked it.
    revoked_by: Option<String>,
    /// Why.
    revoked_reason: Option<String>,
    /// The key that it replaces.
    #[schema(value_type = Option<String>, format = "uuid")]
    rotated_from: Option<ApiKeyId>,
    /// The key that replaces it.
    #[schema(value_type = Option<String>, format = "uuid")]
    replaced_by: Option<ApiKeyId>,
    /// Who made it.
    #[schema(example = "root")]
    created_by: String,
    /// Made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl KeyFacts {
    fn new(row: &row::Model, now: DateTime<Utc>) -> Self {
        let status = KeyStatus::of(row, now);
        let is_revoked = row.state == KeyState::Revoked;
        Self {
            id: row.id,
            user_id: row.user_id,
            guild_id: row.guild_id,
            name: row.name.clone(),
            key_prefix: format!("{}{}...", row.brand, row.start),
            r#type: row.preset.map(Into::into),
            scopes: row.scopes.clone(),
            ip_allowlist: row.ip_allowlist.clone(),
            rate_limits: row.rate_limits.clone(),
            status: status.name(),
            is_active: status.is_good(),
            expires_at: row.expires_at.map(Timestamp),
            grace_ends_at: row.grace_ends_at.filter(|_| row.replaced_by.is_some()).map(Timestamp),
            last_used_at: row.last_used_at.map(Timestamp),
            total_requests: row.total_requests,
            revoked_at: is_revoked.then_some(Timestamp(row.state_at)),
            revoked_by: is_revoked.then(|| row.state_by.clone()),
            revoked_reason: row.state_reason.clone().filter(|_| is_revoked),
            rotated_from: row.rotated_from,
            replaced_by: row.replaced_by,
            created_by: row.created_by.clone(),
            created_at: Timestamp(row.created_at),
        }
    }
}

fn owner(view: &mut KeyView) -> Option<Owner> {
    let identities = std::mem::take(&mut view.identities).into_iter().map(Into::into).collect();
    view.row.user_id.map(|id| Owner { id, identities })
}

/// A key of a list: what is missing is null.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedKey {
    #[serde(flatten)]
    facts: KeyFacts,
    /// For people.
    description: Option<String>,
    /// The program that uses it.
    client_name: Option<String>,
    /// Domains for which it may sign people in.
    #[schema(value_type = Vec<String>)]
    allowed_origins: Value,
    /// Its owner, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<Owner>,
}

impl ListedKey {
    pub(super) fn new(mut view: KeyView, now: DateTime<Utc>) -> Self {
        Self {
            facts: KeyFacts::new(&view.row, now),
            user: owner(&mut view),
            description: view.row.description,
            client_name: view.row.client_name,
            allowed_origins: view.row.allowed_origins,
        }
    }
}

/// A key alone: a description, client or list of origins that is missing is left out.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiKey {
    #[serde(flatten)]
    facts: KeyFacts,
    #[serde(flatten)]
    texts: KeyTexts,
    /// Its owner, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<Owner>,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// What a key may lack.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyTexts {
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
    /// The program that uses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    client_name: Option<String>,
    /// Domains for which it may sign people in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    allowed_origins: Option<Value>,
}

impl KeyTexts {
    fn new(row: row::Model) -> Self {
        let has_origins = row.allowed_origins.as_array().is_some_and(|origins| !origins.is_empty());
        Self {
            description: row.description,
            client_name: row.client_name,
            allowed_origins: has_origins.then_some(row.allowed_origins),
        }
    }
}

impl ApiKey {
    pub(super) fn new(mut view: KeyView, now: DateTime<Utc>) -> Self {
        let user = owner(&mut view);
        Self { user, ..Self::changed(view.row, now) }
    }

    /// A key that was changed just now, by somebody who did not ask for its owner.
    pub(super) fn changed(row: row::Model, now: DateTime<Utc>) -> Self {
        Self {
            facts: KeyFacts::new(&row, now),
            user: None,
            updated_at: Timestamp(row.updated_at),
            texts: KeyTexts::new(row),
        }
    }
}

/// A new key, shown once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedKey {
    #[serde(flatten)]
    facts: KeyFacts,
    #[serde(flatten)]
    texts: KeyTexts,
    /// The key. It is never shown again.
    #[schema(example = "hall_live_3fR9xQ2aVb7LmN8pT4sW6yZ1cD5eG0hJkU00aB1c")]
    api_key: String,
    /// For people.
    #[schema(value_type = String)]
    message: &'static str,
}

impl CreatedKey {
    pub(super) fn new(issued: IssuedKey, now: DateTime<Utc>) -> Self {
        Self {
            facts: KeyFacts::new(&issued.row, now),
            texts: KeyTexts::new(issued.row),
            api_key: issued.secret.expose().to_owned(),
            message: "Save this API key now: it will not be shown again",
        }
    }
}

/// What a rotation leaves.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RotatedKey {
    /// The new key's id.
    #[schema(value_type = String, format = "uuid")]
    id: ApiKeyId,
    /// The new key. It is never shown again.
    #[schema(example = "hall_live_3fR9xQ2aVb7LmN8pT4sW6yZ1cD5eG0hJkU00aB1c")]
    new_api_key: String,
    /// The new key's begin.
    key_prefix: String,
    /// The old key's id.
    #[schema(value_type = String, format = "uuid")]
    rotated_from: ApiKeyId,
    /// The end of the old key.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The end of the old key's grace, which its own expiry may cut short.
    #[schema(value_type = Option<String>, format = DateTime)]
    grace_ends_at: Option<Timestamp>,
    /// For people.
    #[schema(value_type = String)]
    message: &'static str,
}

impl RotatedKey {
    pub(super) fn new(rotated: Rotated) -> Self {
        let (new, old) = (rotated.new, rotated.old);
        let end = ends_at(&old).filter(|_| old.state != KeyState::Revoked).unwrap_or(old.state_at);
        Self {
            id: new.row.id,
            new_api_key: new.secret.expose().to_owned(),
            key_prefix: format!("{}{}...", new.row.brand, new.row.start),
            rotated_from: old.id,
            expires_at: Timestamp(end),
            grace_ends_at: old.grace_ends_at.map(Timestamp),
            message: "API key rotated successfully. Save the new key now: it will not be shown again",
        }
    }
}
