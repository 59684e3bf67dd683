//! How often a key may be used.

use entity::api_key::Preset;
use serde::{Deserialize, Serialize};

use super::refusal::KeyRefusal;

/// Most limits of one key.
pub const LIMITS_MAX: usize = 10;
/// The name of the limit that clients of other systems set.
pub const DEFAULT: &str = "default";
/// Longest name of a limit.
const NAME_CHARACTERS_MAX: usize = 32;
/// Most requests of one window.
const REQUESTS_MAX: u32 = 1_000_000;
/// Shortest and longest window: a second and a day.
const WINDOW_MILLISECONDS: std::ops::RangeInclusive<u64> = 1_000..=86_400_000;

/// At most so many requests in any such time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// Its name among the key's limits.
    pub name: String,
    /// Requests.
    pub limit: u32,
    /// Time in milliseconds.
    pub window_ms: u64,
}

impl RateLimit {
    /// What keys of a type have unless they are given limits of their own.
    pub fn of_preset(preset: Preset) -> Self {
        let (limit, window_ms) = match preset {
            Preset::DiscordBot => (100, 60_000),
            Preset::Admin => (500, 3_600_000),
        };
        Self { name: DEFAULT.to_owned(), limit, window_ms }
    }

    fn fault(&self) -> Option<&'static str> {
        let is_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        if !(1..=NAME_CHARACTERS_MAX).contains(&self.name.len()) || !self.name.bytes().all(is_name) {
            Some("its name must have 1 to 32 characters of a-z, 0-9, _ and -")
        } else if !(1..=REQUESTS_MAX).contains(&self.limit) {
            Some("the limit must be from 1 to 1000000 requests")
        } else if !WINDOW_MILLISECONDS.contains(&self.window_ms) {
            Some("the window must be from 1000 to 86400000 milliseconds")
        } else {
            None
        }
    }
}

/// Refuses limits that cannot be kept.
pub(super) fn check(limits: &[RateLimit]) -> Result<(), KeyRefusal> {
    if limits.len() > LIMITS_MAX {
        return Err(KeyRefusal::TooMany { pointer: "/rateLimits", what: "rate limits", max: LIMITS_MAX });
    }
    for (at, limit) in limits.iter().enumerate() {
        let twice = limits[..at].iter().any(|other| other.name == limit.name);
        let fault = limit.fault().or(twice.then_some("another one has the same name"));
        if let Some(fault) = fault {
            return Err(KeyRefusal::BadLimit { position: at + 1, fault });
        }
    }
    Ok(())
}
