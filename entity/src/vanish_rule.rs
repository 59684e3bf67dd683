//! A channel whose messages vanish, and by which rule.

use sea_orm::entity::prelude::*;

use crate::id::{ChannelId, GuildId, MessageId};

/// When messages of a channel become due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Schedule {
    /// Each message at its own age.
    #[sea_orm(string_value = "rolling")]
    Rolling,
    /// Everything, once per period.
    #[sea_orm(string_value = "every")]
    Every,
    /// What is old enough, once a day at a time of the guild's zone.
    #[sea_orm(string_value = "daily")]
    Daily,
}

/// What happens to pinned messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Pins {
    /// They stay.
    #[sea_orm(string_value = "keep")]
    Keep,
    /// They vanish like the rest.
    #[sea_orm(string_value = "delete")]
    Delete,
}

/// Whether a rule reaches into the channel's threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Threads {
    /// It does.
    #[sea_orm(string_value = "include")]
    Include,
    /// It does not.
    #[sea_orm(string_value = "skip")]
    Skip,
}

/// What a rule may do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum RuleState {
    /// Made over HTTP: waits until Discord confirms that the channel belongs to the guild.
    #[sea_orm(string_value = "unconfirmed")]
    Unconfirmed,
    /// Deletes.
    #[sea_orm(string_value = "active")]
    Active,
    /// Held by a person.
    #[sea_orm(string_value = "paused")]
    Paused,
    /// Held by us: the bot lacks a permission there.
    #[sea_orm(string_value = "suspended")]
    Suspended,
}

/// One rule; a channel has at most one.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vanish_rule")]
pub struct Model {
    /// The channel.
    #[sea_orm(primary_key, auto_increment = false)]
    pub channel_id: ChannelId,
    /// Its guild.
    pub guild_id: GuildId,
    /// Age at which a message is due, in seconds; none takes the guild's default.
    pub after_seconds: Option<i64>,
    /// At most this many messages stay, whatever their age.
    pub keep_last: Option<i32>,
    /// When messages become due.
    pub schedule: Schedule,
    /// Minute of the guild's day for `daily`, and the anchor of `every`.
    pub at_minute: Option<i32>,
    /// Pinned messages; none takes the guild's default.
    pub pins: Option<Pins>,
    /// Threads; none takes the guild's default.
    pub threads: Option<Threads>,
    /// What it may do.
    pub state: RuleState,
    /// When Discord confirmed that the channel belongs to the guild; a rule never acts before.
    pub confirmed_at: Option<DateTimeUtc>,
    /// Why it is paused (free text of at most 200 characters) or suspended (a code).
    pub problem: Option<String>,
    /// End of the pause; none lasts until somebody resumes it.
    pub paused_until: Option<DateTimeUtc>,
    /// Only messages after this one are its business, but for an armed backlog.
    pub starts_after: MessageId,
    /// Messages deleted so far.
    pub messages_deleted: i64,
    /// When the last one was.
    pub last_deletion: Option<DateTimeUtc>,
    /// Counts the changes of this rule.
    pub revision: i64,
    /// Made.
    pub created_at: DateTimeUtc,
    /// Last change of rule or counter.
    pub updated_at: DateTimeUtc,
    /// Where it has work.
    #[sea_orm(has_many)]
    pub places: HasMany<super::vanish_place::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
