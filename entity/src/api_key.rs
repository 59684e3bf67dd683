//! An API key: everything but the key itself, of which only a digest is kept.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{ApiKeyId, GuildId, UserId};

/// A common choice of scopes and limits, as Key-Kingdom's clients name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Reads.
    #[sea_orm(string_value = "discord_bot")]
    DiscordBot,
    /// Does everything.
    #[sea_orm(string_value = "admin")]
    Admin,
}

/// What a key is good for. That it has expired is seen from `expires_at` and `grace_ends_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum KeyState {
    /// Minted, and on its way to its owner: not good yet.
    #[sea_orm(string_value = "delivering")]
    Delivering,
    /// Good.
    #[sea_orm(string_value = "active")]
    Active,
    /// Replaced by another key and good until its grace ends.
    #[sea_orm(string_value = "retiring")]
    Retiring,
    /// Switched off, and can be switched on again.
    #[sea_orm(string_value = "disabled")]
    Disabled,
    /// Dead for good.
    #[sea_orm(string_value = "revoked")]
    Revoked,
}

/// One key.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiKeyId,
    /// SHA-256 of the whole key: 32 bytes.
    #[sea_orm(unique)]
    pub digest: Vec<u8>,
    /// What stands before the secret part, such as `hall_live_`; empty for a key imported without it.
    pub brand: String,
    /// The first eight characters of the secret part.
    pub start: String,
    /// The last four characters.
    pub last_four: String,
    /// Whose key it is.
    #[sea_orm(unique_key = "owner_slot")]
    pub user_id: Option<UserId>,
    /// Which of its owner's places it takes while it is active, where their number is limited.
    #[sea_orm(unique_key = "owner_slot")]
    pub slot: Option<i32>,
    /// The only guild it may touch.
    pub guild_id: Option<GuildId>,
    /// For people.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// The program that uses it.
    pub client_name: Option<String>,
    /// Which choice of scopes and limits it was made with.
    pub preset: Option<Preset>,
    /// What it may do: a list of scopes.
    pub scopes: Json,
    /// Domains for which it may sign people in: a list of hosts.
    pub allowed_origins: Json,
    /// Where it may be used from: a list of networks; empty is everywhere.
    pub ip_allowlist: Json,
    /// Its own limits: a list of `{name, limit, windowMs}`; empty takes its class's.
    pub rate_limits: Json,
    /// What it is good for.
    pub state: KeyState,
    /// Since when.
    pub state_at: DateTimeUtc,
    /// Who brought it there.
    pub state_by: String,
    /// Why, in at most 500 characters.
    pub state_reason: Option<String>,
    /// The end of its life.
    pub expires_at: Option<DateTimeUtc>,
    /// The end of its grace after a rotation.
    pub grace_ends_at: Option<DateTimeUtc>,
    /// The key that it replaces.
    pub rotated_from: Option<ApiKeyId>,
    /// The key that replaces it.
    pub replaced_by: Option<ApiKeyId>,
    /// The value of the counter `auth` at its last change; other processes follow it.
    pub generation: i64,
    /// Requests so far.
    pub total_requests: i64,
    /// The minute of the last request.
    pub last_used_at: Option<DateTimeUtc>,
    /// Who made it.
    pub created_by: String,
    /// Made.
    pub created_at: DateTimeUtc,
    /// Last changed.
    pub updated_at: DateTimeUtc,
    /// Whose key it is.
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<Option<super::user::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
