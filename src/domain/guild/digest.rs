//! The summary that the alerts slot receives, once a day or once a week.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use entity::{
    announcement, channel_slot,
    channel_slot::SlotState,
    guild::{self, Digest, WeekStart},
    id::{ChannelId, GuildId},
    vanish_rule::{self, RuleState},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        Domain, Error,
        announcement::{ALERTS, NewAnnouncement, insert},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// What announcements of this kind carry.
pub const DIGEST_KIND: &str = "guild.digest";
/// Local hour at which summaries are due.
const HOUR: u32 = 9;
/// Most rules that are looked at one by one.
const RULES_MAX: u64 = 10_000;

/// The counts of one summary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestCounts {
    /// Since when; none for the first summary, which counts from the beginning.
    pub since: Option<DateTime<Utc>>,
    /// Messages that vanished.
    pub messages_deleted: i64,
    /// Rules that work.
    pub rules_active: u64,
    /// Rules that a person holds.
    pub rules_paused: u64,
    /// Rules that lack a permission.
    pub rules_suspended: u64,
    /// Slots that cannot be used.
    pub slots_broken: u64,
    /// Each rule's count so far, which the next summary starts from.
    pub totals: BTreeMap<ChannelId, i64>,
}

/// The next moment after `now` at which a summary is due; none while it is off.
pub(super) fn next_due(digest: Digest, week_start: WeekStart, zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let day = match (digest, week_start) {
        (Digest::Off, _) => return None,
        (Digest::Daily, _) => None,
        (Digest::Weekly, WeekStart::Monday) => Some(Weekday::Mon),
        (Digest::Weekly, WeekStart::Sunday) => Some(Weekday::Sun),
    };
    let today = now.with_timezone(&zone).date_naive();
    (0..=15)
        .filter_map(|days| today.checked_add_days(Days::new(days)))
        .filter(|date| day.is_none_or(|day| date.weekday() == day))
        .filter_map(|date| at_nine(zone, date))
        .find(|due| *due > now)
}

/// Nine o'clock of a local day, or as soon after it as that day has a time.
fn at_nine(zone: Tz, date: chrono::NaiveDate) -> Option<DateTime<Utc>> {
    let nine = date.and_time(NaiveTime::from_hms_opt(HOUR, 0, 0)?);
    // A zone that crosses the date line skips a whole day, which then has no summary.
    (0..=14)
        .find_map(|hours| zone.from_local_datetime(&(nine + TimeDelta::hours(hours))).earliest())
        .map(|at| at.with_timezone(&Utc))
}

struct Claim {
    row: guild::Model,
    now: DateTime<Utc>,
    ids: IdSource,
}

/// Makes the summaries that are due into announcements, at most `limit`; says how many.
pub async fn due_digests(domain: &Domain, limit: u64) -> Result<usize, Error> {
    let now = domain.now();
    let due = guild::Entity::find()
        .filter(guild::COLUMN.present.eq(true))
        .filter(guild::COLUMN.digest_due_at.lte(now))
        .order_by_asc(guild::COLUMN.digest_due_at)
        .limit(limit)
        .all(domain.store.reader())
        .await?;
    let mut made = 0;
    for row in due {
        let input = Claim { row, now, ids: domain.ids.clone() };
        let claimed: Result<bool, Error> = domain.store.write(input, |txn, input| Box::pin(claim(txn, input))).await;
        made += usize::from(claimed?);
    }
    Ok(made)
}

async fn claim(txn: &WriteTransaction, input: &Claim) -> Result<bool, Error> {
    let Claim { row, now, ids } = input;
    let Some(due) = row.digest_due_at else {
        return Ok(false);
    };
    let zone = super::zone_of(row);
    let next = next_due(row.digest, row.week_start, zone, *now);
    let moved = guild::Entity::update_many()
        .col_expr(guild::Column::DigestDueAt, Expr::value(next))
        .filter(guild::COLUMN.guild_id.eq(row.guild_id))
        .filter(guild::COLUMN.digest_due_at.eq(due))
        .exec(txn.connection())
        .await?;
    if moved.rows_affected == 0 {
        return Ok(false);
    }
    let counts = counts(txn, row.guild_id).await?;
    let new = NewAnnouncement {
        guild_id: row.guild_id,
        slot_key: ALERTS.into(),
        kind: DIGEST_KIND,
        data: serde_json::to_value(counts)?,
        dedupe_key: format!("digest:{}:{}", row.guild_id, due.timestamp()),
        at: *now,
    };
    Ok(insert(txn, ids, new).await?)
}

