//! What the rules of a guild take where they leave something out.

use sea_orm::entity::prelude::*;

use super::vanish_rule::{Pins, Threads};
use crate::id::GuildId;

/// A guild's defaults. They fill rules; a channel without a rule never vanishes.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vanish_default")]
pub struct Model {
    /// The guild.
    #[sea_orm(primary_key, auto_increment = false)]
    pub guild_id: GuildId,
    /// Age in seconds.
    pub after_seconds: Option<i64>,
    /// At most this many messages stay.
    pub keep_last: Option<i32>,
    /// Pinned messages.
    pub pins: Option<Pins>,
    /// Threads.
    pub threads: Option<Threads>,
    /// The shortest time, in seconds, that members may choose for their own messages; none where they may not.
    pub own_min_seconds: Option<i64>,
    /// The longest such time; there with the shortest one.
    pub own_max_seconds: Option<i64>,
    /// Last change.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
