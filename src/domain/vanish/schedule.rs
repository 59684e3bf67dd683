//! When messages become due, and how long the engine may wait to delete several at once. Pure.

use chrono::{DateTime, Days, LocalResult, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use entity::{
    vanish_default,
    vanish_rule::{self, Pins, Schedule, Threads},
};

/// Shortest and longest age of a rule, in seconds: 10 s to 365 d.
pub const AFTER_SECONDS: std::ops::RangeInclusive<i64> = 10..=31_536_000;
/// Bounds of `keep_last`.
pub const KEEP_LAST: std::ops::RangeInclusive<i32> = 1..=1000;
/// A rule's `keep_last` that limits nothing, whatever the guild's default says.
pub const KEEP_LAST_OFF: i32 = 0;
/// Shortest and longest coalescing window, in seconds.
const WINDOW_SECONDS: (i64, i64) = (5, 300);
/// What the published lateness bound adds to the window, in seconds.
pub const LATENESS_MARGIN_SECONDS: i64 = 25;
/// Messages older than this are deleted one by one: Discord's 14 days less an hour for clocks that differ.
pub const BULK_AGE: TimeDelta = TimeDelta::seconds(14 * 86_400 - 3_600);

/// A rule with its guild's defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// Age in seconds at which a message is due.
    pub after_seconds: i64,
    /// At most this many messages stay.
    pub keep_last: Option<usize>,
    /// When messages become due.
    pub schedule: Schedule,
    /// Minute of the guild's day.
    pub at_minute: Option<i32>,
    /// Pinned messages.
    pub pins: Pins,
    /// Threads.
    pub threads: Threads,
    /// Where periods are counted from.
    pub anchor: DateTime<Utc>,
    /// The guild's zone.
    pub zone: Tz,
}

impl Effective {
    /// Fills the rule's gaps; `None` while neither it nor the default names an age.
    pub fn of(rule: &vanish_rule::Model, default: Option<&vanish_default::Model>, zone: Tz) -> Option<Self> {
        let keep_last = rule.keep_last.or(default.and_then(|default| default.keep_last));
        Some(Self {
            after_seconds: rule.after_seconds.or_else(|| default?.after_seconds)?,
            keep_last: keep_last.filter(|count| *count != KEEP_LAST_OFF).and_then(|count| usize::try_from(count).ok()),
            schedule: rule.schedule,
            at_minute: rule.at_minute,
            pins: rule.pins.or(default.and_then(|default| default.pins)).unwrap_or(Pins::Keep),
            threads: rule.threads.or(default.and_then(|default| default.threads)).unwrap_or(Threads::Include),
            anchor: rule.created_at,
            zone,
        })
    }

    /// When a message sent at `sent` is due. Never before it has the rule's age, but for `every`, whose period it is.
    pub fn due_at(&self, sent: DateTime<Utc>) -> DateTime<Utc> {
        let age = TimeDelta::seconds(self.after_seconds);
        match self.schedule {
            Schedule::Rolling => sent + age,
            Schedule::Every => {
                let anchor = match self.at_minute {
                    Some(minute) => next_local_time(self.zone, self.anchor, minute),
                    None => self.anchor,
                };
                let periods = (sent - anchor).num_milliseconds().div_euclid(age.num_milliseconds()) + 1;
                anchor + TimeDelta::milliseconds(periods * age.num_milliseconds())
            }
            Schedule::Daily => next_local_time(self.zone, sent + age, self.at_minute.unwrap_or(0)),
        }
    }

    /// How long the engine may wait for more messages after the first is due: 1 % of the age, 5 s to 5 min.
    pub fn window(&self, widening: f64) -> TimeDelta {
        let seconds = (self.after_seconds / 100).clamp(WINDOW_SECONDS.0, WINDOW_SECONDS.1);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "at most 300 000 ms, widened at most a thousandfold"
        )]
        let milliseconds = (seconds as f64 * 1000.0 * widening.clamp(1.0, 1000.0)) as i64;
        TimeDelta::milliseconds(milliseconds)
    }

    /// The published bound: no message stays longer than this past its time while Discord answers.
    pub fn lateness_bound(&self, widening: f64) -> TimeDelta {
        self.window(widening) + TimeDelta::seconds(LATENESS_MARGIN_SECONDS)
    }
}

