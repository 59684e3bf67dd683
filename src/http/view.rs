//! How values look in JSON.

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// RFC 3339 in UTC with exactly three digits of milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp(pub DateTime<Utc>);

impl Timestamp {
    /// Formats by hand: lists hold three of these per row, and chrono's formatter is ten times slower.
    fn text(self) -> [u8; 24] {
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let moment = self.0;
        put(&mut text[0..4], moment.year().clamp(0, 9999).cast_unsigned());
        put(&mut text[5..7], moment.month());
        put(&mut text[8..10], moment.day());
        put(&mut text[11..13], moment.hour());
        put(&mut text[14..16], moment.minute());
        put(&mut text[17..19], moment.second());
        put(&mut text[20..23], moment.nanosecond() % 1_000_000_000 / 1_000_000);
        text
    }
}

/// Writes a number into all of `digits`.
fn put(digits: &mut [u8], mut number: u32) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.text();
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// It is done.
#[derive(Serialize, ToSchema)]
pub struct Success {
    /// Always true.
    #[schema(example = true)]
    success: bool,
}

impl Success {
    /// The only value.
    pub const DONE: Self = Self { success: true };
}
