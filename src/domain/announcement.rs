//! What the bot owes the slots of a guild: made once from an event, posted at least once under one nonce.
//!
//! Invariant: rows and the dispatcher's position commit together, so that an event is announced once whatever
//! crashes in between.

use std::{borrow::Cow, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    announcement, event,
    id::{AnnouncementId, ApiKeyId, ChannelId, GuildId, MessageId},
    vanish_message::{self, Fate},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    TryInsertResult,
    sea_query::{Expr, LockBehavior, LockType},
};
use serde_json::{Value, json};

use super::{
    Domain, Error, direct_message,
    event::{Author, reader},
    practice,
};
use crate::{id_source::IdSource, store::WriteTransaction};

/// The slot that receives announcements.
pub const ALERTS: &str = "alerts";
/// The kind of what reminds voters of an application.
pub const REMINDED: &str = "application.reminded";
/// The dispatcher's name in the table of cursors.
const CURSOR: &str = "announcer";
/// How long a claimed announcement belongs to its claimer.
const LEASE_SECONDS: i64 = 60;
/// Most tries.
const ATTEMPTS_MAX: i32 = 8;
/// Pauses after failed tries, in seconds; the last one repeats.
const BACKOFF_SECONDS: [i64; 5] = [5, 30, 120, 600, 3600];
/// Longest code that is kept.
const CODE_CHARS_MAX: usize = 64;

/// An announcement to be made, from inside a transaction.
pub(in crate::domain) struct NewAnnouncement {
    pub(in crate::domain) guild_id: GuildId,
    /// The slot that receives it.
    pub(in crate::domain) slot_key: Cow<'static, str>,
    pub(in crate::domain) kind: &'static str,
    pub(in crate::domain) data: Value,
    pub(in crate::domain) dedupe_key: String,
    pub(in crate::domain) at: DateTime<Utc>,
}

