//! Sums of days and of all time, and how far a session may be counted.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::{
    id::{GuildId, UserId},
    practice_activity_day, practice_day, practice_segment,
    practice_segment::SegmentKind,
    practice_session::{self, EndReason, SessionSource},
    practice_total,
};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::{Expr, IntoColumnRef, OnConflict},
};

use super::{
    bits,
    split::{self, DaySeconds, pieces, seconds_by_day},
};
use crate::store::WriteTransaction;

/// Rows of one statement: their parameters stay far below what both engines take.
const ROWS: usize = 1_000;

/// Seconds that are added to, or taken from, a person's days.
#[derive(Clone, Debug)]
pub(super) struct Credit {
    pub(super) user_id: UserId,
    pub(super) guild_id: Option<GuildId>,
    pub(super) is_voice: bool,
    /// What it was about; such time is summed for itself besides.
    pub(super) activity: Option<String>,
    pub(super) days: DaySeconds,
}

impl Credit {
    pub(super) fn of(row: &practice_session::Model, days: DaySeconds) -> Self {
        let is_voice = row.source == SessionSource::Voice;
        Self { user_id: row.user_id, guild_id: row.guild_id, is_voice, activity: row.activity.clone(), days }
    }

    /// The same, taken back.
    pub(super) fn reversed(mut self) -> Self {
        self.days.values_mut().for_each(|seconds| *seconds = -*seconds);
        self
    }
}

/// The value that an insert brought along when it met a row, added to the row's own.
pub(super) fn added<C: ColumnTrait>(column: C) -> Expr {
    use sea_orm::ExprTrait as _;
    let brought = ("excluded", sea_orm::sea_query::DynIden::from(column.to_string())).into_column_ref();
    column.into_expr().add(Expr::col(brought))
}

type DayKey = (UserId, i64, NaiveDate);

type ActivityKey = (UserId, i64, String, NaiveDate);

/// Adds to days and totals, everywhere and in the guild; always in the same order of rows, so that two never wait for
/// each other.
pub(super) async fn apply(txn: &WriteTransaction, credits: &[Credit]) -> Result<(), DbErr> {
    let mut days: BTreeMap<DayKey, (i64, i64)> = BTreeMap::new();
    let mut totals: BTreeMap<(UserId, i64), (i64, i64)> = BTreeMap::new();
    let mut activities: BTreeMap<ActivityKey, (i64, i64)> = BTreeMap::new();
    for credit in credits {
        let here = credit.guild_id.map(|guild| bits(Some(guild)));
        for (date, seconds) in credit.days.iter().filter(|(_, seconds)| **seconds != 0) {
            let voice = if credit.is_voice { *seconds } else { 0 };
            for bits in [Some(0), here].into_iter().flatten() {
                let activity = credit.activity.clone().map(|activity| (credit.user_id, bits, activity, *date));
                for sum in [
                    Some(days.entry((credit.user_id, bits, *date)).or_default()),
                    Some(totals.entry((credit.user_id, bits)).or_default()),
                    activity.map(|key| activities.entry(key).or_default()),
                ]
                .into_iter()
                .flatten()
                {
                    sum.0 += seconds;
                    sum.1 += voice;
                }
            }
        }
    }
    let days: Vec<_> = days.into_iter().map(day_row).collect();
    for rows in days.chunks(ROWS) {
        use practice_day::Column as C;
        let conflict = OnConflict::columns([C::UserId, C::GuildBits, C::LocalDate])
            .value(C::Seconds, added(C::Seconds))
            .value(C::VoiceSeconds, added(C::VoiceSeconds))
            .to_owned();
        practice_day::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
            .on_conflict(conflict)
            .exec_without_returning(txn.connection())
            .await?;
    }
    let totals: Vec<_> = totals.into_iter().map(total_row).collect();
    for rows in totals.chunks(ROWS) {
        use practice_total::Column as C;
        let conflict = OnConflict::columns([C::UserId, C::GuildBits])
            .value(C::Seconds, added(C::Seconds))
            .value(C::VoiceSeconds, added(C::VoiceSeconds))
            .to_owned();
        practice_total::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
            .on_conflict(conflict)
            .exec_without_returning(txn.connection())
            .await?;
    }
    let activities: Vec<_> = activities.into_iter().map(activity_row).collect();
    for rows in activities.chunks(ROWS) {
        use practice_activity_day::Column as C;
        let conflict = OnConflict::columns([C::UserId, C::GuildBits, C::Activity, C::LocalDate])
            .value(C::Seconds, added(C::Seconds))
            .value(C::VoiceSeconds, added(C::VoiceSeconds))
            .to_owned();
        practice_activity_day::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
            .on_conflict(conflict)
            .exec_without_returning(txn.connection())
            .await?;
    }
    Ok(())
}

