//! What a person practised of one activity on a day.

use sea_orm::entity::prelude::*;

use crate::id::UserId;

/// One day of an activity of a person, everywhere or in one guild. Practice without an activity has no row here.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "practice_activity_day")]
pub struct Model {
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// Bits of the guild's id; 0 for everywhere, because a key cannot hold a null.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guild_bits: i64,
    /// What it was about, as the person wrote it.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub activity: String,
    /// The day in the zone of the session.
    #[sea_orm(primary_key, auto_increment = false)]
    pub local_date: Date,
    /// Whole seconds.
    pub seconds: i64,
    /// Those of them in voice channels.
    pub voice_seconds: i64,
}

impl ActiveModelBehavior for ActiveModel {}
