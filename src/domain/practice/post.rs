//! Boards that a guild receives on schedule: the day, week or month just ended, at a local time.
//!
//! Invariants: a due board becomes one announcement in the transaction that moves the schedule on, so that of two
//! processes one makes it; however many were missed, one is made up; no period is posted twice.

mod schedule;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    announcement,
    channel_slot::SlotType,
    guild as guild_row,
    id::{GuildId, UserId},
    practice_post::{self, Model, PostPeriod},
    practice_rule::PracticePrivacy,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Board, Dates, LeaderboardQuery, PracticeRefusal, leaderboard, rule};
use crate::{
    domain::{
        Actor, Domain, Error, Right,
        announcement::{NewAnnouncement, insert},
        event::{Author, spelled, unspelled},
        guild::{self, General},
        slot::{self, SlotKey},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// What announcements of boards carry.
pub const BOARD_KIND: &str = "practice.board";
/// The slot that receives boards unless another one is named.
pub const BOARD_SLOT: &str = "practice";
/// Rows of a board that is posted.
const ROWS: u64 = 10;
/// Minutes of a day.
pub(in crate::domain) const DAY_MINUTES: std::ops::Range<i32> = 0..1_440;

/// What people decide about a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostConfig {
    /// The slot that receives the boards.
    pub slot: SlotKey,
    /// The minute of the local day.
    pub at_minute: i32,
}

#[derive(Serialize, Deserialize)]
struct Spelling {
    slot: String,
    at_minute: i32,
}

impl PostConfig {
    pub(in crate::domain) fn of_row(row: &Model) -> Option<Self> {
        Some(Self { slot: row.slot_key.parse().ok()?, at_minute: row.at_minute })
    }

    /// Reads what events spell; null where there is no schedule.
    pub(in crate::domain) fn of_json(value: &Value) -> Result<Option<Self>, serde_json::Error> {
        let Some(read) = Option::<Spelling>::deserialize(value)? else { return Ok(None) };
        let slot = read.slot.parse().map_err(serde::de::Error::custom)?;
        Ok(Some(Self { slot, at_minute: read.at_minute }))
    }

    pub(in crate::domain) fn to_json(&self, guild_id: GuildId) -> Value {
        json!({ "guild_id": guild_id, "slot": self.slot.as_str(), "at_minute": self.at_minute })
    }
}

/// What events call a schedule.
pub(in crate::domain) fn subject(guild_id: GuildId, period: PostPeriod) -> String {
    format!("practice_post/{guild_id}/{}", spelled(period))
}

/// The schedules of a guild.
pub async fn posts(domain: &Domain, actor: &Actor, guild_id: GuildId) -> Result<Vec<Model>, Error> {
    actor.require(Right::ReadPractice, Some(guild_id))?;
    Ok(all(domain.store.reader(), guild_id).await?)
}

pub(in crate::domain) async fn all(connection: &impl ConnectionTrait, guild_id: GuildId) -> Result<Vec<Model>, DbErr> {
    let mut rows =
        practice_post::Entity::find().filter(practice_post::COLUMN.guild_id.eq(guild_id)).all(connection).await?;
    rows.sort_by_key(|row| row.period);
    Ok(rows)
}

pub(in crate::domain) async fn present(
    connection: &impl ConnectionTrait,
    guild_id: GuildId,
    period: PostPeriod,
) -> Result<Option<PostConfig>, DbErr> {
    let row = practice_post::Entity::find_by_id((guild_id, period)).one(connection).await?;
    Ok(row.as_ref().and_then(PostConfig::of_row))
}

struct SetPost {
    author: Author,
    guild_id: GuildId,
    period: PostPeriod,
    config: Option<PostConfig>,
}

/// Posts the board of each period that ends, at a local time; says when next. A guild whose practice is private has
/// none.
pub async fn set_post(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    period: PostPeriod,
    config: PostConfig,
) -> Result<Option<DateTime<Utc>>, Error> {
    actor.require(Right::ManagePractice, Some(guild_id))?;
    if !DAY_MINUTES.contains(&config.at_minute) {
        return Err(PracticeRefusal::BadPostTime.into());
    }
    let view = slot::view(domain, actor, guild_id, &config.slot).await?;
    if view.slot_type != SlotType::Text {
        return Err(PracticeRefusal::BadPostSlot { slot: config.slot.to_string() }.into());
    }
    if rule::of(domain.store.reader(), guild_id).await?.privacy == PracticePrivacy::Private {
        return Err(PracticeRefusal::BoardIsPrivate.into());
    }
    store(domain, actor, guild_id, period, Some(config)).await?;
    let row = practice_post::Entity::find_by_id((guild_id, period)).one(domain.store.reader()).await?;
    Ok(row.and_then(|row| row.due_at))
}

/// Posts no such board any more; says whether there was a schedule.
pub async fn remove_post(domain: &Domain, actor: &Actor, guild_id: GuildId, period: PostPeriod) -> Result<bool, Error> {
    actor.require(Right::ManagePractice, Some(guild_id))?;
    store(domain, actor, guild_id, period, None).await
}

async fn store(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    period: PostPeriod,
    config: Option<PostConfig>,
) -> Result<bool, Error> {
    let input = SetPost { author: Author::new(domain, actor), guild_id, period, config };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(store_in(txn, &input.author, (input.guild_id, input.period), input.config.as_ref()))
        })
        .await
}

