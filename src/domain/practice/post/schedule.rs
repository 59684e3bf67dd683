//! When boards are due, and about which days: pure.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc, Weekday};
use chrono_tz::Tz;
use entity::{guild::WeekStart, practice_post::PostPeriod};

use crate::domain::{guild::General, practice::Dates};

/// Days in which the next and the last moment of a schedule are found: two months.
const DAYS_MAX: u64 = 62;
/// Steps in which a moment that a day does not have is looked for. Clocks are changed by multiples of it.
const STEP_MINUTES: i64 = 15;

/// Whether a board is due on this day.
fn falls_on(period: PostPeriod, start: WeekStart, date: NaiveDate) -> bool {
    match (period, start) {
        (PostPeriod::Daily, _) => true,
        (PostPeriod::Weekly, WeekStart::Monday) => date.weekday() == Weekday::Mon,
        (PostPeriod::Weekly, WeekStart::Sunday) => date.weekday() == Weekday::Sun,
        (PostPeriod::Monthly, _) => date.day() == 1,
    }
}

/// A minute of a local day, or as soon after it as that day has a time; the first of two that are called so.
fn moment(zone: Tz, date: NaiveDate, at_minute: i32) -> Option<DateTime<Utc>> {
    let wanted = date.and_time(NaiveTime::MIN) + TimeDelta::minutes(at_minute.into());
    (0..)
        .map(|step| wanted + TimeDelta::minutes(step * STEP_MINUTES))
        .take_while(|local| local.date() == date)
        .find_map(|local| zone.from_local_datetime(&local).earliest())
        .map(|at| at.with_timezone(&Utc))
}

/// The next moment after `now`.
pub(super) fn next_due(
    period: PostPeriod,
    general: &General,
    at_minute: i32,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let today = now.with_timezone(&general.time_zone).date_naive();
    (0..=DAYS_MAX)
        .filter_map(|days| today.checked_add_days(Days::new(days)))
        .filter(|date| falls_on(period, general.week_start, *date))
        .filter_map(|date| moment(general.time_zone, date, at_minute))
        .find(|due| *due > now)
}

/// The day of the last moment up to `now`.
pub(super) fn last_day(period: PostPeriod, general: &General, at_minute: i32, now: DateTime<Utc>) -> Option<NaiveDate> {
    let today = now.with_timezone(&general.time_zone).date_naive();
    (0..=DAYS_MAX)
        .filter_map(|days| today.checked_sub_days(Days::new(days)))
        .filter(|date| falls_on(period, general.week_start, *date))
        .find(|date| moment(general.time_zone, *date, at_minute).is_some_and(|due| due <= now))
}

/// The days of the period that has ended before a day on which its board is due.
pub(super) fn ended(period: PostPeriod, start: WeekStart, day: NaiveDate) -> Dates {
    let eve = day.pred_opt().unwrap_or(day);
    match period {
        PostPeriod::Daily => Dates::day(eve),
        PostPeriod::Weekly => Dates::week(eve, start),
        PostPeriod::Monthly => Dates::month(eve),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn berlin() -> General {
        General { time_zone: Tz::Europe__Berlin, ..General::default() }
    }

    #[test]
    fn moments_follow_the_clock_on_the_wall() {
        let next = |period, minute, now| next_due(period, &berlin(), minute, at(now)).unwrap();
        // Summer time begins on 2026-03-29 at 02:00 and ends on 2026-10-25 at 03:00.
        assert_eq!(next(PostPeriod::Daily, 540, "2026-03-28T12:00:00Z"), at("2026-03-29T07:00:00Z"));
        assert_eq!(next(PostPeriod::Daily, 540, "2026-10-24T12:00:00Z"), at("2026-10-25T08:00:00Z"));
        assert_eq!(next(PostPeriod::Daily, 150, "2026-03-28T12:00:00Z"), at("2026-03-29T01:00:00Z"), "02:30 is not");
        assert_eq!(
            next(PostPeriod::Daily, 150, "2026-10-24T12:00:00Z"),
            at("2026-10-25T00:30:00Z"),
            "the first of two"
        );
        assert_eq!(next(PostPeriod::Daily, 150, "2026-10-25T00:30:00Z"), at("2026-10-26T01:30:00Z"), "and no second");
        assert_eq!(next(PostPeriod::Weekly, 540, "2026-03-24T12:00:00Z"), at("2026-03-30T07:00:00Z"));
        assert_eq!(next(PostPeriod::Monthly, 0, "2026-02-01T00:00:00Z"), at("2026-02-28T23:00:00Z"));
        assert_eq!(next(PostPeriod::Monthly, 0, "2026-12-31T12:00:00Z"), at("2026-12-31T23:00:00Z"));
    }

    #[test]
    fn boards_are_about_what_has_just_ended() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let dates = |first, last| Dates { first: day(first), last: day(last) };
        let monday = WeekStart::Monday;
        assert_eq!(ended(PostPeriod::Daily, monday, day("2026-03-01")), dates("2026-02-28", "2026-02-28"));
        assert_eq!(ended(PostPeriod::Weekly, monday, day("2026-03-02")), dates("2026-02-23", "2026-03-01"));
        assert_eq!(ended(PostPeriod::Weekly, WeekStart::Sunday, day("2026-03-01")), dates("2026-02-22", "2026-02-28"));
        assert_eq!(ended(PostPeriod::Monthly, monday, day("2028-03-01")), dates("2028-02-01", "2028-02-29"));
        let last = last_day(PostPeriod::Monthly, &berlin(), 540, at("2026-03-01T07:59:59Z")).unwrap();
        assert_eq!(last, day("2026-02-01"));
        assert_eq!(last_day(PostPeriod::Daily, &berlin(), 540, at("2026-03-01T08:00:00Z")), Some(day("2026-03-01")));
    }
}
