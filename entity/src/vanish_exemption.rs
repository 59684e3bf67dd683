//! Whose messages a rule leaves alone.

use sea_orm::entity::prelude::*;

use crate::id::GuildId;

/// What an exemption looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ExemptionKind {
    /// One account.
    #[sea_orm(string_value = "user")]
    User,
    /// Everybody with a role.
    #[sea_orm(string_value = "role")]
    Role,
    /// Every bot.
    #[sea_orm(string_value = "bots")]
    Bots,
    /// Every webhook.
    #[sea_orm(string_value = "webhooks")]
    Webhooks,
    /// Discord's own messages.
    #[sea_orm(string_value = "system")]
    System,
}

/// One exemption. Zero means "all" in both id columns, because a key cannot hold a null.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vanish_exemption")]
pub struct Model {
    /// The guild.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guild_id: GuildId,
    /// Bits of the channel's id; 0 for every channel of the guild.
    #[sea_orm(primary_key, auto_increment = false)]
    pub channel_bits: i64,
    /// What it looks at.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: ExemptionKind,
    /// Bits of the account's or role's id; 0 for the kinds that need none.
    #[sea_orm(primary_key, auto_increment = false)]
    pub target_bits: i64,
    /// Made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
