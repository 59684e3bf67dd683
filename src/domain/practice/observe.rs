//! The heartbeat: what open sessions have counted since the last look, and those that nobody comes back to.
//!
//! Invariant: one transaction looks at a bounded number of sessions and counts them all in a handful of statements.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::{
    id::{GuildId, UserId},
    practice_day,
    practice_session::{self, EndReason, Model, SessionSource, SessionState},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockBehavior, LockType},
};
use serde_json::Value;

use super::{
    ANSWER_TIME, HEARTBEAT, MISSED_MAX, PAUSE_MAX, bits,
    change::{Change, bridge_of, facts, next_look},
    ledger::{self, Credit, reach, zone_of},
    notice,
    split::{DaySeconds, local_date},
};
use crate::{
    domain::{Domain, Error, event::Author},
    id_source::IdSource,
    store::WriteTransaction,
};

/// Sessions of one transaction.
const BATCH: u64 = 200;

/// What a round of the heartbeat leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Sessions that were looked at.
    pub looked_at: u64,
    /// There may be more that are due.
    pub more: bool,
}

struct Input {
    author: Author,
    ids: IdSource,
}

/// Looks at the sessions that are due: counts them on, and ends, pauses or asks about those that need it.
pub async fn observe(domain: &Domain) -> Result<Sight, Error> {
    // Nothing is due most of the time, and looking is free.
    let due = practice_session::COLUMN.look_at.lte(domain.now());
    let first = practice_session::Entity::find().filter(due).limit(1).one(domain.store.reader()).await?;
    if first.is_none() {
        return Ok(Sight { looked_at: 0, more: false });
    }
    let input = Input { author: Author::system(domain), ids: domain.ids.clone() };
    let looked_at = domain.store.write(input, |txn, input| Box::pin(observe_in(txn, input))).await?;
    Ok(Sight { looked_at, more: looked_at == BATCH })
}

/// From now on nobody knows whether people are still in their voice channels: sessions that were last observed before
/// `since` wait to be seen again.
pub async fn lose_sight(domain: &Domain, since: DateTime<Utc>) -> Result<u64, Error> {
    miss(domain, since, None).await
}

/// The same for the sessions of one guild, of which Discord tells nothing while it is out of order.
pub async fn lose_sight_of(domain: &Domain, guild_id: GuildId) -> Result<u64, Error> {
    miss(domain, domain.now(), Some(guild_id)).await
}

async fn miss(domain: &Domain, since: DateTime<Utc>, guild_id: Option<GuildId>) -> Result<u64, Error> {
    domain
        .store
        .write((domain.now(), since, guild_id), |txn, (now, since, guild_id)| {
            Box::pin(async move {
                let missed = practice_session::ActiveModel {
                    missed_at: Set(Some(*now)),
                    look_at: Set(Some(*now + MISSED_MAX)),
                    ..Default::default()
                };
                let changed = practice_session::Entity::update_many()
                    .set(missed)
                    // Only open sessions have a next look; the index on it spares those that have ended.
                    .filter(practice_session::COLUMN.look_at.gte(DateTime::UNIX_EPOCH))
                    .filter(practice_session::Column::Source.eq(SessionSource::Voice))
                    .filter(practice_session::Column::State.eq(SessionState::Open))
                    .filter(practice_session::COLUMN.missed_at.is_null())
                    .filter(practice_session::COLUMN.observed_until.lt(*since))
                    .filter(guild_id.map_or_else(Condition::all, |guild| {
                        Condition::all().add(practice_session::COLUMN.guild_id.eq(guild))
                    }))
                    .exec(txn.connection())
                    .await?;
                Ok::<_, Error>(changed.rows_affected)
            })
        })
        .await
}

async fn observe_in(txn: &WriteTransaction, input: &Input) -> Result<u64, Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let now = change.now();
    let due = practice_session::Entity::find()
        .filter(practice_session::COLUMN.look_at.lte(now))
        .order_by_asc(practice_session::COLUMN.look_at)
        .limit(BATCH)
        // What another transaction changes right now, it also observes.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(txn.connection())
        .await?;
    let looked_at = due.len() as u64;
    let known = Known::load(txn, &due, now).await?;
    let mut steady = Vec::new();
    let mut credits = Vec::new();
    for mut row in due {
        let reached = is_steady(&row, now).then(|| reach(&row, now, &known.of(&row)));
        match reached {
            Some(reached) if reached.end.is_none() => {
                row.observed_until = reached.until;
                credits.push(Credit::of(&row, reached.days));
                if next_look(&row) == Some(now + HEARTBEAT) {
                    steady.push(row.id);
                } else {
                    change.save(&mut row).await?;
                }
            }
            _ => look(change, row).await?,
        }
    }
    let observed = practice_session::ActiveModel {
        observed_until: Set(now),
        look_at: Set(Some(now + HEARTBEAT)),
        ..Default::default()
    };
    if !steady.is_empty() {
        practice_session::Entity::update_many()
            .set(observed)
            .filter(practice_session::COLUMN.id.is_in(steady))
            .exec(txn.connection())
            .await?;
    }
    ledger::apply(txn, &credits).await?;
    Ok(looked_at)
}

