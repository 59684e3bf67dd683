//! Cutting time at local midnights, so that the sums of days are the time that passed.
//!
//! Invariant: whatever the zone does, the seconds of all days together are the whole seconds of the stretch. A day that
//! a zone lives through twice gets both, one that it skips gets none.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// Seconds by local day.
pub type DaySeconds = BTreeMap<NaiveDate, i64>;

/// A stretch of time within one local day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The day.
    pub date: NaiveDate,
    /// Its begin.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
}

/// The day of a moment.
pub fn local_date(zone: Tz, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// The begin of a local day: its midnight, or the first moment after it where a zone skips that one.
pub fn midnight(zone: Tz, date: NaiveDate) -> DateTime<Utc> {
    let local = date.and_time(NaiveTime::MIN);
    let mut hours = (0..=24).map(|hours| local + TimeDelta::hours(hours));
    let first = hours.find_map(|local| zone.from_local_datetime(&local).earliest());
    first.map_or_else(|| local.and_utc(), |midnight| midnight.with_timezone(&Utc))
}

fn offset(zone: Tz, at: DateTime<Utc>) -> TimeDelta {
    TimeDelta::seconds(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc().into())
}

/// Cuts a stretch at local midnights and where the zone changes its clocks; in order, without holes.
pub fn pieces(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = from;
    while at < to {
        let shift = offset(zone, at);
        let date = (at + shift).date_naive();
        let end = next_midnight(date, shift).map_or(to, |midnight| midnight.min(to));
        let end = steady_until(zone, at, end);
        match pieces.last_mut() {
            Some(last) if last.date == date => last.to = end,
            _ => pieces.push(Piece { date, from: at, to: end }),
        }
        at = end;
    }
    pieces
}

/// The end of a local day, if the clocks were not changed before it; none at the end of the calendar.
fn next_midnight(date: NaiveDate, shift: TimeDelta) -> Option<DateTime<Utc>> {
    let midnight = date.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN);
    midnight.checked_sub_signed(shift).map(|midnight| midnight.and_utc())
}

/// The first moment in a stretch of at most a day at which the zone's clocks are changed; its end if they are not.
fn steady_until(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> DateTime<Utc> {
    let shift = offset(zone, from);
    if offset(zone, to - TimeDelta::milliseconds(1)) == shift {
        return to;
    }
    let (mut steady, mut changed) = (from.timestamp_millis(), to.timestamp_millis());
    while changed - steady > 1 {
        let middle = steady + (changed - steady) / 2;
        let at = DateTime::from_timestamp_millis(middle).unwrap_or(to);
        if offset(zone, at) == shift {
            steady = middle;
        } else {
            changed = middle;
        }
    }
    DateTime::from_timestamp_millis(changed).unwrap_or(to)
}

/// Whole seconds of each day in a stretch before which `carried` milliseconds were counted already: what is left of a
/// second goes on into the next stretch.
pub fn seconds_by_day(zone: Tz, carried: i64, from: DateTime<Utc>, to: DateTime<Utc>) -> DaySeconds {
    let mut days = DaySeconds::new();
    let counted = |at: DateTime<Utc>| (carried + (at - from).num_milliseconds()).div_euclid(1_000);
    for piece in pieces(zone, from, to) {
        let seconds = counted(piece.to) - counted(piece.from);
        if seconds > 0 {
            *days.entry(piece.date).or_default() += seconds;
        }
    }
    days
}

/// Adds the seconds of days.
pub fn add(days: &mut DaySeconds, more: &DaySeconds) {
    for (date, seconds) in more {
        *days.entry(*date).or_default() += seconds;
    }
}

/// What has to be added to `before` to have `after`.
pub fn difference(before: &DaySeconds, after: &DaySeconds) -> DaySeconds {
    let mut days = after.clone();
    for (date, seconds) in before {
        *days.entry(*date).or_default() -= seconds;
    }
    days.retain(|_, seconds| *seconds != 0);
    days
}

/// All seconds together.
pub fn sum(days: &DaySeconds) -> i64 {
    days.values().sum()
}

#[cfg(test)]
mod tests;
