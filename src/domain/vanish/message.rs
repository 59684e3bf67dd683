//! Messages with a fate of their own: kept by a moderator, kept as a post of the bot, or timed, each by itself or as all
//! of their author.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{ChannelId, DiscordUserId, GuildId, MessageId},
    vanish_message::{self, Fate, Model},
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, OnConflict},
};
use serde_json::{Value, json};

use super::VanishRefusal;
use crate::{
    domain::{Actor, Domain, Error, Right},
    store::{NewEvent, WriteTransaction},
};

/// How long a worker may take over one timed message, in seconds.
const LEASE_SECONDS: i64 = 60;
/// Tries before a timed message is given up.
const TRIES_MAX: i32 = 10;

/// A timed message whose time has come.
#[derive(Clone, Debug)]
pub struct DueMessage {
    /// The row, leased.
    pub row: Model,
}

/// Toggles whether rules leave a message alone; returns the new state.
pub async fn keep_message(
    domain: &Domain,
    actor: &Actor,
    guild: GuildId,
    channel: ChannelId,
    message: MessageId,
) -> Result<bool, Error> {
    actor.require(Right::ManageVanish(channel), Some(guild))?;
    let input = (actor.clone(), guild, channel, message, domain.now());
    domain
        .store
        .write(input, |txn, (actor, guild, channel, message, now)| {
            Box::pin(toggle_keep(txn, actor, (*guild, *channel, *message), *now))
        })
        .await
}

async fn toggle_keep(
    txn: &WriteTransaction,
    actor: &Actor,
    (guild, channel, message): (GuildId, ChannelId, MessageId),
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let removed = vanish_message::Entity::delete_many()
        .filter(vanish_message::COLUMN.message_id.eq(message))
        .filter(vanish_message::COLUMN.fate.eq(Fate::Keep))
        .exec(txn.connection())
        .await?;
    let keep = removed.rows_affected == 0;
    if keep {
        upsert(txn, row(guild, channel, message, Fate::Keep, None, now)).await?;
    } else {
        super::watch::rescan_from(txn, channel, message, now).await?;
    }
    log(
        txn,
        actor,
        if keep { "vanish.message_kept" } else { "vanish.message_released" },
        (guild, channel, message),
        now,
    )
    .await?;
    Ok(keep)
}

