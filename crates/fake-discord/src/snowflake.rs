//! Discord's time-based ids.

use chrono::{DateTime, TimeZone, Utc};

/// Milliseconds between 1970 and Discord's own epoch (2015-01-01T00:00:00Z).
pub const EPOCH_MS: i64 = 1_420_070_400_000;

/// The smallest id a thing made at `time` could have. Times before 2015 give 0.
pub fn at(time: DateTime<Utc>) -> u64 {
    u64::try_from(time.timestamp_millis() - EPOCH_MS).unwrap_or(0) << 22
}

/// When the thing with this id was made, to the millisecond.
pub fn time_of(id: u64) -> DateTime<Utc> {
    let ms = i64::try_from(id >> 22).unwrap_or(0) + EPOCH_MS;
    Utc.timestamp_millis_opt(ms).single().unwrap_or(DateTime::UNIX_EPOCH)
}

/// Makes ids that are unique and, within a millisecond, rising.
#[derive(Debug, Default)]
pub(crate) struct Snowflakes {
    increment: u64,
}

impl Snowflakes {
    /// A new id for a thing made at `time`.
    pub(crate) fn next(&mut self, time: DateTime<Utc>) -> u64 {
        self.increment += 1;
        at(time) | (self.increment & 0x3f_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_hold_their_time_and_rise() {
        let now = Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap();
        let mut ids = Snowflakes::default();
        let (first, second) = (ids.next(now), ids.next(now));
        assert!(first < second);
        assert_eq!(time_of(second), now);
    }
}
