//! A link that mints and reveals a new API key, once.

use sea_orm::entity::prelude::*;

use crate::id::{ApiKeyClaimId, ApiKeyId, DiscordUserId, GuildId};

/// One link. The key is minted when it is revealed, so that nothing secret waits here.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key_claim")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiKeyClaimId,
    /// SHA-256 of the token in the link.
    #[sea_orm(unique)]
    pub token_digest: Vec<u8>,
    /// SHA-256 of token and code together: the code alone could be guessed from a digest.
    pub code_digest: Vec<u8>,
    /// The key to be minted.
    pub specification: Json,
    /// For whom.
    pub discord_user_id: DiscordUserId,
    /// In which guild it was asked for.
    pub guild_id: Option<GuildId>,
    /// Wrong codes so far; the fifth ends it.
    pub wrong_codes: i32,
    /// Its end.
    pub expires_at: DateTimeUtc,
    /// When it revealed its key, or was ended.
    pub used_at: Option<DateTimeUtc>,
    /// The key that it revealed.
    pub key_id: Option<ApiKeyId>,
    /// Who asked.
    pub created_by: String,
    /// Made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
