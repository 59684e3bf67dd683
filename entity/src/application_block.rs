//! Who may not apply in a guild.

use sea_orm::entity::prelude::*;

use crate::id::{DiscordUserId, GuildId};

/// One person who may not apply.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "application_block")]
pub struct Model {
    /// The guild.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guild_id: GuildId,
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub discord_user_id: DiscordUserId,
    /// Until when; none for good.
    pub until: Option<DateTimeUtc>,
    /// Why.
    #[sea_orm(column_type = "Text")]
    pub reason: Option<String>,
    /// Who said so, as the event log names them.
    #[sea_orm(column_type = "Text")]
    pub blocked_by: String,
    /// When.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
