//! Messages that hold a secret for a while: they are deleted when their reader has saved it, or after a quarter of an
//! hour, whatever restarts in between.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    direct_message,
    id::{ApiKeyId, ChannelId, DirectMessageId, DiscordUserId, MessageId},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, LockBehavior, LockType},
};
use serde_json::json;

use super::{CLOSED, LEASE_SECONDS, SENT, pause};
use crate::{
    domain::{Domain, Error, error::CommonRefusal},
    store::WriteTransaction,
};

/// What such a message is called.
pub const SECRET: &str = "api_key.secret";
/// How long it stays.
const LIFETIME_MINUTES: i64 = 15;
/// Tries to delete it; at the end they are an hour apart.
const DELETIONS_MAX: i32 = 48;

fn row(domain: &Domain, user: DiscordUserId, key: Option<ApiKeyId>) -> direct_message::Model {
    let id = DirectMessageId(domain.ids.uuid());
    direct_message::Model {
        id,
        discord_user_id: user,
        kind: SECRET.to_owned(),
        data: json!({ "key_id": key }),
        dedupe_key: format!("{SECRET}:{id}"),
        due_at: None,
        leased_until: None,
        attempts: 0,
        outcome: None,
        settled_at: None,
        channel_id: None,
        message_id: None,
        delete_at: None,
        created_at: domain.now(),
    }
}

async fn insert(domain: &Domain, row: direct_message::Model) -> Result<(), Error> {
    domain
        .store
        .write(row, |txn, row| {
            Box::pin(async move {
                let row = row.clone().into_active_model();
                direct_message::Entity::insert(row).exec_without_returning(txn.connection()).await?;
                Ok(())
            })
        })
        .await
}

/// Remembers that a message with a key is about to be sent to this channel.
pub async fn expect_secret(
    domain: &Domain,
    user: DiscordUserId,
    channel: ChannelId,
    key: ApiKeyId,
) -> Result<DirectMessageId, Error> {
    let delete_at = Some(domain.now() + TimeDelta::minutes(LIFETIME_MINUTES));
    let row = direct_message::Model { channel_id: Some(channel), delete_at, ..row(domain, user, Some(key)) };
    let id = row.id;
    insert(domain, row).await?;
    Ok(id)
}

/// The message is in Discord.
pub async fn secret_sent(domain: &Domain, id: DirectMessageId, message: MessageId) -> Result<(), Error> {
    domain
        .store
        .write((id, message, domain.now()), |txn, (id, message, now)| {
            Box::pin(async move {
                direct_message::Entity::update_many()
                    .col_expr(direct_message::Column::MessageId, Expr::value(*message))
                    .col_expr(direct_message::Column::Outcome, Expr::value(SENT))
                    .col_expr(direct_message::Column::SettledAt, Expr::value(*now))
                    .filter(direct_message::COLUMN.id.eq(*id))
                    .exec(txn.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}

/// Remembers that this person takes no messages.
pub async fn closed_to_secrets(domain: &Domain, user: DiscordUserId) -> Result<(), Error> {
    let row = row(domain, user, None);
    let settled_at = Some(row.created_at);
    insert(domain, direct_message::Model { outcome: Some(CLOSED.to_owned()), settled_at, ..row }).await
}

/// Lets a message go at once, for its reader; refused to everybody else. Gives its place in Discord, once.
pub async fn take_back(
    domain: &Domain,
    user: DiscordUserId,
    id: DirectMessageId,
) -> Result<Option<(ChannelId, MessageId)>, Error> {
    domain
        .store
        .write((user, id, domain.now()), |txn, (user, id, now)| {
            Box::pin(async move {
                let found = direct_message::Entity::find_by_id(*id).one(txn.connection()).await?;
                let row = found.filter(|row| row.kind == SECRET).ok_or(CommonRefusal::ProposalGone)?;
                if row.discord_user_id != *user {
                    return Err(CommonRefusal::NotYours.into());
                }
                direct_message::Entity::update_many()
                    .col_expr(direct_message::Column::DeleteAt, Expr::value(*now))
                    .filter(direct_message::COLUMN.id.eq(*id))
                    .filter(direct_message::COLUMN.delete_at.is_not_null())
                    .exec(txn.connection())
                    .await?;
                Ok::<_, Error>(row.channel_id.zip(row.message_id).filter(|_| row.delete_at.is_some()))
            })
        })
        .await
}

/// Takes at most `limit` messages whose time in Discord is over.
pub async fn claim_expired(domain: &Domain, limit: u64) -> Result<Vec<direct_message::Model>, Error> {
    let now = domain.now();
    let waiting = direct_message::Entity::find().filter(expired(now)).limit(1).one(domain.store.reader()).await?;
    if waiting.is_none() {
        return Ok(Vec::new());
    }
    domain
        .store
        .write((now, limit), |txn, (now, limit)| {
            Box::pin(async move {
                let due = direct_message::Entity::find()
                    .select_only()
                    .column(direct_message::Column::Id)
                    .filter(expired(*now))
                    .order_by_asc(direct_message::COLUMN.delete_at)
                    .limit(*limit)
                    .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                    .into_query();
                let until = *now + TimeDelta::seconds(LEASE_SECONDS);
                Ok(direct_message::Entity::update_many()
                    .col_expr(direct_message::Column::LeasedUntil, Expr::value(until))
                    .col_expr(direct_message::Column::Attempts, Expr::col(direct_message::Column::Attempts).add(1))
                    .filter(direct_message::Column::Id.in_subquery(due))
                    .filter(expired(*now))
                    .exec_with_returning(txn.connection())
                    .await?)
            })
        })
        .await
}

fn expired(now: DateTime<Utc>) -> Condition {
    Condition::all().add(direct_message::COLUMN.delete_at.lte(now)).add(
        Condition::any()
            .add(direct_message::COLUMN.leased_until.is_null())
            .add(direct_message::COLUMN.leased_until.lte(now)),
    )
}

/// Records that an expired message is gone, or has to be tried again.
pub async fn settle_expired(domain: &Domain, row: &direct_message::Model, is_gone: bool) -> Result<(), Error> {
    let again = domain.now() + pause(row.attempts, None);
    let delete_at = (!is_gone && row.attempts < DELETIONS_MAX).then_some(again);
    domain.store.write((row.id, delete_at), |txn, input| Box::pin(settle_in(txn, input))).await
}

async fn settle_in(
    txn: &WriteTransaction,
    (id, delete_at): &(DirectMessageId, Option<DateTime<Utc>>),
) -> Result<(), Error> {
    direct_message::Entity::update_many()
        .col_expr(direct_message::Column::DeleteAt, Expr::value(*delete_at))
        .col_expr(direct_message::Column::LeasedUntil, Expr::value(None::<DateTime<Utc>>))
        .filter(direct_message::COLUMN.id.eq(*id))
        .exec(txn.connection())
        .await?;
    Ok(())
}
