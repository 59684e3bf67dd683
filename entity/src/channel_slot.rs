//! Named channels of a guild: the type they must have, and where they lead.

use sea_orm::entity::prelude::*;

use crate::id::{ChannelId, ChannelSlotId, GuildId};

/// What kind of channel fits a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum SlotType {
    /// Not decided yet: made over HTTP, until Discord confirms the channel.
    #[sea_orm(string_value = "any")]
    Any,
    /// Text or announcement channel.
    #[sea_orm(string_value = "text")]
    Text,
    /// Voice channel.
    #[sea_orm(string_value = "voice")]
    Voice,
    /// Stage channel.
    #[sea_orm(string_value = "stage")]
    Stage,
    /// Forum or media channel.
    #[sea_orm(string_value = "forum")]
    Forum,
    /// Category.
    #[sea_orm(string_value = "category")]
    Category,
    /// Thread.
    #[sea_orm(string_value = "thread")]
    Thread,
}

/// Whether a slot can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum SlotState {
    /// Has no channel.
    #[sea_orm(string_value = "empty")]
    Empty,
    /// Set over HTTP; Discord has not confirmed the channel yet.
    #[sea_orm(string_value = "unconfirmed")]
    Unconfirmed,
    /// Works.
    #[sea_orm(string_value = "ready")]
    Ready,
    /// Its channel is gone, of the wrong type, or closed to the bot.
    #[sea_orm(string_value = "broken")]
    Broken,
}

/// One slot.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "channel_slot")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ChannelSlotId,
    /// The guild.
    #[sea_orm(unique_key = "channel_slot_guild_key")]
    pub guild_id: GuildId,
    /// Its name: `[a-z0-9_-]{1,64}`.
    #[sea_orm(unique_key = "channel_slot_guild_key")]
    pub key: String,
    /// Where it leads.
    pub channel_id: Option<ChannelId>,
    /// What fits.
    pub slot_type: SlotType,
    /// What it is for, in the words of who made it; at most 200 characters.
    pub purpose: Option<String>,
    /// Whether it works.
    pub state: SlotState,
    /// Why it does not: a code such as `channel_deleted`.
    pub problem: Option<String>,
    /// First set.
    pub created_at: DateTimeUtc,
    /// Last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
