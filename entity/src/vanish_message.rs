//! Messages with a fate of their own: kept, or timed.

use sea_orm::entity::prelude::*;

use crate::id::{ChannelId, GuildId, MessageId};

/// What is to happen to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Fate {
    /// A moderator keeps it.
    #[sea_orm(string_value = "keep")]
    Keep,
    /// The bot's own post, which rules leave alone.
    #[sea_orm(string_value = "own_post")]
    OwnPost,
    /// It vanishes at its own time.
    #[sea_orm(string_value = "timer")]
    Timer,
    /// It vanishes at the time that its author has chosen for all of theirs.
    #[sea_orm(string_value = "own")]
    Own,
}

/// One such message: ids only, never its content.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vanish_message")]
pub struct Model {
    /// The message.
    #[sea_orm(primary_key, auto_increment = false)]
    pub message_id: MessageId,
    /// Its channel or thread.
    pub channel_id: ChannelId,
    /// Its guild.
    pub guild_id: GuildId,
    /// What is to happen.
    pub fate: Fate,
    /// When, for one that vanishes.
    pub due_at: Option<DateTimeUtc>,
    /// A worker holds it until then.
    pub leased_until: Option<DateTimeUtc>,
    /// Tries so far.
    pub attempts: i32,
    /// Made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
