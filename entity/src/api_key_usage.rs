//! How often a key was used, by time, route and outcome.

use sea_orm::entity::prelude::*;

use crate::id::ApiKeyId;

/// How much time one row covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Step {
    /// Kept 48 hours.
    #[sea_orm(string_value = "minute")]
    Minute,
    /// Kept 90 days.
    #[sea_orm(string_value = "hour")]
    Hour,
    /// Kept 400 days.
    #[sea_orm(string_value = "day")]
    Day,
}

/// One count.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key_usage")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_id: ApiKeyId,
    /// How much time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub step: Step,
    /// Its begin, in UTC.
    #[sea_orm(primary_key, auto_increment = false)]
    pub starts_at: DateTimeUtc,
    /// Method and template of the route, such as `GET /api/discord/vanish`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub route: String,
    /// `ok`, `client_error`, `server_error`, `forbidden` or `rate_limited`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub outcome: String,
    /// How many requests.
    pub requests: i64,
    /// The sum of their times, in microseconds.
    pub latency_total_microseconds: i64,
    /// The longest, in microseconds.
    pub latency_max_microseconds: i64,
}

impl ActiveModelBehavior for ActiveModel {}
