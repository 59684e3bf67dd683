//! Days, weeks and months of statistics, and streaks: pure.

use std::collections::BTreeSet;

use chrono::{Datelike as _, Days, Months, NaiveDate};
use entity::guild::WeekStart;

use super::{PracticeRefusal, split::DaySeconds, stats::DAYS_MAX};

/// Days of a week.
const WEEK_DAYS: u64 = 7;
/// Years in which a stretch may lie.
const YEARS: std::ops::RangeInclusive<i32> = 2_000..=2_200;
/// A day with less does not carry a streak.
pub const STREAK_DAY_SECONDS: i64 = 60;

/// From the first day to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dates {
    /// The first.
    pub first: NaiveDate,
    /// The last.
    pub last: NaiveDate,
}

impl Dates {
    /// One day.
    pub fn day(date: NaiveDate) -> Self {
        Self { first: date, last: date }
    }

    /// The seven days that end today.
    pub fn last_week(today: NaiveDate) -> Self {
        Self { first: today.checked_sub_days(Days::new(WEEK_DAYS - 1)).unwrap_or(today), last: today }
    }

    /// The calendar week of a day.
    pub fn week(today: NaiveDate, start: WeekStart) -> Self {
        let passed = match start {
            WeekStart::Monday => today.weekday().num_days_from_monday(),
            WeekStart::Sunday => today.weekday().num_days_from_sunday(),
        };
        let first = today.checked_sub_days(Days::new(passed.into())).unwrap_or(today);
        Self { first, last: first.checked_add_days(Days::new(WEEK_DAYS - 1)).unwrap_or(first) }
    }

    /// The calendar month of a day.
    pub fn month(today: NaiveDate) -> Self {
        let first = today.with_day(1).unwrap_or(today);
        let next = first.checked_add_months(Months::new(1));
        Self { first, last: next.and_then(|next| next.pred_opt()).unwrap_or(today) }
    }

    /// The calendar year of a day.
    pub fn year(today: NaiveDate) -> Self {
        let of = |month, day| NaiveDate::from_ymd_opt(today.year(), month, day).unwrap_or(today);
        Self { first: of(1, 1), last: of(12, 31) }
    }

    /// Each day with its seconds, those without any too.
    pub fn filled(self, known: &DaySeconds) -> DaySeconds {
        let days = self.first.iter_days().take_while(|date| *date <= self.last);
        days.map(|date| (date, known.get(&date).copied().unwrap_or(0))).collect()
    }
}

impl Dates {
    /// Refuses what is no stretch: the last day before the first, more than ten years, or a far age.
    pub(super) fn checked(self) -> Result<Self, PracticeRefusal> {
        let fits = self.first <= self.last
            && self.length() <= DAYS_MAX
            && YEARS.contains(&self.first.year())
            && YEARS.contains(&self.last.year());
        if fits { Ok(self) } else { Err(PracticeRefusal::BadDates) }
    }

    /// How many days.
    pub fn length(self) -> u64 {
        (self.last - self.first).num_days().max(0).cast_unsigned() + 1
    }
}

/// A stretch of statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Period {
    /// A day.
    Day,
    /// A week, from the guild's first day of the week on.
    #[default]
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
    /// From the first day on.
    All,
    /// These days.
    Custom(Dates),
}

impl Period {
    /// The days of the stretch that has a day in it; none for all time.
    pub fn dates(self, day: NaiveDate, start: WeekStart) -> Option<Dates> {
        match self {
            Self::Day => Some(Dates::day(day)),
            Self::Week => Some(Dates::week(day, start)),
            Self::Month => Some(Dates::month(day)),
            Self::Year => Some(Dates::year(day)),
            Self::All => None,
            Self::Custom(dates) => Some(dates),
        }
    }

    /// The stretch beside some of its days: before them, or after. None for all time, and at the end of the calendar.
    pub fn beside(self, dates: Dates, is_before: bool) -> Option<(Self, NaiveDate)> {
        let length = Days::new(dates.length());
        let moved = |date: NaiveDate| {
            if is_before { date.checked_sub_days(length) } else { date.checked_add_days(length) }
        };
        match self {
            Self::All => None,
            Self::Custom(_) => {
                let dates = Dates { first: moved(dates.first)?, last: moved(dates.last)? };
                Some((Self::Custom(dates), dates.first))
            }
            _ if is_before => Some((self, dates.first.pred_opt()?)),
            _ => Some((self, dates.last.succ_opt()?)),
        }
    }
}

/// Days in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streak {
    /// Up to today, or to yesterday while today is not over.
    pub current: u32,
    /// The longest one.
    pub longest: u32,
}

/// The streaks among days that carry one. Today may still come.
pub fn streak(days: &BTreeSet<NaiveDate>, today: NaiveDate) -> Streak {
    let mut streak = Streak::default();
    let (mut run, mut last): (u32, Option<NaiveDate>) = (0, None);
    for date in days.iter().filter(|date| **date <= today) {
        let follows = last.is_some_and(|last| last.succ_opt() == Some(*date));
        run = if follows { run + 1 } else { 1 };
        streak.longest = streak.longest.max(run);
        last = Some(*date);
    }
    let is_alive = last.is_some_and(|last| last == today || last.succ_opt() == Some(today));
    streak.current = if is_alive { run } else { 0 };
    streak
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn all(dates: Dates) -> DaySeconds {
        dates.filled(&DaySeconds::new())
    }

    #[test]
    fn weeks_and_months_have_all_their_days() {
        let today = day("2026-02-25");
        assert_eq!(all(Dates::last_week(today)).len(), 7);
        assert_eq!(all(Dates::last_week(today)).first_key_value().unwrap().0, &day("2026-02-19"));
        assert_eq!(all(Dates::month(today)).len(), 28);
        assert_eq!(all(Dates::month(day("2028-02-01"))).len(), 29);
        assert_eq!(all(Dates::month(day("2026-12-31"))).len(), 31);
        assert_eq!(Dates::week(today, WeekStart::Monday).first, day("2026-02-23"));
        assert_eq!(Dates::week(today, WeekStart::Sunday).first, day("2026-02-22"));
        assert_eq!(all(Dates::year(today)).len(), 365);
    }

    #[test]
    fn today_may_still_come_and_yesterday_may_not() {
        let days = BTreeSet::from(["2026-02-20", "2026-02-21", "2026-02-23", "2026-02-24"].map(day));
        assert_eq!(streak(&days, day("2026-02-24")), Streak { current: 2, longest: 2 });
        assert_eq!(streak(&days, day("2026-02-25")), Streak { current: 2, longest: 2 });
        assert_eq!(streak(&days, day("2026-02-26")), Streak { current: 0, longest: 2 });
        assert_eq!(streak(&BTreeSet::new(), day("2026-02-26")), Streak::default());
    }

    proptest! {
        #[test]
        fn the_current_streak_is_never_longer_than_the_longest(passed in prop::collection::btree_set(0_u64..60, 0..60)) {
            let today = day("2026-07-01");
            let days: BTreeSet<_> = passed.iter().map(|passed| today - Days::new(*passed)).collect();
            let found = streak(&days, today);
            prop_assert!(found.current <= found.longest);
            let begin = u64::from(!passed.contains(&0));
            let naive = (begin..60).take_while(|day| passed.contains(day)).count();
            prop_assert_eq!(found.current as usize, naive);
        }
    }
}
