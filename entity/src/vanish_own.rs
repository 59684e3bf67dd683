//! The times that members choose for their own messages.

use sea_orm::entity::prelude::*;

use crate::id::{DiscordUserId, GuildId};

/// One member's time in one channel, or in a whole guild. Zero means "all" in the channel's column, because a key cannot
/// hold a null.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vanish_own")]
pub struct Model {
    /// The guild.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guild_id: GuildId,
    /// The member.
    #[sea_orm(primary_key, auto_increment = false)]
    pub discord_user_id: DiscordUserId,
    /// Bits of the id of a channel or thread; 0 for the whole guild.
    #[sea_orm(primary_key, auto_increment = false)]
    pub channel_bits: i64,
    /// Age in seconds at which their messages go.
    pub after_seconds: i64,
    /// Made.
    pub created_at: DateTimeUtc,
    /// Last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
