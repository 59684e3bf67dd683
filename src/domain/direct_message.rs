//! What the bot owes people in direct messages, and what it takes back again.
//!
//! Invariants: a message is made once from its cause and sent at least once under one nonce; whoever takes no messages
//! is left alone for a week, and what concerns a guild is told to that guild instead, as it is when its person wants no
//! such message; no row holds a secret.

mod notice;
mod secret;
mod wish;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    direct_message,
    id::{ApiKeyId, ChannelId, DirectMessageId, DiscordUserId, GuildId, MessageId},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, TryInsertResult,
    sea_query::{Expr, LockBehavior, LockType},
};
use serde_json::Value;

use super::{
    Domain, Error,
    announcement::{self, ALERTS, NewAnnouncement, pause},
    practice,
};
use crate::{id_source::IdSource, store::WriteTransaction};

pub(in crate::domain) use notice::leak_dedupe_key;
pub use notice::{Kind, dispatch, scan};
pub use secret::{SECRET, claim_expired, closed_to_secrets, expect_secret, secret_sent, settle_expired, take_back};
pub use wish::Purpose;

/// How long a claimed message belongs to its claimer.
const LEASE_SECONDS: i64 = 60;
/// Most tries.
const ATTEMPTS_MAX: i32 = 8;
/// Longest code that is kept.
const CODE_CHARS_MAX: usize = 64;
/// How long nobody is written to who took no message.
const CLOSED_DAYS: i64 = 7;
/// How long settled messages are kept, so that nothing is said twice.
const KEPT_DAYS: i64 = 200;
/// Settled messages that one look clears away.
const CLEARED_MAX: u64 = 500;

/// The message was sent.
const SENT: &str = "sent";
/// The person takes no messages.
const CLOSED: &str = "closed";
/// It was no longer true when it should have been sent.
const MOOT: &str = "moot";
/// The person wants no such message.
const UNWANTED: &str = "unwanted";

/// A message to be made, from inside a transaction.
pub(in crate::domain) struct NewDirectMessage {
    pub(in crate::domain) discord_user_id: DiscordUserId,
    pub(in crate::domain) kind: &'static str,
    pub(in crate::domain) data: Value,
    pub(in crate::domain) dedupe_key: String,
    pub(in crate::domain) at: DateTime<Utc>,
}

/// Makes a message unless one of its key was made already; says whether it did.
pub(in crate::domain) async fn insert(
    txn: &WriteTransaction,
    ids: &IdSource,
    new: NewDirectMessage,
) -> Result<bool, DbErr> {
    let row = direct_message::ActiveModel {
        id: Set(DirectMessageId(ids.uuid())),
        discord_user_id: Set(new.discord_user_id),
        kind: Set(new.kind.to_owned()),
        data: Set(new.data),
        dedupe_key: Set(new.dedupe_key),
        due_at: Set(Some(new.at)),
        leased_until: Set(None),
        attempts: Set(0),
        outcome: Set(None),
        settled_at: Set(None),
        channel_id: Set(None),
        message_id: Set(None),
        delete_at: Set(None),
        created_at: Set(new.at),
    };
    let inserted = direct_message::Entity::insert(row)
        .on_conflict_do_nothing_on([direct_message::Column::DedupeKey])
        .exec_without_returning(txn.connection())
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

/// A message whose time has come.
#[derive(Clone, Debug)]
pub struct DueMessage {
    /// Its row.
    pub row: direct_message::Model,
    /// The person took no message of late, so that none is tried.
    pub is_closed: bool,
    /// The person wants messages of this kind.
    pub is_wanted: bool,
}

/// Takes at most `limit` due messages for a minute; a claimer that dies loses them to the next one.
pub async fn claim(domain: &Domain, limit: u64) -> Result<Vec<DueMessage>, Error> {
    let now = domain.now();
    let waiting = direct_message::Entity::find().filter(claimable(now)).limit(1).one(domain.store.reader()).await?;
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
                    .filter(claimable(*now))
                    .order_by_asc(direct_message::COLUMN.due_at)
                    .order_by_asc(direct_message::COLUMN.id)
                    .limit(*limit)
                    .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                    .into_query();
                let mut claimed = direct_message::Entity::update_many()
                    .col_expr(
                        direct_message::Column::LeasedUntil,
                        Expr::value(*now + TimeDelta::seconds(LEASE_SECONDS)),
                    )
                    .col_expr(direct_message::Column::Attempts, Expr::col(direct_message::Column::Attempts).add(1))
                    .filter(direct_message::Column::Id.in_subquery(due))
                    .filter(claimable(*now))
                    .exec_with_returning(txn.connection())
                    .await?;
                claimed.sort_by_key(|row| (row.due_at, row.id));
                let mut messages = Vec::with_capacity(claimed.len());
                for row in claimed {
                    let is_closed = is_closed(txn.connection(), row.discord_user_id, *now).await?;
                    let is_wanted = is_wanted(txn.connection(), &row).await?;
                    messages.push(DueMessage { row, is_closed, is_wanted });
                }
                Ok(messages)
            })
        })
        .await
}