/// Makes an announcement unless one of its key was made already; says whether it did.
pub(in crate::domain) async fn insert(
    txn: &WriteTransaction,
    ids: &IdSource,
    new: NewAnnouncement,
) -> Result<bool, DbErr> {
    let row = announcement::ActiveModel {
        id: Set(AnnouncementId(ids.uuid())),
        guild_id: Set(new.guild_id),
        slot_key: Set(new.slot_key.into_owned()),
        kind: Set(new.kind.to_owned()),
        data: Set(new.data),
        dedupe_key: Set(new.dedupe_key),
        due_at: Set(Some(new.at)),
        leased_until: Set(None),
        attempts: Set(0),
        outcome: Set(None),
        created_at: Set(new.at),
    };
    let inserted = announcement::Entity::insert(row)
        .on_conflict_do_nothing_on([announcement::Column::DedupeKey])
        .exec_without_returning(txn.connection())
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

struct Dispatch {
    ids: IdSource,
    now: DateTime<Utc>,
    batch: u64,
}

/// Turns at most `batch` events after the cursor into announcements; says how many events it handled.
///
/// The first run starts at the newest event: what happened before is nobody's news.
pub async fn dispatch(domain: &Domain, batch: u64) -> Result<usize, Error> {
    if !reader::has_more(domain, CURSOR).await? {
        return Ok(0);
    }
    let input = Dispatch { ids: domain.ids.clone(), now: domain.now(), batch };
    domain.store.write(input, |txn, input| Box::pin(dispatch_in(txn, input))).await
}

async fn dispatch_in(txn: &WriteTransaction, input: &Dispatch) -> Result<usize, Error> {
    let events = reader::take(txn, CURSOR, input.batch).await?;
    for event in &events {
        if let Some(new) = announcement_of(event, input.now) {
            insert(txn, &input.ids, new).await?;
        }
    }
    Ok(events.len())
}

/// What an event is worth telling, if anything.
fn announcement_of(event: &event::Model, now: DateTime<Utc>) -> Option<NewAnnouncement> {
    let guild_id = event.guild_id?;
    let after = &event.data["after"];
    let (kind, dedupe_key) = match event.kind.as_str() {
        "vanish.suspended" => {
            let channel = event.subject.strip_prefix("vanish/")?;
            let date = event.created_at.date_naive();
            ("vanish.suspended", format!("vanish.suspended:{channel}:{date}"))
        }
        "api_key.leak_found" => {
            let key: ApiKeyId = event.subject.strip_prefix("api_key/")?.parse().ok()?;
            let channel = &after["channel_id"];
            let data = json!({ "key_id": key, "channel_id": channel, "at": event.created_at });
            return Some(leak(guild_id, key, data, now));
        }
        // Only whoever holds a key can end it as that key.
        "api_key.revoked" if event.actor.strip_prefix("key:") == event.subject.strip_prefix("api_key/") => {
            let key: ApiKeyId = event.subject.strip_prefix("api_key/")?.parse().ok()?;
            return Some(leak(guild_id, key, json!({ "key_id": key, "at": event.created_at }), now));
        }
        "api_key.leak_stays" => {
            let channel = after["channel_id"].as_str()?;
            ("api_key.leak_stays", format!("api_key.leak_stays:{channel}:{}", event.created_at.date_naive()))
        }
        "slot.broken" if event.data["before"]["state"] != "broken" => {
            let key = event.subject.strip_prefix("slot/")?;
            let position = event.position?;
            ("slot.broken", format!("slot.broken:{guild_id}:{key}:{position}"))
        }
        // What a person does not get is on the review post; what the guild must mend is told here.
        "application.step_failed" if after["step"] != "direct_message" && after["step"] != "invite" => {
            let (decision, step) = (&after["decision"], after["step"].as_str()?);
            ("application.step_failed", format!("application.step_failed:{}:{decision}:{step}", event.subject))
        }
        "application.reminded" if after["people"] != 0 => {
            return Some(NewAnnouncement {
                guild_id,
                slot_key: "applications".into(),
                kind: REMINDED,
                data: json!({ "subject": event.subject, "at": event.created_at }),
                dedupe_key: format!("{REMINDED}:{}", event.position?),
                at: now,
            });
        }
        "practice.post_failed" => ("practice.post_failed", format!("practice.post_failed:{}", event.position?)),
        _ => return None,
    };
    Some(NewAnnouncement {
        guild_id,
        slot_key: ALERTS.into(),
        kind,
        data: json!({ "subject": event.subject, "at": event.created_at, "state": after }),
        dedupe_key,
        at: now,
    })
}

/// A key was found where it does not belong; whoever tells it first is heard.
fn leak(guild_id: GuildId, key: ApiKeyId, data: Value, now: DateTime<Utc>) -> NewAnnouncement {
    let kind = direct_message::Kind::Leaked.name();
    let dedupe_key = direct_message::leak_dedupe_key(guild_id, key);
    NewAnnouncement { guild_id, slot_key: ALERTS.into(), kind, data, dedupe_key, at: now }
}

/// Takes at most `limit` due announcements for a minute; a claimer that dies loses them to the next one.
pub async fn claim(domain: &Domain, limit: u64) -> Result<Vec<announcement::Model>, Error> {
    let now = domain.now();
    let waiting = announcement::Entity::find().filter(claimable(now)).limit(1).one(domain.store.reader()).await?;
    if waiting.is_none() {
        return Ok(Vec::new());
    }
    domain
        .store
        .write((now, limit), |txn, (now, limit)| {
            Box::pin(async move {
                let due = announcement::Entity::find()
                    .select_only()
                    .column(announcement::Column::Id)
                    .filter(claimable(*now))
                    .order_by_asc(announcement::COLUMN.due_at)
                    .order_by_asc(announcement::COLUMN.id)
                    .limit(*limit)
                    .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                    .into_query();
                let mut claimed = announcement::Entity::update_many()
                    .col_expr(announcement::Column::LeasedUntil, Expr::value(*now + TimeDelta::seconds(LEASE_SECONDS)))
                    .col_expr(announcement::Column::Attempts, Expr::col(announcement::Column::Attempts).add(1))
                    .filter(announcement::Column::Id.in_subquery(due))
                    .filter(claimable(*now))
                    .exec_with_returning(txn.connection())
                    .await?;
                claimed.sort_by_key(|row| (row.due_at, row.id));
                Ok(claimed)
            })
        })
        .await
}

/// Due, and held by nobody.
fn claimable(now: DateTime<Utc>) -> Condition {
    Condition::all().add(announcement::COLUMN.due_at.lte(now)).add(
        Condition::any()
            .add(announcement::COLUMN.leased_until.is_null())
            .add(announcement::COLUMN.leased_until.lte(now)),
    )
}

/// What became of a claimed announcement.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is in Discord.
    Posted {
        /// The post, which vanish rules leave alone from now on.
        message_id: MessageId,
        /// Its channel.
        channel_id: ChannelId,
    },
    /// The guild has nowhere to post it.
    NoSlot,
    /// It is no longer true, so that nobody is told.
    Moot,
    /// Discord did not take it.
    Failed {
        /// A short code, such as `50013`.
        code: String,
        /// Discord's own wish, which lengthens our pause.
        retry_in: Option<Duration>,
    },
}

