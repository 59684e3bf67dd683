//! What every change of a session is made of, inside a transaction: counting on, closing parts, ending.
//!
//! Invariant: rows that are handed in are locked, and are as the store has them; they are written back by `save`.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{PracticeSegmentId, UserId},
    practice_day,
    practice_segment::{self, SegmentKind},
    practice_session::{self, EndReason, Model, SessionSource, SessionState},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, sea_query::Expr,
};
use serde_json::{Value, json};

use super::{
    ANSWER_TIME, GRACE, HEARTBEAT, MISSED_MAX, PAUSE_MAX, PracticeRefusal, bits,
    ledger::{self, Credit, Reach, reach},
    split::{DaySeconds, local_date},
    subject,
};
use crate::{
    domain::{
        Error,
        event::{Author, spelled},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// A transaction that changes sessions, and who does it.
#[derive(Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) txn: &'a WriteTransaction,
    pub(super) author: &'a Author,
    pub(super) ids: &'a IdSource,
}

/// The person's open session, locked.
pub(super) async fn open_session(txn: &WriteTransaction, user: UserId) -> Result<Option<Model>, DbErr> {
    practice_session::Entity::find()
        .filter(practice_session::COLUMN.open_user_id.eq(user))
        .lock_exclusive()
        .one(txn.connection())
        .await
}

/// The longest time unseen that still counts for this session.
pub(super) fn bridge_of(row: &Model) -> TimeDelta {
    TimeDelta::seconds(row.bridge_seconds).max(GRACE)
}

/// When the keeper has to look at it again.
pub(super) fn next_look(row: &Model) -> Option<DateTime<Utc>> {
    let asked = row.asked_at.map(|asked| asked + ANSWER_TIME);
    let idle = || row.idle_check_seconds.map(|idle| row.touched_at + TimeDelta::seconds(idle));
    match row.state {
        SessionState::Open => {
            let missed = row.missed_at.map(|missed| missed + MISSED_MAX);
            let beat = missed.unwrap_or(row.observed_until + HEARTBEAT);
            [Some(beat), row.phase_ends_at, asked.or_else(idle)].into_iter().flatten().min()
        }
        SessionState::Paused => Some(row.phase_ends_at.unwrap_or(row.observed_until + PAUSE_MAX)),
        SessionState::Done => None,
    }
}

impl Change<'_> {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.author.at()
    }

    /// Writes what may have changed.
    pub(super) async fn save(&self, row: &mut Model) -> Result<(), DbErr> {
        row.look_at = next_look(row);
        row.updated_at = self.now();
        let changed = practice_session::ActiveModel {
            open_user_id: Set(row.open_user_id),
            channel_id: Set(row.channel_id),
            state: Set(row.state),
            started_at: Set(row.started_at),
            ended_at: Set(row.ended_at),
            end_reason: Set(row.end_reason),
            running_since: Set(row.running_since),
            counted_milliseconds: Set(row.counted_milliseconds),
            observed_until: Set(row.observed_until),
            look_at: Set(row.look_at),
            missed_at: Set(row.missed_at),
            asked_at: Set(row.asked_at),
            touched_at: Set(row.touched_at),
            rounds_left: Set(row.rounds_left),
            phase_ends_at: Set(row.phase_ends_at),
            note: Set(row.note.clone()),
            updated_at: Set(row.updated_at),
            ..Default::default()
        };
        practice_session::Entity::update_many()
            .set(changed)
            .filter(practice_session::COLUMN.id.eq(row.id))
            .exec(self.txn.connection())
            .await?;
        Ok(())
    }

    /// What the days of the session's guild hold so far, where a day can be full.
    pub(super) async fn known_days(&self, row: &Model, now: DateTime<Utc>) -> Result<DaySeconds, DbErr> {
        if row.day_cap_seconds.is_none() {
            return Ok(DaySeconds::new());
        }
        let zone = ledger::zone_of(row);
        let (first, last) = (local_date(zone, row.observed_until), local_date(zone, now.max(row.observed_until)));
        let rows = practice_day::Entity::find()
            .filter(practice_day::COLUMN.user_id.eq(row.user_id))
            .filter(practice_day::COLUMN.guild_bits.eq(bits(row.guild_id)))
            .filter(practice_day::COLUMN.local_date.between(first, last))
            .all(self.txn.connection())
            .await?;
        Ok(rows.into_iter().map(|day| (day.local_date, day.seconds)).collect())
    }

    /// Counts an open session up to now, and says why it has ended, if it has.
    pub(super) async fn count_on(&self, row: &mut Model) -> Result<Option<EndReason>, Error> {
        self.count_until(row, self.now(), bridge_of(row)).await
    }

    /// The same up to a moment. What nobody saw for longer than `bridge` is a gap instead.
    pub(super) async fn count_until(
        &self,
        row: &mut Model,
        now: DateTime<Utc>,
        bridge: TimeDelta,
    ) -> Result<Option<EndReason>, Error> {
        if row.state != SessionState::Open {
            return Ok(None);
        }
        row.missed_at = None;
        if row.source != SessionSource::Http && now - row.observed_until > bridge {
            self.close_counted(row, row.observed_until).await?;
            self.insert_segment(row, SegmentKind::Gap, (row.observed_until, now)).await?;
            row.running_since = Some(now);
            row.observed_until = now;
            return Ok(None);
        }
        let known = self.known_days(row, now).await?;
        let Reach { until, end, days } = reach(row, now, &known);
        ledger::apply(self.txn, &[Credit::of(row, days)]).await?;
        row.observed_until = until;
        Ok(end)
    }

    /// Ends the counted segment that runs.
    pub(super) async fn close_counted(&self, row: &mut Model, at: DateTime<Utc>) -> Result<(), Error> {
        let Some(since) = row.running_since.take() else { return Ok(()) };
        if at > since {
            self.insert_segment(row, SegmentKind::Counted, (since, at)).await?;
            row.counted_milliseconds += (at - since).num_milliseconds();
        }
        Ok(())
    }

    pub(super) async fn insert_segment(
        &self,
        row: &Model,
        kind: SegmentKind,
        (started_at, ended_at): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<(), DbErr> {
        let segment = practice_segment::Model {
            id: PracticeSegmentId(self.ids.uuid()),
            session_id: row.id,
            kind,
            started_at,
            ended_at,
            carried_milliseconds: row.counted_milliseconds,
            is_claimed: false,
        };
        practice_segment::Entity::insert(segment.into_active_model())
            .exec_without_returning(self.txn.connection())
            .await?;
        Ok(())
    }

    /// Ends a session where it was last observed. One that is too short counts for nothing.
    pub(super) async fn end(&self, row: &mut Model, reason: EndReason) -> Result<(), Error> {
        let at = row.observed_until;
        self.close_counted(row, at).await?;
        if row.counted_milliseconds < row.minimum_seconds.saturating_mul(1_000) {
            let days = ledger::credited(self.txn, row).await?;
            ledger::apply(self.txn, &[Credit::of(row, days).reversed()]).await?;
            practice_segment::Entity::update_many()
                .col_expr(practice_segment::Column::Kind, Expr::val(spelled(SegmentKind::Short)))
                .filter(practice_segment::COLUMN.session_id.eq(row.id))
                .filter(practice_segment::Column::Kind.eq(SegmentKind::Counted))
                .exec(self.txn.connection())
                .await?;
            row.counted_milliseconds = 0;
        }
        row.state = SessionState::Done;
        row.open_user_id = None;
        row.ended_at = Some(at);
        row.end_reason = Some(reason);
        row.missed_at = None;
        row.phase_ends_at = None;
        self.save(row).await?;
        let mut after = facts(row);
        after["ended_at"] = json!(at);
        after["seconds"] = json!(seconds_of(row));
        after["reason"] = json!(spelled(reason));
        self.tell("session.completed", row, (Value::Null, after)).await
    }

    /// Pauses a session where it was last observed.
    pub(super) async fn pause(&self, row: &mut Model, reason: &str) -> Result<(), Error> {
        let at = row.observed_until;
        self.close_counted(row, at).await?;
        row.state = SessionState::Paused;
        row.asked_at = None;
        self.save(row).await?;
        let mut after = facts(row);
        after["seconds"] = json!(seconds_of(row));
        after["reason"] = json!(reason);
        self.tell("session.paused", row, (Value::Null, after)).await
    }

    /// Lets a paused session count again from a moment on.
    pub(super) async fn resume(&self, row: &mut Model, at: DateTime<Utc>) -> Result<(), Error> {
        let at = at.max(row.observed_until);
        if at > row.observed_until {
            self.insert_segment(row, SegmentKind::Paused, (row.observed_until, at)).await?;
        }
        row.state = SessionState::Open;
        row.running_since = Some(at);
        row.observed_until = at;
        self.save(row).await?;
        self.tell("session.resumed", row, (Value::Null, facts(row))).await
    }

    pub(super) async fn tell(&self, kind: &'static str, row: &Model, change: (Value, Value)) -> Result<(), Error> {
        Ok(self.txn.append_event(self.author.event(kind, row.guild_id, subject(row.id), change)).await?)
    }
}

/// Whole seconds that a session has counted so far.
pub(super) fn seconds_of(row: &Model) -> i64 {
    let running = row.running_since.map_or(0, |since| (row.observed_until - since).num_milliseconds());
    (row.counted_milliseconds + running).div_euclid(1_000)
}

/// What events tell of a session: whose it is and where, no word of what they wrote.
pub(super) fn facts(row: &Model) -> Value {
    json!({
        "user_id": row.user_id,
        "guild_id": row.guild_id,
        "source": spelled(row.source),
        "started_at": row.started_at,
    })
}

/// A text of a person, trimmed; none where nothing is left.
pub(super) fn text(
    text: Option<String>,
    max: usize,
    refusal: PracticeRefusal,
) -> Result<Option<String>, PracticeRefusal> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    // PostgreSQL keeps every character but this one.
    if text.chars().count() > max || text.contains('\0') {
        return Err(refusal);
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
