//! A message that the bot owes a slot of a guild.

use sea_orm::entity::prelude::*;

use crate::id::{AnnouncementId, GuildId};

/// One announcement: made once from its event, sent at least once, under one nonce.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "announcement")]
pub struct Model {
    /// Its id, also the nonce of the post.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AnnouncementId,
    /// The guild.
    pub guild_id: GuildId,
    /// The slot that receives it.
    pub slot_key: String,
    /// The event kind that caused it.
    pub kind: String,
    /// What the text is made of.
    pub data: Json,
    /// Says the same thing as another of this key: only the first is kept.
    #[sea_orm(unique)]
    pub dedupe_key: String,
    /// When to try next; none when it is settled.
    pub due_at: Option<DateTimeUtc>,
    /// A worker holds it until then.
    pub leased_until: Option<DateTimeUtc>,
    /// Tries so far.
    pub attempts: i32,
    /// `posted`, `no_slot` or the last error's code.
    pub outcome: Option<String>,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