pub(super) fn row(
    guild_id: GuildId,
    channel_id: ChannelId,
    message_id: MessageId,
    fate: Fate,
    due_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Model {
    Model { message_id, channel_id, guild_id, fate, due_at, leased_until: None, attempts: 0, created_at: now }
}

async fn upsert(txn: &WriteTransaction, row: Model) -> Result<(), Error> {
    use vanish_message::Column as C;
    vanish_message::Entity::insert(row.into_active_model())
        .on_conflict(
            OnConflict::column(C::MessageId)
                .update_columns([C::Fate, C::DueAt, C::LeasedUntil, C::Attempts])
                .to_owned(),
        )
        .exec_without_returning(txn.connection())
        .await?;
    Ok(())
}

async fn log(
    txn: &WriteTransaction,
    actor: &Actor,
    kind: &'static str,
    (guild, channel, message): (GuildId, ChannelId, MessageId),
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let event = NewEvent {
        kind,
        guild_id: Some(guild),
        subject: format!("vanish_message/{message}"),
        actor: actor.to_string(),
        source: actor.source().name(),
        before: Value::Null,
        after: json!({ "channel_id": channel, "message_id": message }),
        at: now,
    };
    Ok(txn.append_event(event).await?)
}

/// Whether a moderator keeps this message.
pub async fn is_kept(domain: &Domain, message: MessageId) -> Result<bool, Error> {
    let found = vanish_message::Entity::find_by_id(message).one(domain.store.reader()).await?;
    Ok(found.is_some_and(|row| row.fate == Fate::Keep))
}

/// Remembers a post of the bot that rules leave alone, or that goes at its own time.
pub async fn keep_own_post(
    domain: &Domain,
    guild: GuildId,
    channel: ChannelId,
    message: MessageId,
    until: Option<DateTime<Utc>>,
) -> Result<(), Error> {
    let fate = if until.is_some() { Fate::Timer } else { Fate::OwnPost };
    let row = row(guild, channel, message, fate, until, domain.now());
    domain.store.write(row, |txn, row| Box::pin(upsert(txn, row.clone()))).await
}

/// Refuses who may not decide when a message vanishes: its author may, and moderators.
pub fn may_time(
    actor: &Actor,
    guild: GuildId,
    channel: ChannelId,
    author: Option<DiscordUserId>,
) -> Result<(), VanishRefusal> {
    let own = actor.discord_user().is_some() && actor.discord_user() == author;
    if own || actor.require(Right::ManageVanish(channel), Some(guild)).is_ok() {
        Ok(())
    } else {
        Err(VanishRefusal::NotTheAuthor)
    }
}

/// Lets one message vanish after `seconds`, whatever the channel's rule; its author may, and moderators.
pub async fn time_message(
    domain: &Domain,
    actor: &Actor,
    (guild, channel, message): (GuildId, ChannelId, MessageId),
    author: Option<DiscordUserId>,
    seconds: i64,
) -> Result<DateTime<Utc>, Error> {
    may_time(actor, guild, channel, author)?;
    if !super::schedule::AFTER_SECONDS.contains(&seconds) {
        return Err(VanishRefusal::AfterOutOfBounds.into());
    }
    let now = domain.now();
    let due_at = now + TimeDelta::seconds(seconds);
    let input = (actor.clone(), row(guild, channel, message, Fate::Timer, Some(due_at), now));
    domain
        .store
        .write(input, |txn, (actor, row)| {
            Box::pin(async move {
                upsert(txn, row.clone()).await?;
                let ids = (row.guild_id, row.channel_id, row.message_id);
                log(txn, actor, "vanish.message_timed", ids, row.created_at).await
            })
        })
        .await?;
    Ok(due_at)
}

/// Takes a message's own time away, so that nothing but the channel's rule decides; says whether it had one.
pub async fn untime_message(
    domain: &Domain,
    actor: &Actor,
    (guild, channel, message): (GuildId, ChannelId, MessageId),
    author: Option<DiscordUserId>,
) -> Result<bool, Error> {
    may_time(actor, guild, channel, author)?;
    let input = (actor.clone(), (guild, channel, message), domain.now());
    domain
        .store
        .write(input, |txn, (actor, ids, now)| {
            Box::pin(async move {
                let removed = vanish_message::Entity::delete_many()
                    .filter(vanish_message::COLUMN.message_id.eq(ids.2))
                    .filter(vanish_message::COLUMN.fate.is_in([Fate::Timer, Fate::Own]))
                    .exec(txn.connection())
                    .await?;
                if removed.rows_affected == 0 {
                    return Ok(false);
                }
                log(txn, actor, "vanish.message_untimed", *ids, *now).await?;
                Ok(true)
            })
        })
        .await
}

/// When a message vanishes by a time of its own; none where nobody has timed it.
pub async fn timed_until(domain: &Domain, message: MessageId) -> Result<Option<DateTime<Utc>>, Error> {
    let found = vanish_message::Entity::find_by_id(message).one(domain.store.reader()).await?;
    Ok(found.and_then(|row| row.due_at))
}

/// Leases the timed messages whose time has come, oldest first.
pub async fn claim_due_messages(domain: &Domain, limit: u64) -> Result<Vec<DueMessage>, Error> {
    let now = domain.discord_now();
    let due = |query: sea_orm::Select<vanish_message::Entity>| {
        query
            .filter(vanish_message::COLUMN.due_at.lte(now))
            .filter(vanish_message::COLUMN.leased_until.is_null().or(vanish_message::COLUMN.leased_until.lte(now)))
            .order_by_asc(vanish_message::Column::DueAt)
            .limit(limit)
    };
    if due(vanish_message::Entity::find()).one(domain.store.reader()).await?.is_none() {
        return Ok(Vec::new());
    }
    let ids = due(vanish_message::Entity::find()).select_only().column(vanish_message::Column::MessageId).into_query();
    domain
        .store
        .write((now, ids), |txn, (now, ids)| {
            Box::pin(async move {
                let rows = vanish_message::Entity::update_many()
                    .col_expr(
                        vanish_message::Column::LeasedUntil,
                        Expr::value(*now + TimeDelta::seconds(LEASE_SECONDS)),
                    )
                    .filter(vanish_message::COLUMN.message_id.in_subquery(ids.clone()))
                    .exec_with_returning(txn.connection())
                    .await?;
                Ok(rows.into_iter().map(|row| DueMessage { row }).collect())
            })
        })
        .await
}

/// Records the end of a timed message: gone, or to be tried again later.
pub async fn settle_message(domain: &Domain, message: &DueMessage, gone: bool) -> Result<(), Error> {
    let row = &message.row;
    let give_up = gone || row.attempts + 1 >= TRIES_MAX;
    let retry_at = domain.now() + TimeDelta::seconds(5 << row.attempts.clamp(0, 9));
    let input = (row.clone(), give_up, gone, retry_at, domain.now());
    domain
        .store
        .write(input, |txn, (row, give_up, gone, retry_at, now)| {
            Box::pin(async move {
                if !give_up {
                    vanish_message::Entity::update_many()
                        .col_expr(vanish_message::Column::DueAt, Expr::value(*retry_at))
                        .col_expr(vanish_message::Column::LeasedUntil, Expr::value(None::<DateTime<Utc>>))
                        .col_expr(vanish_message::Column::Attempts, Expr::col(vanish_message::Column::Attempts).add(1))
                        .filter(vanish_message::COLUMN.message_id.eq(row.message_id))
                        .exec(txn.connection())
                        .await?;
                    return Ok(());
                }
                vanish_message::Entity::delete_by_id(row.message_id).exec(txn.connection()).await?;
                // A member's messages are many, and nobody asked for this one by itself.
                if *gone && row.fate != Fate::Own {
                    let ids = (row.guild_id, row.channel_id, row.message_id);
                    log(txn, &Actor::System, "vanish.message_gone", ids, *now).await?;
                }
                Ok(())
            })
        })
        .await
}
