//! How a guild counts practice.

use sea_orm::entity::prelude::*;

use crate::id::GuildId;

/// Which voice channels count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ChannelMode {
    /// None.
    #[sea_orm(string_value = "off")]
    Off,
    /// Those that are listed.
    #[sea_orm(string_value = "allow")]
    Allow,
    /// All but those that are listed.
    #[sea_orm(string_value = "deny")]
    Deny,
    /// All.
    #[sea_orm(string_value = "all")]
    All,
}

/// Who sees the practice of a guild's members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum PracticePrivacy {
    /// Everybody.
    #[sea_orm(string_value = "public")]
    Public,
    /// Members of the guild.
    #[sea_orm(string_value = "server")]
    Server,
    /// Each only their own.
    #[sea_orm(string_value = "private")]
    Private,
}

/// A guild's rules; without a row those of a new guild hold.
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "practice_rule")]
pub struct Model {
    /// The guild.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guild_id: GuildId,
    /// Which voice channels count.
    pub channel_mode: ChannelMode,
    /// The listed channels, as strings.
    pub channels: Json,
    /// The least that a session must count to count at all.
    pub minimum_seconds: i64,
    /// The most that one session counts.
    pub session_cap_seconds: i64,
    /// The most that a day counts.
    pub day_cap_seconds: i64,
    /// The longest time unseen that still counts.
    pub bridge_seconds: i64,
    /// Time without a sign of a person after which a timer asks; 0 never asks.
    pub idle_check_seconds: i64,
    /// Whether time counts while muted.
    pub counts_muted: bool,
    /// Whether time counts while deafened.
    pub counts_deafened: bool,
    /// Whether time counts with no other person in the channel.
    pub counts_alone: bool,
    /// Whether time counts in the channel for people who are away.
    pub counts_afk: bool,
    /// Whether bots are counted.
    pub counts_bots: bool,
    /// Most seconds a day that a member may write down without a reviewer.
    pub manual_auto_seconds: i64,
    /// Who sees it.
    pub privacy: PracticePrivacy,
    /// Last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