/// Brings a schedule to a state, with its event; says whether there was one.
pub(in crate::domain) async fn store_in(
    txn: &WriteTransaction,
    author: &Author,
    (guild_id, period): (GuildId, PostPeriod),
    wanted: Option<&PostConfig>,
) -> Result<bool, Error> {
    use practice_post::Column as C;
    // Whoever changes the zone waits here, so that the next moment is one of the zone that holds.
    let general = General::of_row(&guild::lock(txn, guild_id, author.at()).await?);
    let before = present(txn.connection(), guild_id, period).await?;
    if before.as_ref() == wanted {
        return Ok(before.is_some());
    }
    let kind = if let Some(config) = wanted {
        let row = Model {
            guild_id,
            period,
            slot_key: config.slot.as_str().to_owned(),
            at_minute: config.at_minute,
            due_at: schedule::next_due(period, &general, config.at_minute, author.at()),
            problem: None,
            posted_at: None,
            updated_at: author.at(),
        };
        let replace = OnConflict::columns([C::GuildId, C::Period])
            .update_columns([C::SlotKey, C::AtMinute, C::DueAt, C::Problem, C::UpdatedAt])
            .to_owned();
        practice_post::Entity::insert(row.into_active_model())
            .on_conflict(replace)
            .exec_without_returning(txn.connection())
            .await?;
        "practice.post_set"
    } else {
        practice_post::Entity::delete_by_id((guild_id, period)).exec(txn.connection()).await?;
        "practice.post_removed"
    };
    let json = |config: Option<&PostConfig>| config.map_or(Value::Null, |config| config.to_json(guild_id));
    let states = (json(before.as_ref()), json(wanted));
    txn.append_event(author.event(kind, guild_id, subject(guild_id, period), states)).await?;
    Ok(before.is_some())
}

/// Moves the schedules of a guild whose zone or week was changed.
pub(in crate::domain) async fn reschedule(
    txn: &WriteTransaction,
    row: &guild_row::Model,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let general = General::of_row(row);
    for post in all(txn.connection(), row.guild_id).await? {
        let due = schedule::next_due(post.period, &general, post.at_minute, now);
        practice_post::Entity::update_many()
            .col_expr(practice_post::Column::DueAt, Expr::value(due))
            .filter(practice_post::COLUMN.guild_id.eq(post.guild_id))
            .filter(practice_post::COLUMN.period.eq(post.period))
            .exec(txn.connection())
            .await?;
    }
    Ok(())
}

struct Claim {
    row: Model,
    author: Author,
    ids: IdSource,
}

/// Makes boards that are due into announcements, at most `limit`; says how many.
pub async fn due_posts(domain: &Domain, limit: u64) -> Result<usize, Error> {
    let due = practice_post::Entity::find()
        .filter(practice_post::COLUMN.due_at.lte(domain.now()))
        .order_by_asc(practice_post::COLUMN.due_at)
        .limit(limit)
        .all(domain.store.reader())
        .await?;
    let mut made = 0;
    for row in due {
        let input = Claim { row, author: Author::system(domain), ids: domain.ids.clone() };
        let claimed: Result<bool, Error> = domain.store.write(input, |txn, input| Box::pin(claim(txn, input))).await;
        made += usize::from(claimed?);
    }
    Ok(made)
}

