//! What a person wants to practise.

use sea_orm::entity::prelude::*;

use crate::id::UserId;

/// In which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum GoalPeriod {
    /// Each day.
    #[sea_orm(string_value = "day")]
    Day,
    /// Each week.
    #[sea_orm(string_value = "week")]
    Week,
    /// Each month.
    #[sea_orm(string_value = "month")]
    Month,
}

/// One goal.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "practice_goal")]
pub struct Model {
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// Bits of the guild's id; 0 for everywhere, because a key cannot hold a null.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guild_bits: i64,
    /// In which time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: GoalPeriod,
    /// How much.
    pub seconds: i64,
    /// Last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
