//! How many messages a rule has deleted, ours and other bots' together.

use chrono::{DateTime, Utc};
use entity::{id::ChannelId, vanish_rule};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};
use serde_json::Value;

use super::{VanishRefusal, rule::Write};
use crate::{
    domain::{Actor, Domain, Error, Right},
    store::WriteTransaction,
};

/// Adds what another bot has deleted to a rule's counter; returns the new count.
pub async fn add_deleted(domain: &Domain, actor: &Actor, channel: ChannelId, count: i64) -> Result<i64, Error> {
    actor.require_somewhere(Right::ManageVanish(channel))?;
    if count <= 0 {
        return Err(VanishRefusal::BadCount.into());
    }
    let write = Write::new(domain, actor, (channel, count));
    domain
        .store
        .write(write, |txn, write| {
            Box::pin(async move {
                let (channel, count) = write.change;
                let rule = count_deleted(txn, channel, count, write.now).await?;
                // Of another guild: refused, which takes the addition back.
                let seen = rule.filter(|rule| write.may(Right::ManageVanish(channel), rule.guild_id));
                let rule = seen.ok_or(VanishRefusal::NoRule)?;
                let change = (Value::Null, serde_json::json!({ "deleted": count, "total": rule.messages_deleted }));
                write.log(txn, "vanish.counted", channel, rule.guild_id, change).await?;
                Ok(rule.messages_deleted)
            })
        })
        .await
}

/// Adds to the counter in one statement, so that no parallel addition is lost (the peer's defect 4).
pub(super) async fn count_deleted(
    txn: &WriteTransaction,
    channel: ChannelId,
    count: i64,
    now: DateTime<Utc>,
) -> Result<Option<vanish_rule::Model>, Error> {
    let total = || Expr::col(vanish_rule::Column::MessagesDeleted);
    // The counter stops at the top instead of failing.
    let sum = Expr::case(total().gt(i64::MAX - count), Expr::value(i64::MAX)).finally(total().add(count));
    let mut updated = vanish_rule::Entity::update_many()
        .col_expr(vanish_rule::Column::MessagesDeleted, sum.into())
        .col_expr(vanish_rule::Column::LastDeletion, Expr::value(now))
        .col_expr(vanish_rule::Column::UpdatedAt, Expr::value(now))
        .filter(vanish_rule::COLUMN.channel_id.eq(channel))
        .exec_with_returning(txn.connection())
        .await?;
    Ok(updated.pop())
}
