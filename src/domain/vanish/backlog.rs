//! The messages from before a rule: armed, waiting, or spared after all.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{ChannelId, GuildId, MessageId},
    vanish_place, vanish_rule,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::Value;

use super::{
    VanishRefusal,
    rule::{Backlog, NewRule, Write, first_message, snowflake_at},
    schedule::BULK_AGE,
};
use crate::{
    domain::{Actor, Domain, Error, Right},
    store::WriteTransaction,
};

/// Behind which message the backlog begins; none where old messages stay.
pub(super) fn backlog_after(backlog: Backlog, now: DateTime<Utc>) -> Option<MessageId> {
    match backlog {
        Backlog::NewOnly => None,
        Backlog::LastFourteenDays => Some(snowflake_at(now - BULK_AGE)),
        Backlog::Everything => Some(first_message()),
    }
}

/// Puts the messages from before this moment under the rule, once the arm delay is over.
pub(super) async fn arm_backlog(
    txn: &WriteTransaction,
    write: &Write<NewRule>,
    rule: &vanish_rule::Model,
) -> Result<(), Error> {
    let Some(after) = backlog_after(write.change.backlog, write.now) else { return Ok(()) };
    let delay = TimeDelta::from_std(write.domain.limits.arm_delay).unwrap_or(TimeDelta::minutes(5));
    vanish_place::Entity::update_many()
        .set(vanish_place::ActiveModel {
            backlog_after: Set(Some(after)),
            backlog_until: Set(Some(rule.starts_after)),
            backlog_due_at: Set(Some(write.now + delay)),
            ..Default::default()
        })
        .filter(vanish_place::COLUMN.place_id.eq(rule.channel_id))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// Lets the old messages stay after all, while they still wait.
pub async fn abort_backlog(domain: &Domain, actor: &Actor, guild: GuildId, channel: ChannelId) -> Result<(), Error> {
    actor.require(Right::ManageVanish(channel), Some(guild))?;
    let write = Write::new(domain, actor, (guild, channel));
    domain.store.write(write, |txn, write| Box::pin(drop_backlog(txn, write))).await
}

async fn drop_backlog(txn: &WriteTransaction, write: &Write<(GuildId, ChannelId)>) -> Result<(), Error> {
    let (guild, channel) = write.change;
    let result = vanish_place::Entity::update_many()
        .set(vanish_place::ActiveModel {
            backlog_after: Set(None),
            backlog_until: Set(None),
            backlog_due_at: Set(None),
            ..Default::default()
        })
        .filter(vanish_place::COLUMN.place_id.eq(channel))
        .filter(vanish_place::COLUMN.guild_id.eq(guild))
        .filter(vanish_place::COLUMN.backlog_due_at.gt(write.now))
        .exec(txn.connection())
        .await?;
    if result.rows_affected == 0 {
        return Err(VanishRefusal::NothingArmed.into());
    }
    write.log(txn, "vanish.backlog_aborted", channel, guild, (Value::Null, Value::Null)).await
}
