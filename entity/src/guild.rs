//! A Discord server that the bot knows, with its general settings.

use sea_orm::entity::prelude::*;

use crate::id::GuildId;

/// The first day of the week in statistics and posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum WeekStart {
    /// ISO 8601.
    #[sea_orm(string_value = "monday")]
    Monday,
    /// Common in the Americas.
    #[sea_orm(string_value = "sunday")]
    Sunday,
}

/// How often the alerts slot receives a summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Digest {
    /// Never.
    #[sea_orm(string_value = "off")]
    Off,
    /// Once a day.
    #[sea_orm(string_value = "daily")]
    Daily,
    /// Once a week.
    #[sea_orm(string_value = "weekly")]
    Weekly,
}

/// One row per guild, made on first use.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "guild")]
pub struct Model {
    /// Discord's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guild_id: GuildId,
    /// IANA name, such as `Europe/Berlin`.
    pub time_zone: String,
    /// First day of the week.
    pub week_start: WeekStart,
    /// Language tag of Discord, such as `en-GB`.
    pub language: String,
    /// Summary rhythm.
    pub digest: Digest,
    /// When the next summary is due; none while `digest` is off.
    pub digest_due_at: Option<DateTimeUtc>,
    /// Whether the bot is a member now.
    pub present: bool,
    /// When the bot was removed; starts the retention clock.
    pub left_at: Option<DateTimeUtc>,
    /// First seen.
    pub created_at: DateTimeUtc,
    /// Last change of a setting.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
