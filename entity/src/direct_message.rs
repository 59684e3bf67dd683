//! A direct message that the bot owes a person, or has sent and will take back.

use sea_orm::entity::prelude::*;

use crate::id::{ChannelId, DirectMessageId, DiscordUserId, MessageId};

/// One message: made once from its cause, sent at least once under one nonce.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "direct_message")]
pub struct Model {
    /// Its id, also the nonce.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DirectMessageId,
    /// The person.
    pub discord_user_id: DiscordUserId,
    /// What it is about, such as `api_key.expires_soon`.
    pub kind: String,
    /// What the text is made of; never a secret.
    pub data: Json,
    /// Says the same as another of this key: only the first is kept.
    #[sea_orm(unique)]
    pub dedupe_key: String,
    /// When to try next; none when it is settled.
    pub due_at: Option<DateTimeUtc>,
    /// A worker holds it until then.
    pub leased_until: Option<DateTimeUtc>,
    /// Tries so far.
    pub attempts: i32,
    /// `sent`, `closed`, `moot`, `unwanted` or the last error's code.
    pub outcome: Option<String>,
    /// When it was settled.
    pub settled_at: Option<DateTimeUtc>,
    /// Where it was sent.
    pub channel_id: Option<ChannelId>,
    /// The message in Discord.
    pub message_id: Option<MessageId>,
    /// When it is deleted again.
    pub delete_at: Option<DateTimeUtc>,
    /// Made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
