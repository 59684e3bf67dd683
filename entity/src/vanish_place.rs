//! How far the sweep of a channel or thread has come.

use sea_orm::entity::prelude::*;

use crate::id::{ChannelId, GuildId, MessageId};

/// A channel or thread under a rule. It holds no id of a message that still lives but its own bounds.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vanish_place")]
pub struct Model {
    /// The channel or thread.
    #[sea_orm(primary_key, auto_increment = false)]
    pub place_id: ChannelId,
    /// The channel that has the rule: the same, or the thread's parent.
    pub rule_channel_id: ChannelId,
    /// Its guild.
    pub guild_id: GuildId,
    /// Every message up to here is decided.
    pub cursor: MessageId,
    /// Oldest message that was passed over and may become due when an exemption or a pin ends.
    pub passed_over: Option<MessageId>,
    /// When to look next; none until a message arrives.
    pub due_at: Option<DateTimeUtc>,
    /// Armed messages from before the rule: after this one …
    pub backlog_after: Option<MessageId>,
    /// … up to this one …
    pub backlog_until: Option<MessageId>,
    /// … from this time on.
    pub backlog_due_at: Option<DateTimeUtc>,
    /// Somebody asked to sweep now: the next sweep goes by age alone.
    pub ignore_schedule: bool,
    /// A worker holds it until then.
    pub leased_until: Option<DateTimeUtc>,
    /// Failed tries since the last success.
    pub attempts: i32,
    /// The rule.
    #[sea_orm(belongs_to, from = "rule_channel_id", to = "channel_id")]
    pub rule: BelongsTo<super::vanish_rule::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
