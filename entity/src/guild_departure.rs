//! Who has left a guild.

use sea_orm::entity::prelude::*;

use crate::id::{GuildId, UserId};

/// A person whose account was not found among a guild's members.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "guild_departure")]
pub struct Model {
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// The guild.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guild_id: GuildId,
    /// When that was last found out.
    pub noted_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