/// Due, and held by nobody.
fn claimable(now: DateTime<Utc>) -> Condition {
    Condition::all().add(direct_message::COLUMN.due_at.lte(now)).add(
        Condition::any()
            .add(direct_message::COLUMN.leased_until.is_null())
            .add(direct_message::COLUMN.leased_until.lte(now)),
    )
}

/// Whether the last message to this person was refused within the week.
async fn is_closed(connection: &impl ConnectionTrait, user: DiscordUserId, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let last = direct_message::Entity::find()
        .filter(direct_message::COLUMN.discord_user_id.eq(user))
        .filter(direct_message::COLUMN.outcome.is_in([SENT, CLOSED]))
        .filter(direct_message::COLUMN.settled_at.gt(now - TimeDelta::days(CLOSED_DAYS)))
        .order_by_desc(direct_message::COLUMN.settled_at)
        .order_by_desc(direct_message::COLUMN.id)
        .limit(1)
        .one(connection)
        .await?;
    Ok(last.is_some_and(|row| row.outcome.as_deref() == Some(CLOSED)))
}

/// Whether the person wants messages of this kind, at this moment.
async fn is_wanted(connection: &impl ConnectionTrait, row: &direct_message::Model) -> Result<bool, DbErr> {
    let of_timers = || practice::NoticeKind::of_name(&row.kind).map(|_| Purpose::Reminder);
    let Some(purpose) = Kind::of_name(&row.kind).map(Kind::purpose).or_else(of_timers) else { return Ok(true) };
    Ok(purpose.is_wanted(wish::of_account(connection, row.discord_user_id).await?))
}

/// Whether somebody can be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// As far as we know.
    Open,
    /// They took no message of late.
    Closed,
    /// They want none for such a purpose.
    Unwanted,
}

/// Whether somebody can be written to for a purpose, at this moment.
pub async fn reach(domain: &Domain, account: DiscordUserId, purpose: Purpose) -> Result<Reach, Error> {
    let reader = domain.store.reader();
    if !purpose.is_wanted(wish::of_account(reader, account).await?) {
        return Ok(Reach::Unwanted);
    }
    Ok(if is_closed(reader, account, domain.now()).await? { Reach::Closed } else { Reach::Open })
}

/// What became of a claimed message.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is in Discord.
    Sent {
        /// The message.
        message_id: MessageId,
        /// The direct channel.
        channel_id: ChannelId,
    },
    /// The person takes no messages from the bot.
    Closed,
    /// It is no longer true, so that nobody is told.
    Moot,
    /// The person wants no such messages.
    Unwanted,
    /// Discord did not take it.
    Failed {
        /// A short code.
        code: String,
        /// Discord's own wish, which lengthens our pause.
        retry_in: Option<Duration>,
    },
}

struct Settle {
    ids: IdSource,
    id: DirectMessageId,
    outcome: Outcome,
    now: DateTime<Utc>,
}

/// Records the outcome of a claimed message; says whether it was still open.
pub async fn settle(domain: &Domain, id: DirectMessageId, outcome: Outcome) -> Result<bool, Error> {
    let input = Settle { ids: domain.ids.clone(), id, outcome, now: domain.now() };
    domain.store.write(input, |txn, input| Box::pin(settle_in(txn, input))).await
}

