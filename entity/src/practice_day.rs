//! What a person practised on a day.

use sea_orm::entity::prelude::*;

use crate::id::UserId;

/// One day of a person, everywhere or in one guild.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "practice_day")]
pub struct Model {
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// Bits of the guild's id; 0 for everywhere, because a key cannot hold a null.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guild_bits: i64,
    /// The day in the zone of the session.
    #[sea_orm(primary_key, auto_increment = false)]
    pub local_date: Date,
    /// Whole seconds.
    pub seconds: i64,
    /// Those of them in voice channels.
    pub voice_seconds: i64,
}

impl ActiveModelBehavior for ActiveModel {}