/// The first moment from `from` on whose local time of day is `minute`; a skipped local time counts as the moment
/// after the gap.
pub fn next_local_time(zone: Tz, from: DateTime<Utc>, minute: i32) -> DateTime<Utc> {
    let minute = u32::try_from(minute.clamp(0, 1439)).unwrap_or(0);
    let time = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap_or(NaiveTime::MIN);
    let today = from.with_timezone(&zone).date_naive();
    // A day may be missing in a zone that moved over the date line, so that one day is not always enough.
    for days in 0..4 {
        let Some(day) = today.checked_add_days(Days::new(days)) else { break };
        let local = day.and_time(time);
        let moment = match zone.from_local_datetime(&local) {
            LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => moment,
            LocalResult::None => match zone.from_local_datetime(&(local + TimeDelta::hours(1))) {
                LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => moment,
                LocalResult::None => continue,
            },
        };
        let moment = moment.with_timezone(&Utc);
        if moment >= from {
            return moment;
        }
    }
    from + TimeDelta::days(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn effective(schedule: Schedule, after_seconds: i64, at_minute: Option<i32>, zone: Tz) -> Effective {
        Effective {
            after_seconds,
            keep_last: None,
            schedule,
            at_minute,
            pins: Pins::Keep,
            threads: Threads::Skip,
            anchor: at("2026-01-01T00:00:00Z"),
            zone,
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a test's own time")
    }

    #[test]
    fn daily_follows_the_zone_over_both_clock_changes() {
        let rule = effective(Schedule::Daily, 3_600, Some(4 * 60), chrono_tz::Europe::Berlin);
        // 2026-03-29: summer time begins; 04:00 local is 02:00 UTC from then on.
        assert_eq!(rule.due_at(at("2026-03-28T12:00:00Z")), at("2026-03-29T02:00:00Z"));
        assert_eq!(rule.due_at(at("2026-03-28T01:00:00Z")), at("2026-03-28T03:00:00Z"));
        // 2026-10-25: it ends.
        assert_eq!(rule.due_at(at("2026-10-24T12:00:00Z")), at("2026-10-25T03:00:00Z"));
    }

    #[test]
    fn a_local_time_that_is_skipped_counts_after_the_gap() {
        let rule = effective(Schedule::Daily, 60, Some(2 * 60 + 30), chrono_tz::Europe::Berlin);
        assert_eq!(rule.due_at(at("2026-03-28T23:30:00Z")), at("2026-03-29T01:30:00Z"));
    }

    #[test]
    fn every_takes_the_next_boundary_of_its_period() {
        let rule = effective(Schedule::Every, 3_600, None, Tz::UTC);
        assert_eq!(rule.due_at(at("2026-01-01T10:00:00Z")), at("2026-01-01T11:00:00Z"));
        assert_eq!(rule.due_at(at("2026-01-01T10:59:59Z")), at("2026-01-01T11:00:00Z"));
    }

    #[test]
    fn windows_are_a_hundredth_within_bounds_and_widen() {
        for (after, window) in [(60, 5), (3_600, 36), (31_536_000, 300)] {
            assert_eq!(effective(Schedule::Rolling, after, None, Tz::UTC).window(1.0), TimeDelta::seconds(window));
        }
        assert_eq!(effective(Schedule::Rolling, 60, None, Tz::UTC).window(4.0), TimeDelta::seconds(20));
    }

    proptest! {
        #[test]
        fn never_early_and_in_order(
            sent in 0_i64..2_000_000_000, later in 0_i64..1_000_000, after in 10_i64..3_000_000,
            minute in 0_i32..1440, zone in 0_usize..3, schedule in 0_usize..3,
        ) {
            let zone = [chrono_tz::Europe::Berlin, chrono_tz::America::St_Johns, chrono_tz::Pacific::Apia][zone];
            let schedule = [Schedule::Rolling, Schedule::Every, Schedule::Daily][schedule];
            let rule = effective(schedule, after, Some(minute), zone);
            let first = DateTime::from_timestamp(sent, 0).expect("in range");
            let second = first + TimeDelta::seconds(later);
            let least = if schedule == Schedule::Every { TimeDelta::zero() } else { TimeDelta::seconds(after) };
            prop_assert!(rule.due_at(first) >= first + least);
            prop_assert!(rule.due_at(first) <= first + TimeDelta::seconds(after) + TimeDelta::hours(50));
            prop_assert!(rule.due_at(second) >= rule.due_at(first));
        }
    }
}
