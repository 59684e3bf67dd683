//! Text for Discord: escaped, bounded, in the reader's own time.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use entity::id::{ChannelId, DiscordUserId, MessageId, RoleId};

pub use crate::discord_api::{bounded, escape};

/// Most characters of a message.
pub const CONTENT_MAX: usize = 2_000;

/// Inert text of several lines, which stay lines.
pub fn escape_lines(text: &str, max: usize) -> String {
    let lines = bounded(text, max);
    lines.lines().map(|line| escape(line, max)).collect::<Vec<_>>().join("\n")
}

/// A moment, counted from the reader's now.
pub fn relative(at: DateTime<Utc>) -> String {
    format!("<t:{}:R>", at.timestamp())
}

/// A moment, in the reader's own time zone.
pub fn absolute(at: DateTime<Utc>) -> String {
    format!("<t:{}:f>", at.timestamp())
}

/// A link to a channel.
pub fn channel(id: ChannelId) -> String {
    format!("<#{id}>")
}

/// A link to a person; it never pings, because mentions are always off.
pub fn user(id: DiscordUserId) -> String {
    format!("<@{id}>")
}

/// A link to a role; it never pings.
pub fn role(id: RoleId) -> String {
    format!("<@&{id}>")
}

/// The address of a message.
pub fn message_link(guild: entity::id::GuildId, channel: ChannelId, message: MessageId) -> String {
    format!("https://discord.com/channels/{guild}/{channel}/{message}")
}

/// Lines joined until the next one would pass `max` characters; says how many are missing.
pub fn lines(lines: impl IntoIterator<Item = String>, max: usize) -> String {
    let mut text = String::new();
    let mut left_out = 0;
    for line in lines {
        if left_out > 0 || text.chars().count() + line.chars().count() + 40 > max {
            left_out += 1;
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line);
    }
    if left_out > 0 {
        let _ = write!(text, "\n… and {left_out} more");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{bounded, lines};

    #[test]
    fn bounds_count_characters() {
        assert_eq!(bounded("äöü", 3), "äöü");
        assert_eq!(bounded("äöüß", 3), "äö…");
        assert!(lines((0..1_000).map(|n| n.to_string()), 200).ends_with("more"));
    }
}
