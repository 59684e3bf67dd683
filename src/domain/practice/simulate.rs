//! What other rules would have made of the last seven days. What nobody recorded, such as who was muted, is left as it
//! was.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta};
use entity::{
    id::{GuildId, PracticeSessionId, UserId},
    practice_segment::{self, SegmentKind},
    practice_session::{self, Model, SessionSource, SessionState},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Rule, RuleChange, SessionView, rule};
use crate::domain::{Actor, Domain, Error, Right};

/// How far back it looks.
const BACK: TimeDelta = TimeDelta::days(7);
/// Most sessions that it looks at.
const SESSIONS_MAX: u64 = 10_000;
/// Sessions of one statement.
const CHUNK: usize = 500;

/// What a change of the rules would have meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Sessions that were looked at.
    pub sessions: u64,
    /// What they count now.
    pub seconds_before: i64,
    /// What they would count.
    pub seconds_after: i64,
    /// People whose time would differ.
    pub people_affected: u64,
    /// There were more sessions than are looked at.
    pub is_partial: bool,
}

/// The parts of a session that a rule decides about.
#[derive(Clone, Copy, Debug, Default)]
struct Doubtful {
    short_milliseconds: i64,
    /// Gaps that the new bridge would span.
    bridged_milliseconds: i64,
}

/// The effect of a change on the sessions of the last seven days, before it is saved.
pub async fn simulate(domain: &Domain, actor: &Actor, guild_id: GuildId, change: &RuleChange) -> Result<Effect, Error> {
    actor.require(Right::ManagePractice, Some(guild_id))?;
    let reader = domain.store.reader();
    let new = rule::of(reader, guild_id).await?.with(change)?;
    let mut rows = practice_session::Entity::find()
        .filter(practice_session::COLUMN.guild_id.eq(guild_id))
        .filter(practice_session::COLUMN.started_at.gte(domain.now() - BACK))
        .filter(practice_session::Column::State.eq(SessionState::Done))
        .order_by_desc(practice_session::COLUMN.started_at)
        .limit(SESSIONS_MAX + 1)
        .all(reader)
        .await?;
    let is_partial = rows.len() as u64 > SESSIONS_MAX;
    rows.truncate(usize::try_from(SESSIONS_MAX).unwrap_or(usize::MAX));
    let mut doubtful: BTreeMap<PracticeSessionId, Doubtful> = BTreeMap::new();
    for chunk in rows.chunks(CHUNK) {
        let segments = practice_segment::Entity::find()
            .filter(practice_segment::COLUMN.session_id.is_in(chunk.iter().map(|row| row.id)))
            .filter(practice_segment::Column::Kind.is_in([SegmentKind::Gap, SegmentKind::Short]))
            .all(reader)
            .await?;
        for segment in segments {
            let parts = doubtful.entry(segment.session_id).or_default();
            let length = segment.ended_at - segment.started_at;
            match segment.kind {
                SegmentKind::Short => parts.short_milliseconds += length.num_milliseconds(),
                _ if length <= TimeDelta::seconds(new.bridge_seconds) => {
                    parts.bridged_milliseconds += length.num_milliseconds();
                }
                _ => {}
            }
        }
    }
    Ok(Effect { is_partial, ..effect(&new, rows, &doubtful) })
}

fn effect(new: &Rule, rows: Vec<Model>, doubtful: &BTreeMap<PracticeSessionId, Doubtful>) -> Effect {
    let mut effect = Effect { sessions: rows.len() as u64, ..Effect::default() };
    let mut days: BTreeMap<(UserId, NaiveDate), (i64, i64)> = BTreeMap::new();
    for row in rows {
        let parts = doubtful.get(&row.id).copied().unwrap_or_default();
        let after = seconds_under(new, &row, parts);
        let view = SessionView::from(row);
        let day = days.entry((view.row.user_id, view.date)).or_default();
        day.0 += view.seconds;
        day.1 += after;
    }
    let mut affected = BTreeSet::new();
    for ((user, _), (before, after)) in days {
        // A day is taken to be full by the sessions that began on it.
        let after = after.min(new.day_cap_seconds);
        effect.seconds_before += before;
        effect.seconds_after += after;
        if before != after {
            affected.insert(user);
        }
    }
    effect.people_affected = affected.len() as u64;
    effect
}

fn seconds_under(new: &Rule, row: &Model, parts: Doubtful) -> i64 {
    let counted = row.counted_milliseconds.div_euclid(1_000);
    match row.source {
        SessionSource::Http | SessionSource::Manual => return counted,
        SessionSource::Voice if !row.channel_id.is_some_and(|channel| new.tracks(channel)) => return 0,
        SessionSource::Voice | SessionSource::Command => {}
    }
    let milliseconds = row.counted_milliseconds + parts.short_milliseconds + parts.bridged_milliseconds;
    let seconds = milliseconds.div_euclid(1_000).min(new.session_cap_seconds);
    if seconds < new.minimum_seconds { 0 } else { seconds }
}