async fn settle_in(txn: &WriteTransaction, input: &Settle) -> Result<bool, Error> {
    let open = direct_message::Entity::find_by_id(input.id)
        .filter(direct_message::COLUMN.due_at.is_not_null())
        .lock_exclusive()
        .one(txn.connection())
        .await?;
    let Some(row) = open else {
        return Ok(false);
    };
    let (outcome, retry_at) = match &input.outcome {
        Outcome::Sent { .. } => (SENT.to_owned(), None),
        Outcome::Closed => (CLOSED.to_owned(), None),
        Outcome::Moot => (MOOT.to_owned(), None),
        Outcome::Unwanted => (UNWANTED.to_owned(), None),
        Outcome::Failed { code, retry_in } => {
            let retry_at = input.now + pause(row.attempts, *retry_in);
            (code.chars().take(CODE_CHARS_MAX).collect(), (row.attempts < ATTEMPTS_MAX).then_some(retry_at))
        }
    };
    let place = match input.outcome {
        Outcome::Sent { message_id, channel_id } => Some((message_id, channel_id)),
        _ => None,
    };
    direct_message::Entity::update_many()
        .col_expr(direct_message::Column::Outcome, Expr::value(outcome))
        .col_expr(direct_message::Column::DueAt, Expr::value(retry_at))
        .col_expr(direct_message::Column::SettledAt, Expr::value(retry_at.is_none().then_some(input.now)))
        .col_expr(direct_message::Column::LeasedUntil, Expr::value(None::<DateTime<Utc>>))
        .col_expr(direct_message::Column::MessageId, Expr::value(place.map(|(message, _)| message)))
        .col_expr(direct_message::Column::ChannelId, Expr::value(place.map(|(_, channel)| channel)))
        .filter(direct_message::COLUMN.id.eq(input.id))
        .exec(txn.connection())
        .await?;
    let unheard = !matches!(input.outcome, Outcome::Sent { .. } | Outcome::Moot) && retry_at.is_none();
    if unheard {
        tell_guild(txn, input, &row).await?;
    }
    Ok(true)
}

/// What a person did not get is told to the guild that it is about, if it is about one.
async fn tell_guild(txn: &WriteTransaction, input: &Settle, row: &direct_message::Model) -> Result<(), DbErr> {
    practice::not_sent(txn, &input.ids, input.now, row).await?;
    let guild = row.data["guild_id"].as_str().and_then(|id| id.parse::<GuildId>().ok());
    let (Some(guild_id), Some(kind)) = (guild, Kind::of_name(&row.kind)) else { return Ok(()) };
    let mut data = row.data.clone();
    if !matches!(input.outcome, Outcome::Unwanted) {
        // What somebody wants to be written is nobody else's business.
        data["discord_user_id"] = row.discord_user_id.to_string().into();
    }
    let key = row.data["key_id"].as_str().and_then(|id| id.parse::<ApiKeyId>().ok());
    let dedupe_key = match (kind, key) {
        (Kind::Leaked, Some(key)) => leak_dedupe_key(guild_id, key),
        _ => format!("direct_message:{}", row.id),
    };
    let new = NewAnnouncement { guild_id, slot_key: ALERTS.into(), kind: kind.name(), data, dedupe_key, at: input.now };
    announcement::insert(txn, &input.ids, new).await?;
    Ok(())
}

/// Forgets messages that were settled long ago.
pub async fn clear_old(domain: &Domain) -> Result<u64, Error> {
    let before = domain.now() - TimeDelta::days(KEPT_DAYS);
    let is_old = direct_message::COLUMN.settled_at.lte(before);
    let found = direct_message::Entity::find().filter(is_old).limit(1).one(domain.store.reader()).await?;
    if found.is_none() {
        return Ok(0);
    }
    domain
        .store
        .write(before, |txn, before| {
            Box::pin(async move {
                let old = direct_message::Entity::find()
                    .select_only()
                    .column(direct_message::Column::Id)
                    .filter(direct_message::COLUMN.settled_at.lte(*before))
                    .filter(direct_message::COLUMN.delete_at.is_null())
                    .limit(CLEARED_MAX)
                    .into_query();
                let cleared = direct_message::Entity::delete_many()
                    .filter(direct_message::Column::Id.in_subquery(old))
                    .exec(txn.connection())
                    .await?;
                Ok(cleared.rows_affected)
            })
        })
        .await
}

#[cfg(test)]
mod tests;