struct Settle {
    ids: IdSource,
    id: AnnouncementId,
    outcome: Outcome,
    author: Author,
}

/// Records the outcome of a claimed announcement; says whether it was still open.
pub async fn settle(domain: &Domain, id: AnnouncementId, outcome: Outcome) -> Result<bool, Error> {
    let input = Settle { ids: domain.ids.clone(), id, outcome, author: Author::system(domain) };
    domain.store.write(input, |txn, input| Box::pin(settle_in(txn, input))).await
}

async fn settle_in(txn: &WriteTransaction, input: &Settle) -> Result<bool, Error> {
    let open = announcement::Entity::find_by_id(input.id)
        .filter(announcement::COLUMN.due_at.is_not_null())
        .lock_exclusive()
        .one(txn.connection())
        .await?;
    let Some(row) = open else {
        return Ok(false);
    };
    let now = input.author.at();
    let (outcome, due_at) = match &input.outcome {
        Outcome::Posted { message_id, channel_id } => {
            spare(txn, row.guild_id, (*message_id, *channel_id), now).await?;
            ("posted".to_owned(), None)
        }
        Outcome::NoSlot => {
            practice::not_posted(txn, &input.ids, now, &row).await?;
            ("no_slot".to_owned(), None)
        }
        Outcome::Moot => ("moot".to_owned(), None),
        Outcome::Failed { code, retry_in } => {
            let retry_at = now + pause(row.attempts, *retry_in);
            let code: String = code.chars().take(CODE_CHARS_MAX).collect();
            (code, (row.attempts < ATTEMPTS_MAX).then_some(retry_at))
        }
    };
    if row.kind == practice::BOARD_KIND && due_at.is_none() {
        let result = match &input.outcome {
            Outcome::Posted { message_id, channel_id } => {
                Ok(json!({ "message_id": message_id, "channel_id": channel_id }))
            }
            Outcome::NoSlot | Outcome::Moot | Outcome::Failed { .. } => Err(outcome.as_str()),
        };
        practice::post::settled(txn, &input.author, &row, result).await?;
    }
    announcement::Entity::update_many()
        .col_expr(announcement::Column::Outcome, Expr::value(outcome))
        .col_expr(announcement::Column::DueAt, Expr::value(due_at))
        .col_expr(announcement::Column::LeasedUntil, Expr::value(None::<DateTime<Utc>>))
        .filter(announcement::COLUMN.id.eq(input.id))
        .exec(txn.connection())
        .await?;
    Ok(true)
}

/// The pause after a number of failed tries.
pub(in crate::domain) fn pause(attempts: i32, wish: Option<Duration>) -> TimeDelta {
    let step = usize::try_from(attempts - 1).unwrap_or(0);
    let ours = BACKOFF_SECONDS[step.min(BACKOFF_SECONDS.len() - 1)];
    let wish = wish.and_then(|wish| TimeDelta::from_std(wish).ok());
    TimeDelta::seconds(ours).max(wish.unwrap_or_default().min(TimeDelta::days(1)))
}

/// Keeps vanish rules away from a post of ours.
pub(in crate::domain) async fn spare(
    txn: &WriteTransaction,
    guild_id: GuildId,
    (message_id, channel_id): (MessageId, ChannelId),
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = vanish_message::ActiveModel {
        message_id: Set(message_id),
        channel_id: Set(channel_id),
        guild_id: Set(guild_id),
        fate: Set(Fate::OwnPost),
        due_at: Set(None),
        leased_until: Set(None),
        attempts: Set(0),
        created_at: Set(now),
    };
    vanish_message::Entity::insert(row).on_conflict_do_nothing().exec_without_returning(txn.connection()).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
