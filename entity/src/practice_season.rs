//! A stretch of days that a guild ranks by itself.

use sea_orm::entity::prelude::*;

use crate::id::{GuildId, PracticeSeasonId};

/// One season.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "practice_season")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PracticeSeasonId,
    /// The guild.
    pub guild_id: GuildId,
    /// The same until it has ended: a guild has one season at a time.
    #[sea_orm(unique)]
    pub open_guild_id: Option<GuildId>,
    /// How people call it.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Its first day in the guild's zone.
    pub first_date: Date,
    /// Its last day; none while it lasts.
    pub last_date: Option<Date>,
    /// Made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
