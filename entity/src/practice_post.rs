//! Boards of practice that a guild receives on schedule.

use sea_orm::entity::prelude::*;

use crate::id::GuildId;

/// Which time a board is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum PostPeriod {
    /// The day before.
    #[sea_orm(string_value = "daily")]
    Daily,
    /// The week before.
    #[sea_orm(string_value = "weekly")]
    Weekly,
    /// The month before.
    #[sea_orm(string_value = "monthly")]
    Monthly,
}

/// One schedule: a guild has one at most for each period.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "practice_post")]
pub struct Model {
    /// The guild.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guild_id: GuildId,
    /// Which time the board is about.
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: PostPeriod,
    /// The slot that receives it.
    #[sea_orm(column_type = "Text")]
    pub slot_key: String,
    /// The minute of the guild's local day at which it is due.
    pub at_minute: i32,
    /// When the next one is due.
    pub due_at: Option<DateTimeUtc>,
    /// Why the last one did not arrive.
    #[sea_orm(column_type = "Text")]
    pub problem: Option<String>,
    /// When one arrived last.
    pub posted_at: Option<DateTimeUtc>,
    /// Last changed by a person.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