async fn claim(txn: &WriteTransaction, input: &Claim) -> Result<bool, Error> {
    let Claim { row, author, ids } = input;
    let now = author.at();
    let Some(due) = row.due_at else { return Ok(false) };
    let Some(guild) = guild_row::Entity::find_by_id(row.guild_id).one(txn.connection()).await? else {
        return Ok(false);
    };
    let general = General::of_row(&guild);
    let next = schedule::next_due(row.period, &general, row.at_minute, now);
    let moved = practice_post::Entity::update_many()
        .col_expr(practice_post::Column::DueAt, Expr::value(next))
        .filter(practice_post::COLUMN.guild_id.eq(row.guild_id))
        .filter(practice_post::COLUMN.period.eq(row.period))
        .filter(practice_post::COLUMN.due_at.eq(due))
        .exec(txn.connection())
        .await?;
    if moved.rows_affected == 0 || !guild.present {
        return Ok(false);
    }
    let Some(day) = schedule::last_day(row.period, &general, row.at_minute, now) else { return Ok(false) };
    let dates = schedule::ended(row.period, general.week_start, day);
    let facts = Facts { period: spelled(row.period), first: dates.first, last: dates.last };
    if rule::of(txn.connection(), row.guild_id).await?.privacy == PracticePrivacy::Private {
        lost(txn, author, (row.guild_id, row.period), &facts, "private").await?;
        return Ok(false);
    }
    let new = NewAnnouncement {
        guild_id: row.guild_id,
        slot_key: row.slot_key.clone().into(),
        kind: BOARD_KIND,
        data: serde_json::to_value(&facts)?,
        dedupe_key: format!("{BOARD_KIND}:{}:{}:{}", row.guild_id, facts.period, facts.last),
        at: now,
    };
    Ok(insert(txn, ids, new).await?)
}

/// What an announcement of a board holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Facts {
    period: String,
    first: NaiveDate,
    last: NaiveDate,
}

/// The period and the days of an announced board; none for what is no board.
pub fn announced(data: &Value) -> Option<(PostPeriod, Dates)> {
    let facts = Facts::deserialize(data).ok()?;
    Some((unspelled(&facts.period)?, Dates { first: facts.first, last: facts.last }))
}

/// Remembers what became of an announced board: a post, or why there is none. `code` is that reason.
pub(in crate::domain) async fn settled(
    txn: &WriteTransaction,
    author: &Author,
    row: &announcement::Model,
    result: Result<Value, &str>,
) -> Result<(), Error> {
    let Ok(facts) = Facts::deserialize(&row.data) else { return Ok(()) };
    let Some(period) = unspelled::<PostPeriod>(&facts.period) else { return Ok(()) };
    let place = match result {
        Ok(place) => place,
        Err(code) => return lost(txn, author, (row.guild_id, period), &facts, code).await,
    };
    let changed =
        practice_post::ActiveModel { problem: Set(None), posted_at: Set(Some(author.at())), ..Default::default() };
    change(txn, (row.guild_id, period), changed).await?;
    let mut after = serde_json::to_value(&facts)?;
    after["message_id"] = place["message_id"].clone();
    after["channel_id"] = place["channel_id"].clone();
    let event = author.event("practice.posted", row.guild_id, subject(row.guild_id, period), (Value::Null, after));
    Ok(txn.append_event(event).await?)
}

async fn lost(
    txn: &WriteTransaction,
    author: &Author,
    (guild_id, period): (GuildId, PostPeriod),
    facts: &Facts,
    code: &str,
) -> Result<(), Error> {
    let changed = practice_post::ActiveModel { problem: Set(Some(code.to_owned())), ..Default::default() };
    change(txn, (guild_id, period), changed).await?;
    let mut after = serde_json::to_value(facts)?;
    after["code"] = code.into();
    let event = author.event("practice.post_failed", guild_id, subject(guild_id, period), (Value::Null, after));
    Ok(txn.append_event(event).await?)
}

async fn change(
    txn: &WriteTransaction,
    (guild_id, period): (GuildId, PostPeriod),
    changed: practice_post::ActiveModel,
) -> Result<(), DbErr> {
    practice_post::Entity::update_many()
        .set(changed)
        .filter(practice_post::COLUMN.guild_id.eq(guild_id))
        .filter(practice_post::COLUMN.period.eq(period))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// The board of a post, without those who are named and those whom no board shows; refused where practice is private.
pub async fn board_of_post(
    domain: &Domain,
    guild_id: GuildId,
    dates: Dates,
    hidden: &BTreeSet<UserId>,
) -> Result<Board, Error> {
    let query = LeaderboardQuery {
        guild_id: Some(guild_id),
        dates: Some(dates),
        limit: ROWS,
        hidden: hidden.clone(),
        is_public: true,
        ..LeaderboardQuery::default()
    };
    leaderboard(domain, &Actor::System, &query).await
}
