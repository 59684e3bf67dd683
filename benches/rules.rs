//! The rules that every target holds: twenty in the guild that is listed, and a thousand over fifty guilds that are
//! written.

use serde_json::json;

/// Rules of the listed guild.
pub const LISTED: u64 = 20;
/// Rules that are written in turn.
pub const WRITTEN: u64 = 1_000;
/// Guilds that they are spread over.
const GUILDS: u64 = 50;

/// The guild that is listed.
pub const LISTED_GUILD: u64 = 2_000_000_000_000_000_001;

/// A rule, as it is set.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The channel.
    pub channel: u64,
    /// Its guild.
    pub guild: u64,
    /// Seconds.
    pub duration: i64,
}

impl Rule {
    /// The body that sets it.
    pub fn body(&self) -> String {
        json!({
            "channelId": self.channel.to_string(),
            "guildId": self.guild.to_string(),
            "duration": self.duration,
        })
        .to_string()
    }
}

/// The rules of the listed guild.
pub fn listed() -> impl Iterator<Item = Rule> {
    (0..LISTED).map(|n| Rule { channel: 1_000_000_000_000_000_000 + n, guild: LISTED_GUILD, duration: 3_600 })
}

/// The rules that are written; their durations change with each `round`, so that every write changes something.
pub fn written(round: u64) -> impl Iterator<Item = Rule> {
    (0..WRITTEN).map(move |n| Rule {
        channel: 3_100_000_000_000_000_000 + n,
        guild: 3_200_000_000_000_000_000 + n % GUILDS,
        duration: 60 + i64::try_from((n * 37 + round * 101) % 86_400).unwrap_or(0),
    })
}