async fn counts(txn: &WriteTransaction, guild_id: GuildId) -> Result<DigestCounts, Error> {
    let last = announcement::Entity::find()
        .filter(announcement::COLUMN.guild_id.eq(guild_id))
        .filter(announcement::COLUMN.kind.eq(DIGEST_KIND))
        .order_by_desc(announcement::COLUMN.created_at)
        .limit(1)
        .one(txn.connection())
        .await?;
    let since = last.as_ref().map(|last| last.created_at);
    let baseline = match last {
        Some(last) => serde_json::from_value::<DigestCounts>(last.data)?.totals,
        None => BTreeMap::new(),
    };
    let rules: Vec<(ChannelId, RuleState, i64)> = vanish_rule::Entity::find()
        .select_only()
        .columns([vanish_rule::Column::ChannelId, vanish_rule::Column::State, vanish_rule::Column::MessagesDeleted])
        .filter(vanish_rule::COLUMN.guild_id.eq(guild_id))
        .order_by_asc(vanish_rule::COLUMN.channel_id)
        .limit(RULES_MAX)
        .into_tuple()
        .all(txn.connection())
        .await?;
    let slots_broken = channel_slot::Entity::find()
        .filter(channel_slot::COLUMN.guild_id.eq(guild_id))
        .filter(channel_slot::COLUMN.state.eq(SlotState::Broken))
        .count(txn.connection())
        .await?;
    let in_state = |wanted| rules.iter().filter(|(_, state, _)| *state == wanted).count() as u64;
    let deleted = |(channel, _, total): &(ChannelId, RuleState, i64)| {
        // A rule that was removed and made again counts from zero.
        let before = baseline.get(channel).filter(|before| *before <= total);
        total - before.copied().unwrap_or(0)
    };
    Ok(DigestCounts {
        since,
        messages_deleted: rules.iter().map(deleted).sum(),
        rules_active: in_state(RuleState::Active),
        rules_paused: in_state(RuleState::Paused),
        rules_suspended: in_state(RuleState::Suspended),
        slots_broken,
        totals: rules.into_iter().map(|(channel, _, total)| (channel, total)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn summaries_come_at_nine_local_time() {
        let berlin = Tz::Europe__Berlin;
        let noon = at("2026-01-05T12:00:00Z");
        let next = |digest, start, now| next_due(digest, start, berlin, now);
        assert_eq!(next(Digest::Off, WeekStart::Monday, noon), None);
        assert_eq!(next(Digest::Daily, WeekStart::Monday, noon), Some(at("2026-01-06T08:00:00Z")));
        assert_eq!(next(Digest::Weekly, WeekStart::Monday, noon), Some(at("2026-01-12T08:00:00Z")));
        assert_eq!(next(Digest::Weekly, WeekStart::Sunday, noon), Some(at("2026-01-11T08:00:00Z")));
        let early = at("2026-01-05T07:59:59Z");
        let due = at("2026-01-05T08:00:00Z");
        assert_eq!(next(Digest::Weekly, WeekStart::Monday, early), Some(due));
        assert_eq!(next(Digest::Daily, WeekStart::Monday, due), Some(at("2026-01-06T08:00:00Z")));
    }

    #[test]
    fn summer_time_moves_the_moment() {
        let saturday = at("2026-03-28T12:00:00Z");
        assert_eq!(
            next_due(Digest::Daily, WeekStart::Monday, Tz::Europe__Berlin, saturday),
            Some(at("2026-03-29T07:00:00Z"))
        );
        // Samoa skipped the whole of 2011-12-30.
        assert_eq!(
            next_due(Digest::Daily, WeekStart::Monday, Tz::Pacific__Apia, at("2011-12-30T05:00:00Z")),
            Some(at("2011-12-30T19:00:00Z"))
        );
    }
}