fn activity_row(
    ((user_id, guild_bits, activity, local_date), sum): (ActivityKey, (i64, i64)),
) -> practice_activity_day::Model {
    practice_activity_day::Model { user_id, guild_bits, activity, local_date, seconds: sum.0, voice_seconds: sum.1 }
}

fn day_row(((user_id, guild_bits, local_date), sum): (DayKey, (i64, i64))) -> practice_day::Model {
    practice_day::Model { user_id, guild_bits, local_date, seconds: sum.0, voice_seconds: sum.1 }
}

fn total_row(((user_id, guild_bits), sum): ((UserId, i64), (i64, i64))) -> practice_total::Model {
    practice_total::Model { user_id, guild_bits, seconds: sum.0, voice_seconds: sum.1 }
}

/// The zone of a session's days.
pub(super) fn zone_of(row: &practice_session::Model) -> Tz {
    row.time_zone.parse().unwrap_or(Tz::UTC)
}

/// How far a session counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// Up to this moment.
    pub(super) until: DateTime<Utc>,
    /// It ends there, and why.
    pub(super) end: Option<EndReason>,
    /// What is new since it was last observed.
    pub(super) days: DaySeconds,
}

/// How far an open session counts at `now`, given what its guild's days hold already.
pub(super) fn reach(row: &practice_session::Model, now: DateTime<Utc>, known: &DaySeconds) -> Reach {
    let from = row.observed_until;
    let Some(since) = row.running_since else { return Reach { until: from, end: None, days: DaySeconds::new() } };
    let zone = zone_of(row);
    let carried = row.counted_milliseconds + (from - since).num_milliseconds();
    let left = (row.session_cap_seconds.saturating_mul(1_000) - carried).max(0);
    let cap_at = from + TimeDelta::milliseconds(left);
    let (mut until, mut end) = (now.max(from), None);
    if cap_at <= until {
        (until, end) = (cap_at, Some(EndReason::SessionCap));
    }
    if let Some(cap) = row.day_cap_seconds
        && let Some(full_at) = day_full_at((zone, carried), (from, until), cap, known)
    {
        (until, end) = (full_at, Some(EndReason::DayCap));
    }
    Reach { until, end, days: seconds_by_day(zone, carried, from, until) }
}

/// When a day would get more than it may hold.
fn day_full_at(
    (zone, carried): (Tz, i64),
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    cap: i64,
    known: &DaySeconds,
) -> Option<DateTime<Utc>> {
    let counted = |at: DateTime<Utc>| (carried + (at - from).num_milliseconds()).div_euclid(1_000);
    let mut days = known.clone();
    for piece in pieces(zone, from, to) {
        let before = counted(piece.from);
        let seconds = counted(piece.to) - before;
        let day = days.entry(piece.date).or_default();
        let room = (cap - *day).max(0);
        if seconds > room {
            let full = from + TimeDelta::milliseconds((before + room) * 1_000 - carried);
            return Some(full.max(piece.from));
        }
        *day += seconds;
    }
    None
}

/// What a session's counted segments have credited to its days.
pub(super) async fn credited(txn: &WriteTransaction, row: &practice_session::Model) -> Result<DaySeconds, DbErr> {
    let segments = practice_segment::Entity::find()
        .filter(practice_segment::COLUMN.session_id.eq(row.id))
        .filter(practice_segment::Column::Kind.eq(SegmentKind::Counted))
        .all(txn.connection())
        .await?;
    let mut days = DaySeconds::new();
    for segment in &segments {
        split::add(&mut days, &segment_days(zone_of(row), segment));
    }
    Ok(days)
}

/// What a segment credits while it counts.
pub(super) fn segment_days(zone: Tz, segment: &practice_segment::Model) -> DaySeconds {
    seconds_by_day(zone, segment.carried_milliseconds, segment.started_at, segment.ended_at)
}
