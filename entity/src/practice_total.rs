//! What a person has practised in all.

use sea_orm::entity::prelude::*;

use crate::id::UserId;

/// All time of a person, everywhere or in one guild: the sum of the days.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "practice_total")]
pub struct Model {
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// Bits of the guild's id; 0 for everywhere, because a key cannot hold a null.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guild_bits: i64,
    /// Whole seconds.
    pub seconds: i64,
    /// Those of them in voice channels.
    pub voice_seconds: i64,
}

impl ActiveModelBehavior for ActiveModel {}
