//! Text for Discord: escaped, bounded, in the reader's own time.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use entity::id::{ChannelId, DiscordUserId, MessageId, RoleId};

/// Most characters of a message.
pub const CONTENT_MAX: usize = 2_000;

/// Makes text from people inert: no mention, no link with another face, no formatting, no layout tricks.
///
/// Cut to `max` characters first, so that an escape is never cut in two.
pub fn escape(text: &str, max: usize) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in bounded(text, max).chars() {
        match character {
            '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '<' | '[' | ']' | '(' | ')' | '#' | '-' | ':' => {
                escaped.push('\\');
                escaped.push(character);
            }
            // A zero-width space behind it takes the power from every mention.
            '@' => escaped.push_str("@\u{200b}"),
            '\n' | '\r' | '\t' => escaped.push(' '),
            _ if invisible(character) => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The same for a text of several lines, which stay lines.
pub fn escape_lines(text: &str, max: usize) -> String {
    let lines = bounded(text, max);
    lines.lines().map(|line| escape(line, max)).collect::<Vec<_>>().join("\n")
}

/// Controls, zero-width characters and marks that turn the direction of what follows.
fn invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}')
}

/// The text cut to `max` characters, the last of them an ellipsis where something is missing.
pub fn bounded(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(max.saturating_sub(1)).collect();
    cut.push('…');
    cut
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
    use super::{bounded, escape, lines};

    #[test]
    fn text_from_people_is_inert() {
        assert_eq!(escape("@everyone", 100), "@\u{200b}everyone");
        assert_eq!(escape("<@&1>", 100), "\\<@\u{200b}&1\\>");
        assert_eq!(escape("[x](http://y)", 100), "\\[x\\]\\(http\\://y\\)");
        assert_eq!(escape("a\u{202e}b\u{200b}c\nd", 100), "abc d");
    }

    #[test]
    fn escaping_never_leaves_half_an_escape() {
        let escaped = escape(&"`".repeat(4_000), 50);
        assert!(escaped.chars().count() <= 100 && escaped.ends_with('…'));
    }

    #[test]
    fn bounds_count_characters() {
        assert_eq!(bounded("äöü", 3), "äöü");
        assert_eq!(bounded("äöüß", 3), "äö…");
        assert!(lines((0..1_000).map(|n| n.to_string()), 200).ends_with("more"));
    }
}