/// Whether a session simply counts on.
fn is_steady(row: &Model, now: DateTime<Utc>) -> bool {
    let is_seen = row.source == SessionSource::Http || now - row.observed_until <= bridge_of(row);
    row.state == SessionState::Open
        && row.missed_at.is_none()
        && is_seen
        && row.observed_until <= now
        && row.phase_ends_at.is_none_or(|end| end > now)
        && question_of(row, now) == Question::None
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    None,
    Ask,
    Unanswered,
}

fn question_of(row: &Model, now: DateTime<Utc>) -> Question {
    let Some(idle) = row.idle_check_seconds else { return Question::None };
    match row.asked_at {
        Some(asked) if now >= asked + ANSWER_TIME => Question::Unanswered,
        None if now >= row.touched_at + TimeDelta::seconds(idle) => Question::Ask,
        _ => Question::None,
    }
}

/// One step with a session that does not simply count on.
async fn look(change: Change<'_>, mut row: Model) -> Result<(), Error> {
    let now = change.now();
    if row.state == SessionState::Paused {
        return look_at_paused(change, row).await;
    }
    if let Some(missed) = row.missed_at {
        if now >= missed + MISSED_MAX {
            return change.end(&mut row, EndReason::Lost).await;
        }
        return Ok(change.save(&mut row).await?);
    }
    let is_seen = now - row.observed_until <= bridge_of(&row);
    if let Some(phase_end) = row.phase_ends_at.filter(|end| *end <= now) {
        if is_seen {
            end_round(change, &mut row, phase_end).await?;
            return notice::round_ended(change, &row).await;
        }
        // The round goes on after the gap.
        row.phase_ends_at = Some(now + (phase_end - row.observed_until).max(TimeDelta::zero()));
    }
    if let Some(end) = change.count_on(&mut row).await? {
        return change.end(&mut row, end).await;
    }
    match question_of(&row, now) {
        Question::Unanswered => change.pause(&mut row, "idle").await,
        Question::Ask => {
            row.asked_at = Some(now);
            change.save(&mut row).await?;
            change.tell("session.asked", &row, (Value::Null, facts(&row))).await?;
            notice::asked(change, &row).await
        }
        Question::None => Ok(change.save(&mut row).await?),
    }
}

async fn look_at_paused(change: Change<'_>, mut row: Model) -> Result<(), Error> {
    if let Some(break_end) = row.phase_ends_at {
        // After a break that we slept through the round begins now: nobody was told to come back.
        let now = change.now();
        let begin = if now - break_end > bridge_of(&row) { now } else { break_end };
        begin_round(change, &mut row, begin).await?;
        return notice::break_ended(change, &row).await;
    }
    if change.now() >= row.observed_until + PAUSE_MAX {
        return change.end(&mut row, EndReason::Forgotten).await;
    }
    Ok(change.save(&mut row).await?)
}

/// Ends the present round: a break begins, or all are done.
pub(super) async fn end_round(change: Change<'_>, row: &mut Model, at: DateTime<Utc>) -> Result<(), Error> {
    let bridge = bridge_of(row);
    if let Some(end) = change.count_until(row, at, bridge).await? {
        return change.end(row, end).await;
    }
    let left = row.rounds_left.unwrap_or(1) - 1;
    row.rounds_left = Some(left);
    if left <= 0 {
        return change.end(row, EndReason::Rounds).await;
    }
    row.phase_ends_at = Some(at + TimeDelta::seconds(row.break_seconds.unwrap_or(0)));
    change.pause(row, "break").await
}

/// Ends the present break: the next round begins.
pub(super) async fn begin_round(change: Change<'_>, row: &mut Model, at: DateTime<Utc>) -> Result<(), Error> {
    row.phase_ends_at = Some(at + TimeDelta::seconds(row.focus_seconds.unwrap_or(0)));
    change.resume(row, at).await
}

/// What the days of all sessions of a batch hold, where a day can be full.
struct Known(HashMap<(UserId, i64), DaySeconds>);

impl Known {
    async fn load(txn: &WriteTransaction, rows: &[Model], now: DateTime<Utc>) -> Result<Self, DbErr> {
        let capped: Vec<&Model> = rows.iter().filter(|row| row.day_cap_seconds.is_some()).collect();
        let dates = capped.iter().flat_map(|row| {
            let zone = zone_of(row);
            [local_date(zone, row.observed_until), local_date(zone, now)]
        });
        let Some((first, last)) = span(dates) else { return Ok(Self(HashMap::new())) };
        let found = practice_day::Entity::find()
            .filter(practice_day::COLUMN.user_id.is_in(capped.iter().map(|row| row.user_id)))
            .filter(practice_day::COLUMN.local_date.between(first, last))
            .all(txn.connection())
            .await?;
        let mut known: HashMap<_, DaySeconds> = HashMap::new();
        for day in found {
            known.entry((day.user_id, day.guild_bits)).or_default().insert(day.local_date, day.seconds);
        }
        Ok(Self(known))
    }

    fn of(&self, row: &Model) -> DaySeconds {
        self.0.get(&(row.user_id, bits(row.guild_id))).cloned().unwrap_or_default()
    }
}

fn span(dates: impl Iterator<Item = NaiveDate>) -> Option<(NaiveDate, NaiveDate)> {
    dates.fold(None, |span, date| {
        let (first, last) = span.unwrap_or((date, date));
        Some((first.min(date), last.max(date)))
    })
}
