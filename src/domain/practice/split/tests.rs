use chrono_tz::{America::St_Johns, Europe::Berlin, Pacific::Apia};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn days(zone: Tz, from: &str, to: &str) -> Vec<(NaiveDate, i64)> {
    seconds_by_day(zone, 0, at(from), at(to)).into_iter().collect()
}

#[test]
fn a_night_is_cut_at_midnight() {
    assert_eq!(
        days(Tz::UTC, "2026-11-22T23:00:00Z", "2026-11-23T01:30:00Z"),
        [(day("2026-11-22"), 3_600), (day("2026-11-23"), 5_400)]
    );
    // Midnight in Berlin is 23:00 in UTC in winter.
    assert_eq!(
        days(Berlin, "2026-11-22T22:00:00Z", "2026-11-22T23:10:00Z"),
        [(day("2026-11-22"), 3_600), (day("2026-11-23"), 600)]
    );
}

#[test]
fn the_days_of_both_changes_have_23_and_25_hours() {
    assert_eq!(
        days(Berlin, "2026-03-28T23:00:00Z", "2026-03-30T22:00:00Z"),
        [(day("2026-03-29"), 23 * 3_600), (day("2026-03-30"), 24 * 3_600)]
    );
    assert_eq!(
        days(Berlin, "2026-10-24T22:00:00Z", "2026-10-26T23:00:00Z"),
        [(day("2026-10-25"), 25 * 3_600), (day("2026-10-26"), 24 * 3_600)]
    );
    // Half an hour beside the others, and changed one minute after midnight until 2011: the 4th came, went and came.
    assert_eq!(days(St_Johns, "2026-11-01T02:30:00Z", "2026-11-02T03:30:00Z"), [(day("2026-11-01"), 25 * 3_600)]);
    let cut = pieces(St_Johns, at("2010-11-06T12:00:00Z"), at("2010-11-07T12:00:00Z"));
    let dates: Vec<_> = cut.iter().map(|piece| piece.date.to_string()).collect();
    assert_eq!(dates, ["2010-11-06", "2010-11-07", "2010-11-06", "2010-11-07"]);
    let lengths: Vec<_> = cut.iter().map(|piece| (piece.to - piece.from).num_minutes()).collect();
    assert_eq!((lengths[1], lengths[2]), (1, 59));
}

#[test]
fn a_day_that_a_zone_skips_has_no_second() {
    assert_eq!(
        days(Apia, "2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z"),
        [(day("2011-12-29"), 24 * 3_600), (day("2011-12-31"), 24 * 3_600)]
    );
}

#[test]
fn parts_of_seconds_are_carried_over() {
    let (from, middle, to) =
        (at("2026-11-22T10:00:00.700Z"), at("2026-11-22T10:00:02.300Z"), at("2026-11-22T10:00:03.100Z"));
    let first = seconds_by_day(Tz::UTC, 0, from, middle);
    let second = seconds_by_day(Tz::UTC, 1_600, middle, to);
    assert_eq!((sum(&first), sum(&second)), (1, 1), "2.4 seconds are two");
}

/// Moments around the changes of clocks of the zones that the promises name, and elsewhere.
fn moments() -> impl Strategy<Value = (Tz, DateTime<Utc>)> {
    let zones = prop_oneof![Just(Berlin), Just(St_Johns), Just(Apia), Just(Tz::UTC)];
    let near = prop_oneof![
        Just("2026-03-29T00:00:00Z"),
        Just("2026-10-25T00:00:00Z"),
        Just("2026-03-08T04:00:00Z"),
        Just("2026-11-01T04:00:00Z"),
        Just("2010-11-07T02:30:00Z"),
        Just("2011-12-30T09:00:00Z"),
        Just("2012-04-01T00:00:00Z"),
        Just("2026-07-14T12:00:00Z"),
    ];
    (zones, near, -200_000_000_i64..200_000_000)
        .prop_map(|(zone, near, milliseconds)| (zone, at(near) + TimeDelta::milliseconds(milliseconds)))
}

proptest! {
    /// D46: whatever the zone does, the days together are the time that passed.
    #[test]
    fn days_together_are_the_elapsed_seconds((zone, from) in moments(), milliseconds in 0_i64..400_000_000) {
        let to = from + TimeDelta::milliseconds(milliseconds);
        let days = seconds_by_day(zone, 0, from, to);
        prop_assert_eq!(sum(&days), milliseconds / 1_000);
        prop_assert!(days.values().all(|seconds| (1..=90_000).contains(seconds)), "{:?}", days);
        let pieces = pieces(zone, from, to);
        let mut end = from;
        for piece in &pieces {
            prop_assert_eq!(piece.from, end);
            prop_assert!(piece.to > piece.from);
            prop_assert_eq!(local_date(zone, piece.from), piece.date);
            prop_assert_eq!(local_date(zone, piece.to - TimeDelta::milliseconds(1)), piece.date);
            end = piece.to;
        }
        prop_assert_eq!(end, to);
    }

    /// However often it is credited on the way, it comes to the same.
    #[test]
    fn cuts_on_the_way_change_nothing(
        (zone, from) in moments(),
        steps in prop::collection::vec(0_i64..40_000_000, 1..12),
        carried in 0_i64..5_000,
    ) {
        let to = from + TimeDelta::milliseconds(steps.iter().sum());
        let whole = seconds_by_day(zone, carried, from, to);
        let mut parts = DaySeconds::new();
        let (mut at, mut counted) = (from, carried);
        for step in steps {
            let next = at + TimeDelta::milliseconds(step);
            add(&mut parts, &seconds_by_day(zone, counted, at, next));
            (at, counted) = (next, counted + step);
        }
        prop_assert_eq!(difference(&parts, &whole), DaySeconds::new());
    }
}
